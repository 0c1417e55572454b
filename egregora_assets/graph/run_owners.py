"""Runs and their processes: which run belongs to which process, and runs left over by one that was killed."""

from __future__ import annotations

import time
from datetime import datetime

import dagster as dg

from egregora_resources.process_owner import Owner

HOST, PROCESS = "egregora/host", "egregora/process"
UNCLAIMED_SECONDS = 300
"""A run that started this long ago and still isn't tied to a process has none: it died before its first step."""

IN_FLIGHT = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


def process_tags() -> dict[str, str]:
    """Tags that tie a run to this process."""
    me = Owner.this_process()
    return {HOST: me.host, PROCESS: me.process}


def enter_run(instance: dg.DagsterInstance, run_id: str) -> None:
    """What every run does first: ties itself to this process, and buries those whose process died."""
    instance.add_run_tags(run_id, process_tags())
    stop_dead_runs(instance)


def in_flight(instance: dg.DagsterInstance, *, own_run: str | None = None) -> set[str]:
    """Ids of the runs that are queued or running."""
    runs = instance.get_runs(dg.RunsFilter(statuses=IN_FLIGHT))
    return {run.run_id for run in runs if run.run_id != own_run}


def stop_dead_runs(instance: dg.DagsterInstance) -> list[str]:
    """Marks runs as cancelled whose process is gone; returns their ids."""
    stopped: list[str] = []
    for record in instance.get_run_records(dg.RunsFilter(statuses=IN_FLIGHT)):
        run = record.dagster_run
        if _dead(run, record.update_timestamp.timestamp()):
            instance.report_run_canceled(run, "The process of this run is gone; what it finished was kept.")
            stopped.append(run.run_id)
    return stopped


def _dead(run: dg.DagsterRun, changed: float) -> bool:
    if owner := Owner.read(run.tags.get(HOST, ""), run.tags.get(PROCESS, "")):
        return not owner.alive(datetime.fromtimestamp(changed))
    # A queued run has no process yet, and rightly so.
    return run.status != dg.DagsterRunStatus.QUEUED and time.time() - changed > UNCLAIMED_SECONDS
