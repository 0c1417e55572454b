"""Asset checks: what an operator sees at a glance about the whole site.

Unpartitioned: partitioned checks lose their partition in a range run, so these name windows in their metadata.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg
from dagster._core.definitions.asset_checks.asset_check_evaluation import (
    AssetCheckEvaluationTargetMaterializationData,
)

from egregora_assets.plan import Plan, make_plan
from egregora_assets.stage import PipelineContext, Stage
from egregora_resources.configurable import LlmResource, WarehouseResource
from egregora_resources.settings import Settings
from egregora_resources.site_folder import SiteFolder
from egregora_resources.warehouse import Warehouse

STALENESS = "no_stale_windows"
NAMED_WINDOWS = 50
"""Stale windows that the check's metadata names."""

FILES_CHECK = dg.AssetCheckSpec(
    "inbox_is_readable",
    asset="exports",
    description="Every file of the inbox could be imported. One that couldn't doesn't keep the others out.",
)


def files_check(unreadable: Sequence[str]) -> dg.AssetCheckResult:
    """The result of `FILES_CHECK`."""
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
        provider = self._llm.provider(self._settings)
        context = PipelineContext(self._settings, self._folder.root, warehouse, provider=provider)
        return make_plan(context, self._stages)

    def tell(self, instance: dg.DagsterInstance, warehouse: Warehouse) -> list[str]:
        """Brings the check up to date after a run changed what is stale; returns the stale windows."""
        plan = self.plan(warehouse)
        windows = dg.AssetKey("windows")
        # Named, because Dagster would otherwise compare times, and its check table keeps whole seconds only:
        # a check told in the second of the event that it is about would count as older.
        latest = instance.fetch_materializations(windows, limit=1).records
        evaluation = dg.AssetCheckEvaluation(
            asset_key=windows,
            check_name=STALENESS,
            passed=not plan.stale,
            severity=dg.AssetCheckSeverity.WARN,
            metadata=_named(plan),
            target_materialization_data=AssetCheckEvaluationTargetMaterializationData(
                storage_id=latest[0].storage_id, run_id=latest[0].run_id, timestamp=latest[0].timestamp
            )
            if latest
            else None,
        )
        instance.report_runless_asset_event(evaluation)
        return plan.stale


def _named(plan: Plan) -> Mapping[str, Any]:
    reasons = {
        window: "; ".join(f"{row.stage}: {row.reason}" for row in plan.stages(window))
        for window in plan.stale[:NAMED_WINDOWS]
    }
    return {"stale_windows": len(plan.stale), **reasons}


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
        plan = Staleness(folder, settings, stages, llm).plan(warehouse.open())
        return dg.AssetCheckResult(
            passed=not plan.stale, severity=dg.AssetCheckSeverity.WARN, metadata=_named(plan)
        )

    return [no_stale_windows]
