"""What stages made, at rest: messages, documents, and a row for each stage of each window.

A result's row and its documents are committed in one transaction; the asset graph is told afterwards.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, NamedTuple, TypeAlias

import duckdb
import pyarrow as pa

from egregora_resources.document import Document, FrontMatter, Message, Model
from egregora_resources.privacy.page_text import BLOCK
from egregora_resources.usage import Usage
from egregora_resources.warehouse.database import Warehouse
from egregora_resources.warehouse.reading import Source, fetch

Status: TypeAlias = Literal["done", "skipped", "failed", "withdrawn"]


@dataclass(frozen=True, slots=True)
class StageResult:
    """The outcome of one stage for one window: a row of `stage_results`."""

    stage: str
    window: str
    status: Status
    fingerprint: str
    data_version: str = ""
    parts: Mapping[str, str] = field(default_factory=dict[str, str])
    reason: str = ""
    """Why it was run."""
    note: str = ""
    """Why it was skipped, or what it has to say."""
    error: str = ""
    degraded: str = ""
    usage: Usage = Usage()
    seconds: float = 0.0
    documents: int = 0
    finished_at: datetime = datetime.min
    run_id: str = ""
    reported: bool = False


_COLUMNS = (
    "stage, window_key, status, fingerprint, data_version, parts, reason, note, error, degraded, "
    "calls, input_tokens, output_tokens, usd, seconds, documents, finished_at, run_id, reported"
)


def load_results(warehouse: Warehouse, *, unreported: bool = False) -> dict[tuple[str, str], StageResult]:
    """All stored results by (stage, window), in the order in which they were finished."""
    where = "WHERE NOT reported " if unreported else ""
    rows = warehouse.rows(f"SELECT {_COLUMNS} FROM stage_results {where}ORDER BY finished_at, stage")
    return {(row[0], row[1]): _result(row) for row in rows}


def _result(row: tuple[Any, ...]) -> StageResult:
    values: list[Any] = [*row[:5], json.loads(row[5]), *row[6:10], Usage(*row[10:14]), *row[14:]]
    return StageResult(*values)


class MadeVersion(NamedTuple):
    """What a stage made of an active window: its data version, and what it has to say."""

    stage: str
    window: str
    data_version: str
    note: str


def made_versions(source: Source) -> list[MadeVersion]:
    """Of all stages and active windows, in order. Asked by every command."""
    rows = fetch(
        source,
        "SELECT r.stage, r.window_key, r.data_version, r.note FROM stage_results r JOIN windows w "
        "ON w.key = r.window_key WHERE NOT w.retired ORDER BY ALL",
    )
    return [MadeVersion(*row) for row in rows]


class ResultText(NamedTuple):
    """What a result says in words."""

    stage: str
    window: str
    text: str


def result_texts(source: Source) -> list[ResultText]:
    """Of all results."""
    rows = fetch(source, "SELECT stage, window_key, note, error FROM stage_results")
    return [ResultText(stage, window, f"{note}{BLOCK}{error}") for stage, window, note, error in rows]


def commit_results(
    warehouse: Warehouse,
    batch: Sequence[tuple[StageResult, Sequence[Document], Sequence[Message] | None]],
) -> None:
    """Stores results with what they made; documents of the same stage and window are replaced.

    A failure leaves what was made earlier in place.
    """
    with warehouse.transaction() as connection:
        for result, documents, messages in batch:
            _put_result(connection, result)
            if result.status == "failed":
                continue
            key = [result.stage, result.window]
            connection.execute("DELETE FROM documents WHERE stage = ? AND window_key = ?", key)
            if documents:
                connection.executemany(
                    "INSERT OR REPLACE INTO documents VALUES (?, ?, ?, ?, ?, ?, ?)",
                    [
                        [
                            d.kind,
                            d.id,
                            result.window,
                            d.slug,
                            json.dumps(d.front_matter.model_dump(mode="json")),
                            d.body,
                            result.stage,
                        ]
                        for d in documents
                    ],
                )
            if messages is not None:
                _put_messages(connection, result.window, messages)


def _put_result(connection: duckdb.DuckDBPyConnection, r: StageResult) -> None:
    connection.execute(
        f"INSERT OR REPLACE INTO stage_results ({_COLUMNS}) VALUES ({', '.join('?' * 19)})",
        [
            *(r.stage, r.window, r.status, r.fingerprint, r.data_version, json.dumps(r.parts)),
            *(r.reason, r.note, r.error, r.degraded),
            *(r.usage.calls, r.usage.input_tokens, r.usage.output_tokens, r.usage.usd),
            *(r.seconds, r.documents, r.finished_at, r.run_id, r.reported),
        ],
    )


def _put_messages(connection: duckdb.DuckDBPyConnection, window: str, messages: Sequence[Message]) -> None:
    connection.execute("DELETE FROM messages WHERE window_key = ?", [window])
    table = pa.table(
        {
            "window_key": pa.array([window] * len(messages), pa.string()),
            "id": pa.array([m.id for m in messages], pa.int64()),
            "ts": pa.array([m.time for m in messages], pa.timestamp("us")),
            "author": pa.array([m.author for m in messages], pa.string()),
            "kind": pa.array([m.kind for m in messages], pa.string()),
            "text": pa.array([m.text for m in messages], pa.string()),
            "media": pa.array([m.media for m in messages], pa.string()),
            "edited": pa.array([m.edited for m in messages], pa.bool_()),
            "data": pa.array([json.dumps(m.data) if m.data else None for m in messages], pa.string()),
        }
    )
    connection.register("fresh_messages", table)
    connection.execute("INSERT INTO messages SELECT * FROM fresh_messages")
    connection.unregister("fresh_messages")


def mark_reported(warehouse: Warehouse, results: Iterable[StageResult]) -> None:
    """Notes that the asset graph has these results' events."""
    pairs = [[r.stage, r.window, r.fingerprint] for r in results]
    if pairs:
        with warehouse.transaction() as connection:
            connection.executemany(
                "UPDATE stage_results SET reported = TRUE WHERE stage = ? AND window_key = ? AND fingerprint = ?",
                pairs,
            )


def forget_reports(warehouse: Warehouse, windows: Sequence[str]) -> None:
    """Notes that the asset graph has no events of these windows: their keys are new to it."""
    if windows:
        with warehouse.transaction() as connection:
            connection.execute(
                "UPDATE stage_results SET reported = FALSE WHERE list_contains(?, window_key)",
                [list(windows)],
            )


def load_messages(warehouse: Warehouse, window: str | None = None) -> list[Message]:
    """Anonymised messages of a window, or of all active windows, in the order of the log."""
    active = "WHERE window_key IN (SELECT key FROM windows WHERE NOT retired)"
    where, parameters = ("WHERE window_key = ?", [window]) if window else (active, [])
    rows = warehouse.rows(
        f"SELECT id, ts, author, kind, text, media, edited, data FROM messages {where} ORDER BY id",
        parameters,
    )
    return [
        Message(id, time, author, kind, text, media, edited, json.loads(data) if data else None)
        for id, time, author, kind, text, media, edited, data in rows
    ]


def load_documents(warehouse: Warehouse, stage: str, model: type[Model]) -> list[Document[Model]]:
    """Documents that a stage made of the active windows, ordered by id.

    Args:
        stage: the stage's name, such as ``posts``.
        model: of their front matter, such as `PostMatter`.

    Raises:
        FrontMatterError: the front matter of a document doesn't fit the model.
    """
    rows = warehouse.rows(
        "SELECT kind, id, window_key, slug, front_matter, body FROM documents "
        "WHERE stage = ? AND window_key IN (SELECT key FROM windows WHERE NOT retired) ORDER BY id",
        [stage],
    )
    return [_document(*row).read_as(model) for row in rows]


def load_window(warehouse: Warehouse, window: str) -> dict[str, list[Document[FrontMatter]]]:
    """Everything made of a window: documents by stage, ordered by id, to be read as what they are."""
    rows = warehouse.rows(
        "SELECT stage, kind, id, window_key, slug, front_matter, body FROM documents WHERE window_key = ? ORDER BY id",
        [window],
    )
    documents: dict[str, list[Document[FrontMatter]]] = {}
    for stage, *row in rows:
        documents.setdefault(stage, []).append(_document(*row))
    return documents


def _document(
    kind: str, id: str, window: str, slug: str | None, front_matter: str, body: str
) -> Document[FrontMatter]:
    return Document(kind, id, window, slug, FrontMatter.model_validate_json(front_matter), body)


def load_media(warehouse: Warehouse) -> dict[tuple[int, str], tuple[str, str, str]]:
    """(Message's id, attachment's name) → (id, kind, extension) in the media store.

    The id is empty where the export's file couldn't be read.
    """
    return {
        (message, attachment): (id, kind, extension)
        for message, attachment, id, kind, extension in warehouse.rows(
            "SELECT message, attachment, id, kind, extension FROM message_media"
        )
    }
