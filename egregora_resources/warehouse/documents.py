"""Reads across documents, anonymised messages and results: digests, posts, texts to be checked, counts.

What a stage or a window made as a whole is loaded and stored by `results`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from egregora_resources.warehouse.reading import Query, Source, fetch

if TYPE_CHECKING:
    import ibis.expr.types as ir


class StoredDigest(NamedTuple):
    """A digest of an active window."""

    start: datetime
    """Of its window."""
    front_matter: str
    """JSON."""
    window: str


@Query
def _digests() -> ir.Table:
    from egregora_resources.warehouse.tables import table

    documents, windows = table("documents"), table("windows")
    digests = documents.filter(documents.stage == "digests")
    active = windows.filter(~windows.retired)
    joined = digests.join(active, digests.window_key == active.key)
    joined = joined.order_by("start_time", "first_id", "id")
    return joined.select("start_time", "front_matter", "window_key")


def stored_digests(source: Source) -> list[StoredDigest]:
    """Of the active windows, in time order."""
    return [StoredDigest(*row) for row in _digests.rows(source)]


class StoredPost(NamedTuple):
    """Where a post of any window, retired ones' too, is filed, and which earlier windows it remembers."""

    window: str
    slug: str | None
    category: str
    tags: Sequence[str]
    memory: Sequence[str]
    """Keys of windows."""


def stored_posts(source: Source) -> list[StoredPost]:
    """All posts. Asked by every command."""
    rows = fetch(source, "SELECT window_key, slug, front_matter FROM documents WHERE stage = 'posts'")
    return [
        StoredPost(window, slug, matter.get("category", ""), matter.get("tags", ()), matter.get("memory", ()))
        for window, slug, matter in ((window, slug, json.loads(text)) for window, slug, text in rows)
    ]


def windows_of_pages(source: Source) -> dict[str, str]:
    """Slug → window of every document that has a page."""
    return dict(fetch(source, "SELECT slug, window_key FROM documents WHERE slug IS NOT NULL"))


def count_posts(source: Source) -> int:
    """Posts of the active windows. Asked by every command."""
    return fetch(
        source,
        "SELECT count(*) FROM documents JOIN windows ON window_key = key WHERE stage = 'posts' AND NOT retired",
    )[0][0]


@Query
def _posts_of_written() -> ir.Table:
    from egregora_resources.warehouse.tables import table

    documents, results = table("documents"), table("stage_results")
    posts = documents.filter(documents.stage == "posts").group_by("window_key").agg(posts=lambda t: t.count())
    done = results.filter((results.stage == "posts") & (results.status == "done"))
    return done.left_join(posts, "window_key").select(done.window_key, posts.posts.fill_null(0))


def posts_of_written(source: Source) -> dict[str, int]:
    """Number of posts of each window that was written about, retired ones' too."""
    return dict(_posts_of_written.rows(source))


class Spoken(NamedTuple):
    """What a window's anonymised messages are, in numbers."""

    messages: int
    people: Sequence[str]
    """Tokens, sorted."""


@Query
def _spoken() -> ir.Table:
    from egregora_resources.warehouse.tables import table

    messages = table("messages")
    return messages.group_by("window_key").agg(
        messages=messages.count(), people=messages.author.collect(distinct=True, order_by=messages.author)
    )


def spoken(source: Source) -> dict[str, Spoken]:
    """By window."""
    return {window: Spoken(*row) for window, *row in _spoken.rows(source)}


def message_texts(source: Source, *, particulars: bool = False) -> list[str]:
    """The texts of all anonymised messages, with the JSON of their particulars behind them if asked for."""
    text = "text || ' ' || coalesce(data, '')" if particulars else "text"
    return [row[0] for row in fetch(source, f"SELECT {text} FROM messages")]


class MessageText(NamedTuple):
    """An anonymised message, as far as it is text."""

    window: str
    id: int
    author: str
    text: str
    data: str | None
    """JSON."""


def message_rows(source: Source) -> list[MessageText]:
    """All anonymised messages, by id."""
    return [
        MessageText(*row)
        for row in fetch(source, "SELECT window_key, id, author, text, data FROM messages ORDER BY id")
    ]


class DocumentText(NamedTuple):
    """A document, as far as it is text."""

    stage: str
    window: str
    id: str
    front_matter: str
    """JSON."""
    body: str


def document_rows(source: Source) -> list[DocumentText]:
    """All documents, by stage and id."""
    rows = fetch(source, "SELECT stage, window_key, id, front_matter, body FROM documents ORDER BY stage, id")
    return [DocumentText(*row) for row in rows]
