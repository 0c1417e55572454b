"""Copies of the warehouse in a file of their own: there in full, or not at all.

DuckDB copies, not the file system: whoever opens a file that a process has locked and closes it again gives up that
process's lock. Nothing that was deleted gets into the copy.
"""

from __future__ import annotations

import os
from pathlib import Path

import duckdb


def copy_database(connection: duckdb.DuckDBPyConnection, path: Path, copy: Path) -> None:
    """Copies all that the open database at `path` holds into `copy`, on the disk for good. Not within a transaction.

    What an earlier call that was killed left there is replaced.
    """
    remove_copy(copy)
    name = connection.execute("SELECT current_database()").fetchall()[0][0]
    quoted = str(copy).replace("'", "''")
    connection.execute(f"ATTACH '{quoted}' AS copied")
    try:
        connection.execute(f'COPY FROM DATABASE "{name}" TO copied')
        connection.execute("CHECKPOINT copied")
    finally:
        connection.execute("DETACH copied")
    copy.chmod(path.stat().st_mode)
    sync(copy)


def remove_copy(copy: Path) -> None:
    """Removes a copy, whatever there is of it."""
    for path in (copy, copy.with_name(f"{copy.name}.wal")):
        path.unlink(missing_ok=True)


def sync(path: Path) -> None:
    """Waits until a file, or what a folder lists, is on the disk."""
    if path.is_dir() and os.name != "posix":
        return
    handle = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
