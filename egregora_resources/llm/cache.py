"""Answers of the service by what was asked, so that nothing is paid twice; shared by all runs and processes of a site."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from egregora_resources.llm.database import LlmStore
from egregora_resources.usage import Usage


@dataclass(frozen=True, slots=True)
class Subjects:
    """Whom and what a request is about, so that the answer can be deleted with them."""

    window: str = ""
    authors: tuple[str, ...] = ()
    """Pseudonym tokens, of those who speak and those who are named."""
    messages: tuple[int, ...] = ()
    media: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CachedText:
    """An answer as it is kept."""

    request: str
    task: str
    window: str
    answer: str


class ResponseCache:
    """The answers of one site."""

    def __init__(self, store: LlmStore) -> None:
        self._store = store

    def get(self, request: str) -> str | None:
        """The answer to the request of this hash."""
        if not self._store.path.exists():
            return None
        with self._store.connect() as connection:
            row = connection.execute("SELECT answer FROM responses WHERE request = ?", [request]).fetchone()
        return row[0] if row else None

    def put(self, request: str, task: str, model: str, answer: str, usage: Usage, subjects: Subjects) -> None:
        """Keeps an answer, in place of an earlier one."""
        about = [("author", name) for name in subjects.authors]
        about += [("message", str(message)) for message in subjects.messages]
        about += [("media", media) for media in subjects.media]
        with self._store.connect() as connection:
            self._delete(connection, [request])
            connection.execute(
                "INSERT INTO responses VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    *(request, task, model, subjects.window, answer),
                    *(usage.input_tokens, usage.output_tokens, usage.usd),
                    datetime.now(UTC).isoformat(timespec="seconds"),
                ],
            )
            connection.executemany(
                "INSERT OR IGNORE INTO subjects VALUES (?, ?, ?)",
                [(request, kind, subject) for kind, subject in about],
            )

    def delete_for(
        self,
        authors: Collection[str] = (),
        messages: Collection[int] = (),
        media: Collection[str] = (),
    ) -> int:
        """Deletes every answer about these people, messages or media files; returns how many there were."""
        if not self._store.path.exists():
            return 0
        wanted = [("author", author) for author in authors]
        wanted += [("message", str(message)) for message in messages]
        wanted += [("media", id) for id in media]
        with self._store.connect() as connection:
            found: set[str] = set()
            for pair in wanted:
                rows = connection.execute(
                    "SELECT request FROM subjects WHERE kind = ? AND subject = ?", pair
                ).fetchall()
                found.update(row[0] for row in rows)
            self._delete(connection, found)
        self._store.purge()
        return len(found)

    def messages_answered(self, task: str, model: str) -> frozenset[int]:
        """Messages about which this model's answer to a task is kept: to ask again costs nothing."""
        if not self._store.path.exists():
            return frozenset()
        with self._store.connect() as connection:
            rows = connection.execute(
                "SELECT subject FROM subjects JOIN responses USING (request) "
                "WHERE kind = 'message' AND task = ? AND model = ?",
                [task, model],
            ).fetchall()
        return frozenset(int(row[0]) for row in rows)

    def texts(self) -> Iterator[CachedText]:
        """Every answer that is kept, e.g. for the privacy check."""
        if not self._store.path.exists():
            return
        with self._store.connect() as connection:
            rows = connection.execute(
                "SELECT request, task, window, answer FROM responses ORDER BY request"
            ).fetchall()
        for row in rows:
            yield CachedText(*row)

    @staticmethod
    def _delete(connection: sqlite3.Connection, requests: Collection[str]) -> None:
        for request in requests:
            connection.execute("DELETE FROM responses WHERE request = ?", [request])
            connection.execute("DELETE FROM subjects WHERE request = ?", [request])
