"""`windows[w]`: what each window holds, with the fingerprint of its content as data version.

It stands between `exports` and everything else, so that an import which changes one window makes exactly that
window's partitions stale.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import dagster as dg

from egregora_assets.graph.dagster_internals import provenance
from egregora_assets.graph.materializations import (
    CODE,
    EXPORTS,
    EXPORTS_VERSION,
    WINDOWS,
    counted,
    window_facts,
)
from egregora_assets.graph.partitions import WINDOW, WINDOW_PARTITIONS, sync_partitions
from egregora_assets.graph.run_owners import enter_run
from egregora_assets.graph.safe_failures import redacted_failures
from egregora_assets.graph.specs import asset_spec
from egregora_assets.pipeline.plan import told_versions
from egregora_resources.dagster_resources import WarehouseResource
from egregora_resources.progress import Progress
from egregora_resources.site.site import Site
from egregora_resources.warehouse.database import Warehouse
from egregora_resources.warehouse.results import forget_reports
from egregora_resources.warehouse.windows import active_windows, mark_told


def windows_asset(site: Site) -> dg.AssetsDefinition:
    """The asset `windows` of a site, whose warehouse the resource names."""

    @dg.multi_asset(
        name="windows",
        specs=[
            asset_spec(
                WINDOWS,
                deps=[EXPORTS],
                skippable=True,
                code_version=CODE,
                group="chat",
                kinds={"duckdb"},
                text="none",
                description="What each window holds: its messages and the people who speak or are named in it.",
            )
        ],
        partitions_def=WINDOW,
        backfill_policy=dg.BackfillPolicy.single_run(),
    )
    def windows(
        context: dg.AssetExecutionContext, warehouse: WarehouseResource
    ) -> Iterator[dg.MaterializeResult[Any]]:
        with redacted_failures():
            enter_run(context.instance, context.run.run_id)
            here = replace(site, warehouse=warehouse.open())
            # Read first: what is yielded counts as materialized, also if nothing can be read after it.
            facts, versions = window_facts(here), told_versions(here)
        # A step that yields nothing makes Dagster skip the steps behind it; what is logged afterwards,
        # window by window, is what counts.
        yield dg.MaterializeResult(WINDOWS)
        with redacted_failures():
            for key in context.partition_keys:
                if key in versions:
                    context.log_event(window_event(key, versions[key], facts[key]))

    return windows


def tell_windows(
    context: dg.AssetExecutionContext, site: Site, progress: Progress | None = None
) -> list[str]:
    """Registers the windows' keys and reports the new and changed ones; returns these."""
    versions = told_versions(site)
    added, _ = sync_partitions(context.instance, list(versions), own_run=context.run.run_id)
    untold = _untold(site.warehouse, versions) | set(added)
    facts = window_facts(site)
    for key in counted([key for key in versions if key in untold], "windows told to Dagster", progress):
        context.log_event(window_event(key, versions[key], facts[key]))
    forget_reports(site.warehouse, added)
    mark_told(site.warehouse, {key: versions[key] for key in untold})
    return [key for key in versions if key in untold]


def untold_windows(site: Site, instance: dg.DagsterInstance) -> bool:
    """Whether the graph doesn't know of all windows yet, or still knows retired ones."""
    versions = told_versions(site)
    known = set(instance.get_dynamic_partitions(WINDOW_PARTITIONS))
    return known != versions.keys() or bool(_untold(site.warehouse, versions))


def _untold(warehouse: Warehouse, versions: Mapping[str, str]) -> set[str]:
    return {w.key for w in active_windows(warehouse) if w.reported != versions[w.key]}


def window_event(key: str, version: str, facts: Mapping[str, Any]) -> dg.AssetMaterialization:
    """The materialization that says what a window holds now."""
    return dg.AssetMaterialization(
        WINDOWS,
        partition=key,
        metadata=facts,
        tags=provenance(version, CODE, {EXPORTS: (EXPORTS_VERSION, None)}),
    )
