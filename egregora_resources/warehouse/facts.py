"""Facts about the site within a transaction of the caller's; `Warehouse.fact` and `remember` serve everybody else."""

from __future__ import annotations

import duckdb

from egregora_resources.warehouse.reading import Source, fetch


def fact(source: Source, key: str) -> str | None:
    """A remembered fact; None if there is none of this key."""
    return dict(fetch(source, "SELECT key, value FROM facts")).get(key)


def put_fact(connection: duckdb.DuckDBPyConnection, key: str, value: str) -> None:
    """Stores a fact in place of the one before."""
    connection.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", [key, value])


def keep_first_fact(connection: duckdb.DuckDBPyConnection, key: str, value: str) -> None:
    """Stores a fact that is settled once: one that is there stays."""
    connection.execute("INSERT OR IGNORE INTO facts VALUES (?, ?)", [key, value])


def drop_fact(connection: duckdb.DuckDBPyConnection, key: str) -> None:
    """Removes a fact, if it is there."""
    connection.execute("DELETE FROM facts WHERE key = ?", [key])
