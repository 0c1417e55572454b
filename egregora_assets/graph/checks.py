"""Asset checks: what an operator sees at a glance about the whole site.

Unpartitioned: partitioned checks lose their partition in a range run, so these name windows in their metadata.
"""

from collections.abc import Iterable, Mapping, Sequence
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
from egregora_resources.site.folder import SiteFolder
from egregora_resources.site.settings import Settings
from egregora_resources.warehouse.database import Warehouse

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

    def __init__(
        self, folder: SiteFolder, settings: Settings, stages: Sequence[Stage], llm: LlmResource
    ) -> None:
        self._folder, self._settings, self._stages, self._llm = folder, settings, stages, llm

    def plan(self, warehouse: Warehouse) -> Plan:
        """What would be recomputed now."""
        return make_plan(self._context(warehouse), self._stages)

    def priced(self, warehouse: Warehouse) -> Plan:
        """The same with what it would cost."""
        context = self._context(warehouse)
        return priced(context, make_plan(context, self._stages))

    def _context(self, warehouse: Warehouse) -> PipelineContext:
        provider = self._llm.provider(self._settings)
        return PipelineContext(self._settings, self._folder.root, warehouse, provider=provider)

    def tell(self, instance: dg.DagsterInstance, warehouse: Warehouse) -> list[str]:
        """Brings the check up to date after a run changed what is stale; returns the stale windows."""
        plan = self.priced(warehouse)
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

    def __init__(self, folder: SiteFolder, settings: Settings, llm: LlmResource) -> None:
        self._folder, self._settings, self._llm = folder, settings, llm

    def find(self, warehouse: Warehouse, *, online: bool) -> list[Hit]:
        """What is found in everything stored, and in the built site: read anew if `online`, else as when it was built."""
        provider = self._llm.provider(self._settings)
        prover = LeakCheck(PipelineContext(self._settings, self._folder.root, warehouse, provider=provider))
        if online and self._folder.built.exists():
            remember_proof(warehouse, prover.published(self._folder.built))
        return [*prover.stored(), *last_proof(warehouse)]

    def tell(self, instance: dg.DagsterInstance, warehouse: Warehouse) -> None:
        """Brings the check up to date after a run."""
        hits = self.find(warehouse, online=False)
        evaluation = dg.AssetCheckEvaluation(
            asset_key=dg.AssetKey("site"), check_name=PERSONAL_DATA, passed=not hits, metadata=_hits(hits)
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


def site_checks(
    folder: SiteFolder, settings: Settings, stages: Sequence[Stage]
) -> list[dg.AssetChecksDefinition]:
    """The checks of a site that can be run by hand."""

    @dg.asset_check(
        asset="windows",
        name=STALENESS,
        description="No window is stale. The UI's graph doesn't show staleness of partitions; this does.",
    )
    def no_stale_windows(warehouse: WarehouseResource, llm: LlmResource) -> dg.AssetCheckResult:
        plan = Staleness(folder, settings, stages, llm).priced(warehouse.open())
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
        hits = PersonalData(folder, settings, llm).find(warehouse.open(), online=True)
        return dg.AssetCheckResult(passed=not hits, metadata=_hits(hits))

    built = any(stage.name == "site" for stage in stages)
    return [no_stale_windows, no_personal_data] if built else [no_stale_windows]
