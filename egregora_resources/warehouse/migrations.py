"""The warehouse's schema version: older databases are brought forward when they are opened, newer ones are refused.

`tables.sql` says what the newest version's tables are. Whoever changes it adds a migration that makes the same of the
version before: a test holds both against each other, on warehouses that earlier code left.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from importlib.resources import files
from pathlib import Path
from typing import TypeAlias

import duckdb

from egregora_resources.errors import UserError
from egregora_resources.warehouse.copies import copy_database, remove_copy, sync

log = logging.getLogger("egregora.warehouse")

SCHEMA = "schema"
"""Fact: the version of the tables. Version 1, before there was one, has none."""

Migration: TypeAlias = Callable[[duckdb.DuckDBPyConnection], object]


def _mark(connection: duckdb.DuckDBPyConnection) -> None:
    """1 → 2: the version is noted, as it is after every step; the tables stay."""


MIGRATIONS: Sequence[Migration] = (_mark,)
"""The first one leads from version 1 to version 2, and so on. Each works in the caller's transaction."""


class SchemaTooNew(UserError):
    """The warehouse was written by a later version of Egregora."""


def newest() -> int:
    """The version that this code reads and writes."""
    return len(MIGRATIONS) + 1


def migrate(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Brings the open database at `path` to the newest version; a new one gets its tables. Not within a transaction.

    An older one is first copied beside itself; then all steps are done in one transaction, so that one which is killed
    is begun again by the next opening. Costs a millisecond where there is nothing to do.

    Raises:
        SchemaTooNew: nothing was changed.
    """
    found = _version(connection)
    if found == newest():
        return
    if found > newest():
        raise SchemaTooNew(
            f"The database {path} was written by a later version of Egregora: its tables are of version {found}, and "
            f"this one knows versions up to {newest()}. Install the later version again, or put back a copy of the "
            "site's folder from before; nothing was changed."
        )
    if found:
        log.info("bringing the database from version %d to %d", found, newest())
        _copy_beside(connection, path, found)
    connection.execute("BEGIN")
    try:
        if found:
            for step in MIGRATIONS[found - 1 :]:
                step(connection)
        else:
            tables = files("egregora_resources.warehouse").joinpath("tables.sql")
            connection.execute(tables.read_text("utf-8"))
        connection.execute(f"INSERT OR REPLACE INTO facts VALUES ('{SCHEMA}', '{newest()}')")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _version(connection: duckdb.DuckDBPyConnection) -> int:
    """The version of the tables; 0 where there are none."""
    try:
        # Without a parameter: to look at one, DuckDB loads pandas.
        known = connection.execute(f"SELECT value FROM facts WHERE key = '{SCHEMA}'").fetchone()
    except duckdb.CatalogException:
        # The table of facts was always made last: without it, nothing was ever stored.
        return 0
    return int(known[0]) if known else 1


def _copy_beside(connection: duckdb.DuckDBPyConnection, path: Path, version: int) -> None:
    backup = path.with_name(f"{path.name}.v{version}-backup")
    new = backup.with_name(f"{backup.name}.new")
    try:
        copy_database(connection, path, new)
    except (duckdb.IOException, OSError) as error:
        remove_copy(new)
        raise UserError(
            f"The database {path} is of an earlier version of Egregora, and the copy that is made before it is brought "
            f"forward can't be written beside it: is the disk full? It takes {path.stat().st_size >> 20:,} MB. Nothing "
            "was changed."
        ) from error
    new.replace(backup)
    sync(path.parent)


def backups(path: Path) -> list[Path]:
    """Copies of the warehouse at `path` from before it was brought forward, the newest version last."""
    found = [backup for backup in path.parent.glob(f"{path.name}.v*-backup") if backup.is_file()]
    return sorted(found, key=lambda backup: (len(backup.name), backup.name))


def remove_backups(path: Path) -> int:
    """Removes the copies, unfinished ones as well; how many there were."""
    count = len(backups(path))
    for leftover in path.parent.glob(f"{path.name}.v*-backup*"):
        remove_copy(leftover)
    return count
