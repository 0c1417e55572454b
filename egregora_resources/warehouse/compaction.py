"""Making what was deleted from the warehouse unreadable: DuckDB leaves it in the file's free pages."""

from __future__ import annotations

from pathlib import Path

from egregora_resources.warehouse.copies import copy_database, remove_copy, sync
from egregora_resources.warehouse.database import Warehouse


def rewrite(warehouse: Warehouse) -> None:
    """Copies the warehouse into a new file, which takes the old one's place all at once.

    Nobody else can open it meanwhile. Killed at any moment, the old file or the new one is there in full, and what is
    left of an unfinished copy goes with the next call. Not within a transaction.
    """
    path = warehouse.path.resolve()
    new = _new(path)
    with warehouse.connect() as connection:
        # From here on nothing is written: a log of the old file must not be taken for one of the new.
        connection.execute("CHECKPOINT")
        copy_database(connection, path, new)
        connection.execute("PRAGMA disable_checkpoint_on_shutdown")
        new.replace(path)
        sync(path.parent)


def remove_unfinished(path: Path) -> None:
    """Removes the copy that a killed `rewrite` left beside the warehouse at `path`."""
    remove_copy(_new(path))


def _new(path: Path) -> Path:
    return path.with_name(f"{path.name}.new")
