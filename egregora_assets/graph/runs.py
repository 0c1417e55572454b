"""One run of the site's graph in this process: the same job, on the same instance, as the Dagster UI shows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import dagster as dg

from egregora_assets.graph.run_owners import process_tags
from egregora_assets.graph.window_chain import STOPPED


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


def materialize(
    instance: dg.DagsterInstance,
    definitions: dg.Definitions,
    assets: Sequence[str],
    span: tuple[str, str] | None = None,
) -> RunEnd:
    """Materializes assets, over a range of windows where `span` names its first and last key.

    Raises:
        KeyboardInterrupt: the run was interrupted: Dagster takes Ctrl-C for a failed step, the owner doesn't.
    """
    tags = process_tags()
    if span:
        tags |= {"dagster/asset_partition_range_start": span[0], "dagster/asset_partition_range_end": span[1]}
    job = definitions.resolve_implicit_global_asset_job_def()
    result = job.execute_in_process(
        instance=instance,
        asset_selection=[dg.AssetKey(name) for name in assets],
        tags=tags,
        raise_on_error=False,
        run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
    )
    failures = [event.step_failure_data for event in result.all_events if event.is_step_failure]
    for failure in failures:
        if failure.error and failure.error.cls_name in (
            "DagsterExecutionInterruptedError",
            "KeyboardInterrupt",
        ):
            raise KeyboardInterrupt
    user = failures[0].user_failure_data if failures else None
    told = {name: str(value.value) for name, value in user.metadata.items()} if user else {}
    return RunEnd(result.run_id, result.success, told.pop(STOPPED, ""), told)
