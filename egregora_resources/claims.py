"""Claims: which run works on which window, so that two runs never write the same one.

A claim dies with its process: one whose process is gone is taken over at once. Claims of another machine (the
folder was copied, or is shared) are honoured for `FOREIGN_HOURS`.
"""

from __future__ import annotations

import hashlib
import os
import socket
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

import psutil

from egregora_resources.warehouse import Warehouse

FOREIGN_HOURS = 6
MACHINE_IDS = (Path("/etc/machine-id"), Path("/var/lib/dbus/machine-id"))
_MADE_UP = 1 << 40
"""The bit that `uuid.getnode` sets in a number it drew, which another process wouldn't know."""


@cache
def machine_id() -> str:
    """What tells this machine from others, and stays when its host name changes: containers and laptops rename."""
    for path in MACHINE_IDS:
        try:
            known = path.read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError):
            continue
        if known and known != "uninitialized":
            # Hashed: the number itself is meant to stay on the machine.
            return hashlib.sha256(f"egregora:{known}".encode()).hexdigest()[:16]
    node = uuid.getnode()
    return socket.gethostname() if node & _MADE_UP else hex(node)


@dataclass(frozen=True, slots=True)
class Owner:
    """A process, told apart from a later one with the same number by its start time."""

    host: str
    """The machine, by `machine_id`."""
    pid: int
    started: float

    @classmethod
    def this_process(cls) -> Owner:
        return cls(machine_id(), os.getpid(), psutil.Process().create_time())

    def alive(self, since: datetime) -> bool:
        """Whether the process still runs; `since` is when it made its claim (local time)."""
        if self.host != machine_id():
            return datetime.now() - since < timedelta(hours=FOREIGN_HOURS)
        try:
            process = psutil.Process(self.pid)
            # A killed process stays as a zombie where nobody waits for it, as in a container without an init.
            return abs(process.create_time() - self.started) < 1 and process.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False


def claim(warehouse: Warehouse, windows: Sequence[str], run_id: str) -> dict[str, str]:
    """Claims those of the windows that are free.

    Returns:
        The windows that another live run holds, with a sentence that says who.
    """
    me, now = Owner.this_process(), datetime.now()
    held: dict[str, str] = {}
    with warehouse.transaction() as connection:
        rows = connection.execute(
            "SELECT window_key, run_id, host, pid, process_started, claimed_at FROM claims "
            "WHERE list_contains(?, window_key)",
            [list(windows)],
        ).fetchall()
        for window, run, host, pid, started, at in rows:
            if run != run_id and Owner(host, pid, started).alive(at):
                where = "" if host == me.host else " on another machine"
                held[window] = f"run {run[:8]} (process {pid}{where}, since {at:%H:%M}) is working on it"
        free = [[w, run_id, me.host, me.pid, me.started, now] for w in windows if w not in held]
        if free:
            connection.executemany("INSERT OR REPLACE INTO claims VALUES (?, ?, ?, ?, ?, ?)", free)
    return held


def release(warehouse: Warehouse, windows: Iterable[str], run_id: str) -> None:
    """Gives windows free again."""
    with warehouse.transaction() as connection:
        connection.execute(
            "DELETE FROM claims WHERE run_id = ? AND list_contains(?, window_key)", [run_id, list(windows)]
        )
