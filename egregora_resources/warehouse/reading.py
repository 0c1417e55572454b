"""How the warehouse is read: Ibis expressions, built and compiled once a process, and plain SQL where that is cheaper.

Reads that filter, join or aggregate are Ibis expressions over the schemas of `tables`. A query stays SQL where

- every command asks it before it knows whether there is anything to do: to load Ibis and compile the first expression
  costs 0.7 s of CPU, and to look at the first parameter DuckDB loads pandas, which costs as much again; so these
  queries have no parameters either, and what little is left to sift is sifted in Python;
- it is asked once a window, for the rows of one key;
- it takes a whole table as it stands.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

import duckdb

from egregora_resources.warehouse.database import Warehouse

if TYPE_CHECKING:
    import ibis.expr.types as ir

Source: TypeAlias = Warehouse | duckdb.DuckDBPyConnection
"""What is read from: the warehouse, or a connection to it where the read is part of a transaction."""

Rows: TypeAlias = list[tuple[Any, ...]]

_GIVEN = re.compile(r'"?GIVEN_(\w+)"?\(\)', re.IGNORECASE)


def fetch(source: Source, sql: str, parameters: Sequence[object] | dict[str, object] = ()) -> Rows:
    """All rows of a query in SQL."""
    if isinstance(source, Warehouse):
        with source.connect() as connection:
            return fetch(connection, sql, parameters)
    if not parameters:
        return source.execute(sql).fetchall()
    return source.execute(sql, parameters).fetchall()


class Query:
    """A query written as an Ibis expression: use as a decorator of the function that builds it.

    Nothing is built before it is first asked; later calls send the same SQL again, with other parameters.
    """

    def __init__(self, build: Callable[[], ir.Table]) -> None:
        self._build = build

    @cached_property
    def sql(self) -> str:
        """In DuckDB's dialect, `given` values as named parameters."""
        import ibis

        return _GIVEN.sub(lambda call: f"${call[1].lower()}", ibis.to_sql(self._build(), dialect="duckdb"))

    def rows(self, source: Source, **given: object) -> Rows:
        """All rows, for these values of its parameters."""
        return fetch(source, self.sql, given)


def given(name: str, kind: str) -> Any:
    """A parameter of a `Query`: Ibis itself writes values into the SQL, so that each would be compiled anew.

    Args:
        name: as `Query.rows` is told it.
        kind: its Ibis type, e.g. ``array<string>``.
    """
    import ibis
    import ibis.expr.datatypes as dt

    def function() -> None: ...

    builtin: Any = ibis.udf.scalar.builtin
    return builtin(function, name=f"given_{name}", signature=((), dt.dtype(kind)))()
