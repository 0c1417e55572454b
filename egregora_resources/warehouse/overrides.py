"""What the owner decided about posts (`overrides`): it is kept however often they are written again."""

from __future__ import annotations

from typing import NamedTuple

import duckdb

from egregora_resources.warehouse.reading import Source, fetch


class Override(NamedTuple):
    """The owner's decisions about a post."""

    post_id: str
    hidden: bool = False
    pinned: bool = False
    title: str | None = None
    """The owner's own; None leaves the writer's."""
    body: str | None = None


def overrides(source: Source) -> list[Override]:
    """Of all posts, ordered by id. Asked by every command."""
    rows = fetch(source, "SELECT post_id, hidden, pinned, title, body FROM overrides ORDER BY ALL")
    return [Override(*row) for row in rows]


def put_texts(connection: duckdb.DuckDBPyConnection, override: Override) -> None:
    """Replaces the texts that the owner wrote about a post."""
    connection.execute(
        "UPDATE overrides SET title = ?, body = ? WHERE post_id = ?",
        [override.title, override.body, override.post_id],
    )
