"""Claims about the inbox: with `egregora dev` running, what is dropped there ends in a rebuilt site."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.test_utils import create_run_for_test

from egregora_assets.definitions import build_definitions
from egregora_assets.graph.dagster_instance import site_instance
from egregora_assets.graph.run_owners import HOST, PROCESS
from egregora_assets.graph.runs import windows_config
from egregora_assets.graph.sensors import (
    FIRST_PAUSE,
    LONGEST_PAUSE,
    Cursor,
    due_after_import,
    settled,
    stale_after_import,
)
from egregora_assets.ingestion.imports import FileOutcome, import_exports, inbox_outcomes
from egregora_assets.pipeline.plan import TAKEN_BACK, WITHDRAWN, Action, Plan, PlanRow
from egregora_resources.dagster_resources import WarehouseResource
from egregora_resources.privacy.pseudonyms import SECRET_FILE
from egregora_resources.process_owner import Owner
from egregora_resources.site.folder import SiteFolder
from egregora_resources.site.inbox import inbox_files, look
from egregora_resources.site.site import Site
from egregora_resources.warehouse.database import Warehouse
from egregora_resources.warehouse.results import load_results

from .chat import WEEKS, messages, write_export
from .conftest import egregora, pages
from .graph import MoodyLlm
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
        assert not [tag for tag in written[0]["tags"] if "range" in tag]
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


class Ticks:
    """The sensor of a site, look by look, and the runs that it asks for, in this process."""

    def __init__(self, site: Path, instance: dg.DagsterInstance) -> None:
        self.site, self.instance, self.cursor = site, instance, Cursor()
        self.folder = SiteFolder(site)
        self.load()

    def load(self) -> None:
        """Loads the definitions anew."""
        self.definitions = build_definitions(self.site, llm=MoodyLlm(site=str(self.site)))

    def look(self) -> dg.SensorResult:
        warehouse = WarehouseResource(database=str(self.folder.warehouse))
        context = dg.build_sensor_context(
            self.instance,
            self.cursor.model_dump_json(),
            definitions=self.definitions,
            resources={"warehouse": warehouse, "llm": MoodyLlm(site=str(self.site))},
        )
        answer = self.definitions.resolve_sensor_def("inbox")(context)
        assert isinstance(answer, dg.SensorResult)
        self.cursor = Cursor.model_validate_json(answer.cursor or "{}")
        return answer

    def time_passes(self) -> None:
        """All pauses are over."""
        for attempt in self.cursor.attempts.values():
            attempt.after = 0

    def carry_out(self, request: dg.RunRequest) -> dg.ExecuteInProcessResult:
        return self.definitions.resolve_job_def(request.job_name or "").execute_in_process(
            instance=self.instance,
            run_config=request.run_config,
            partition_key=request.partition_key,
            raise_on_error=False,
        )

    def until_idle(self) -> list[tuple[str, bool]]:
        """Looks until nothing is asked for twice in a row; the jobs that were, and whether they succeeded."""
        ran: list[tuple[str, bool]] = []
        idle = 0
        while idle < 2:
            requests = self.look().run_requests or []
            idle = 0 if requests else idle + 1
            ran += [(request.job_name or "", self.carry_out(request).success) for request in requests]
        return ran

    def exports(self) -> int:
        return Warehouse(self.folder.warehouse).rows("SELECT count(*) FROM export_files")[0][0]

    def runs(self) -> dict[tuple[str, str], str]:
        """(stage, window) → the run that made what is stored."""
        return {key: r.run_id for key, r in load_results(Warehouse(self.folder.warehouse)).items()}


@pytest.fixture(scope="module")
def written(new_site: Callable[[str], Path]) -> Path:
    """A site as it is after the first write."""
    site = new_site("inbox-ticks")
    assert egregora(site, "write").returncode == 0
    return site


@pytest.fixture
def ticks(written: Path, tmp_path: Path) -> Generator[Ticks]:
    """The sensor of a copy of it."""
    site = Path(shutil.copytree(written, tmp_path / "blog"))
    # What was imported lies elsewhere now.
    shutil.rmtree(SiteFolder(site).inbox)
    SiteFolder(site).inbox.mkdir()
    with site_instance(site) as instance:
        yield Ticks(site, instance)


@pytest.mark.slow
def test_what_the_command_imported_is_not_asked_for_again(written: Path) -> None:
    with site_instance(written) as instance:
        assert Ticks(written, instance).until_idle() == []
    assert len(inbox_outcomes(Warehouse(SiteFolder(written).warehouse))) == 1


@pytest.mark.slow
def test_a_file_whose_import_failed_is_imported_when_what_was_in_the_way_is_gone(ticks: Ticks) -> None:
    """A run that waits in vain for the warehouse fails; the file was lost, because it had been asked for."""
    write_export(ticks.folder.inbox / "later.zip", weeks=7)
    ticks.look()
    (request,) = ticks.look().run_requests or []
    assert request.job_name == IMPORT
    secret = ticks.folder.state / SECRET_FILE
    secret.rename(ticks.site / "secret")
    assert not ticks.carry_out(request).success
    # Not at every look, and windows don't wait for it.
    waiting = ticks.look()
    assert not waiting.run_requests
    assert "files of the inbox that aren't imported: 1" in str(waiting.skip_reason)
    (ticks.site / "secret").rename(secret)
    ticks.time_passes()
    assert ticks.until_idle() == [(IMPORT, True), (WRITE, True)]
    assert ticks.exports() == 2
    assert ticks.cursor.attempts == {}


@pytest.mark.slow
def test_a_held_warehouse_makes_the_sensor_wait_and_loses_nothing(ticks: Ticks) -> None:
    write_export(ticks.folder.inbox / "later.zip", weeks=7)
    ticks.look()
    hold = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print(flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", hold, ticks.folder.warehouse], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout
        holder.stdout.readline()
        busy = ticks.look()
        assert "busy" in str(busy.skip_reason)
        assert not busy.run_requests
        holder.kill()
    assert ticks.until_idle() == [(IMPORT, True), (WRITE, True)]
    assert ticks.exports() == 2


@pytest.mark.slow
def test_a_file_that_is_still_growing_is_not_read_with_one_that_is_settled(ticks: Ticks) -> None:
    write_export(ticks.folder.inbox / "a.zip", changed={0: "small change"})
    text = messages(7, {}).encode()
    growing = ticks.folder.inbox / "WhatsApp Chat with The Shed.txt"
    growing.write_bytes(text[:-900])
    ticks.look()
    (request,) = ticks.look().run_requests or []
    # Between the look and the run, as a slow copy does.
    growing.write_bytes(text[:-300])
    ticks.look()
    before = ticks.exports()
    assert ticks.carry_out(request).success
    growing.write_bytes(text)
    assert ticks.exports() == before + 1
    # Until it has been seen twice, the window that the first file changed is run.
    assert (IMPORT, True) in ticks.until_idle()
    assert ticks.exports() == before + 2


@pytest.mark.slow
def test_an_import_never_starts_what_only_the_owner_may(ticks: Ticks) -> None:
    """A setting has made every window stale; an import that changes the first and adds one runs these two."""
    toml = ticks.folder.settings
    toml.write_text(toml.read_text().replace("max_urls_per_window = 5", "max_urls_per_window = 4"))
    ticks.load()
    assert ticks.until_idle() == []
    before = ticks.runs()
    write_export(ticks.folder.inbox / "later.zip", weeks=7, changed={0: "zero"})
    assert ticks.until_idle() == [(IMPORT, True), (WRITE, True)]
    after = ticks.runs()
    assert {window for stage, window in after if after[stage, window] != before.get((stage, window))} == {
        WEEKS[0],
        WEEKS[6],
    }
    # Before such a run begins, Dagster writes one event an asset, however many windows it has.
    log = ticks.instance.all_logs(after["posts", WEEKS[6]])
    planned = [
        one for one in log if one.dagster_event_type == dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED
    ]
    assert len(planned) == len(CHAIN)


@pytest.mark.slow
def test_windows_of_an_import_that_was_cut_short_are_told_to_the_graph_and_run(ticks: Ticks) -> None:
    """Where an owner says no to the price, say: what was imported is stored, and the graph hasn't heard of it."""
    write_export(ticks.folder.root / "later.zip", weeks=7, changed={})
    import_exports(Site.open(ticks.site), [ticks.folder.root / "later.zip"])
    assert ticks.until_idle() == [(IMPORT, True), (WRITE, True)]
    assert ("posts", WEEKS[6]) in ticks.runs()


@pytest.mark.slow
def test_windows_that_a_run_left_stale_are_run_again_after_pauses_that_grow(
    new_site: Callable[[str], Path],
) -> None:
    """A run that fails before any window does would be launched at every look, for ever; or never again."""
    site = new_site("asked")
    with site_instance(site) as instance:
        ticks = Ticks(site, instance)
        job = ticks.definitions.resolve_implicit_global_asset_job_def()
        assert job.execute_in_process(instance=instance, asset_selection=[dg.AssetKey("exports")]).success
        for _ in range(2):
            (request,) = ticks.look().run_requests or []
            assert request.job_name == WRITE
            assert request.run_config == windows_config(WEEKS[:6])
            again = ticks.look()
            assert not again.run_requests
            assert "still stale" in str(again.skip_reason)
            # One that was killed, say.
            dead = {HOST: Owner.this_process().host, PROCESS: "1:1.0"}
            create_run_for_test(instance, status=dg.DagsterRunStatus.STARTED, tags=dead)
            ticks.time_passes()
        assert [attempt.tries for attempt in ticks.cursor.attempts.values()] == [2] * 6


def test_a_file_is_due_once_it_stopped_growing_until_its_outcome_is_known() -> None:
    assert settled([], ["a-1"], {}) == []
    assert settled(["a-1"], ["a-2"], {}) == []
    assert settled(["a-2"], ["a-2"], {}) == ["a-2"]
    assert settled(["a-2"], ["a-2"], {"a-2": FileOutcome(1)}) == []
    assert settled(["a-2"], ["a-2"], {"a-2": FileOutcome(1, "BadZipFile")}) == []
    assert settled(["a-2"], ["a-2"], {"a-2": FileOutcome(1, "OSError", final=False)}) == ["a-2"]
    assert settled(["a-3"], ["a-3"], {"a-2": FileOutcome(1)}) == ["a-3"]


def test_pauses_grow_up_to_a_limit_and_begin_anew_for_what_was_done() -> None:
    cursor, now, pauses = Cursor(), 0.0, list[float]()
    for _ in range(10):
        assert cursor.due(["a"], now) == ["a"]
        cursor.ask(["a"], now)
        pauses.append(cursor.attempts["a"].after - now)
        assert cursor.due(["a", "b"], now + pauses[-1] - 1) == ["b"]
        now += pauses[-1]
    assert pauses[:3] == [FIRST_PAUSE, 2 * FIRST_PAUSE, 4 * FIRST_PAUSE]
    assert pauses[-1] == LONGEST_PAUSE
    cursor.keep(["b"])
    assert cursor.attempts == {}


def test_the_cursor_of_an_older_version_is_understood() -> None:
    old = '{"files": {"12": {"size": 1, "changed": 2.0, "asked": true}}, "written": "abc"}'
    assert Cursor.model_validate_json(old) == Cursor()


def test_a_folder_in_the_inbox_is_another_sighting_when_a_file_in_it_grows(tmp_path: Path) -> None:
    file = tmp_path / "export" / "chat.txt"
    file.parent.mkdir()
    file.write_bytes(b"x")
    before = look(tmp_path)
    assert look(tmp_path) == before
    file.write_bytes(b"xy")
    assert look(tmp_path) != before


def test_unfinished_downloads_and_hidden_files_are_left_alone(tmp_path: Path) -> None:
    for name in ("export.zip", ".hidden.zip", "export.zip.part", "export.crdownload"):
        (tmp_path / name).write_bytes(b"x")
    assert list(look(tmp_path).values()) == [tmp_path / "export.zip"]
    assert "export" not in next(iter(look(tmp_path)))


def test_a_link_to_nothing_keeps_no_file_from_being_seen(tmp_path: Path) -> None:
    (tmp_path / "export.zip").write_bytes(b"x")
    (tmp_path / "gone.zip").symlink_to(tmp_path / "nowhere.zip")
    assert list(look(tmp_path).values()) == inbox_files(tmp_path) == [tmp_path / "export.zip"]


def test_files_that_come_and_go_during_a_look_keep_no_other_from_being_seen(tmp_path: Path) -> None:
    (tmp_path / "export").mkdir()
    (tmp_path / "export" / "chat.txt").write_bytes(b"x")
    passing = [tmp_path / f"{n}.zip" for n in range(20)] + [
        tmp_path / "export" / f"{n}.jpg" for n in range(20)
    ]
    done = threading.Event()

    def come_and_go() -> None:
        while not done.is_set():
            for file in passing:
                file.touch()
            for file in passing:
                file.unlink()

    mover = threading.Thread(target=come_and_go)
    mover.start()
    try:
        assert all(tmp_path / "export" in look(tmp_path).values() for _ in range(300))
    finally:
        done.set()
        mover.join()


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
        row("upgraded too", "messages", "stage's code changed; messages changed"),
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
        "upgraded too",
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
