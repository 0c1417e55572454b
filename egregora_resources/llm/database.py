"""The SQLite file that the service's answers, the calls' prices and waiting batch jobs are kept in.

A file of its own beside the warehouse, because several processes may write it at once. Keys never reach it.
"""

from __future__ import annotations

import sqlite3
import threading
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
-- calls without an answer yet, and the process that waits for it
CREATE TABLE IF NOT EXISTS flights (
    call INTEGER PRIMARY KEY,
    least REAL NOT NULL,            -- US dollars that it counts as if the process dies
    host TEXT NOT NULL,
    pid INTEGER NOT NULL,
    process_started REAL NOT NULL,
    begun_at TEXT NOT NULL
);
-- batch jobs that are waited for; personal: none
CREATE TABLE IF NOT EXISTS batch_requests (
    request TEXT PRIMARY KEY,
    job TEXT NOT NULL,
    key_name TEXT NOT NULL,         -- environment variable of the key it was sent with
    submitted_at TEXT NOT NULL
);
"""


class LlmStore:
    """The file, made when it is first used. May be used from several threads, and processes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._open: sqlite3.Connection | None = None

    @contextmanager
    def connect(self) -> Generator[sqlite3.Connection]:
        """A transaction: committed at the end, rolled back on an exception. Waits for other processes."""
        with self._lock:
            # Kept open: the last one to close the file copies the log into it, which costs more than the writing.
            connection = self._open = self._open or self._opened()
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                connection.execute("ROLLBACK")
                raise

    def purge(self) -> None:
        """Takes what was deleted out of the write-ahead log, too."""
        with self._lock:
            connection = self._open = self._open or self._opened()
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def close(self) -> None:
        """Closes the file; a later use opens it again."""
        with self._lock:
            if self._open:
                self._open.close()
                self._open = None

    def _opened(self) -> sqlite3.Connection:
        new = not self.path.exists()
        connection = sqlite3.connect(self.path, timeout=60, isolation_level=None, check_same_thread=False)
        # What is deleted is overwritten, so that it isn't in the file any more.
        connection.execute("PRAGMA secure_delete = ON")
        connection.execute("PRAGMA journal_mode = WAL")
        # A power cut may lose the last answers, never the file: they would be asked for again.
        connection.execute("PRAGMA synchronous = NORMAL")
        if new:
            self.path.chmod(0o600)
        connection.executescript(_TABLES)
        return connection
