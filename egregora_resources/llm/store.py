"""The SQLite file that the service's answers, the calls' prices and waiting batch jobs are kept in.

A file of its own beside the warehouse, because several processes may write it at once. Keys never reach it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

_TABLES = """
-- personal: what models answered (anonymised text, pseudonyms, descriptions of pictures)
CREATE TABLE IF NOT EXISTS responses (
    request TEXT PRIMARY KEY,       -- hash of everything that was sent
    task TEXT NOT NULL,
    model TEXT NOT NULL,
    window TEXT NOT NULL,
    answer TEXT NOT NULL,
    input_tokens INTEGER NOT NULL,
    output_tokens INTEGER NOT NULL,
    usd REAL NOT NULL,
    answered_at TEXT NOT NULL
);
-- whom and what an answer is about: 'author' (pseudonym), 'message' (id) or 'media' (id)
CREATE TABLE IF NOT EXISTS subjects (
    request TEXT NOT NULL,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    PRIMARY KEY (kind, subject, request)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS subjects_of ON subjects (request);
-- every call that was sent, also those that failed
CREATE TABLE IF NOT EXISTS calls (
    id INTEGER PRIMARY KEY,
    month TEXT NOT NULL,            -- 2025-01, UTC
    run TEXT NOT NULL,
    task TEXT NOT NULL,
    model TEXT NOT NULL,
    window TEXT NOT NULL,
    input_tokens INTEGER NOT NULL,
    output_tokens INTEGER NOT NULL,
    cached_tokens INTEGER NOT NULL,
    usd REAL NOT NULL,              -- until there is an answer: the most it may cost
    outcome TEXT NOT NULL,          -- 'sent' until then
    sent_at TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS calls_of_month ON calls (month);
-- batch jobs that are waited for; personal: none
CREATE TABLE IF NOT EXISTS batch_requests (
    request TEXT PRIMARY KEY,
    job TEXT NOT NULL,
    key_name TEXT NOT NULL,         -- environment variable of the key it was sent with
    submitted_at TEXT NOT NULL
);
"""


class LlmStore:
    """Connections to the file, which is made when it is first used."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._made = False

    @contextmanager
    def connect(self) -> Generator[sqlite3.Connection]:
        """A transaction: committed at the end, rolled back on an exception. Waits for other processes."""
        new = not self.path.exists()
        connection = sqlite3.connect(self.path, timeout=60, isolation_level=None)
        try:
            # What is deleted is overwritten, so that it isn't in the file any more.
            connection.execute("PRAGMA secure_delete = ON")
            connection.execute("PRAGMA synchronous = NORMAL")
            if new:
                self.path.chmod(0o600)
            if new or not self._made:
                connection.executescript(_TABLES)
                self._made = True
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        finally:
            connection.close()
