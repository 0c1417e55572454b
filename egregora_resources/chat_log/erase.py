"""What is left of forgotten people's messages: empty places in the log, the same in every export.

A message of theirs becomes a row of kind ``forgotten`` without name, text or file, but with the marks (edited,
deleted, with media) and the trace by which the merge tells that two exports have the same one. In other people's messages their
names become ``[name]``. Both are done to exports before they are merged, and to the log when somebody is forgotten.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from egregora_resources.chat_log.rows import FORGOTTEN
from egregora_resources.inputs.export import Export
from egregora_resources.privacy.forgotten import Eraser, Forgotten, texts_in

LOGS = ("raw_messages", "minute_versions")
"""The tables that hold messages as sent."""

_CLEANED = ("text", "attachment", "data")


def without_forgotten(export: Export, forgotten: Forgotten) -> Export:
    """The export with empty places for what forgotten people said, and without their names elsewhere."""
    if not forgotten:
        return export
    table = export.messages
    columns: dict[str, list[Any]] = {name: table[name].to_pylist() for name in table.column_names}
    persons = {name: forgotten.person(name) for name in set(columns["author"]) - {None}}
    gone = [(n, person) for n, name in enumerate(columns["author"]) if name and (person := persons[name])]
    for n, person in gone:
        sent = columns["attachment"][n]
        left = {"author": None, "kind": FORGOTTEN, "text": "", "attachment": None, "is_system": False}
        left["media_omitted"] = columns["media_omitted"][n] or sent is not None
        left["data"] = forgotten.trace(person, columns["text"][n], sent)
        for column, value in left.items():
            columns[column][n] = value
    stored = {
        name: {v for v, kind in zip(columns[name], columns["kind"], strict=True) if v and kind != FORGOTTEN}
        for name in _CLEANED
    }
    eraser = forgotten.eraser(_texts(stored) | {export.chat, export.source.name})
    changed = {name: _changes(eraser, name, values) for name, values in stored.items()}
    for n, kind in enumerate(columns["kind"]):
        for name in _CLEANED if kind != FORGOTTEN else ():
            columns[name][n] = changed[name].get(columns[name][n], columns[name][n])
    return replace(
        export,
        source=export.source.with_name(eraser.text(export.source.name)),
        chat=eraser.text(export.chat),
        messages=pa.table(
            {name: pa.array(values, table.schema.field(name).type) for name, values in columns.items()},
            schema=table.schema,
        ),
        media={
            name: replace(member, name=name)
            for member in export.media.values()
            if (name := changed["attachment"].get(member.name, member.name))
        },
        # Nobody can tell whose these lines are.
        not_understood=() if gone else export.not_understood,
    )


def _texts(stored: Mapping[str, Collection[str]]) -> set[str]:
    """All texts of the columns, those inside JSON too."""
    return {text for value in stored["data"] for text in texts_in(value)}.union(
        stored["text"], stored["attachment"]
    )


def _changes(eraser: Eraser, column: str, values: Collection[str]) -> dict[str, str]:
    """What the values that hold a forgotten name become."""
    clean: Callable[[str], str] = eraser.data if column == "data" else eraser.text
    return {value: cleaned for value in values if (cleaned := clean(value)) != value}


def leave_places(connection: duckdb.DuckDBPyConnection, names: Sequence[str], forgotten: Forgotten) -> int:
    """Empties the messages printed under these names, in the log and in all versions of it.

    Returns:
        How many messages of the log there were.
    """
    count = connection.execute(
        "SELECT count(*) FROM raw_messages WHERE list_contains(?, name)", [list(names)]
    ).fetchall()[0][0]
    for log in LOGS:
        said = connection.execute(
            f"SELECT DISTINCT name, text, attachment FROM {log} WHERE list_contains(?, name)", [list(names)]
        ).fetchall()
        if not said:
            continue
        persons = {name: forgotten.person(name) or "" for name in names}
        traces = pa.table(
            {
                "name": pa.array([name for name, *_ in said], pa.string()),
                "text": pa.array([text for _, text, _ in said], pa.string()),
                "attachment": pa.array([attachment for *_, attachment in said], pa.string()),
                "trace": pa.array(
                    [forgotten.trace(persons[name], text, sent) for name, text, sent in said], pa.string()
                ),
            }
        )
        connection.register("traces", traces)
        connection.execute(
            f"""
            UPDATE {log} SET name = NULL, kind = '{FORGOTTEN}', text = '', attachment = NULL, data = t.trace,
                media_omitted = media_omitted OR {log}.attachment IS NOT NULL
            FROM traces t WHERE {log}.name = t.name AND {log}.text = t.text
                AND {log}.attachment IS NOT DISTINCT FROM t.attachment
            """
        )
        connection.unregister("traces")
    return int(count)


def erase_names(connection: duckdb.DuckDBPyConnection, forgotten: Forgotten) -> int:
    """Takes forgotten names out of what everybody else wrote, sent and was told by the app.

    Returns:
        How many messages of the log named them.
    """
    stored: dict[str, set[str]] = {name: set() for name in _CLEANED}
    for log in LOGS:
        for name in _CLEANED:
            rows = connection.execute(
                f"SELECT DISTINCT {name} FROM {log} WHERE {name} IS NOT NULL AND kind <> '{FORGOTTEN}'"
            ).fetchall()
            stored[name] |= {row[0] for row in rows}
    eraser = forgotten.eraser(_texts(stored))
    changed = {name: _changes(eraser, name, values) for name, values in stored.items()}
    count = 0
    for name, changes in changed.items():
        if not changes:
            continue
        pairs = pa.table(
            {"was": pa.array(changes, pa.string()), "now": pa.array(changes.values(), pa.string())}
        )
        connection.register("erased", pairs)
        for log in LOGS:
            done = connection.execute(
                f"UPDATE {log} SET {name} = e.now FROM erased e "
                f"WHERE {log}.{name} = e.was AND kind <> '{FORGOTTEN}'"
            ).fetchall()[0][0]
            count += int(done) if log == "raw_messages" else 0
        if name == "attachment":
            connection.execute(
                "DELETE FROM media m USING erased e WHERE m.name = e.was AND EXISTS "
                "(FROM media o WHERE o.digest = m.digest AND o.name = e.now)"
            )
            connection.execute("UPDATE media SET name = e.now FROM erased e WHERE media.name = e.was")
        connection.unregister("erased")
    return count


def erase_labels(connection: duckdb.DuckDBPyConnection, forgotten: Forgotten) -> int:
    """Takes forgotten names out of the names of files and of the chat; how many there were."""
    count = 0
    for table, column in (("export_files", "file_name"), ("export_files", "chat"), ("facts", "value")):
        which = "WHERE key = 'chat'" if table == "facts" else ""
        values = {
            str(row[0])
            for row in connection.execute(f"SELECT DISTINCT {column} FROM {table} {which}").fetchall()
        }
        for was, now in _changes(forgotten.eraser(values), column, values).items():
            connection.execute(
                f"UPDATE {table} SET {column} = ? WHERE {column} = ? {which.replace('WHERE', 'AND')}",
                [now, was],
            )
            count += 1
    return count


def file_names(connection: duckdb.DuckDBPyConnection, names: Sequence[str]) -> list[Path]:
    """The imported files that print one of these names, in the order of import."""
    rows = connection.execute(
        "SELECT file_name FROM export_files WHERE digest IN "
        "(SELECT digest FROM export_names WHERE list_contains(?, name)) ORDER BY sequence",
        [list(names)],
    ).fetchall()
    return [Path(row[0]) for row in rows]
