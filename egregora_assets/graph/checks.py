"""Asset checks: what an operator sees at a glance about the whole site.

Each is about all windows at once, and so without partitions; which windows it found is in its metadata.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import dagster as dg

from egregora_assets.costs.estimates import priced
from egregora_assets.graph.dagster_internals import evaluation_of
from egregora_assets.ingestion.imports import FileOutcome
from egregora_assets.leak_check.check import ADVICE, Hit, LeakCheck, last_proof, remember_proof
from egregora_assets.pipeline.context import PipelineContext
from egregora_assets.pipeline.plan import Plan, make_plan
from egregora_assets.pipeline.stage import Stage
from egregora_resources.dagster_resources import LlmResource, WarehouseResource
from egregora_resources.site.site import Site

STALENESS = "no_stale_windows"
PERSONAL_DATA = "no_personal_data"
NAMED_WINDOWS = 50
"""Stale windows that the check's metadata names."""

FILES_CHECK = dg.AssetCheckSpec(
    "inbox_is_readable",
    asset="exports",
    description="Every file of the inbox could be imported. One that couldn't doesn't keep the others out.",
)


def files_check(outcomes: Iterable[FileOutcome]) -> dg.AssetCheckResult:
    """The result of `FILES_CHECK`, for what lies in the inbox."""
    unreadable = [f"file {one.place} ({one.error})" for one in outcomes if one.error]
    advice = "Run `egregora inspect` on the inbox's files to see why; move them away or replace them."
    return dg.AssetCheckResult(
        check_name=FILES_CHECK.name,
        passed=not unreadable,
        metadata={"files_not_imported": len(unreadable)}
        | ({"which": ", ".join(unreadable), "what_to_do": advice} if unreadable else {}),
    )


class Staleness:
    """Tells the graph which windows are stale: its own picture shows that of one partition at a time only."""

    def __init__(self, site: Site, stages: Sequence[Stage], llm: LlmResource) -> None:
        self._site, self._stages, self._llm = site, stages, llm

    def plan(self) -> Plan:
        """What would be recomputed now."""
        return make_plan(self._context(), self._stages)

    def priced(self) -> Plan:
        """The same with what it would cost."""
        context = self._context()
        return priced(context, make_plan(context, self._stages))

    def _context(self) -> PipelineContext:
        return PipelineContext.of(self._site, provider=self._llm.provider(self._site.settings))

    def tell(self, instance: dg.DagsterInstance) -> list[str]:
        """Brings the check up to date after a run changed what is stale; returns the stale windows."""
        plan = self.priced()
        evaluation = dg.AssetCheckEvaluation(
            asset_key=dg.AssetKey("windows"),
            check_name=STALENESS,
            passed=not plan.stale,
            severity=dg.AssetCheckSeverity.WARN,
            metadata=_named(plan),
            target_materialization_data=evaluation_of(instance, "windows"),
        )
        instance.report_runless_asset_event(evaluation)
        return plan.stale


class PersonalData:
    """Tells the graph whether anything that is stored or published holds what must not be there."""

    def __init__(self, site: Site, llm: LlmResource) -> None:
        self._site, self._llm = site, llm

    def find(self, *, online: bool) -> list[Hit]:
        """What is found in everything stored, and in the built site: read anew if `online`, else as when it was built."""
        site = self._site
        check = LeakCheck(PipelineContext.of(site, provider=self._llm.provider(site.settings)))
        if online and site.folder.built.exists():
            remember_proof(site.warehouse, check.published(site.folder.built))
        return [*check.stored(), *last_proof(site.warehouse)]

    def tell(self, instance: dg.DagsterInstance) -> None:
        """Brings the check up to date after a run."""
        hits = self.find(online=False)
        evaluation = dg.AssetCheckEvaluation(
            asset_key=dg.AssetKey("site"),
            check_name=PERSONAL_DATA,
            passed=not hits,
            metadata=_hits(hits),
            target_materialization_data=evaluation_of(instance, "site"),
        )
        instance.report_runless_asset_event(evaluation)


def _hits(hits: Sequence[Hit]) -> Mapping[str, Any]:
    """Kinds, windows and files; never the thing itself."""
    if not hits:
        return {"found": 0}
    return {
        "found": len(hits),
        "where": "; ".join(map(str, hits[:NAMED_WINDOWS])),
        "windows": ", ".join(sorted({hit.window for hit in hits if hit.window})[:NAMED_WINDOWS]) or "none",
        "what_to_do": ADVICE,
    }


def _named(plan: Plan) -> Mapping[str, Any]:
    reasons = {
        window: "; ".join(f"{row.stage}: {row.reason}" for row in plan.stages(window))
        for window in plan.stale[:NAMED_WINDOWS]
    }
    cost = (
        {"expected_calls": plan.cost.calls, "expected_usd": round(plan.cost.usd, 4)}
        | {"month_usd": round(plan.cost.month_usd, 4)}
        | ({"budgets": " ".join(plan.warnings)} if plan.warnings else {})
        if plan.cost
        else {}
    )
    return {"stale_windows": len(plan.stale), **cost, **reasons}


def site_checks(site: Site, stages: Sequence[Stage]) -> list[dg.AssetChecksDefinition]:
    """The checks of a site that can be run by hand; its warehouse is the one that the resource names."""

    @dg.asset_check(
        asset="windows",
        name=STALENESS,
        description="No window is stale. The UI's graph doesn't show staleness of partitions; this does.",
    )
    def no_stale_windows(warehouse: WarehouseResource, llm: LlmResource) -> dg.AssetCheckResult:
        plan = Staleness(replace(site, warehouse=warehouse.open()), stages, llm).priced()
        return dg.AssetCheckResult(
            passed=not plan.stale, severity=dg.AssetCheckSeverity.WARN, metadata=_named(plan)
        )

    @dg.asset_check(
        asset="site",
        name=PERSONAL_DATA,
        description=(
            "No name, number or address, and no word of anybody who opted out, is in what is stored of messages, "
            "digests, enrichments, profiles, posts and banners, or in the built site. A site that doesn't pass isn't "
            "published."
        ),
    )
    def no_personal_data(warehouse: WarehouseResource, llm: LlmResource) -> dg.AssetCheckResult:
        hits = PersonalData(replace(site, warehouse=warehouse.open()), llm).find(online=True)
        return dg.AssetCheckResult(passed=not hits, metadata=_hits(hits))

    built = any(stage.name == "site" for stage in stages)
    return [no_stale_windows, no_personal_data] if built else [no_stale_windows]
