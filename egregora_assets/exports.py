"""The assets `exports` and `windows`: what was imported, and what each window holds.

`exports` imports every new file of the inbox and tells the graph which windows are new or changed; its own data
version is constant. `windows` stands between it and everything else, so that an import which changes one
window makes exactly that window's partitions stale.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import dagster as dg

from egregora_assets.checks import FILES_CHECK, Staleness, files_check
from egregora_assets.discretion import discreet
from egregora_assets.events import EXPORTS_VERSION, WINDOWS, provenance, report_missing, window_facts
from egregora_assets.imported import ImportReport
from egregora_assets.importing import import_inbox, relayout
from egregora_assets.partitions import WINDOW, WINDOW_PARTITIONS, sync_partitions
from egregora_assets.plan import running_window
from egregora_assets.processes import enter_run
from egregora_assets.stage import PipelineContext, Stage
from egregora_assets.window_layout import active_windows
from egregora_assets.withdrawal import withdraw
from egregora_resources.configurable import LlmResource, WarehouseResource
from egregora_resources.document import fingerprint
from egregora_resources.results import forget_reports
from egregora_resources.settings import Settings
from egregora_resources.site_folder import SiteFolder
from egregora_resources.warehouse import Warehouse

CODE = "1"
EXPORTS = "exports"


class ExportsConfig(dg.Config):
    """Launch options of `exports`."""

    accept_new_layout: bool = False
    """Retire and recompute windows when the settings ask for another layout."""


def exports_assets(
    folder: SiteFolder, settings: Settings, stages: Sequence[Stage], code_versions: Mapping[str, str]
) -> list[dg.AssetsDefinition]:
    """The two assets of a site."""

    @dg.multi_asset(
        name=EXPORTS,
        specs=[
            dg.AssetSpec(
                EXPORTS,
                code_version=CODE,
                group_name="chat",
                kinds={"duckdb", "whatsapp"},
                description=(
                    "Imports every new file of the inbox, merges it with what is known, and lays the windows out."
                ),
            )
        ],
        check_specs=[FILES_CHECK],
        # It has no partitions, but Dagster's commands take a range only if every selected asset says this.
        backfill_policy=dg.BackfillPolicy.single_run(),
    )
    def exports(
        context: dg.AssetExecutionContext,
        config: ExportsConfig,
        warehouse: WarehouseResource,
        llm: LlmResource,
    ) -> Iterator[dg.MaterializeResult]:
        with discreet():
            enter_run(context.instance, context.run.run_id)
            # A plain `dagster dev` has made the folder for its own files, open to everybody.
            folder.make_state()
            store = warehouse.open()
            report_missing(store, context.instance, folder, stages, code_versions)
            _ask_about_layout(settings, store, accepted=config.accept_new_layout)
            relayout(settings, store)
            report, unread = import_inbox(folder, settings, store)
            # Before anything else is done: what may no longer be shown goes, even if all that follows fails.
            withdrawn = withdraw(
                PipelineContext(settings, folder.root, store, provider=llm.provider(settings))
            )
            # By place: file names may hold people's names.
            unreadable = [f"file {place} ({type(error).__name__})" for place, _, error in unread]
            changed = tell_windows(context, folder, settings, store)
            # Windows that came back, or an instance that was made anew, have results to be told of as well.
            report_missing(store, context.instance, folder, stages, code_versions)
            stale = Staleness(folder, settings, stages, llm).tell(context.instance, store)
        yield dg.MaterializeResult(
            EXPORTS,
            data_version=dg.DataVersion(EXPORTS_VERSION),
            metadata={
                **_metadata(report, changed),
                "windows_withdrawn": len(withdrawn.windows),
                "stale_windows": ", ".join(stale) or "none",
            },
            check_results=[files_check(unreadable)],
        )

    @dg.multi_asset(
        name="windows",
        specs=[
            dg.AssetSpec(
                WINDOWS,
                deps=[EXPORTS],
                skippable=True,
                code_version=CODE,
                group_name="chat",
                kinds={"duckdb"},
                description="What each window holds: its messages and the people who speak or are named in it.",
            )
        ],
        partitions_def=WINDOW,
        backfill_policy=dg.BackfillPolicy.single_run(),
    )
    def windows(
        context: dg.AssetExecutionContext, warehouse: WarehouseResource
    ) -> Iterator[dg.MaterializeResult]:
        # A step that yields nothing makes Dagster skip the steps behind it; what is logged afterwards,
        # window by window, is what counts.
        yield dg.MaterializeResult(WINDOWS)
        with discreet():
            enter_run(context.instance, context.run.run_id)
            store = warehouse.open()
            facts, keys = window_facts(store, folder), set(context.partition_keys)
            for key, version in told_versions(settings, store).items():
                if key in keys:
                    context.log_event(window_event(key, version, facts[key]))

    return [exports, windows]


def _ask_about_layout(settings: Settings, warehouse: Warehouse, *, accepted: bool) -> None:
    change = relayout(settings, warehouse, dry_run=True)
    if change and change.large and not accepted:
        raise dg.Failure(
            f"{change} Launch again with accept_new_layout: true, or undo the change of [pipeline] window_size or "
            "window_unit.",
            metadata={
                "windows_retired": len(change.retired),
                "windows_changed": len(change.changed),
                "windows_new": len(change.new),
            },
            allow_retries=False,
        )


def told_versions(settings: Settings, warehouse: Warehouse) -> dict[str, str]:
    """Data version of ``windows[w]`` by window: what it holds, and whether it is still running."""
    active = active_windows(warehouse)
    running = running_window(settings, warehouse, active)
    return {w.key: fingerprint(w.version, "running") if w.key == running else w.version for w in active}


def tell_windows(
    context: dg.AssetExecutionContext, folder: SiteFolder, settings: Settings, warehouse: Warehouse
) -> list[str]:
    """Registers the windows' keys and reports the new and changed ones; returns these."""
    versions = told_versions(settings, warehouse)
    added, _ = sync_partitions(context.instance, list(versions), own_run=context.run.run_id)
    untold = _untold(warehouse, versions) | set(added)
    facts = window_facts(warehouse, folder)
    for key in versions:
        if key in untold:
            context.log_event(window_event(key, versions[key], facts[key]))
    forget_reports(warehouse, added)
    if untold:
        with warehouse.transaction() as connection:
            connection.executemany(
                "UPDATE windows SET reported = ? WHERE key = ?", [[versions[key], key] for key in untold]
            )
    return [key for key in versions if key in untold]


def untold_windows(settings: Settings, warehouse: Warehouse, instance: dg.DagsterInstance) -> bool:
    """Whether the graph doesn't know of all windows yet, or still knows retired ones."""
    versions = told_versions(settings, warehouse)
    known = set(instance.get_dynamic_partitions(WINDOW_PARTITIONS))
    return known != versions.keys() or bool(_untold(warehouse, versions))


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


def _metadata(report: ImportReport, changed: Sequence[str]) -> dict[str, int | str]:
    merged = [file.merged for file in report.files if file.merged]
    return {
        "files_imported": len(merged),
        "files_known": sum(file.known for file in report.files),
        "messages_new": sum(m.new for m in merged),
        "messages_changed": sum(m.changed for m in merged),
        "messages_missing_and_kept": sum(m.absent for m in merged),
        "commands_without_effect": len(report.command_errors),
        "windows_changed": ", ".join(changed) or "none",
    }
