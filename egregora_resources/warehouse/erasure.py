"""What is taken out for good, or taken back: rows that tell of one person, and what was made of withdrawn messages.

Which places there are, and in which order they are walked, is `egregora_assets.erasure`'s to say; messages in the log
are erased by `chat_log.erase`. Bulk deletes: SQL.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import duckdb

from egregora_resources.warehouse.database import Warehouse
from egregora_resources.warehouse.raw_measures import hidden, unusable
from egregora_resources.warehouse.reading import Source, fetch


class PersonKeys(NamedTuple):
    """What rows of one person are found by."""

    author_id: str
    token: str
    names: Sequence[str]
    windows: Sequence[str]
    """In which they speak or are named."""
    media: Sequence[str]
    """Ids of files that only they sent."""


@dataclass(frozen=True, slots=True)
class Trace:
    """The rows of one table that tell of a person, as a condition over the fields of `PersonKeys`."""

    table: str
    where: str

    def count(self, connection: duckdb.DuckDBPyConnection, person: PersonKeys) -> int:
        """How many there are."""
        query = f"SELECT count(*) FROM {self.table} WHERE {self.where}"
        return connection.execute(query, self._values(person)).fetchall()[0][0]

    def delete(self, connection: duckdb.DuckDBPyConnection, person: PersonKeys) -> None:
        """Deletes them."""
        connection.execute(f"DELETE FROM {self.table} WHERE {self.where}", self._values(person))

    def _values(self, person: PersonKeys) -> dict[str, str | list[str]]:
        return {
            name: value if isinstance(value := getattr(person, name), str) else list(value)
            for name in re.findall(r"\$(\w+)", self.where)
        }


SAID = Trace("raw_messages", "list_contains($names, name)")
NAMED = Trace("window_people", "author_id = $author_id AND named")
LINES_NOT_UNDERSTOOD = Trace(
    "lines_not_understood", "digest IN (SELECT digest FROM export_names WHERE list_contains($names, name))"
)
COMMON_TEXTS = Trace("common_texts", "list_contains($names, name) OR list_contains($names, other)")
PRINTED = (
    Trace("authors", "author_id = $author_id"),
    Trace("author_names", "list_contains($names, name)"),
    Trace("export_names", "list_contains($names, name)"),
)
DECISIONS = Trace("decisions", "author_id = $author_id")
MEDIA = Trace("media", "list_contains($media, id)")
PRESENCES = Trace("window_people", "author_id = $author_id")
MESSAGES = Trace(
    "messages", "author = $token OR contains(text, $token) OR contains(coalesce(data, ''), $token)"
)
DOCUMENTS = Trace(
    "documents", "list_contains($windows, window_key) OR contains(id || front_matter || body, $token)"
)


def clear_remarks(connection: duckdb.DuckDBPyConnection, windows: Sequence[str]) -> None:
    """Empties what results of these windows say in words; the next run writes them anew."""
    connection.execute(
        "UPDATE stage_results SET note = '', error = '', parts = '{}' WHERE list_contains(?, window_key)",
        [list(windows)],
    )


def windows_of_unusable(source: Source, *, tokens: Sequence[str], names: Sequence[str]) -> set[str]:
    """Windows of which something is stored that was made of what may no longer be shown.

    That are those with an anonymised message which has left the log or may not be used, and those whose stored texts
    hold one of these tokens. Asked by every command.

    Args:
        tokens: of people who are out.
        names: that exports print of them.
    """
    theirs = " OR list_contains($tokens, m.author)" if tokens else ""
    speaking = fetch(
        source,
        f"""
        SELECT DISTINCT m.window_key FROM messages m LEFT JOIN raw_messages r USING (id)
        WHERE (r.id IS NULL AND m.window_key IN (SELECT key FROM windows)) OR {unusable(names)}{theirs}
        """,
        hidden(names) | ({"tokens": list(tokens)} if tokens else {}),
    )
    if not tokens:
        return {row[0] for row in speaking}
    naming = fetch(
        source,
        """
        SELECT window_key FROM messages WHERE regexp_matches(text || coalesce(data, ''), $pattern)
        UNION SELECT window_key FROM documents WHERE regexp_matches(id || front_matter || body, $pattern)
        """,
        {"pattern": rf"\b(?:{'|'.join(tokens)})\b"},
    )
    return {row[0] for row in (*speaking, *naming)}


def take_back(
    connection: duckdb.DuckDBPyConnection,
    windows: Collection[str],
    *,
    remembering: Collection[str],
    kept: Sequence[str],
) -> None:
    """Deletes what was made of withdrawn messages; the rows of results stay, so that a plan can say why.

    Args:
        windows: of which everything goes.
        remembering: of which everything goes but what the stages `kept` made.
    """
    connection.execute("DELETE FROM messages WHERE list_contains(?, window_key)", [list(windows)])
    where = "list_contains(?, window_key) OR (list_contains(?, window_key) AND NOT list_contains(?, stage))"
    parameters = [list(windows), list(remembering), list(kept)]
    connection.execute(f"DELETE FROM documents WHERE {where}", parameters)
    connection.execute(
        "UPDATE stage_results SET status = 'withdrawn', fingerprint = '', data_version = '', note = '', "
        f"documents = 0, error = '', reported = TRUE WHERE {where}",
        parameters,
    )


def distrust(warehouse: Warehouse, windows: Collection[str], *, kept: Sequence[str]) -> None:
    """Marks what was made of these windows stale, so that the next run makes it again, but for the stages `kept`."""
    with warehouse.transaction() as connection:
        connection.execute(
            "UPDATE stage_results SET status = 'withdrawn', fingerprint = '' "
            "WHERE list_contains(?, window_key) AND NOT list_contains(?, stage)",
            [sorted(windows), list(kept)],
        )
