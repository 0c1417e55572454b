"""Making what was deleted from the warehouse unreadable: DuckDB leaves it in the file's free pages."""

from __future__ import annotations

import os
from pathlib import Path

from egregora_resources.warehouse.database import Warehouse

UNFINISHED = "forgetting"
"""Fact: ids of what is still to be removed of somebody who was forgotten."""


def rewrite(warehouse: Warehouse) -> None:
    """Copies the warehouse into a new file, which takes the old one's place all at once.

    Nobody else can open it meanwhile. Killed at any moment, the old file or the new one is there in full, and what is
    left of an unfinished copy goes with the next call. Not within a transaction.
    """
    path = warehouse.path.resolve()
    new = path.with_name(f"{path.name}.new")
    with warehouse.connect() as connection:
        remove_unfinished(path)
        # From here on nothing is written: a log of the old file must not be taken for one of the new.
        connection.execute("CHECKPOINT")
        name = connection.execute("SELECT current_database()").fetchall()[0][0]
        quoted = str(new).replace("'", "''")
        connection.execute(f"ATTACH '{quoted}' AS rewritten")
        connection.execute(f'COPY FROM DATABASE "{name}" TO rewritten')
        connection.execute("CHECKPOINT rewritten")
        connection.execute("DETACH rewritten")
        connection.execute("PRAGMA disable_checkpoint_on_shutdown")
        new.chmod(path.stat().st_mode)
        _sync(new)
        new.replace(path)
        _sync(path.parent)


def remove_unfinished(path: Path) -> None:
    """Removes the copy that a killed `rewrite` left beside the warehouse at `path`."""
    for suffix in (".new", ".new.wal"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def _sync(path: Path) -> None:
    if path.is_dir() and os.name != "posix":
        return
    handle = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
