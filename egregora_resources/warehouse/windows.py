"""The stored windows and the people in them: `windows` and `window_people`.

How windows are cut belongs into `egregora_assets.windowing`; what was made of them into `results` and `documents`.
"""

# Arrow has no types:
# pyright: reportUnknownParameterType=false

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

import duckdb
import pyarrow as pa

from egregora_resources.document import fingerprint
from egregora_resources.warehouse.database import Warehouse
from egregora_resources.warehouse.reading import Query, Source, fetch, given

if TYPE_CHECKING:
    import ibis.expr.types as ir

IDS_A_MINUTE = 1_000_000
"""A message's id is minute × this + position: see `egregora_resources.chat_log`."""


@dataclass(frozen=True, slots=True)
class StoredWindow:
    """A row of `windows`."""

    key: str
    ordinal: int
    first_id: int
    last_id: int
    start: datetime
    end: datetime
    messages: int
    bytes: int
    content: str
    touched: str
    reported: str | None

    @property
    def version(self) -> str:
        """Data version of ``windows[w]``: of the raw content and of the people who speak or are named in it."""
        return fingerprint("window", self.content, self.touched)


def active_windows(source: Source) -> list[StoredWindow]:
    """The windows of the current layout, in the order of the log."""
    return [
        StoredWindow(*row)
        for row in fetch(
            source,
            "SELECT key, ordinal, first_id, last_id, start_time, end_time, messages, bytes, content, touched, reported "
            "FROM windows WHERE NOT retired ORDER BY first_id",
        )
    ]


class LaidOut(NamedTuple):
    """What laying out compares of a window that is known, whether it is retired or not."""

    content: str
    touched: str
    reported: str | None
    retired: bool


def known_windows(source: Source) -> dict[str, LaidOut]:
    """Every window that ever was, by key."""
    rows = fetch(source, "SELECT key, content, touched, reported, retired FROM windows")
    return {key: LaidOut(*row) for key, *row in rows}


def replace_layout(connection: duckdb.DuckDBPyConnection, laid: pa.Table) -> None:
    """Makes these the active windows, and retires all others.

    Args:
        laid: a row a window, with the columns of `windows`.
    """
    connection.execute("UPDATE windows SET retired = TRUE")
    connection.register("laid", laid)
    connection.execute("DELETE FROM windows WHERE key IN (SELECT key FROM laid)")
    connection.execute("INSERT INTO windows BY NAME SELECT * FROM laid")
    connection.unregister("laid")


def mark_told(warehouse: Warehouse, versions: Mapping[str, str]) -> None:
    """Notes the data version of these windows that the asset graph was told."""
    if versions:
        with warehouse.transaction() as connection:
            connection.executemany(
                "UPDATE windows SET reported = ? WHERE key = ?",
                [[version, key] for key, version in versions.items()],
            )


class Presence(NamedTuple):
    """A person in a window: a row of `window_people`."""

    window: str
    author_id: str
    messages: int
    """0 if they are only named."""
    named: bool
    """Whether a text may hold their name."""


def presences(source: Source) -> list[Presence]:
    """Who speaks or is named in which window."""
    rows = fetch(source, "SELECT window_key, author_id, messages, named FROM window_people")
    return [Presence(*row) for row in rows]


def replace_presences(
    connection: duckdb.DuckDBPyConnection, windows: Sequence[str], present: Sequence[Presence]
) -> None:
    """Notes who is in these windows, in place of what was noted before."""
    connection.execute("DELETE FROM window_people WHERE list_contains(?, window_key)", [list(windows)])
    columns = list(zip(*present, strict=True)) or [()] * 4
    types = {"window_key": pa.string(), "author_id": pa.string(), "messages": pa.int64(), "named": pa.bool_()}
    table = pa.table(
        {name: pa.array(column, kind) for (name, kind), column in zip(types.items(), columns, strict=True)}
    )
    connection.register("present", table)
    connection.execute("INSERT INTO window_people BY NAME SELECT * FROM present")
    connection.unregister("present")


def windows_with(source: Source, author_ids: Sequence[str]) -> list[tuple[str, str]]:
    """(window, author) for each of these people who speaks or is named in a window."""
    # Asked by every command: without parameters where nobody is out, as in most chats.
    if not author_ids:
        return []
    return [
        (window, author)
        for window, author in fetch(
            source,
            "SELECT window_key, author_id FROM window_people WHERE list_contains(?, author_id) ORDER BY ALL",
            [list(author_ids)],
        )
    ]


class WindowContents(NamedTuple):
    """What a window holds, in numbers, and its posts."""

    key: str
    messages: int
    people: int
    """Who speak."""
    first: datetime
    """Minute of the first message."""
    last: datetime
    slugs: Sequence[str]
    """Of its posts, by id."""


@Query
def _contents() -> ir.Table:
    from egregora_resources.warehouse.tables import table

    windows, window = table("windows"), given("window", "string")

    def asked(key: ir.StringValue) -> ir.BooleanValue:
        # In each table: one window's event must not read those of all others.
        return window.isnull() | (key == window)

    people = table("window_people")
    speaking = (
        people.filter((people.messages > 0) & asked(people.window_key))
        .group_by("window_key")
        .agg(people=lambda t: t.count())
    )
    documents = table("documents")
    posts = documents.filter((documents.stage == "posts") & asked(documents.window_key))
    posts = posts.group_by("window_key").agg(slugs=posts.slug.collect(order_by=posts.id))
    active = windows.filter(~windows.retired & asked(windows.key))
    return (
        active.left_join(speaking, active.key == speaking.window_key)
        .left_join(posts, active.key == posts.window_key)
        .select(
            "key", "messages", "first_id", "last_id", people=speaking.people.fill_null(0), slugs=posts.slugs
        )
    )


def window_contents(source: Source, window: str | None = None) -> list[WindowContents]:
    """What the active windows hold, or one of them."""
    return [
        WindowContents(key, messages, people, _minute(first), _minute(last), slugs or ())
        for key, messages, first, last, people, slugs in _contents.rows(source, window=window)
    ]


def _minute(message: int) -> datetime:
    return datetime(1970, 1, 1) + timedelta(minutes=message // IDS_A_MINUTE)
