"""Which process owns something, and whether that process still lives.

A process is told apart from a later one with the same number by when it started, and from one of another machine by
the machine's id. Claims on windows, runs and half-written files use it.
"""

from __future__ import annotations

import hashlib
import os
import socket
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

import psutil

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

    @classmethod
    def read(cls, host: str, process: str) -> Owner | None:
        """The owner of this machine whose `process` was written down; None if that is no such text."""
        pid, _, started = process.partition(":")
        try:
            return cls(host, int(pid), float(started))
        except ValueError:
            return None

    @property
    def process(self) -> str:
        """Number and start time, to be written down."""
        return f"{self.pid}:{self.started:.2f}"

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
