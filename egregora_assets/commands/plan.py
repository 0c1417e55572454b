"""What the next `write` would do, all told: what comes first, which windows are stale, and what that would cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from egregora_assets.costs.estimates import priced
from egregora_assets.erasure.withdrawal import withdrawals_due
from egregora_assets.ingestion.imports import new_in_inbox
from egregora_assets.pipeline.context import PipelineContext
from egregora_assets.pipeline.plan import Plan, make_plan
from egregora_assets.pipeline.stage import Stage
from egregora_assets.stages import STAGES
from egregora_assets.windowing.layout import relayout
from egregora_resources.site.folder import SiteFolder
from egregora_resources.site.settings import load_settings
from egregora_resources.warehouse.database import open_existing


def plan_site(site: Path, stages: Sequence[Stage] = STAGES) -> Plan:
    """The plan of the site in this folder."""
    folder = SiteFolder(site)
    settings = load_settings(site)
    warehouse = open_existing(folder.warehouse)
    context = PipelineContext(settings, site, warehouse)
    plan = priced(context, make_plan(context, stages))
    return replace(plan, before=_first_of_all(folder, context))


def _first_of_all(folder: SiteFolder, context: PipelineContext) -> list[str]:
    settings, warehouse = context.config, context.storage
    before: list[str] = []
    if withdrawal := withdrawals_due(context):
        before.append(withdrawal)
    if files := new_in_inbox(folder, warehouse):
        before.append(
            f"The inbox holds {files} file{'s' if files > 1 else ''} not imported yet: that comes first."
        )
    if change := relayout(settings, warehouse, dry_run=True):
        before.append(str(change))
    return before
