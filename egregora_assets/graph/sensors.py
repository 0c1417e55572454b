"""The inbox sensor: a new export becomes an import, and windows that an import changed become a run over them.

A thin shell around decisions that know no Dagster: `settled_files`, `remembered` and `due_after_import`. A failed
look at the outside world skips the tick; it is never taken for an empty world.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition
from pydantic import BaseModel

from egregora_assets.graph.checks import Staleness
from egregora_assets.graph.jobs import IMPORT_JOB, WRITE_JOB
from egregora_assets.graph.partitions import WINDOW_PARTITIONS, backfill_under_way, covering_range
from egregora_assets.graph.run_owners import in_flight, stop_dead_runs
from egregora_assets.pipeline.plan import CLOSED, TAKEN_BACK, WITHDRAWN, Plan, told_versions
from egregora_assets.pipeline.stage import Stage
from egregora_resources.dagster_resources import LlmResource, WarehouseResource
from egregora_resources.document import fingerprint
from egregora_resources.site.folder import SiteFolder
from egregora_resources.site.inbox import inbox_files
from egregora_resources.site.settings import Settings
from egregora_resources.site.site import Site
from egregora_resources.warehouse.database import WarehouseBusy, WarehouseUnreadable
from egregora_resources.warehouse.migrations import SchemaTooNew

INTERVAL = 10
RANGE_START, RANGE_END = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"
CHANGED = ("new", "messages changed")
"""Reasons of messages that the sensor runs a window for; what settings made stale is the owner's to start."""


class FileState(BaseModel):
    """A file of the inbox as it was seen. It goes by its number: its name may hold people's names."""

    size: int
    changed: float
    asked: bool = False
    """An import was launched for this state of the file."""

    def same_as(self, other: "FileState | None") -> bool:
        return other is not None and (self.size, self.changed) == (other.size, other.changed)


class Cursor(BaseModel):
    """What the sensor remembers from one tick to the next."""

    files: dict[str, FileState] = {}
    written: str = ""
    """Fingerprint of the windows that a run was last launched for: asked for once, whatever came of it."""


def inbox_sensor(
    folder: SiteFolder,
    settings: Settings,
    stages: Sequence[Stage],
    jobs: Sequence[UnresolvedAssetJobDefinition],
) -> dg.SensorDefinition:
    """The sensor of a site, running as soon as the daemon does."""

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
        died = stop_dead_runs(context.instance)
        if in_flight(context.instance) or backfill_under_way(context.instance):
            return dg.SkipReason("A run or a backfill is under way; its outcome is awaited.")
        cursor = Cursor.model_validate_json(context.cursor) if context.cursor else Cursor()
        if died:
            # Cut short, not failed: the next run continues where it stopped.
            cursor.written = ""
        now = look(folder.inbox)
        fresh = settled_files(cursor.files, now)
        cursor.files = remembered(cursor.files, now, fresh)

        def result(skip: str = "", request: dg.RunRequest | None = None) -> dg.SensorResult:
            return dg.SensorResult(
                run_requests=[request] if request else None,
                skip_reason=skip or None,
                cursor=cursor.model_dump_json(),
            )

        if fresh:
            return result(request=dg.RunRequest(job_name=IMPORT_JOB))
        if not Path(warehouse.database).exists():
            return result("Nothing was imported yet; drop an export in the inbox.")
        store = warehouse.open(wait=2)
        try:
            plan = Staleness(folder, settings, stages, llm).plan(store)
            wanted = due_after_import(plan)
            versions = told_versions(Site(folder, settings, store))
        except WarehouseBusy:
            return result("The warehouse is busy; trying again at the next tick.")
        except (WarehouseUnreadable, SchemaTooNew) as error:
            return result(str(error))
        span = covering_range(context.instance.get_dynamic_partitions(WINDOW_PARTITIONS), wanted)
        if span is None:
            # What was asked for is done: the same may have to be asked for again, for another reason.
            cursor.written = ""
            return result("Nothing new in the inbox, and no window that an import changed.")
        asked = fingerprint([(window, versions[window]) for window in wanted], plan.site)
        if asked == cursor.written:
            what = (
                "The site was built and is"
                if plan.site
                else f"{len(wanted)} changed windows were run and are"
            )
            return result(
                f"{what} still stale: see why the last run of {WRITE_JOB} failed, and launch it again by hand."
            )
        cursor.written = asked
        tags = {RANGE_START: span[0], RANGE_END: span[1]}
        return result(request=dg.RunRequest(job_name=WRITE_JOB, tags=tags))

    return inbox


def look(inbox: Path) -> dict[str, FileState]:
    """What lies in the inbox, by the files' numbers in the file system."""
    states = {f"{path.stat().st_ino}": path.stat() for path in inbox_files(inbox)}
    return {
        number: FileState(size=stat.st_size, changed=stat.st_mtime_ns / 1e9)
        for number, stat in states.items()
    }


def settled_files(seen: Mapping[str, FileState], now: Mapping[str, FileState]) -> list[str]:
    """Files to import: not asked for yet, and the same as at the last look, so that none is read while it is copied."""
    return [
        number for number, state in now.items() if state.same_as(seen.get(number)) and not seen[number].asked
    ]


def remembered(
    seen: Mapping[str, FileState], now: Mapping[str, FileState], asking: Sequence[str]
) -> dict[str, FileState]:
    """What to remember of the files: one that was asked for isn't asked for again until it changes."""
    return {
        number: state.model_copy(
            update={"asked": number in asking or (state.same_as(seen.get(number)) and seen[number].asked)}
        )
        for number, state in now.items()
    }


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
            or (row.stage == "messages" and row.reason.startswith(CHANGED))
            for row in plan.stages(window)
        )
    ]
