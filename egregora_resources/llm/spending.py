"""The ledger of calls, and the budgets that stop a run before it has cost more than the owner allows."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime

from egregora_resources.errors import RunStopped
from egregora_resources.llm.database import LlmStore
from egregora_resources.llm.pricing import dollars
from egregora_resources.process_owner import Owner


class BudgetUsedUp(RunStopped):
    """The next call might cost more than what is left."""


@dataclass(frozen=True, slots=True)
class Spent:
    """Sums over calls. `usd` counts calls without an answer yet at the most they may cost."""

    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    usd: float = 0.0


class Ledger:
    """Every call of a site with its price, written before it is sent.

    Args:
        store: where.
        run: names this run.
        per_run: US dollars that the run may cost; 0 for any.
        per_month: US dollars that all runs of a calendar month (UTC) may cost; 0 for any.
    """

    def __init__(self, store: LlmStore, run: str, *, per_run: float = 0.0, per_month: float = 0.0) -> None:
        self._store, self._run = store, run
        self._per_run, self._per_month = per_run, per_month

    def reserve(self, task: str, model: str, window: str, *, most: float, least: float) -> int | None:
        """Notes a call that may cost `most` US dollars; returns its number, or None if it must wait.

        It must wait while calls of this run are in flight that may turn out cheaper than reserved. If this process dies
        before the call is settled, it counts as `least`.

        Raises:
            BudgetUsedUp: it doesn't fit what is left, and nothing is in flight that could give something back.
        """
        now, me = datetime.now(UTC), Owner.this_process()
        month = f"{now:%Y-%m}"
        with self._store.connect() as connection:
            _settle_lost(connection)
            waiting = False
            for name, limit, column, value in (
                ("budget_usd_per_run", self._per_run, "run", self._run),
                ("budget_usd_per_month", self._per_month, "month", month),
            ):
                if not limit:
                    continue
                spent, flying = connection.execute(
                    "SELECT coalesce(sum(usd), 0), count(*) FILTER (WHERE outcome = 'sent' AND run = ?) "
                    f"FROM calls WHERE {column} = ?",
                    [self._run, value],
                ).fetchone()
                if spent + most <= limit:
                    continue
                if not flying:
                    over = "this run has" if column == "run" else "all runs of this month have"
                    then = (
                        "or write again, which begins a new run"
                        if column == "run"
                        else "or wait for the next month"
                    )
                    raise BudgetUsedUp(
                        f"The budget is used up: [model] {name} is {dollars(limit)}, {over} cost {dollars(spent)} so "
                        f"far, and the next call may cost up to {dollars(most)}. What was written is kept. To "
                        f"continue, raise the budget in egregora.toml, {then}."
                    )
                waiting = True
            if waiting:
                return None
            call = connection.execute(
                "INSERT INTO calls (month, run, task, model, window, input_tokens, output_tokens, cached_tokens, "
                "usd, outcome, sent_at) VALUES (?, ?, ?, ?, ?, 0, 0, 0, ?, 'sent', ?)",
                [month, self._run, task, model, window, most, now.isoformat(timespec="seconds")],
            ).lastrowid
            connection.execute(
                "INSERT INTO flights VALUES (?, ?, ?, ?, ?, ?)",
                [call, least, me.host, me.pid, me.started, datetime.now().isoformat()],
            )
            return call

    def settle(
        self,
        call: int,
        outcome: str,
        *,
        input_tokens: int = 0,
        output_tokens: int = 0,
        cached_tokens: int = 0,
        usd: float = 0.0,
    ) -> None:
        """Notes how a call ended, and what it cost."""
        with self._store.connect() as connection:
            connection.execute(
                "UPDATE calls SET outcome = ?, input_tokens = ?, output_tokens = ?, cached_tokens = ?, usd = ? "
                "WHERE id = ?",
                [outcome, input_tokens, output_tokens, cached_tokens, usd, call],
            )
            connection.execute("DELETE FROM flights WHERE call = ?", [call])


def spent(store: LlmStore, column: str = "", value: str = "") -> Spent:
    """What all calls cost, or those whose `column` has this value (run, month, task, model, window)."""
    if not store.path.exists():
        return Spent()
    where = f"WHERE {column} = ?" if column else ""
    with store.connect() as connection:
        _settle_lost(connection)
        row = connection.execute(
            "SELECT count(*), coalesce(sum(input_tokens), 0), coalesce(sum(output_tokens), 0), "
            f"coalesce(sum(cached_tokens), 0), coalesce(sum(usd), 0.0) FROM calls {where}",
            [value] if column else [],
        ).fetchone()
    return Spent(*row)


def paid_windows(store: LlmStore) -> tuple[int, int]:
    """Of how many windows a model was asked, and of how many of them answers are kept."""
    if not store.path.exists():
        return 0, 0
    with store.connect() as connection:
        return connection.execute(
            "SELECT count(DISTINCT c.window), count(DISTINCT r.window) FROM calls c "
            "LEFT JOIN responses r ON r.window = c.window WHERE c.window <> ''"
        ).fetchone()


def _settle_lost(connection: sqlite3.Connection) -> None:
    """Settles the calls of processes that died: nobody will, and what was reserved for them would count for ever."""
    me = Owner.this_process()
    for host, pid, started, begun in connection.execute(
        "SELECT host, pid, process_started, max(begun_at) FROM flights GROUP BY host, pid, process_started"
    ).fetchall():
        owner = Owner(host, pid, started)
        if owner == me or owner.alive(datetime.fromisoformat(begun)):
            continue
        theirs = "SELECT call FROM flights WHERE (host, pid, process_started) = (?, ?, ?)"
        # What costs nothing was sent in a batch job: the run that collects the job books it.
        connection.execute(
            "DELETE FROM calls WHERE id IN (SELECT call FROM flights "
            "WHERE least = 0 AND (host, pid, process_started) = (?, ?, ?))",
            [host, pid, started],
        )
        connection.execute(
            "UPDATE calls SET outcome = 'lost', usd = (SELECT least FROM flights WHERE call = id) "
            f"WHERE id IN ({theirs})",
            [host, pid, started],
        )
        connection.execute(f"DELETE FROM flights WHERE call IN ({theirs})", [host, pid, started])
