"""Claims about the inbox: with `egregora dev` running, what is dropped there ends in a rebuilt site."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.test_utils import create_run_for_test

from egregora_assets.definitions import build_definitions
from egregora_assets.graph.dagster_instance import site_instance
from egregora_assets.graph.partitions import covering_range
from egregora_assets.graph.run_owners import HOST, PROCESS
from egregora_assets.graph.sensors import (
    FileState,
    due_after_import,
    look,
    remembered,
    settled_files,
    stale_after_import,
)
from egregora_assets.pipeline.plan import TAKEN_BACK, WITHDRAWN, Action, Plan, PlanRow
from egregora_resources.dagster_resources import LlmResource, WarehouseResource
from egregora_resources.process_owner import Owner
from egregora_resources.site.folder import SiteFolder
from egregora_resources.warehouse.database import Warehouse
from egregora_resources.warehouse.results import load_results

from .chat import WEEKS, write_export
from .conftest import egregora, pages
from .ui import CHAIN, OVER, Ui, egregora_dev, until

IMPORT, WRITE = "import_exports", "write_windows"


@contextmanager
def being_copied(source: Path, target: Path) -> Generator[None]:
    """A copy that grows all the time, and is whole in the end."""
    over = threading.Event()
    data = source.read_bytes()
    step = max(1, len(data) // 1000)

    def copy() -> None:
        with target.open("wb") as file:
            for place in range(0, len(data), step):
                file.write(data[place : place + step])
                file.flush()
                over.wait(0.2)

    thread = threading.Thread(target=copy)
    thread.start()
    try:
        yield
        assert target.stat().st_size < len(data)
    finally:
        over.set()
        thread.join()


@pytest.mark.slow
def test_a_later_export_dropped_in_the_inbox_ends_in_a_rebuilt_site(new_site: Callable[[str], Path]) -> None:
    """Only the changed windows are run; a file still being copied isn't read, and a broken one is named, once."""
    site = new_site("inbox")
    folder = SiteFolder(site)
    first = folder.inbox / "first.zip"
    first.rename(site / "first.zip")
    assert egregora(site, "write", site / "first.zip").returncode == 0
    before = {key: r.run_id for key, r in load_results(Warehouse(folder.warehouse)).items()}
    changed = {2: "The drones lay in the snow by the hatch", 0: "This message was deleted"}
    later = write_export(site / "later.zip", weeks=7, changed=changed)

    with egregora_dev(site) as ui:
        with being_copied(later, folder.inbox / "later.zip"):
            seen = len(ui.ticks())
            until(lambda: len(ui.ticks()) >= seen + 3, "the sensor looks three times")
            assert not ui.runs(("dagster/sensor_name", "inbox"))
        broken = folder.inbox / "Wilhelmina Quackenbush.zip"
        broken.write_bytes(b"PK\x03\x04 this was never a zip")

        until(lambda: any(run["jobName"] == WRITE for run in ui.runs()), "windows are run")
        until(lambda: all(run["status"] in OVER for run in ui.runs()), "the runs are over")
        runs = ui.runs(("dagster/sensor_name", "inbox"))
        written = [run for run in runs if run["jobName"] == WRITE]
        assert len(written) == 1
        assert written[0]["status"] == "SUCCESS"
        assert written[0]["tags"]["dagster/asset_partition_range_start"] == WEEKS[0]
        assert written[0]["tags"]["dagster/asset_partition_range_end"] == WEEKS[6]
        after = {key: r.run_id for key, r in load_results(Warehouse(folder.warehouse)).items()}
        assert {window for (stage, window), run in after.items() if before.get((stage, window)) != run} == {
            WEEKS[2],
            WEEKS[0],
            WEEKS[6],
        }
        assert (folder.built / "archive" / "index.html").read_text().count(WEEKS[6])
        assert ui.stale(WEEKS) == {}
        for asset in CHAIN:
            assert ui.partitions(asset) == dict.fromkeys(WEEKS, "materialized")
        assert_the_broken_file_is_named_and_left(ui, len(runs))
    assert len(pages(site)) > 20
    with sqlite3.connect(folder.dagster / "schedules.db") as connection:
        kept = "\n".join(connection.iterdump())
    assert "Quackenbush" not in kept
    assert "later.zip" not in kept


def assert_the_broken_file_is_named_and_left(ui: Ui, runs: int) -> None:
    """It fails a check that says which file it is; it isn't tried again, and other runs aren't kept waiting."""
    seen = len(ui.ticks())
    until(lambda: len(ui.ticks()) >= seen + 2, "two more looks")
    assert len(ui.runs(("dagster/sensor_name", "inbox"))) == runs
    status, known = ui.check("exports", "inbox_is_readable")
    assert status == "FAILED"
    assert known["which"] == "file 2 (InputError)"


@pytest.mark.slow
def test_windows_that_a_run_left_stale_are_not_run_again_and_again(new_site: Callable[[str], Path]) -> None:
    """A run that fails before any window does would be launched at every look, for ever."""
    site = new_site("asked")
    with site_instance(site) as instance:
        definitions = build_definitions(site)
        job = definitions.resolve_implicit_global_asset_job_def()
        assert job.execute_in_process(instance=instance, asset_selection=[dg.AssetKey("exports")]).success
        cursor = None

        def look_again() -> dg.SensorResult:
            nonlocal cursor
            llm = LlmResource(site=str(site))
            warehouse = WarehouseResource(database=str(SiteFolder(site).warehouse))
            resources = {"warehouse": warehouse, "llm": llm}
            context = dg.build_sensor_context(instance, cursor, definitions=definitions, resources=resources)
            answer = definitions.resolve_sensor_def("inbox")(context)
            assert isinstance(answer, dg.SensorResult)
            cursor = answer.cursor
            return answer

        (SiteFolder(site).inbox / "first.zip").rename(site / "first.zip")
        requests = look_again().run_requests or []
        assert [request.job_name for request in requests] == [WRITE]
        assert requests[0].tags["dagster/asset_partition_range_start"] == WEEKS[0]
        assert requests[0].tags["dagster/asset_partition_range_end"] == WEEKS[5]
        again = look_again()
        assert not again.run_requests
        assert "still stale" in str(again.skip_reason)
        # One that was killed was cut short, and is continued.
        dead = {HOST: Owner.this_process().host, PROCESS: "1:1.0"}
        create_run_for_test(instance, status=dg.DagsterRunStatus.STARTED, tags=dead)
        assert len(look_again().run_requests or []) == 1


def state(size: int, changed: float = 1.0, *, asked: bool = False) -> FileState:
    return FileState(size=size, changed=changed, asked=asked)


def test_a_file_is_imported_once_it_stopped_growing_and_once_only() -> None:
    seen: dict[str, FileState] = {}
    asked: list[list[str]] = []
    for now in ({"a": state(1)}, {"a": state(2)}, {"a": state(2)}, {"a": state(2)}, {"a": state(2)}):
        fresh = settled_files(seen, now)
        seen = remembered(seen, now, fresh)
        asked.append(fresh)
    assert asked == [[], [], ["a"], [], []]


def test_a_file_that_changes_after_it_was_imported_is_imported_again() -> None:
    seen = {"a": state(2, asked=True), "b": state(5, asked=True)}
    now = {"a": state(2, 2.0), "b": state(5)}
    seen = remembered(seen, now, settled_files(seen, now))
    assert settled_files(seen, now) == ["a"]


def test_a_file_that_went_is_forgotten() -> None:
    assert remembered({"a": state(2, asked=True)}, {}, []) == {}


def test_unfinished_downloads_and_hidden_files_are_left_alone(tmp_path: Path) -> None:
    for name in ("export.zip", ".hidden.zip", "export.zip.part", "export.crdownload"):
        (tmp_path / name).write_bytes(b"x")
    files = look(tmp_path)
    assert list(files) == [str((tmp_path / "export.zip").stat().st_ino)]
    assert next(iter(files.values())).changed == (tmp_path / "export.zip").stat().st_mtime_ns / 1e9


def test_an_inbox_that_isnt_there_is_empty(tmp_path: Path) -> None:
    assert look(tmp_path / "nowhere") == {}


def row(window: str, stage: str, reason: str) -> PlanRow:
    action: Action = "run" if reason else "fresh"
    return PlanRow(window, stage, action, reason)


def test_windows_are_run_for_what_was_imported_and_not_for_what_settings_changed() -> None:
    rows = [
        row("new", "messages", "new"),
        row("new", "posts", "new"),
        row("changed", "messages", "messages changed"),
        row("closed", "messages", ""),
        row("closed", "posts", "window is no longer running"),
        row("remembering", "posts", WITHDRAWN),
        row("remembering too", "posts", f"{WITHDRAWN}; upstream changed: digests"),
        row("retracted", "messages", TAKEN_BACK),
        row("retracted", "posts", TAKEN_BACK),
        row("prompted", "messages", ""),
        row("prompted", "posts", "settings changed"),
        row("extended", "haiku", "new"),
        row("failed", "posts", "failed last time"),
        row("fresh", "messages", ""),
    ]
    assert stale_after_import(Plan(rows)) == [
        "new",
        "changed",
        "closed",
        "remembering",
        "remembering too",
        "retracted",
    ]


def test_where_only_the_site_is_to_be_built_anew_the_newest_window_carries_it() -> None:
    fresh = [row("old", "messages", ""), row("newest", "messages", ""), row("newest", "posts", "")]
    assert due_after_import(Plan(fresh, site="the site isn't there")) == ["newest"]
    assert due_after_import(Plan(fresh)) == []
    assert due_after_import(Plan([], site="the site isn't there")) == []
    assert due_after_import(Plan([row("old", "messages", "new"), *fresh])) == ["old"]


def test_the_covering_range_follows_the_order_of_registration_not_of_time() -> None:
    keys = ["2025-01-13", "2025-01-20", "2025-01-06", "2025-01-27"]
    assert covering_range(keys, ["2025-01-06", "2025-01-13"]) == ("2025-01-13", "2025-01-06")
    assert covering_range(keys, ["2025-01-20"]) == ("2025-01-20", "2025-01-20")
    assert covering_range(keys, ["1999-01-01"]) is None
    assert covering_range(keys, []) is None
