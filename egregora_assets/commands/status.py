"""What is there: windows × stages, with states and reasons, for `status` and for callers from Python."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal, TypeAlias

from egregora_assets.commands.lost_warehouse import look_at
from egregora_assets.costs.estimates import this_month
from egregora_assets.pipeline.context import PipelineContext
from egregora_assets.pipeline.plan import PlanRow, make_plan
from egregora_assets.pipeline.stage import Stage
from egregora_assets.stages import STAGES
from egregora_resources.llm.spending import Spent
from egregora_resources.usage import Usage
from egregora_resources.warehouse.raw_measures import window_spans
from egregora_resources.warehouse.results import StageResult, load_results

State: TypeAlias = Literal["done", "stale", "failed", "skipped", "new", "degraded"]


@dataclass(frozen=True, slots=True)
class StatusRow:
    """One window: its span, what is in it, and each stage's state with the reason for it."""

    window: str
    first: datetime
    last: datetime
    messages: int
    posts: int
    stages: Mapping[str, tuple[State, str]]
    usage: Usage = Usage()
    """What the results that are there took to make."""


@dataclass(frozen=True, slots=True)
class Status:
    """All windows of a site, in the order of the log."""

    rows: Sequence[StatusRow]
    month: Spent = field(default_factory=Spent)
    """What all runs cost in this calendar month (UTC)."""


def site_status(root: Path, stages: Sequence[Stage] = STAGES) -> Status:
    """The status of the site in this folder."""
    site = look_at(root)
    warehouse = site.warehouse
    context = PipelineContext.of(site)
    plan = make_plan(context, stages)
    results = load_results(warehouse)
    usage: dict[str, Usage] = {}
    for result in results.values():
        usage[result.window] = usage.get(result.window, Usage()) + result.usage
    planned: dict[str, list[PlanRow]] = {}
    for row in plan.rows:
        planned.setdefault(row.window, []).append(row)
    return Status(
        [
            StatusRow(
                window=key,
                first=first,
                last=last,
                messages=messages,
                posts=posts,
                stages={
                    row.stage: _state(row, results.get((row.stage, key))) for row in planned.get(key, [])
                },
                usage=usage.get(key, Usage()),
            )
            for key, messages, posts, first, last in window_spans(warehouse)
        ],
        this_month(context),
    )


def _state(row: PlanRow, result: StageResult | None) -> tuple[State, str]:
    if result is None:
        return "new", row.reason
    if result.status == "failed":
        return "failed", result.error
    if row.action == "run":
        return "stale", row.reason
    if result.status == "skipped":
        return "skipped", result.note
    if result.degraded:
        return "degraded", f"made by {result.degraded}"
    return "done", result.note
