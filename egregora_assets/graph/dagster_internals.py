"""Everything that this package uses of Dagster beside its public interface: imports, tags, paths of classes, methods.

Any release of Dagster may change these without a word. So they stand here and nowhere else, and
`test_dagster_internals` has a claim for each, which fails if an upgrade breaks it. What belongs here is the name that
Dagster doesn't promise; what is done with it stands where it is done.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import dagster as dg
from dagster._core.definitions.asset_checks.asset_check_evaluation import (
    AssetCheckEvaluationTargetMaterializationData,
)
from dagster._core.definitions.metadata.metadata_set import TableMetadataSet
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition
from dagster._core.errors import DagsterInvalidConfigError
from dagster._core.events import AssetMaterializationPlannedData, DagsterEvent
from dagster._core.execution.backfill import BulkActionsFilter, BulkActionStatus
from dagster._core.instance.config import dagster_instance_config

AssetJob: TypeAlias = UnresolvedAssetJobDefinition
"""What `dg.define_asset_job` returns."""

STORAGES: Mapping[str, tuple[str, str]] = {
    "run_storage": ("dagster._core.storage.runs", "SqliteRunStorage"),
    "event_log_storage": ("dagster._core.storage.event_log", "ConsolidatedSqliteEventLogStorage"),
    "schedule_storage": ("dagster._core.storage.schedules", "SqliteScheduleStorage"),
    "local_artifact_storage": ("dagster._core.storage.root", "LocalArtifactStorage"),
    "compute_logs": ("dagster._core.storage.local_compute_log_manager", "LocalComputeLogManager"),
}
"""Section of dagster.yaml → module and class of the storage in a folder, which takes `base_dir`."""

INTERRUPTED = "DagsterExecutionInterruptedError"
"""Class of a step's error after Ctrl-C."""


def provenance(
    data_version: str, code_version: str, inputs: Mapping[str, tuple[str, int | None]]
) -> dict[str, str]:
    """Tags of a materialization that make Dagster's staleness ours.

    Without them every partition would read "has a new dependency" for ever. Of an input with partitions only the
    pointer decides, of one without only the version.

    Args:
        inputs: dependency → (its data version, storage id up to which its events had been read).
    """
    tags = {"dagster/data_version": data_version, "dagster/code_version": code_version}
    for name, (version, pointer) in inputs.items():
        tags[f"dagster/input_data_version/{name}"] = version or "INITIAL"
        tags[f"dagster/input_event_pointer/{name}"] = "NULL" if pointer is None else str(pointer)
    return tags


def table_metadata(table: str, columns: Sequence[dg.TableColumn]) -> Mapping[str, Any]:
    """Metadata of an asset that is a table, where the UI looks for it."""
    return {**TableMetadataSet(column_schema=dg.TableSchema(columns), table_name=table)}


def newest_event(instance: dg.DagsterInstance) -> int:
    """Storage id of the newest event: everything up to it has been seen."""
    return instance.event_log_storage.get_maximum_record_id() or 0


def plan_materialization(context: dg.AssetExecutionContext, asset: str, partition: str) -> None:
    """Tells the graph that the run means to materialize a partition, as Dagster itself does for the runs of the UI."""
    event = DagsterEvent.build_asset_materialization_planned_event(
        context.run.job_name,
        context.op_execution_context.get_step_execution_context().step.key,
        AssetMaterializationPlannedData(dg.AssetKey(asset), partition=partition),
    )
    context.instance.report_dagster_event(event, context.run.run_id)


def evaluation_of(
    instance: dg.DagsterInstance, asset: str
) -> AssetCheckEvaluationTargetMaterializationData | None:
    """What a check of an asset is about: its newest materialization.

    Named, because Dagster would otherwise compare times, and its check table keeps whole seconds only: a check told in
    the second of the event that it is about would count as older.
    """
    latest = instance.fetch_materializations(dg.AssetKey(asset), limit=1).records
    if not latest:
        return None
    return AssetCheckEvaluationTargetMaterializationData(
        storage_id=latest[0].storage_id, run_id=latest[0].run_id, timestamp=latest[0].timestamp
    )


def instance_mistake(home: Path) -> str:
    """What is wrong with the dagster.yaml in a folder, as Dagster says it; empty if nothing is."""
    try:
        dagster_instance_config(str(home))
    except DagsterInvalidConfigError as error:
        # After that comes the whole of the schema.
        return " ".join(one.message.partition(" Expected: ")[0] for one in error.errors) or str(error)
    except Exception as error:  # it doesn't check everything before it reads it
        return (
            "Dagster stops at a section that is empty or holds a value of another kind than it expects "
            f"({type(error).__name__}: {' '.join(str(error).split())})."
        )
    return ""


def backfill_under_way(instance: dg.DagsterInstance) -> bool:
    """Whether the daemon has a backfill of the UI in hand; between two of its runs none may be in flight."""
    under_way = [BulkActionStatus.REQUESTED, BulkActionStatus.CANCELING, BulkActionStatus.FAILING]
    return bool(instance.get_backfills(filters=BulkActionsFilter(statuses=under_way), limit=1))


def of_backfill(run: dg.DagsterRun) -> bool:
    """Whether a backfill of the UI launched the run."""
    return "dagster/backfill" in run.tags
