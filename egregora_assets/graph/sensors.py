"""The inbox sensor: a new export becomes an import, and windows that an import changed become a run over them.

A thin shell around decisions that know no Dagster: `settled`, `Cursor.due` and `due_after_import`. A failed look at
the outside world skips the tick; it is never taken for an empty world.

What is done is told by its outcome, in the warehouse, and never by the request: a run that couldn't open the
warehouse has imported nothing. What a run didn't get to is asked for again, after pauses that grow; a window that
failed is its owner's to try again.
"""

import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import dagster as dg
from pydantic import BaseModel

from egregora_assets.graph.checks import Staleness
from egregora_assets.graph.dagster_internals import AssetJob, backfill_under_way
from egregora_assets.graph.jobs import IMPORT_JOB, WRITE_JOB
from egregora_assets.graph.partitions import WINDOW_PARTITIONS
from egregora_assets.graph.run_owners import in_flight, stop_dead_runs
from egregora_assets.graph.runs import NO_FILE, files_config, windows_config
from egregora_assets.ingestion.imports import FileOutcome, inbox_outcomes
from egregora_assets.pipeline.plan import CLOSED, TAKEN_BACK, WITHDRAWN, Plan, told_versions
from egregora_assets.pipeline.stage import Stage
from egregora_resources.dagster_resources import LlmResource, WarehouseResource
from egregora_resources.document import fingerprint
from egregora_resources.site.inbox import look
from egregora_resources.site.site import Site
from egregora_resources.warehouse.database import WarehouseBusy, WarehouseUnreadable, was_lost
from egregora_resources.warehouse.migrations import SchemaTooNew

INTERVAL = 10
FIRST_PAUSE, LONGEST_PAUSE = 60, 3600
"""Seconds before something is asked for a second time, and at most; each pause is twice the last."""
UNTOLD = "untold windows"
"""Key of the attempts to have the graph told of windows that it doesn't know."""
CHANGED = ("new", "messages changed")
"""Reasons of messages that the sensor runs a window for; what settings made stale is the owner's to start."""


class Attempt(BaseModel):
    """How often something was asked for, and when it may be asked for again (seconds since 1970)."""

    tries: int
    after: float


class Cursor(BaseModel):
    """What the sensor remembers from one tick to the next."""

    seen: list[str] = []
    """Sightings of the last look at the inbox."""
    attempts: dict[str, Attempt] = {}
    """What was asked for and isn't done: sightings of files, and fingerprints of windows as they should be."""

    def due(self, wanted: Iterable[str], now: float) -> list[str]:
        """What of it may be asked for now."""
        return [one for one in wanted if one not in self.attempts or self.attempts[one].after <= now]

    def ask(self, asked: Iterable[str], now: float) -> None:
        """Takes note that these are asked for."""
        for one in asked:
            tries = self.attempts[one].tries + 1 if one in self.attempts else 1
            pause = min(FIRST_PAUSE * 2 ** (tries - 1), LONGEST_PAUSE)
            self.attempts[one] = Attempt(tries=tries, after=now + pause)

    def keep(self, wanted: Collection[str]) -> None:
        """Forgets the attempts at what is done, or isn't wanted any more: it may be wanted again."""
        self.attempts = {one: attempt for one, attempt in self.attempts.items() if one in wanted}

    def next_try(self, wanted: Iterable[str]) -> str:
        """When the first of it is asked for again, for people."""
        return f"{datetime.fromtimestamp(min(self.attempts[one].after for one in wanted)):%H:%M}"


def inbox_sensor(
    site: Site,
    stages: Sequence[Stage],
    jobs: Sequence[AssetJob],
) -> dg.SensorDefinition:
    """The sensor of a site, running as soon as the daemon does; its warehouse is the one that the resource names."""

    @dg.sensor(
        name="inbox",
        jobs=list(jobs),
        minimum_interval_seconds=INTERVAL,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Imports exports dropped in the inbox and rewrites the windows they change.",
    )
    def inbox(
        context: dg.SensorEvaluationContext, warehouse: WarehouseResource, llm: LlmResource
    ) -> dg.SensorResult | dg.SkipReason:
        if warehouse.refused:
            return dg.SkipReason(warehouse.refused)
        stop_dead_runs(context.instance)
        if in_flight(context.instance) or backfill_under_way(context.instance):
            return dg.SkipReason("A run or a backfill is under way; its outcome is awaited.")
        cursor = Cursor.model_validate_json(context.cursor) if context.cursor else Cursor()
        now, lying = time.time(), look(site.folder.inbox)
        seen, cursor.seen = cursor.seen, list(lying)

        def result(skip: str = "", request: dg.RunRequest | None = None) -> dg.SensorResult:
            return dg.SensorResult(
                run_requests=[request] if request else None,
                skip_reason=skip or None,
                cursor=cursor.model_dump_json(),
            )

        if was_lost(Path(warehouse.database)):
            return result("The warehouse is gone; `egregora write` says what is lost, and how to go on.")
        store = warehouse.open(wait=2) if Path(warehouse.database).exists() else None
        try:
            files = settled(seen, lying, inbox_outcomes(store) if store else {})
            if fresh := cursor.due(files, now):
                cursor.ask(fresh, now)
                return result(request=dg.RunRequest(job_name=IMPORT_JOB, run_config=files_config(fresh)))
            if store is None:
                return result("Nothing was imported yet; drop an export in the inbox.")
            here = replace(site, warehouse=store)
            plan = Staleness(here, stages, llm).plan()
            wanted = due_after_import(plan)
            versions = told_versions(here)
        except WarehouseBusy:
            return result("The warehouse is busy; trying again at the next tick.")
        except (WarehouseUnreadable, SchemaTooNew) as error:
            return result(str(error))
        windows = {fingerprint(window, versions[window], plan.site): window for window in wanted}
        untold = (
            [UNTOLD] if set(wanted) - set(context.instance.get_dynamic_partitions(WINDOW_PARTITIONS)) else []
        )
        cursor.keep([*files, *windows, *untold])
        if untold:
            # An import was stored, and cut short before the graph was told of its windows; a run over a window that
            # the graph doesn't know would fail this tick and all that follow.
            if not cursor.due(untold, now):
                return result(f"The graph is told of new windows at {cursor.next_try(untold)}.")
            cursor.ask(untold, now)
            return result(request=dg.RunRequest(job_name=IMPORT_JOB, run_config=files_config([NO_FILE])))
        if due := cursor.due(windows, now):
            cursor.ask(due, now)
            run = [windows[one] for one in due]
            return result(
                request=dg.RunRequest(
                    job_name=WRITE_JOB, partition_key=run[0], run_config=windows_config(run)
                )
            )
        if windows:
            what = (
                "The site was built and is"
                if plan.site
                else f"{len(wanted)} changed windows were run and are"
            )
            return result(
                f"{what} still stale: see why the last run of {WRITE_JOB} failed. Trying again at "
                f"{cursor.next_try(windows)}."
            )
        if files:
            return result(
                f"There are files of the inbox that aren't imported: {len(files)}. See the last run of {IMPORT_JOB}. "
                f"Trying again at {cursor.next_try(files)}."
            )
        return result("Nothing new in the inbox, and no window that an import changed.")

    return inbox


def settled(seen: Collection[str], lying: Iterable[str], outcomes: Mapping[str, FileOutcome]) -> list[str]:
    """Files to import: the same as at the last look, so that none is read while it is copied, and without an outcome."""
    return [one for one in lying if one in seen and not (one in outcomes and outcomes[one].final)]


def due_after_import(plan: Plan) -> list[str]:
    """Windows to run: the stale ones, or the newest to carry the build where only the site is to be built anew."""
    return stale_after_import(plan) or ([plan.rows[-1].window] if plan.site and plan.rows else [])


def stale_after_import(plan: Plan) -> list[str]:
    """Windows that have to be written because of what was imported."""
    return [
        window
        for window in plan.stale
        if any(
            any(why in row.reason for why in (CLOSED, WITHDRAWN, TAKEN_BACK))
            or (row.stage == "messages" and not set(CHANGED).isdisjoint(row.reason.split("; ")))
            for row in plan.stages(window)
        )
    ]
