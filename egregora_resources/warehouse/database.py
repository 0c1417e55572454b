"""The site's DuckDB database: opened for milliseconds, by one process at a time, and always closed.

While one process has the file open for writing no other can open it at all, so nothing here keeps a
connection across a model's call or a build. Tables are made, and brought up to date, by `migrations`.
"""

# Arrow has no types:
# pyright: reportUnknownParameterType=false

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb

from egregora_resources.errors import UserError
from egregora_resources.warehouse.imported_files import list_beside
from egregora_resources.warehouse.migrations import backups, migrate

log = logging.getLogger("egregora.warehouse")


class WarehouseBusy(UserError):
    """Another process holds the warehouse."""


class WarehouseMissing(UserError):
    """There is no warehouse yet: nothing was imported."""


class WarehouseLost(WarehouseMissing):
    """There was a warehouse, and now there is none."""


class WarehouseUnreadable(UserError):
    """The file is damaged, not ours, or can't be opened."""


class _Door:
    """What the threads of this process share about one database file."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.connection: duckdb.DuckDBPyConnection | None = None
        self.left: tuple[int, ...] | None = None
        """The file's state when it was last closed here, its tables being up to date."""


_doors: dict[str, _Door] = {}
_doors_lock = threading.Lock()


class Warehouse:
    """Access to one site's database.

    Args:
        path: of the database file; created with all tables on first use, and migrated if it is of an older version.
        wait: seconds to wait for another process to let go before `WarehouseBusy`.
    """

    def __init__(self, path: Path, *, wait: float = 60.0) -> None:
        self.path = path
        self.wait = wait

    @cached_property
    def _door(self) -> _Door:
        with _doors_lock:
            return _doors.setdefault(str(self.path.resolve()), _Door())

    @contextmanager
    def connect(self) -> Generator[duckdb.DuckDBPyConnection]:
        """A connection for a short piece of work; nested calls in one thread share it.

        Raises:
            WarehouseLost: it isn't there any more, and nobody has agreed to begin anew (see `create`).
            WarehouseBusy: another process didn't let go of it.
            WarehouseUnreadable: the file is damaged, or can't be opened.
            SchemaTooNew: a later version of the code wrote it.
        """
        door = self._door
        with door.lock:
            if door.connection is not None:
                yield door.connection
                return
            if was_lost(self.path):
                raise WarehouseLost(_lost(self.path))
            as_left = door.left is not None and door.left == _state(self.path)
            door.left = None
            door.connection, up_to_date = self._open(), False
            connection = door.connection
            try:
                # A long-lived process may find the file deleted, restored, or brought forward by a later version.
                if not as_left:
                    migrate(connection, self.path)
                up_to_date = True
                yield connection
            except (duckdb.IOException, duckdb.SerializationException) as error:
                if not _damaged(error):
                    raise
                raise WarehouseUnreadable(_restore(self.path)) from error
            finally:
                door.connection = None
                connection.close()
                if up_to_date:
                    door.left = _state(self.path)

    def create(self) -> None:
        """Makes an empty database where one was lost; not before the owner has agreed to it."""
        with self._door.lock:
            connection = self._open()
            try:
                migrate(connection, self.path)
            finally:
                connection.close()

    @contextmanager
    def transaction(self) -> Generator[duckdb.DuckDBPyConnection]:
        """A connection inside a transaction: all of the block is kept, or nothing."""
        with self.connect() as connection:
            connection.execute("BEGIN")
            try:
                yield connection
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")

    def empty(self) -> bool:
        """Whether nothing was imported into it."""
        return not self.rows("SELECT 1 FROM export_files LIMIT 1")

    def rows(self, sql: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """All rows of a query."""
        with self.connect() as connection:
            return connection.execute(sql, list(parameters)).fetchall()

    def fact(self, key: str) -> str | None:
        """A remembered fact about the site, such as the resolved provider."""
        # They are few; and to look at a parameter, DuckDB loads pandas.
        return dict(self.rows("SELECT key, value FROM facts")).get(key)

    def remember(self, key: str, value: str) -> None:
        """Stores a fact."""
        with self.transaction() as connection:
            connection.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", [key, value])

    def _open(self) -> duckdb.DuckDBPyConnection:
        deadline = time.monotonic() + self.wait
        started, told = time.monotonic(), False
        while True:
            try:
                return duckdb.connect(str(self.path))
            except (duckdb.IOException, duckdb.SerializationException) as error:
                if _damaged(error):
                    raise WarehouseUnreadable(_restore(self.path)) from error
                if "database file with version number" in str(error):
                    raise WarehouseUnreadable(
                        f"The database {self.path} was written by a later version of DuckDB than the one installed here. "
                        "Install what requirements.txt of the version that wrote it pins, and try again."
                    ) from error
                if not _held(error):
                    raise WarehouseUnreadable(
                        f"The database {self.path} can't be opened, or nothing can be written beside it. Check the "
                        "folder's rights and its free space."
                    ) from error
                now = time.monotonic()
                if now > deadline:
                    raise WarehouseBusy(
                        f"The database {self.path} has been in use by another program for {self.wait:.0f} seconds. "
                        "Wait until the other run is over, or stop it, and try again."
                    ) from error
                if not told and now - started > 2:
                    log.info("waiting for another process to let go of the database")
                    told = True
                time.sleep(0.05)


def was_lost(path: Path) -> bool:
    """Whether a site's warehouse is gone: there is none, but a list of what was imported into it, or a built site."""
    return not path.exists() and has_traces(path)


def has_traces(path: Path) -> bool:
    """Whether something outside the warehouse shows that a chat was imported into it."""
    traces = (list_beside(path), path.parent.parent / "site" / "index.html")
    return any(trace.exists() for trace in traces)


def _lost(path: Path) -> str:
    return (
        f"The database {path} is gone, though this site was written before. Put it back from a copy of the site's "
        "folder; or run `egregora write`, which says what is lost and begins anew if you agree."
    )


def _state(path: Path) -> tuple[int, ...] | None:
    """What tells a file from another one in its place, and from itself after somebody wrote it."""
    try:
        stat = path.stat()
    except FileNotFoundError:
        return None
    return stat.st_ino, stat.st_size, stat.st_mtime_ns


def _held(error: duckdb.Error) -> bool:
    """Whether it is another process that is in the way, and not the file."""
    return "set lock on file" in str(error) or "being used by another process" in str(error)


def _damaged(error: duckdb.Error) -> bool:
    """Whether the file's own bytes are what is wrong."""
    told = ("Corrupt", "not a valid DuckDB", "Could not read enough bytes", "replaying WAL", "deserialize")
    return any(words in str(error) for words in told)


def _restore(path: Path) -> str:
    """What the owner of a damaged warehouse can do, the least loss first."""
    log_file = path.with_name(f"{path.name}.wal")
    ways = [
        *(
            [f"its last changes are in {log_file}: if only they are damaged, moving that file away is enough"]
            if log_file.exists()
            else []
        ),
        "put the file back from a copy of the site's folder, if you have one",
        *(
            f"or put {backup} in its place, a copy from before an upgrade: what came since is done again"
            for backup in reversed(backups(path))
        ),
        f"or move {path} away and import the chat again: `egregora write` then says what that costs, before it begins",
    ]
    return f"The database {path} is damaged. What helps, the least loss first: {'; '.join(ways)}."


def open_existing(path: Path, *, wait: float = 5.0) -> Warehouse:
    """The warehouse of a site for a command that only looks.

    Raises:
        WarehouseMissing: nothing was imported yet, or (`WarehouseLost`) it is gone.
    """
    if was_lost(path):
        raise WarehouseLost(_lost(path))
    if not path.exists():
        raise WarehouseMissing(
            f"Nothing was imported into {path.parent.parent} yet. "
            "Run: egregora write EXPORT --site " + str(path.parent.parent)
        )
    return Warehouse(path, wait=wait)
