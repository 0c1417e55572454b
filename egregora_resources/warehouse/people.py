"""People: `authors`, the names that exports print (`author_names`), `decisions`, and hashes of those `forgotten`.

Raw: printed names. `egregora_resources.people` makes members with pseudonyms of them, and is the one to ask; which
windows somebody is in stands in `windows`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

import duckdb

from egregora_resources.privacy.forgotten import HashedName
from egregora_resources.warehouse.reading import Source, fetch


class StoredPerson(NamedTuple):
    """A person with the decisions that are stored: the owner's before their own."""

    author_id: str
    token: str
    names: Sequence[str]
    """As exports print them, sorted."""
    opted_out: bool
    """By their own word or the owner's."""
    alias: str | None
    bio: str | None
    avatar: str | None
    interests: str | None
    website: str | None
    twitter: str | None
    level: Literal["strict", "standard", "open"] | None


def stored_people(source: Source) -> list[StoredPerson]:
    """Everybody with a printed name, by token. Asked by every command."""
    rows = fetch(
        source,
        """
        SELECT a.author_id, a.token, n.names, coalesce(o.opted_out, FALSE) OR coalesce(c.opted_out, FALSE),
            coalesce(o.alias, c.alias), coalesce(o.bio, c.bio), coalesce(o.avatar, c.avatar),
            coalesce(o.interests, c.interests), coalesce(o.website, c.website), coalesce(o.twitter, c.twitter), o.level
        FROM authors a
        JOIN (SELECT author_id, list(name ORDER BY name) AS names FROM author_names GROUP BY 1) n USING (author_id)
        LEFT JOIN decisions o ON o.author_id = a.author_id AND o.source = 'owner'
        LEFT JOIN decisions c ON c.author_id = a.author_id AND c.source = 'chat'
        ORDER BY a.token
        """,
    )
    return [StoredPerson(*row) for row in rows]


def printed_names(source: Source) -> dict[str, str]:
    """Printed name → author id, sorted by name."""
    return dict(fetch(source, "SELECT name, author_id FROM author_names ORDER BY name"))


def tokens(source: Source) -> dict[str, str]:
    """Author id → pseudonym."""
    return dict(fetch(source, "SELECT author_id, token FROM authors"))


def add_author(connection: duckdb.DuckDBPyConnection, author_id: str, token: str) -> None:
    """Makes a person known."""
    connection.execute("INSERT INTO authors VALUES (?, ?)", [author_id, token])


def add_name(connection: duckdb.DuckDBPyConnection, name: str, author_id: str) -> None:
    """Makes known under which name a person is printed."""
    connection.execute("INSERT INTO author_names VALUES (?, ?)", [name, author_id])


def put_owner_decision(
    connection: duckdb.DuckDBPyConnection, author_id: str, column: str, value: str | bool | None
) -> None:
    """Notes one thing that the owner decided for somebody.

    Args:
        column: a column of `decisions`; the caller's own word, never a user's.
    """
    connection.execute("INSERT OR IGNORE INTO decisions (author_id, source) VALUES (?, 'owner')", [author_id])
    connection.execute(
        f"UPDATE decisions SET {column} = ? WHERE author_id = ? AND source = 'owner'", [value, author_id]
    )


class ChatDecision(NamedTuple):
    """What a member decided in the chat."""

    author_id: str
    alias: str | None
    bio: str | None
    avatar: str | None
    interests: str | None
    website: str | None
    twitter: str | None
    opted_out: bool
    opted_out_at: int | None
    """The message that opted out."""


def replace_chat_decisions(connection: duckdb.DuckDBPyConnection, decided: Iterable[ChatDecision]) -> None:
    """Stores what members decided in the chat, in place of all that was stored of it."""
    connection.execute("DELETE FROM decisions WHERE source = 'chat'")
    for decision in decided:
        connection.execute(
            """
            INSERT INTO decisions
                (author_id, source, alias, bio, avatar, interests, website, twitter, opted_out, opted_out_at)
            VALUES (?, 'chat', ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            list(decision),
        )


def chat_opt_outs(source: Source) -> dict[str, int | None]:
    """Who is out by a command of their own, and by which message."""
    rows = fetch(source, "SELECT author_id, opted_out_at FROM decisions WHERE source = 'chat' AND opted_out")
    return dict(rows)


def forgotten_names(source: Source) -> list[HashedName]:
    """The hashed names of everybody who was forgotten."""
    return [HashedName(*row) for row in fetch(source, "SELECT hash, person, form, words FROM forgotten")]


def add_forgotten(connection: duckdb.DuckDBPyConnection, hashed: Sequence[HashedName]) -> None:
    """Stores the hashed names of somebody who is forgotten."""
    connection.executemany(
        "INSERT OR REPLACE INTO forgotten VALUES (?, ?, ?, ?)", [list(row) for row in hashed]
    )
