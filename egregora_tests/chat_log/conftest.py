"""A chat that several phones export: written message by message, imported into an empty database."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.resources import files
from itertools import count
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from egregora_resources.chat_log import Merged, merge_export
from egregora_resources.inputs.export import MESSAGE_SCHEMA, Export

START = datetime(2025, 3, 3, 10, 0)


def minute(number: float) -> datetime:
    """So many minutes after ten."""
    return START + timedelta(minutes=number)


@dataclass(frozen=True)
class Line:
    """One message as an export prints it."""

    timestamp: datetime
    author: str | None
    text: str
    kind: str = "text"
    attachment: str | None = None
    edited: bool = False
    deleted: bool = False
    media_omitted: bool = False
    is_system: bool = False
    data: str | None = None


def export(lines: Iterable[Line], label: str = "") -> Export:
    """An export of these messages; exports with the same messages differ by their label."""
    said = list(lines)
    table = pa.Table.from_pylist([vars(line) for line in said], schema=MESSAGE_SCHEMA)
    digest = hashlib.sha256(repr((said, label)).encode()).hexdigest()
    return Export(Path(f"{label}.zip"), digest, "The group", table, {}, "dmy", 1.0, "told")


def say(number: float, author: str | None, text: str, **more: Any) -> Line:
    """A message so many minutes after ten."""
    return Line(minute(number), author, text, **more)


def chat(*said: tuple[float, str, str], label: str = "") -> Export:
    """An export of plain text messages."""
    return export((say(*one) for one in said), label)


class PlainPseudonyms:
    """Ids and pseudonyms one can read in a failing test."""

    def author_id(self, name: str) -> str:
        return f"id of {name}"

    def token(self, author_id: str, taken: Collection[str]) -> str:
        # Somebody forgotten leaves a gap among those taken.
        return next(token for token in map("token {}".format, count()) if token not in taken)


class Log:
    """A database in memory with the log of one chat."""

    def __init__(self) -> None:
        self.con = duckdb.connect(config={"threads": 1})
        self.con.execute(files("egregora_resources.warehouse").joinpath("tables.sql").read_text())

    def add(
        self, *exports: Export, modified: datetime | None = None, same: Sequence[Sequence[str]] = ()
    ) -> Merged:
        """Imports exports one after the other; returns what the last one did."""
        merged = Merged()
        for one in exports:
            self.con.execute("BEGIN")
            merged = merge_export(self.con, one, pseudonyms=PlainPseudonyms(), same=same, modified=modified)
            self.con.execute("COMMIT")
        return merged

    def rows(self) -> list[tuple[Any, ...]]:
        """The whole log in order."""
        return self.con.execute("SELECT * FROM raw_messages ORDER BY id").fetchall()

    def lines(self) -> list[tuple[str | None, str]]:
        """Who said what, in order."""
        return self.con.execute("SELECT name, text FROM raw_messages ORDER BY id").fetchall()

    def texts(self) -> list[str]:
        return [text for _, text in self.lines()]

    def authors(self) -> dict[str, str]:
        """The author id of every name."""
        return dict(self.con.execute("SELECT name, author_id FROM author_names").fetchall())


@pytest.fixture
def log() -> Log:
    return Log()
