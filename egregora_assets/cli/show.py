"""`plan`, `status` and `inspect`: they show, and change nothing."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from egregora_assets.cli.terminal import out, printable
from egregora_resources.errors import UserError

if TYPE_CHECKING:
    from egregora_assets.commands.status import Status, StatusRow
    from egregora_assets.costs.estimates import StageEstimate
    from egregora_assets.pipeline.plan import Plan, PlanRow

_SIGNS = {
    "done": "✓",
    "stale": "~",
    "failed": "✗",
    "skipped": "–",
    "running": "…",
    "degraded": "!",
    "new": "·",
}


def show_plan(site: Path, *, as_json: bool) -> None:
    """What the next write would do, a line for each window that has something to run."""
    from egregora_assets.commands.plan import plan_site

    plan = plan_site(site)
    if as_json:
        _print_json(plan.to_json())
        return
    console = out()
    for line in plan_lines(plan):
        console.print(line)


def plan_lines(plan: Plan) -> list[str]:
    """The plan in words."""
    windows = len({row.window for row in plan.rows})
    if not windows:
        return ["Nothing is imported yet: egregora write EXPORT"]
    lines = [*plan.before, *(f"{window}  {_due(plan.stages(window))}" for window in plan.stale)]
    if plan.site:
        lines.append(f"The site would be built again: {plan.site}.")
    if plan.nothing_to_do:
        all_of_them = f"all {windows} windows are" if windows > 1 else "the one window is"
        return [*_degraded(plan), f"Nothing to do: {all_of_them} up to date."]
    lines += _degraded(plan)
    if plan.stale or not plan.before:
        lines.append(f"{len(plan.stale)} of {windows} windows would be worked on.")
    return [*lines, *_cost(plan)]


def _degraded(plan: Plan) -> list[str]:
    """What fallbacks made, and how to have it made anew."""
    return [
        f"{window}  {stage}: made by the fallback {by}; to try again: "
        f"egregora write --redo {stage} --window {window}"
        for (window, stage), by in plan.degraded.items()
    ]


def _cost(plan: Plan) -> list[str]:
    """What the plan would cost, stage by stage, and in total."""
    from egregora_resources.llm.estimate import amounts
    from egregora_resources.llm.pricing import dollars

    if plan.cost is None:
        return []
    lines = [
        f"  {s.stage}: about {amounts(s.calls, s.input_tokens, s.output_tokens, s.usd)} ({s.model}, {_basis(s)})"
        for s in plan.cost.stages
    ]
    month = f"This month has cost {dollars(plan.cost.month_usd)} so far."
    return [*lines, f"In total: about {plan.cost}. {month}", *plan.warnings]


def _basis(stage: StageEstimate) -> str:
    if not stage.learnt_from:
        return "guessed"
    what = "run" if stage.stage == "vocabulary" else "window"
    return f"learnt from {stage.learnt_from:,} earlier {what}{'' if stage.learnt_from == 1 else 's'}"


def _due(rows: Sequence[PlanRow]) -> str:
    """The stages of one window by reason; those that only follow from the others come last."""
    from egregora_assets.pipeline.plan import UPSTREAM

    reasons: dict[str, list[str]] = {}
    for row in rows:
        own, _, _ = f"; {row.reason}".partition(f"; {UPSTREAM}")
        reasons.setdefault(own.removeprefix("; "), []).append(row.stage)
    followers = reasons.pop("", [])
    parts = [f"{', '.join(stages)}: {reason}" for reason, stages in reasons.items()]
    return "; ".join([*parts, f"then {', '.join(followers)}"] if followers else parts)


def show_status(site: Path, *, as_json: bool) -> None:
    """Windows × stages, and below it the reason of everything that isn't simply done."""
    from egregora_assets.commands.status import site_status

    status = site_status(site)
    if as_json:
        month = status.month
        _print_json(
            {
                "windows": [_status_json(row) for row in status.rows],
                "month": {
                    "calls": month.calls,
                    "input_tokens": month.input_tokens,
                    "output_tokens": month.output_tokens,
                    "usd": month.usd,
                },
            }
        )
        return
    console = out()
    console.soft_wrap = False
    if not status.rows:
        console.print("Nothing is imported yet: egregora write EXPORT")
        return
    from rich.table import Table
    from rich.text import Text

    from egregora_resources.llm.estimate import amounts
    from egregora_resources.llm.pricing import dollars

    stages = list(dict.fromkeys(stage for row in status.rows for stage in row.stages))
    table = Table("window", "from", "to", box=None, pad_edge=False)
    paid = any(row.usage.calls for row in status.rows)
    for heading in ("messages", "posts", *(("calls", "cost") if paid else ())):
        table.add_column(heading, justify="right")
    table.add_column("stages")
    for row in status.rows:
        signs = [_SIGNS.get(row.stages[stage][0], "?") if stage in row.stages else " " for stage in stages]
        cells = [
            row.window,
            f"{row.first:%Y-%m-%d}",
            f"{row.last:%Y-%m-%d}",
            f"{row.messages:,}",
            str(row.posts),
            *((f"{row.usage.calls:,}", dollars(row.usage.usd)) if paid else ()),
        ]
        table.add_row(*(Text(cell) for cell in [*cells, " ".join(signs)]))
    # A narrow terminal wraps lines; a table made to fit would lose columns.
    whole = console.measure(table, options=console.options.update(max_width=1000)).maximum
    console.width = max(console.width, whole)
    console.print(table)
    console.print(f"stages: {' '.join(stages)}")
    console.print("   ".join(f"{sign} {state}" for state, sign in _SIGNS.items() if _has(status, state)))
    for line in _reasons(status.rows):
        console.print(line)
    if status.month.calls:
        month = status.month
        console.print(
            f"This month so far: {amounts(month.calls, month.input_tokens, month.output_tokens, month.usd)}."
        )


def _has(status: Status, state: str) -> bool:
    return any(state == found for row in status.rows for found, _ in row.stages.values())


def _reasons(rows: Iterable[StatusRow]) -> list[str]:
    """A line for each window and reason, with the stages that share it."""
    lines: list[str] = []
    for row in rows:
        told: dict[tuple[str, str], list[str]] = {}
        for stage, (state, reason) in row.stages.items():
            if reason and state not in ("done", reason):
                told.setdefault((state, reason), []).append(stage)
        for (state, reason), stages in told.items():
            lines.append(f"{row.window}  {', '.join(stages)} {state}: {reason}")
    return lines


def _status_json(row: StatusRow) -> dict[str, object]:
    return {
        "window": row.window,
        "first": row.first.isoformat(),
        "last": row.last.isoformat(),
        "messages": row.messages,
        "posts": row.posts,
        "calls": row.usage.calls,
        "input_tokens": row.usage.input_tokens,
        "output_tokens": row.usage.output_tokens,
        "usd": row.usage.usd,
        "stages": {
            stage: {"state": state, "reason": reason} for stage, (state, reason) in row.stages.items()
        },
    }


def inspect(exports: Sequence[Path], *, chat: str | None, date_order: str | None, jsonl: bool) -> None:
    """What the importer understood: a summary of each export, or a JSON line for each message."""
    for export in exports:
        if not export.exists():
            raise UserError(f"There is no file {export}.")
    from egregora_resources.inputs.inspect import message_lines, summary
    from egregora_resources.inputs.registry import read_export

    for path in exports:
        export = read_export(path, chat=chat, date_order=date_order)
        if jsonl:
            sys.stdout.writelines(line + "\n" for line in message_lines(export))
        else:
            out().print(printable(str(summary(export))))


def _print_json(value: object) -> None:
    print(json.dumps(value, ensure_ascii=False, indent=2, default=str))  # noqa: T201
