"""Categories and tags: `vocabulary` and `synonyms`. Which of them a page shows is settled in the pipeline's `taxonomy`."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

import duckdb

from egregora_resources.warehouse.database import Warehouse
from egregora_resources.warehouse.reading import Source, fetch


class Term(NamedTuple):
    """A term in use."""

    kind: str
    """``category`` or ``tag``."""
    term: str
    first_window: str
    """Key of the window whose posts brought it."""


class Synonym(NamedTuple):
    """A term that means another."""

    kind: str
    term: str
    stays: str
    """What readers see instead."""


def terms(source: Source) -> list[Term]:
    """The terms in use, by kind and spelling."""
    return [
        Term(*row) for row in fetch(source, "SELECT kind, term, first_window FROM vocabulary ORDER BY ALL")
    ]


def synonyms(source: Source) -> list[Synonym]:
    """The terms that mean others, by kind and spelling."""
    return [Synonym(*row) for row in fetch(source, "SELECT kind, term, stays FROM synonyms ORDER BY ALL")]


def add_terms(warehouse: Warehouse, added: Sequence[tuple[str, str, str]]) -> None:
    """Stores terms as (kind, term, window); one that is there keeps its window."""
    if added:
        with warehouse.transaction() as connection:
            connection.executemany("INSERT OR IGNORE INTO vocabulary VALUES (?, ?, ?)", list(added))


def put_synonyms(warehouse: Warehouse, found: Sequence[Synonym]) -> None:
    """Stores terms that mean others."""
    if found:
        with warehouse.transaction() as connection:
            connection.executemany("INSERT OR REPLACE INTO synonyms VALUES (?, ?, ?)", list(found))


def drop_terms(connection: duckdb.DuckDBPyConnection, gone: Collection[tuple[str, str]]) -> None:
    """Removes terms, each given as (kind, term)."""
    for pair in gone:
        connection.execute("DELETE FROM vocabulary WHERE kind = ? AND term = ?", list(pair))


def drop_synonyms(connection: duckdb.DuckDBPyConnection, gone: Collection[tuple[str, str]]) -> None:
    """Removes synonyms by the (kind, term) that gave way."""
    for pair in gone:
        connection.execute("DELETE FROM synonyms WHERE kind = ? AND term = ?", list(pair))
