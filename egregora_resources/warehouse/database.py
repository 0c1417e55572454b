"""The site's DuckDB database: opened for milliseconds, by one process at a time, and always closed.

While one process has the file open for writing no other can open it at all, so nothing here keeps a
connection across a model's call or a build. All tables are created from `tables.sql`.
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
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from egregora_resources.errors import UserError

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pyarrow as pa

log = logging.getLogger("egregora.warehouse")


class WarehouseBusy(UserError):
    """Another process holds the warehouse."""


class WarehouseMissing(UserError):
    """There is no warehouse yet: nothing was imported."""


class _Door:
    """What the threads of this process share about one database file."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.connection: duckdb.DuckDBPyConnection | None = None
        self.tables_made = False


_doors: dict[str, _Door] = {}
_doors_lock = threading.Lock()


class Warehouse:
    """Access to one site's database.

    Args:
        path: of the database file; created with all tables on first use.
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
        """A connection for a short piece of work; nested calls in one thread share it."""
        door = self._door
        with door.lock:
            if door.connection is not None:
                yield door.connection
                return
            # The file may have been deleted since it was last open: a long-lived process then makes the tables anew.
            door.tables_made = door.tables_made and self.path.exists()
            door.connection = connection = self._open()
            try:
                if not door.tables_made:
                    connection.execute(
                        files("egregora_resources.warehouse").joinpath("tables.sql").read_text("utf-8")
                    )
                    door.tables_made = True
                yield connection
            finally:
                door.connection = None
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

    def rows(self, sql: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """All rows of a query."""
        with self.connect() as connection:
            return connection.execute(sql, list(parameters)).fetchall()

    def execute(self, expression: ir.Table) -> pa.Table:
        """The rows of an Ibis table expression.

        Expressions over unbound tables named as in `tables.sql` are run on this warehouse, others
        (a memtable, another database's table) where they live.
        """
        import ibis
        from ibis.common.exceptions import IbisError

        try:
            backend = expression.get_backend()
        except IbisError:
            with self.connect() as connection:
                return ibis.duckdb.from_connection(connection).to_pyarrow(expression)
        return backend.to_pyarrow(expression)

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
            except duckdb.IOException as error:
                if not _held(error):
                    raise WarehouseBusy(
                        f"The database {self.path} can't be opened: it is damaged, not ours, or the folder can't "
                        "be written. Check the folder's rights and free space; restore the file from a copy "
                        "if it is damaged."
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


def _held(error: duckdb.IOException) -> bool:
    """Whether it is another process that is in the way, and not the file."""
    return "set lock on file" in str(error) or "being used by another process" in str(error)


def open_existing(path: Path, *, wait: float = 5.0) -> Warehouse:
    """The warehouse of a site for a command that only looks.

    Raises:
        WarehouseMissing: nothing was imported yet.
    """
    if not path.exists():
        raise WarehouseMissing(
            f"Nothing was imported into {path.parent.parent} yet. "
            "Run: egregora write EXPORT --site " + str(path.parent.parent)
        )
    return Warehouse(path, wait=wait)
