"""Claims: which run works on which window, so that two runs never write the same one.

A claim dies with its process: one whose process is gone is taken over at once. Claims of another machine (the
folder was copied, or is shared) are honoured for `FOREIGN_HOURS`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from egregora_resources.process_owner import Owner
from egregora_resources.warehouse.database import Warehouse


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
