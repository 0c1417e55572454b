"""What the next `write` would do, all told: what comes first, which windows are stale, and what that would cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from egregora_assets.commands.lost_warehouse import look_at
from egregora_assets.costs.estimates import priced
from egregora_assets.erasure.withdrawal import withdrawals_due
from egregora_assets.ingestion.imports import new_in_inbox
from egregora_assets.pipeline.context import PipelineContext
from egregora_assets.pipeline.plan import Plan, make_plan
from egregora_assets.pipeline.stage import Stage
from egregora_assets.stages import STAGES
from egregora_assets.windowing.layout import relayout


def plan_site(root: Path, stages: Sequence[Stage] = STAGES) -> Plan:
    """The plan of the site in this folder."""
    context = PipelineContext.of(look_at(root))
    plan = priced(context, make_plan(context, stages))
    return replace(plan, before=_first_of_all(context))


def _first_of_all(context: PipelineContext) -> list[str]:
    before: list[str] = []
    if withdrawal := withdrawals_due(context):
        before.append(withdrawal)
    if files := new_in_inbox(context.site):
        before.append(
            f"The inbox holds {files} file{'s' if files > 1 else ''} not imported yet: that comes first."
        )
    if change := relayout(context.site, dry_run=True):
        before.append(str(change))
    return before
