"""What the next `write` would do, all told: what comes first, which windows are stale, and what that would cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from egregora_assets.estimates import priced
from egregora_assets.importing import new_in_inbox, relayout
from egregora_assets.plan import Plan, make_plan
from egregora_assets.stage import PipelineContext, Stage
from egregora_assets.withdrawal import withdrawals_due
from egregora_resources.settings import load_settings
from egregora_resources.site_folder import SiteFolder
from egregora_resources.warehouse import open_existing


def plan_site(site: Path, stages: Sequence[Stage] | None = None) -> Plan:
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
