"""Counts, measures and ids of the raw log: no name and no text leaves this module.

That is why everybody may ask: estimates, status, the list of people, whoever has to know what may not be used.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from egregora_resources.warehouse.reading import Query, Source, fetch, given

if TYPE_CHECKING:
    import ibis.expr.types as ir

_URL = r"""(?i)https?://[^\s<>"']+"""
_BEHIND_URL = r"[.,;:!?…)\]}*_~]+$|#.*$"


def unusable_messages(source: Source, names: Sequence[str]) -> frozenset[int]:
    """Ids of messages that may not be used: retracted, or printed under one of these names."""
    rows = fetch(source, f"SELECT id FROM raw_messages r WHERE {unusable(names)}", hidden(names))
    return frozenset(row[0] for row in rows)


def unusable(names: Sequence[str]) -> str:
    """The one definition, as a condition on rows `r` of the raw log; its parameters are `hidden(names)`."""
    return "(r.deleted OR list_contains($names, r.name))" if names else "r.deleted"


def hidden(names: Sequence[str]) -> dict[str, object]:
    """None where nobody is out, as in most chats: to look at a parameter, DuckDB loads pandas."""
    return {"names": list(names)} if names else {}


def retracted_messages(source: Source) -> list[tuple[str, int]]:
    """(window, id) of retracted messages, retired windows' too. Asked by every command."""
    rows = fetch(
        source,
        "SELECT w.key, m.id FROM raw_messages m JOIN windows w ON m.id BETWEEN w.first_id AND w.last_id "
        "WHERE m.deleted ORDER BY ALL",
    )
    return [(window, message) for window, message in rows]


def files_of_messages(source: Source) -> list[tuple[int, str]]:
    """(message, id in the media store) of every file that could be read."""
    rows = fetch(source, "SELECT message, id FROM message_media WHERE id <> ''")
    return [(message, media) for message, media in rows]


@Query
def _messages_of() -> ir.Table:
    from egregora_resources.warehouse.tables import table

    messages = table("raw_messages")
    return (
        messages.filter(given("names", "array<string>").contains(messages.name)).select("id").order_by("id")
    )


def messages_of(source: Source, names: Sequence[str]) -> list[int]:
    """Ids of the messages said under these names, in the order of the log."""
    return [row[0] for row in _messages_of.rows(source, names=list(names))]


@Query
def _files_only_of() -> ir.Table:
    from egregora_resources.warehouse.tables import table

    messages, media = table("raw_messages"), table("media")
    names = given("names", "array<string>")

    def sent(log: Any) -> Any:
        return log.select("attachment", theirs=names.contains(log.name).fill_null(False))

    both = sent(messages).union(sent(table("minute_versions")))
    by_name = both.filter(both.attachment.notnull()).group_by("attachment")
    by_name = by_name.agg(theirs=both.theirs.any(), others=(~both.theirs).any())
    files = table("message_media")
    stored = files.filter(files.id != "").select("message", file=files.id)
    held = stored.join(messages, stored.message == messages.id)
    held = held.select("file", theirs=names.contains(held.name).fill_null(False))
    by_message = held.group_by("file").agg(theirs=held.theirs.any(), others=(~held.theirs).any())
    whole = by_message.filter(by_message.theirs & ~by_message.others).select(id="file")
    shared = by_message.filter(by_message.others)
    named = media.filter(media.id != "").join(by_name, media.name == by_name.attachment)
    named = named.filter(named.theirs & ~named.others).select("id")
    named = named.anti_join(shared, named.id == shared.file)
    return whole.union(named, distinct=True).order_by("id")


def files_only_of(source: Source, names: Sequence[str]) -> list[str]:
    """Ids of the files that were sent under these names, under whatever file name, and by nobody else."""
    return [row[0] for row in _files_only_of.rows(source, names=list(names))]


class Activity(NamedTuple):
    """What somebody wrote, in numbers."""

    messages: int
    first: datetime | None
    last: datetime | None


@Query
def _activity() -> ir.Table:
    from egregora_resources.warehouse.tables import table

    messages = table("raw_messages")
    said = messages.filter(messages.kind != "notice").join(table("author_names"), "name")
    return said.group_by("author_id").agg(messages=said.count(), first=said.ts.min(), last=said.ts.max())


def activity(source: Source) -> dict[str, Activity]:
    """Who wrote how much, and when, by author id; nobody who wrote nothing."""
    return {author: Activity(*row) for author, *row in _activity.rows(source)}


class WindowSpan(NamedTuple):
    """An active window: how much there is, from when to when."""

    key: str
    messages: int
    posts: int
    first: datetime
    last: datetime


def _active() -> Any:
    from egregora_resources.warehouse.tables import table

    windows = table("windows")
    return windows.filter(~windows.retired).select("key", "first_id", "last_id", "messages", "bytes")


def _in_windows(rows: Any, message: Any) -> Any:
    """Rows that tell a message's id, each with the active window that the message is in."""
    windows = _active().select("key", "first_id", "last_id")
    return rows.join(windows, [message >= windows.first_id, message <= windows.last_id])


@Query
def _spans() -> ir.Table:
    from egregora_resources.warehouse.tables import table

    messages, documents, windows = table("raw_messages"), table("documents"), _active()
    within = _in_windows(messages.select("id", "ts"), messages.id)
    times = within.group_by("key").agg(first=within.ts.min(), last=within.ts.max())
    posts = documents.filter(documents.stage == "posts").group_by("window_key").agg(posts=lambda t: t.count())
    joined = windows.left_join(times, "key").left_join(posts, windows.key == posts.window_key)
    joined = joined.order_by(windows.first_id)
    return joined.select("key", "messages", posts.posts.fill_null(0), "first", "last")


def window_spans(source: Source) -> list[WindowSpan]:
    """The active windows in the order of the log."""
    return [WindowSpan(*row) for row in _spans.rows(source)]


class WindowSize(NamedTuple):
    """An active window's size."""

    key: str
    messages: int
    bytes: int
    people: int
    """Who speak in it."""


@Query
def _sizes() -> ir.Table:
    from egregora_resources.warehouse.tables import table

    people, windows = table("window_people"), _active()
    speaking = people.filter(people.messages > 0).group_by("window_key").agg(people=lambda t: t.count())
    joined = windows.left_join(speaking, windows.key == speaking.window_key)
    return joined.select("key", "messages", "bytes", speaking.people.fill_null(0))


def sizes(source: Source) -> list[WindowSize]:
    """Of the active windows."""
    return [WindowSize(*row) for row in _sizes.rows(source)]


class SharedLinks(NamedTuple):
    """The links of a window that are described."""

    links: int
    first: Sequence[int]
    """Messages that share a link which no earlier window shares."""


@Query
def _links() -> ir.Table:
    import ibis

    from egregora_resources.warehouse.tables import regexp_extract_all, table

    messages = table("raw_messages")
    found = messages.filter(messages.text.contains("://") & ~messages.deleted)
    found = found.select("id", url=regexp_extract_all(found.text, _URL).unnest())
    found = found.mutate(url=found.url.re_replace(_BEHIND_URL, ""))
    described: Any = _in_windows(found, found.id).group_by("key", "url").agg(id=lambda t: t.id.min())
    described = described.mutate(place=ibis.row_number().over(group_by="key", order_by="id"))
    described = described.filter(described.place < given("most", "int64"))
    first = described.group_by("url").agg(first=described.id.min())
    shared = described.join(first, "url")
    return shared.group_by("key").agg(
        links=shared.count(), first=shared.id.collect(where=shared.id == shared.first)
    )


def described_links(source: Source, *, most: int) -> dict[str, SharedLinks]:
    """By window, the links that are described; of each window at most `most`, the earliest."""
    rows = _links.rows(source, most=most)
    return {key: SharedLinks(count, first or ()) for key, count, first in rows}


@Query
def _files() -> ir.Table:
    from egregora_resources.warehouse.tables import table

    media = table("message_media")
    sent = media.filter((media.id != "") & (media.kind != "document"))
    within = _in_windows(sent.select("message"), sent.message)
    return within.group_by("key").agg(messages=within.message.collect(distinct=True))


def messages_with_files(source: Source) -> dict[str, Sequence[int]]:
    """By window, the messages with a picture, film or voice that could be read."""
    return dict(_files.rows(source))


class LongWindow(NamedTuple):
    """A window that doesn't fit one prompt, message by message in the order of the log."""

    key: str
    times: Sequence[datetime]
    tokens: Sequence[int]
    """About as many as each message takes."""


@Query
def _long_windows() -> ir.Table:
    from egregora_resources.warehouse.tables import strlen, table

    messages = table("raw_messages")
    costs = (strlen(messages.text) + 3) // 4 + given("overhead", "int64")
    within = _in_windows(messages.select("id", "ts", tokens=costs), messages.id)
    windows = within.group_by("key").agg(
        times=within.ts.collect(order_by=within.id),
        tokens=within.tokens.collect(order_by=within.id),
        total=within.tokens.sum(),
    )
    return windows.filter(windows.total > given("budget", "int64")).select("key", "times", "tokens")


def long_windows(source: Source, *, overhead: int, budget: int) -> list[LongWindow]:
    """The active windows of more than `budget` tokens, at four bytes a token and `overhead` tokens a message."""
    return [LongWindow(*row) for row in _long_windows.rows(source, overhead=overhead, budget=budget)]
