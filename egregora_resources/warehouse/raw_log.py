"""The log as sent: `raw_messages`, the wordings of `minute_versions`, and the files of messages (`message_media`).

Raw: printed names and texts as they were written. Read by the import, the windows' fingerprints, `messages`, `media`,
`inspect`, the privacy check and `forget`, and by nobody else: a test holds who imports this module. What only counts
and measures is in `raw_measures`; the log itself is written by `chat_log`.
"""

# Arrow has no types:
# pyright: reportUnknownParameterType=false

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import duckdb
import pyarrow as pa

from egregora_resources.privacy.page_text import BLOCK
from egregora_resources.warehouse.database import Warehouse
from egregora_resources.warehouse.reading import Query, Source, fetch, given

if TYPE_CHECKING:
    import ibis.expr.types as ir


def messages_between(warehouse: Warehouse, first: int, last: int) -> pa.Table:
    """The raw messages of a window in the order of the log, from the first id to the last, both included.

    In SQL: it is asked once a window, and an Ibis expression a window takes ten times as long.
    """
    with warehouse.connect() as connection:
        return connection.execute(
            "SELECT id, ts, name, kind, text, attachment, edited, deleted, media_omitted, data "
            "FROM raw_messages WHERE id BETWEEN ? AND ? ORDER BY id",
            [first, last],
        ).to_arrow_table()


class LogTables(NamedTuple):
    """The whole log, for laying out windows."""

    messages: pa.Table
    """A row a message, `ts` in seconds since 1970; in any order."""
    authors: dict[str, str]
    """Printed name → author id."""
    files: pa.Table
    """`message` and `id` of its file in the media store, in the order of the log."""


def log_tables(connection: duckdb.DuckDBPyConnection) -> LogTables:
    """The log as it stands."""
    return LogTables(
        connection.execute(
            "SELECT id, epoch(ts)::BIGINT AS ts, name, kind, text, attachment, edited, deleted, media_omitted, data "
            "FROM raw_messages"
        ).to_arrow_table(),
        dict(connection.execute("SELECT name, author_id FROM author_names").fetchall()),
        connection.execute("SELECT message, id FROM message_media ORDER BY message").to_arrow_table(),
    )


def texts_matching(source: Source, first: int, last: int, pattern: str) -> list[tuple[int, str]]:
    """(id, text) of the messages from the first id to the last in whose text a pattern of DuckDB's matches.

    In SQL: the pattern holds every spelling of every name, and Ibis would compile it into the query.
    """
    rows = fetch(
        source,
        "SELECT id, text FROM raw_messages WHERE id BETWEEN ? AND ? AND regexp_matches(text, ?)",
        [first, last, pattern],
    )
    return [(id, text) for id, text in rows]


class SaidCommand(NamedTuple):
    """A message that may hold a command."""

    author_id: str
    text: str
    media_omitted: bool
    id: int
    picture: str | None
    """Id of the picture that was sent with it, in the media store."""
    token: str
    time: datetime


@Query
def _said_commands() -> ir.Table:
    from egregora_resources.warehouse.tables import table

    messages, files = table("raw_messages"), table("message_media")
    pictures = files.filter(files.kind.isin(["image", "sticker"]) & (files.id != ""))
    pictures = pictures.select("message", picture=pictures.id)
    said = messages.filter(
        ~messages.deleted & messages.text.contains("/") & messages.text.lower().contains("/egregora")
    )
    known = said.join(table("author_names"), "name").join(table("authors"), "author_id")
    joined = known.left_join(pictures, known.id == pictures.message).order_by("id")
    return joined.select("author_id", "text", "media_omitted", "id", "picture", "token", "ts")


def said_commands(source: Source) -> list[SaidCommand]:
    """The log's messages that may hold a command, in its order."""
    return [SaidCommand(*row) for row in _said_commands.rows(source)]


@Query
def _commands_in_versions() -> ir.Table:
    from egregora_resources.warehouse.tables import table

    versions = table("minute_versions")
    said = versions.filter(
        ~versions.deleted & versions.text.contains("/") & versions.text.lower().contains("/egregora")
    )
    known = said.join(table("author_names"), "name")
    return known.select("author_id", "text", "media_omitted", "id").distinct()


def commands_in_versions(source: Source) -> list[tuple[str, str, bool, int]]:
    """(author, text, media omitted, id) of messages that may hold a command, where exports differ."""
    rows = _commands_in_versions.rows(source)
    return [(author, text, omitted, message) for author, text, omitted, message in rows]


@Query
def _texts_of() -> ir.Table:
    from egregora_resources.warehouse.tables import table

    return _said(table("raw_messages"), given("names", "array<string>")).union(
        _said(table("minute_versions"), given("names", "array<string>")), distinct=True
    )


def _said(messages: Any, names: Any) -> Any:
    said = messages.filter(names.contains(messages.name))
    return said.select("name", text=said.text + BLOCK + said.data.fill_null(""))


def texts_of(source: Source, names: Sequence[str]) -> list[tuple[str, str]]:
    """(name, text) of everything said under these names, the wordings from before a change or deletion too."""
    return [(name, text) for name, text in _texts_of.rows(source, names=list(names))]


@Query
def _texts_of_others() -> ir.Table:
    from egregora_resources.warehouse.tables import table

    messages = table("raw_messages")
    names = given("names", "array<string>")
    others = messages.filter(messages.name.isnull() | ~names.contains(messages.name))
    return others.select(text=others.text + BLOCK + others.data.fill_null(""))


def texts_of_others(source: Source, names: Sequence[str]) -> list[str]:
    """Everything in the log that isn't said under one of these names."""
    return [row[0] for row in _texts_of_others.rows(source, names=list(names))]


def texts_in_common(
    connection: duckdb.DuckDBPyConnection, here: pa.Table, beside: pa.Table, *, letters: int
) -> tuple[int, int]:
    """How what an export says stands to what the log says in the same hours.

    In SQL: the tables are Arrow's, and registered for this one question.

    Args:
        here: the export's messages: `timestamp`, `kind` and `text`.
        beside: such messages that are about to be merged, too.
        letters: that a text has at least, to tell anything.

    Returns:
        The export's texts in hours of which the log knows what was said; and how many of its texts are in the log,
        in the same minute.
    """
    connection.register("here", here)
    connection.register("beside", beside)
    try:
        apart, common = connection.execute(
            f"""
            WITH here AS (
                SELECT date_trunc('minute', timestamp) AS minute, text FROM here
                WHERE kind = 'text' AND length(text) >= {letters}
            ), there AS (
                SELECT date_trunc('minute', timestamp) AS minute, text FROM (
                    SELECT ts AS timestamp, kind, text FROM raw_messages UNION ALL FROM beside)
                WHERE kind = 'text' AND length(text) >= {letters}
            ), hours AS (SELECT DISTINCT date_trunc('hour', minute) AS hour FROM there)
            SELECT (SELECT count(*) FROM here SEMI JOIN hours ON hour = date_trunc('hour', minute)),
                (SELECT count(*) FROM here SEMI JOIN there USING (minute, text))
            """
        ).fetchall()[0]
    finally:
        connection.unregister("here")
        connection.unregister("beside")
    return apart, common
