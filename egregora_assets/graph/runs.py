"""One run of the site's graph in this process: the same job, on the same instance, as the Dagster UI shows.

Which windows a run takes stands in the config of its op, and not in tags of a range, as for a run that the UI starts.
A range is contiguous: where an import changed the first window and the last, it rewrote all that settings had made
stale in between, which is the owner's to start, and to pay for. And Dagster writes an event for every asset and
window of a range before the run begins: minutes for a long chat.

Such a run is of one partition for Dagster, its first window: before a step Dagster looks up what the run's partitions
read, and fails if the run has none.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import dagster as dg

from egregora_assets.graph.dagster_internals import INTERRUPTED
from egregora_assets.graph.materializations import EXPORTS
from egregora_assets.graph.run_owners import process_tags
from egregora_assets.graph.window_chain import CHAIN, STOPPED

NO_FILE = "none"
"""In place of the sightings to import: nothing is read, and the graph is told of the windows as they are."""


@dataclass(frozen=True, slots=True)
class RunEnd:
    """How a run ended.

    Attributes:
        run_id: Dagster's.
        success: no step failed.
        stopped: why nothing more can be made until the owner acts; empty if nothing is in the way.
        told: window → what went wrong, as the failed step's metadata has it.
    """

    run_id: str
    success: bool
    stopped: str
    told: Mapping[str, str]


def windows_config(windows: Sequence[str]) -> dict[str, Any]:
    """Run config of a run over just these windows."""
    return {"ops": {CHAIN: {"config": {"windows": list(windows)}}}}


def files_config(sightings: Sequence[str]) -> dict[str, Any]:
    """Run config of an import of just these files of the inbox."""
    return {"ops": {EXPORTS: {"config": {"files": list(sightings)}}}}


def materialize(
    instance: dg.DagsterInstance,
    definitions: dg.Definitions,
    assets: Sequence[str],
    windows: Sequence[str] = (),
) -> RunEnd:
    """Materializes assets, of these windows.

    Raises:
        KeyboardInterrupt: the run was interrupted: Dagster takes Ctrl-C for a failed step, the owner doesn't.
    """
    job = definitions.resolve_implicit_global_asset_job_def()
    result = job.execute_in_process(
        instance=instance,
        asset_selection=[dg.AssetKey(name) for name in assets],
        tags=process_tags(),
        raise_on_error=False,
        run_config={
            "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
            **(windows_config(windows) if windows else {}),
        },
        partition_key=windows[0] if windows else None,
    )
    failures = [event.step_failure_data for event in result.all_events if event.is_step_failure]
    for failure in failures:
        if failure.error and failure.error.cls_name in (
            INTERRUPTED,
            "KeyboardInterrupt",
        ):
            raise KeyboardInterrupt
    user = failures[0].user_failure_data if failures else None
    told = {name: str(value.value) for name, value in user.metadata.items()} if user else {}
    return RunEnd(result.run_id, result.success, told.pop(STOPPED, ""), told)
