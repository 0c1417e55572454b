"""Claims about what stands in the Dagster instance: it agrees with the warehouse, survives kills, and keeps secrets."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.execution.backfill import BulkActionStatus, PartitionBackfill
from dagster._core.test_utils import create_run_for_test

from egregora_assets.commands.write import write_site
from egregora_assets.definitions import build_definitions
from egregora_assets.graph.dagster_instance import site_instance
from egregora_assets.graph.materializations import report_missing
from egregora_assets.graph.partitions import WINDOW_PARTITIONS, sync_partitions
from egregora_assets.graph.run_owners import HOST, PROCESS, process_tags, stop_dead_runs
from egregora_assets.stages import STAGES
from egregora_resources.process_owner import Owner
from egregora_resources.site.folder import SiteFolder
from egregora_resources.site.site import Site
from egregora_resources.warehouse.database import Warehouse
from egregora_resources.warehouse.results import load_results

from . import graph
from .chat import LINES, PEOPLE, SUBJECTS, WEEKS, write_export
from .conftest import egregora, pages
from .ui import CHAIN, HERE, environment, until

FIRST = WEEKS[:6]
MATERIALIZE = (sys.executable, "-m", "dagster", "asset", "materialize", "-f", str(HERE / "graph.py"))


def told(instance: dg.DagsterInstance) -> dict[tuple[str, str], str]:
    """(asset, window) → data version of the newest event."""
    versions: dict[tuple[str, str], str] = {}
    for asset in CHAIN:
        records = instance.fetch_materializations(dg.AssetKey(asset), limit=1000, ascending=True).records
        for record in records:
            event = record.asset_materialization
            assert event is not None
            assert event.partition is not None
            assert event.tags is not None
            versions[asset, event.partition] = event.tags["dagster/data_version"]
    return versions


def stored(site: Path) -> dict[tuple[str, str], str]:
    """The same, out of the warehouse."""
    return {key: r.data_version for key, r in load_results(Warehouse(SiteFolder(site).warehouse)).items()}


def assert_agreed(site: Path) -> None:
    with site_instance(site) as instance:
        assert told(instance) == stored(site)
        assert all(run.is_finished for run in instance.get_runs())
    rows = Warehouse(SiteFolder(site).warehouse).rows("SELECT count(*) FROM stage_results WHERE NOT reported")
    assert rows == [(0,)]


@pytest.fixture(scope="module")
def written(new_site: Callable[[str], Path]) -> Path:
    """A site as it is after the first write."""
    site = new_site("event-log")
    write_site(site, [])
    return site


@pytest.fixture
def site(written: Path, tmp_path: Path) -> Path:
    """A copy of it: copying the folder moves the site."""
    copy = tmp_path / "blog"
    shutil.copytree(written, copy)
    return copy


@pytest.mark.slow
def test_events_and_warehouse_agree_after_a_write(site: Path) -> None:
    assert_agreed(site)
    assert len(stored(site)) == len(CHAIN) * len(FIRST)


@pytest.mark.slow
def test_a_run_whose_process_was_killed_is_buried_and_continued(
    new_site: Callable[[str], Path], written: Path
) -> None:
    """Dagster's own command is killed between two windows; the next write does what is left, and no more."""
    site = new_site("killed")
    graph.dawdles(site, FIRST[2]).touch()
    # Told of the windows first.
    log = (site / "log").open("wb")
    subprocess.run(
        [*MATERIALIZE, "--select", "exports"], cwd=site, env=environment(site), check=True, stderr=log
    )
    span = f"{FIRST[0]}...{FIRST[5]}"
    process = subprocess.Popen(
        [*MATERIALIZE, "--select", " or ".join(f"key:{asset}" for asset in CHAIN), "--partition-range", span],
        cwd=site, env=environment(site), stderr=log, start_new_session=True,
    )  # fmt: skip
    warehouse = Warehouse(SiteFolder(site).warehouse)

    def others_are_written() -> bool:
        assert process.poll() is None, (site / "log").read_text()
        rows = warehouse.rows("SELECT count(*) FROM stage_results WHERE stage = 'posts' AND reported")
        return rows[0][0] == 5

    until(others_are_written, "five windows are written")
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    before = {key: r.run_id for key, r in load_results(warehouse).items()}
    # As if the kill had come between a result and its event.
    with warehouse.transaction() as connection:
        connection.execute("UPDATE stage_results SET reported = FALSE WHERE window_key = ?", [FIRST[0]])

    graph.dawdles(site, FIRST[2]).unlink()
    done = egregora(site, "write")
    assert done.returncode == 0, done
    with site_instance(site) as instance:
        statuses = [run.status.value for run in instance.get_runs()]
        assert sorted(statuses) == ["CANCELED", "SUCCESS", "SUCCESS"]
    assert_agreed(site)
    after = load_results(warehouse)
    redone = {key for key, result in after.items() if key in before and before[key] != result.run_id}
    assert redone == set()
    assert pages(site) == pages(written)


@pytest.mark.slow
def test_results_without_events_get_them_and_once_only(site: Path) -> None:
    warehouse = Warehouse(SiteFolder(site).warehouse)
    with site_instance(site) as instance:
        with warehouse.transaction() as connection:
            connection.execute("UPDATE stage_results SET reported = FALSE WHERE window_key = ?", [FIRST[0]])
        versions = {stage.name: "some version" for stage in STAGES}
        opened = Site.open(site)
        assert report_missing(opened, instance, STAGES, versions) == len(CHAIN)
        assert report_missing(opened, instance, STAGES, versions) == 0
    assert_agreed(site)


@pytest.mark.slow
def test_a_stage_asked_for_before_what_it_reads_fails_instead_of_writing_about_nothing(site: Path) -> None:
    warehouse = Warehouse(SiteFolder(site).warehouse)
    with warehouse.transaction() as connection:
        connection.execute(
            "DELETE FROM stage_results WHERE stage = 'messages' AND window_key = ?", [FIRST[1]]
        )
    with site_instance(site) as instance:
        job = build_definitions(site).resolve_implicit_global_asset_job_def()

        def materialize(*assets: str) -> bool:
            keys = [dg.AssetKey(asset) for asset in assets]
            return job.execute_in_process(
                instance=instance, partition_key=FIRST[1], asset_selection=keys, raise_on_error=False
            ).success

        assert not materialize("posts")
        assert "messages of this window is not there yet" in load_results(warehouse)["posts", FIRST[1]].error
        assert materialize(*CHAIN)
    assert_agreed(site)


@pytest.mark.slow
def test_a_site_that_lost_its_instance_tells_a_new_one_everything(site: Path) -> None:
    before = {key: r.run_id for key, r in load_results(Warehouse(SiteFolder(site).warehouse)).items()}
    shutil.rmtree(SiteFolder(site).dagster)
    assert write_site(site, []).nothing_to_do
    assert_agreed(site)
    after = {key: r.run_id for key, r in load_results(Warehouse(SiteFolder(site).warehouse)).items()}
    assert after == before


@pytest.mark.slow
def test_no_printed_name_and_no_text_of_the_chat_gets_into_the_instance(site: Path, tmp_path: Path) -> None:
    """Neither when all is well, nor when files are broken, nor when a stage fails."""
    inbox = SiteFolder(site).inbox
    write_export(
        inbox / f"WhatsApp Chat with {PEOPLE[0]}.zip", weeks=7, changed={1: "The varnish dried overnight"}
    )
    (inbox / f"{PEOPLE[1]}.zip").write_bytes(f"{PEOPLE[2]} wrote: {LINES[3]}".encode())
    graph.fails(site, FIRST[1]).touch()
    for words in (["exports"], [*CHAIN]):
        select = " or ".join(f"key:{word}" for word in words)
        span = ["--partition-range", f"{WEEKS[0]}...{WEEKS[6]}"] if len(words) > 1 else []
        subprocess.run(
            [*MATERIALIZE, "--select", select, *span],
            cwd=site, env=environment(site), capture_output=True, check=False,
        )  # fmt: skip
    with site_instance(site) as instance:
        statuses = [run.status.value for run in instance.get_runs()]
        assert sorted(statuses) == ["FAILURE", "SUCCESS", "SUCCESS", "SUCCESS"]
        assert told(instance)["messages", WEEKS[6]]
    kept = b"".join(path.read_bytes() for path in SiteFolder(site).dagster.rglob("*") if path.is_file())
    assert b"out of ink" in kept
    secrets = [word for name in PEOPLE for word in name.split()]
    secrets += [line.split("{")[0].strip() for line in LINES if len(line.split("{")[0]) > 12]
    secrets += [observation for *_, observation in SUBJECTS]
    secrets += ["The varnish dried overnight", "dried overnight"]
    for secret in secrets:
        assert secret.encode() not in kept, secret


@pytest.mark.slow
def test_runs_of_dead_processes_are_cancelled_and_those_of_living_ones_are_not(tmp_path: Path) -> None:
    with site_instance(tmp_path) as instance:
        me, mine = Owner.this_process(), process_tags()
        killed = {HOST: me.host, PROCESS: f"{me.pid}:{me.started - 1000:.2f}"}
        elsewhere = {HOST: "elsewhere", PROCESS: "1:1.0"}
        for tags in (mine, elsewhere):
            create_run_for_test(instance, status=dg.DagsterRunStatus.STARTED, tags=tags)
        for status in (dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.NOT_STARTED):
            create_run_for_test(instance, status=status)
        dead = create_run_for_test(instance, status=dg.DagsterRunStatus.STARTED, tags=killed)
        assert stop_dead_runs(instance) == [dead.run_id]
        run = instance.get_run_by_id(dead.run_id)
        assert run is not None
        assert run.status == dg.DagsterRunStatus.CANCELED
        assert stop_dead_runs(instance) == []


@pytest.mark.slow
def test_keys_of_retired_windows_are_deleted_only_when_nothing_is_under_way(tmp_path: Path) -> None:
    def keys() -> set[str]:
        return set(instance.get_dynamic_partitions(WINDOW_PARTITIONS))

    with site_instance(tmp_path) as instance:
        assert sync_partitions(instance, ["a", "b"]) == (["a", "b"], [])
        own = create_run_for_test(instance, status=dg.DagsterRunStatus.STARTED).run_id
        other = create_run_for_test(instance, status=dg.DagsterRunStatus.STARTING)
        assert sync_partitions(instance, ["b", "c"], own_run=own) == (["c"], [])
        assert keys() == {"a", "b", "c"}
        instance.report_run_canceled(other)
        backfill = PartitionBackfill(
            backfill_id="between-two-runs",
            status=BulkActionStatus.REQUESTED,
            from_failure=False,
            tags={},
            backfill_timestamp=time.mktime(datetime(2025, 1, 1).timetuple()),
            asset_selection=[dg.AssetKey("posts")],
        )
        instance.add_backfill(backfill)
        assert sync_partitions(instance, ["b", "c"], own_run=own) == ([], [])
        instance.update_backfill(backfill.with_status(BulkActionStatus.COMPLETED_SUCCESS))
        assert sync_partitions(instance, ["b", "c"], own_run=own) == ([], ["a"])
        assert keys() == {"b", "c"}
