"""`exports`: imports every new file of the inbox, and tells the graph which windows are new or changed.

Its own data version is constant: an unpartitioned asset whose version changed would make every window look stale.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import dagster as dg
from pydantic import Field

from egregora_assets.erasure.unfinished import resume
from egregora_assets.erasure.withdrawal import withdraw
from egregora_assets.graph.checks import FILES_CHECK, Staleness, files_check
from egregora_assets.graph.materializations import (
    CODE,
    EXPORTS,
    EXPORTS_VERSION,
    report_missing,
)
from egregora_assets.graph.run_owners import enter_run
from egregora_assets.graph.safe_failures import redacted_failures
from egregora_assets.graph.specs import asset_spec
from egregora_assets.ingestion.imports import import_inbox, inbox_outcomes
from egregora_assets.ingestion.report import ImportReport
from egregora_assets.pipeline.context import PipelineContext
from egregora_assets.pipeline.stage import Stage
from egregora_assets.windowing.layout import relayout
from egregora_assets.windows import tell_windows
from egregora_resources.dagster_resources import LlmResource, WarehouseResource
from egregora_resources.progress import Progress
from egregora_resources.site.site import Site


class ExportsConfig(dg.Config):
    """Launch options of `exports`."""

    accept_new_layout: bool = False
    """Retire and recompute windows when the settings ask for another layout."""
    files: list[str] = Field(default_factory=list[str])
    """Sightings of the inbox's files to import, as the sensor has them; empty: everything in the inbox."""


def exports_asset(
    site: Site,
    stages: Sequence[Stage],
    code_versions: Mapping[str, str],
    progress: Progress | None = None,
) -> dg.AssetsDefinition:
    """The asset `exports` of a site, whose warehouse the resource names."""

    @dg.multi_asset(
        name=EXPORTS,
        specs=[
            asset_spec(
                EXPORTS,
                code_version=CODE,
                group="chat",
                kinds={"duckdb", "whatsapp"},
                text="raw",
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
    ) -> Iterator[dg.MaterializeResult[Any]]:
        with redacted_failures():
            enter_run(context.instance, context.run.run_id)
            # A plain `dagster dev` has made the folder for its own files, open to everybody.
            site.folder.make_state()
            here = replace(site, warehouse=warehouse.open())
            resume(here)
            report_missing(here, context.instance, stages, code_versions)
            _ask_about_layout(here, accepted=config.accept_new_layout)
            relayout(here)
            report, _ = import_inbox(here, only=config.files)
            # Before anything else is done: what may no longer be shown goes, even if all that follows fails.
            withdrawn = withdraw(PipelineContext.of(here, provider=llm.provider(site.settings)))
            changed = tell_windows(context, here, progress)
            # Windows that came back, or an instance that was made anew, have results to be told of as well.
            report_missing(here, context.instance, stages, code_versions, progress)
            stale = Staleness(here, stages, llm).tell(context.instance)
            outcomes = inbox_outcomes(here.warehouse)
        yield dg.MaterializeResult(
            EXPORTS,
            data_version=dg.DataVersion(EXPORTS_VERSION),
            metadata={
                **_metadata(report, changed),
                "windows_withdrawn": len(withdrawn.windows),
                "stale_windows": ", ".join(stale) or "none",
            },
            check_results=[files_check(outcomes.values())],
        )

    return exports


def _ask_about_layout(site: Site, *, accepted: bool) -> None:
    change = relayout(site, dry_run=True)
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
