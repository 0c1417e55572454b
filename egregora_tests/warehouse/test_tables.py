"""The schemas that Ibis is given are those of `tables.sql`, and what Ibis compiles is asked with parameters."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Any

import duckdb
import ibis

from egregora_resources.warehouse.database import Warehouse
from egregora_resources.warehouse.facts import put_fact
from egregora_resources.warehouse.reading import Query, given
from egregora_resources.warehouse.tables import SCHEMAS, table


def test_every_table_and_view_of_tables_sql_has_its_schema() -> None:
    connection = duckdb.connect()
    connection.execute(files("egregora_resources.warehouse").joinpath("tables.sql").read_text("utf-8"))
    backend: Any = ibis.duckdb.from_connection(connection)
    made = {name: dict(backend.table(name).schema().items()) for name in backend.list_tables()}
    ours = {name: dict(table(name).schema().items()) for name in SCHEMAS}
    assert _nullable(ours) == _nullable(made)


def _nullable(tables: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Without NOT NULL, which decides nothing in an expression."""
    return {
        name: {column: kind.copy(nullable=True) for column, kind in columns.items()}
        for name, columns in tables.items()
    }


@Query
def _values() -> Any:
    facts = table("facts")
    return facts.filter(given("keys", "array<string>").contains(facts.key)).select("value").order_by("value")


def test_an_expression_is_compiled_once_and_asked_with_whatever_parameters(tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path / "warehouse.duckdb")
    with warehouse.transaction() as connection:
        put_fact(connection, "o'clock", "1")
        put_fact(connection, 'a "word"', "2")
        assert _values.rows(connection, keys=["o'clock"]) == [("1",)]
    compiled = _values.sql
    assert _values.rows(warehouse, keys=["o'clock", 'a "word"', "none"]) == [("1",), ("2",)]
    assert _values.rows(warehouse, keys=[]) == []
    assert _values.sql is compiled
    assert "o'clock" not in compiled
