"""What columns a table has, without opening a site's database: for whoever shows the tables."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import NamedTuple

import duckdb


class Column(NamedTuple):
    """A column of a table; `type` as DuckDB calls it."""

    name: str
    type: str
    nullable: bool


@cache
def table_columns(table: str) -> tuple[Column, ...]:
    """The columns of a table of `tables.sql`, in its order."""
    with duckdb.connect() as connection:
        connection.execute(files("egregora_resources.warehouse").joinpath("tables.sql").read_text("utf-8"))
        rows = connection.execute(f"DESCRIBE {table}").fetchall()
    return tuple(Column(name, kind, nullable == "YES") for name, kind, nullable, *_ in rows)
