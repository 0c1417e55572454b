"""Windows over tables of the caller's own, as the runner takes them: the door of the Python API.

`write` and the asset graph read windows of the warehouse's log instead: `open_window.window_works`.
"""

# Arrow has no types:
# pyright: reportUnknownParameterType=false

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

import pyarrow as pa

from egregora_assets.pipeline.context import PipelineContext, WindowWork
from egregora_assets.windowing.cutting import Window, wall_clock
from egregora_resources.document import fingerprint
from egregora_resources.errors import UserError
from egregora_resources.people import People, learn_names, load_people, said_of
from egregora_resources.privacy.commands import Command, fold, parse_command
from egregora_resources.warehouse.windows import IDS_A_MINUTE

RAW_COLUMNS: Mapping[str, Any] = {
    "id": None, "ts": None, "name": None, "kind": "text", "text": "", "attachment": None, "edited": False,
    "deleted": False, "media_omitted": False, "data": None,
}  # fmt: skip
"""Columns of a raw message, and what stands in where a table has none."""
NAMED_OTHERWISE = {"timestamp": "ts", "author": "name"}
_EPOCH = datetime(1970, 1, 1)


class NotMessages(UserError):
    """A table lacks a column that messages have."""


def works_of_windows(context: PipelineContext, windows: Sequence[Window]) -> list[WindowWork]:
    """Windows made by `create_windows`, read and made known to the warehouse's people.

    The tables have columns ``timestamp`` (or ``ts``), ``author`` (or ``name``) and ``text``, and may have the others
    of a raw message. People not yet known get a pseudonym; an opt-out in any of the windows holds for all of them.
    """
    tables = dict(zip([window.label for window in windows], _rows(windows), strict=True))
    names = {row["name"] for rows in tables.values() for row in rows if row["name"]}
    context.folder.make_state()
    with context.storage.transaction() as connection:
        learn_names(connection, names, context.site.pseudonyms(connection))
        people = load_people(connection, context.config)
    people = _heed(people, [row for rows in tables.values() for row in rows])
    context.replace_people(people)
    return [
        WindowWork(
            context,
            window.label,
            window.start_time,
            window.end_time,
            partial(_table, tables[window.label]),
            _version(people, tables[window.label]),
        )
        for window in windows
    ]


def _rows(windows: Sequence[Window]) -> list[list[dict[str, Any]]]:
    """The windows' messages as raw rows; ids are given as in the log, minute by minute."""
    said: Counter[int] = Counter()
    tables: list[list[dict[str, Any]]] = []
    for window in windows:
        table = window.messages.to_pyarrow()
        table = table.rename_columns([NAMED_OTHERWISE.get(name, name) for name in table.column_names])
        for column in ("ts", "name", "text"):
            if column not in table.column_names:
                known = next((old for old, new in NAMED_OTHERWISE.items() if new == column), column)
                raise NotMessages(
                    f"The table of messages has no column {known!r}; it has: {', '.join(table.column_names)}"
                )
        table = table.set_column(
            table.column_names.index("ts"), "ts", wall_clock(table["ts"]).cast(pa.timestamp("us"), safe=False)
        )
        rows = [
            {name: row.get(name, default) for name, default in RAW_COLUMNS.items()}
            for row in table.to_pylist()
        ]
        for row in rows:
            row["text"] = row["text"] or ""
            if row["id"] is None:
                minute = int((row["ts"] - _EPOCH).total_seconds() // 60)
                row["id"] = minute * IDS_A_MINUTE + said[minute]
                said[minute] += 1
        tables.append(rows)
    return tables


def _heed(people: People, rows: Sequence[Mapping[str, Any]]) -> People:
    """The people, those marked who opt out in these messages; nobody is let in again who is out by the log."""
    obeyed: dict[str, list[Command]] = {}
    for row in rows:
        said = said_of(row["text"], media_omitted=row["media_omitted"])
        if row["name"] and "egregora" in said.lower() and (command := parse_command(said)):
            obeyed.setdefault(people.by_name[row["name"]].token, []).append(command)
    out = {token for token, commands in obeyed.items() if fold(commands).opted_out}
    return People(
        [replace(m, opted_out=m.opted_out or m.token in out) for m in people.members], people.language
    )


def _version(people: People, rows: Sequence[Mapping[str, Any]]) -> str:
    """Of a window's content and of the people who speak or are named in it, as `windowing.layout` has it."""
    tokens = {people.by_name[row["name"]].token for row in rows if row["name"]}
    tokens |= {token for row in rows for token in people.index.people_in(row["text"])}
    touched = sorted(people.touching[token] for token in tokens if token in people.touching)
    return fingerprint([[str(value) for value in row.values()] for row in rows], touched)


def _table(rows: list[dict[str, Any]]) -> pa.Table:
    types = {"id": pa.int64(), "ts": pa.timestamp("us")}
    types |= dict.fromkeys(("edited", "deleted", "media_omitted"), pa.bool_())
    schema = pa.schema([(name, types.get(name, pa.string())) for name in RAW_COLUMNS])
    return pa.Table.from_pylist(rows, schema)
