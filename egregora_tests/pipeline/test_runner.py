"""The runner: windows through their stages, many at a time, each failing for itself alone."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar

import pytest

from egregora_assets.digests import DigestsStage
from egregora_assets.pipeline.context import Made, PipelineContext, WindowWork
from egregora_assets.pipeline.stage import Stage
from egregora_assets.pipeline.table_windows import works_of_windows
from egregora_assets.stages import STAGES, built_in_runner
from egregora_assets.windowing.cutting import create_windows
from egregora_assets.windowing.splitting import WindowSizeError, WindowSplitError
from egregora_resources.document import Document
from egregora_resources.site.settings import Settings
from egregora_resources.warehouse.database import Warehouse
from egregora_resources.warehouse.results import StageResult, load_results
from egregora_tests import HANG
from egregora_tests.providers import WatchedProvider
from egregora_tests.weekly_chat import LINES, NAMES, Line, said, table, week, weeks


def context(site: Path, provider: WatchedProvider | None = None, **pipeline: Any) -> PipelineContext:
    config = Settings.model_validate({"pipeline": pipeline})
    storage = Warehouse(site / ".egregora" / "warehouse.duckdb")
    return PipelineContext(
        config=config,
        site_root=site,
        storage=storage,
        media_mapping={},
        provider=provider or WatchedProvider(),
    )


def windows_of(lines: Sequence[Line]) -> list[Any]:
    return create_windows(messages=table(lines), window_size=7, window_unit="days")


# the reference document's interface


def test_results_hold_each_windows_documents_by_what_they_are(tmp_path: Path):
    lines = weeks(3)
    results, last_timestamp = built_in_runner(context(tmp_path)).process_windows(windows_of(lines))
    assert list(results) == ["2025-01-13", "2025-01-20", "2025-01-27"]
    assert last_timestamp == lines[-1].time
    for made in results.values():
        assert {"posts", "profiles", "enrichments", "media"} <= made.keys()
        assert len(made["posts"]) >= 1
        assert all(isinstance(document, Document) for documents in made.values() for document in documents)
        assert {document.kind for document in made["posts"]} == {"post"}
        assert len(made["profiles"]) == len(NAMES)


def test_results_that_were_stored_before_are_the_same_as_when_they_were_made(tmp_path: Path):
    lines = said(weeks(2), NAMES[0], "Look: https://example.org/larch", 0)
    made = built_in_runner(context(tmp_path)).process_windows(windows_of(lines))
    assert made[0]["2025-01-13"]["enrichments"]
    assert built_in_runner(context(tmp_path)).process_windows(windows_of(lines)) == made


def test_it_works_from_inside_a_running_event_loop(tmp_path: Path):
    async def main() -> Any:
        return built_in_runner(context(tmp_path)).process_windows(windows_of(weeks(1)))

    results, _ = asyncio.run(main())
    assert results["2025-01-13"]["posts"]


def test_no_windows_make_no_results(tmp_path: Path):
    assert built_in_runner(context(tmp_path)).process_windows([]) == ({}, None)


def test_names_given_in_a_table_leave_it_as_pseudonyms(tmp_path: Path):
    lines = said(
        weeks(2), NAMES[0], f"Ask {NAMES[1]} or write to m.quintero@example.org, +44 20 7946 0958", 1
    )
    results, _ = built_in_runner(context(tmp_path)).process_windows(windows_of(lines))
    made = repr(results)
    for word in [part for name in NAMES for part in name.split()] + ["example.org", "7946"]:
        assert word not in made


def test_who_opts_out_in_a_table_is_out_of_all_its_windows(tmp_path: Path):
    lines = said(weeks(2), NAMES[2], "/egregora opt-out", 1)
    site = context(tmp_path)
    results, _ = built_in_runner(site).process_windows(windows_of(lines))
    assert all(len(made["profiles"]) == 3 for made in results.values())
    stored = repr(site.storage.rows("SELECT text FROM messages")) + repr(results)
    for number in (0, 1):
        for line in week(number):
            assert (line.text in stored) == (line.author != NAMES[2])


def test_an_opt_out_makes_earlier_windows_of_a_table_anew(tmp_path: Path):
    site = context(tmp_path)
    built_in_runner(site).process_windows(windows_of(weeks(2)))
    again = context(tmp_path)
    built_in_runner(again).process_windows(windows_of(said(weeks(2), NAMES[2], "/egregora opt-out", 1)))
    authors = again.storage.rows(
        "SELECT window_key, count(DISTINCT author) FROM messages GROUP BY 1 ORDER BY 1"
    )
    assert authors == [("2025-01-13", 3), ("2025-01-20", 3)]


def test_windows_cut_within_a_minute_keep_their_messages_apart(tmp_path: Path):
    lines = [Line(datetime(2025, 1, 13, 9, 0), NAMES[n % 4], text) for n, text in enumerate(LINES)]
    windows = create_windows(table(lines), 6, "messages")
    site = context(tmp_path, min_messages=100)
    built_in_runner(site).process_windows(windows)
    stored = site.storage.rows("SELECT id, text FROM messages ORDER BY id")
    assert [text for _, text in stored] == list(LINES)
    assert len({message for message, _ in stored}) == len(LINES)


def test_a_window_over_the_budget_with_splitting_off_is_an_error(tmp_path: Path):
    site = context(tmp_path, max_prompt_tokens=1000, split=False)
    long = [Line(line.time, line.author, line.text * 20) for line in week(0)]
    with pytest.raises(WindowSizeError, match="2025-01-13"):
        built_in_runner(site).process_windows(windows_of(long))


def test_a_message_over_the_budget_is_an_error(tmp_path: Path):
    site = context(tmp_path, max_prompt_tokens=1000)
    lines = said(week(0), NAMES[0], "so it goes " * 600, 0)
    with pytest.raises(WindowSplitError) as error:
        built_in_runner(site).process_windows(windows_of(lines))
    assert error.value.window == "2025-01-13"


def test_a_window_over_the_budget_is_written_in_parts_that_belong_to_it(tmp_path: Path):
    provider = WatchedProvider()
    site = context(tmp_path, provider, max_prompt_tokens=1000, min_messages=2)
    long = [Line(line.time, line.author, (line.text + ". ") * 7) for line in week(0)]
    results, _ = built_in_runner(site).process_windows(windows_of(long))
    assert list(results) == ["2025-01-13"]
    parts = [request.stretch for request in provider.requests]
    assert len(parts) >= 2
    assert {stretch.parts for stretch in parts} == {len(parts)}
    assert sum(len(stretch.messages) for stretch in parts) == len(long)
    assert all(post.id.startswith("2025-01-13-") for post in results["2025-01-13"]["posts"])


def test_the_runner_knows_no_dagster():
    code = "import sys, egregora_assets.pipeline.runner, egregora_assets.stages; sys.exit('dagster' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# many windows at once


def test_windows_are_worked_on_at_the_same_time_up_to_max_workers(tmp_path: Path):
    for workers in (1, 3):
        provider = WatchedProvider(seconds=0.01)
        site = context(tmp_path / str(workers), provider, max_workers=workers)
        built_in_runner(site).process_windows(windows_of(weeks(5)))
        assert provider.most_windows == workers


def test_all_digests_precede_the_first_post(tmp_path: Path):
    provider = WatchedProvider(seconds=0.002)
    built_in_runner(context(tmp_path, provider, max_workers=3)).process_windows(windows_of(weeks(6)))
    tasks = [task for task, _ in provider.asked]
    assert tasks.count("digest") == tasks.count("write") == 6
    answered = [task for task, _ in provider.answered]
    first_post = provider.asked.index(("write", provider.requests[0].stretch.window))
    assert all(task != "digest" for task, _ in provider.asked[first_post:])
    assert answered.index("write") > max(n for n, task in enumerate(answered) if task == "digest")


class PatientPortraits(WatchedProvider):
    """Takes one window's portraits when the other windows' banners are there."""

    async def observe(self, request: Any) -> Any:
        until = time.monotonic() + HANG
        while request.window == "2025-01-13" and self.counts["illustrate"] < 3 and time.monotonic() < until:
            await asyncio.sleep(0.01)
        return await super().observe(request)


def test_but_for_digests_no_window_waits_for_another(tmp_path: Path):
    provider = PatientPortraits()
    built_in_runner(context(tmp_path, provider, max_workers=2)).process_windows(windows_of(weeks(4)))
    slow = provider.asked.index(("observe", "2025-01-13"))
    done_before = {window for task, window in provider.asked[:slow] if task == "illustrate"}
    assert done_before == {"2025-01-20", "2025-01-27", "2025-02-03"}


# failures


class Grumpy(Stage):
    """Fails in the way it is told to."""

    name: ClassVar[str] = "grumpy"
    after: ClassVar[tuple[str, ...]] = ("messages",)
    failures: ClassVar[dict[str, Exception]] = {}

    async def make(self, work: WindowWork) -> Made:
        if work.key in self.failures:
            raise self.failures[work.key]
        return Made([Document("mood", f"{work.key}/mood", work.key, body="Grumpy.")])


def test_a_windows_failure_costs_that_window_alone(tmp_path: Path):
    site = context(tmp_path, WatchedProvider(failing=["2025-01-20"]))
    results, last = built_in_runner(site).process_windows(windows_of(weeks(3)))
    assert list(results) == ["2025-01-13", "2025-01-27"]
    assert last == weeks(3)[-1].time
    stored = load_results(site.storage)
    assert stored["posts", "2025-01-20"].status == "failed"
    assert stored["posts", "2025-01-20"].error == "the model is out of order (503)"
    assert ("banners", "2025-01-20") not in stored
    assert stored["profiles", "2025-01-20"].status == "done"


def test_a_window_that_fails_before_its_digest_keeps_no_other_from_being_written(tmp_path: Path):
    class Forgetful(DigestsStage):
        async def make(self, work: WindowWork) -> Made:
            if work.key == "2025-01-13":
                raise RuntimeError("no")
            return await super().make(work)

    stages = [Forgetful() if stage.name == "digests" else stage for stage in STAGES]
    site = context(tmp_path)
    results, _ = built_in_runner(site, stages).process_windows(windows_of(weeks(3)))
    assert list(results) == ["2025-01-20", "2025-01-27"]


def test_an_unforeseen_failures_words_are_kept_nowhere(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    secret = "what Marisol said"
    Grumpy.failures = {"2025-01-13": KeyError(secret)}
    site = context(tmp_path)
    results, _ = built_in_runner(site, [*STAGES, Grumpy()]).process_windows(windows_of(weeks(2)))
    assert list(results) == ["2025-01-20"]
    failed = load_results(site.storage)["grumpy", "2025-01-13"]
    assert failed.error.startswith("unforeseen KeyError in test_runner.py, line ")
    assert secret not in caplog.text
    assert "2025-01-13" in caplog.text


def test_what_failed_is_done_next_time_and_nothing_else(tmp_path: Path):
    windows = windows_of(weeks(3))
    built_in_runner(context(tmp_path, WatchedProvider(failing=["2025-01-20"]))).process_windows(windows)
    healed = WatchedProvider()
    results, _ = built_in_runner(context(tmp_path, healed)).process_windows(windows)
    assert len(results) == 3
    assert healed.asked == [("write", "2025-01-20"), ("illustrate", "2025-01-20")]
    untroubled = context(tmp_path / "untroubled")
    assert (
        built_in_runner(untroubled).process_windows(windows)[0]["2025-01-20"].keys()
        == results["2025-01-20"].keys()
    )


def test_what_is_there_is_not_made_again(tmp_path: Path):
    windows = windows_of(weeks(2))
    first, _ = built_in_runner(context(tmp_path)).process_windows(windows)
    second_provider = WatchedProvider()
    second, _ = built_in_runner(context(tmp_path, second_provider)).process_windows(windows)
    assert second_provider.asked == []
    assert [d.digest() for d in second["2025-01-13"]["posts"]] == [
        d.digest() for d in first["2025-01-13"]["posts"]
    ]


def test_a_stage_whose_input_was_never_made_says_so(tmp_path: Path):
    site = context(tmp_path)
    runner = built_in_runner(site)
    outcome = asyncio.run(runner.run(works_of_windows(site, windows_of(weeks(1))), ["posts"]))
    assert "messages" in outcome.failed["2025-01-13"]
    assert site.storage.rows("SELECT count(*) FROM documents") == [(0,)]


# reporting


def test_every_result_is_reported_once_in_the_order_of_the_graph_after_it_is_stored(tmp_path: Path):
    site = context(tmp_path)
    reported: list[StageResult] = []

    def report(result: StageResult) -> None:
        assert (result.stage, result.window) in load_results(site.storage)
        reported.append(result)

    built_in_runner(site, report=report).process_windows(windows_of(weeks(3)))
    pairs = [(result.stage, result.window) for result in reported]
    assert len(set(pairs)) == len(pairs) == 3 * 7
    for window in ("2025-01-13", "2025-01-20", "2025-01-27"):
        order = [stage for stage, key in pairs if key == window]
        for stage in STAGES:
            for source in stage.after:
                assert stage.name == "site" or order.index(source) < order.index(stage.name)
    assert all(result.reported for result in load_results(site.storage).values())


def test_a_report_that_fails_stops_the_run_and_keeps_what_was_stored(tmp_path: Path):
    site = context(tmp_path)

    def report(result: StageResult) -> None:
        raise RuntimeError("no more disk")

    with pytest.raises(RuntimeError, match="no more disk"):
        built_in_runner(site, report=report).process_windows(windows_of(weeks(1)))
    stored = load_results(site.storage)
    assert stored
    assert not any(result.reported for result in stored.values())


def test_what_answers_cost_is_kept(tmp_path: Path):
    site = context(tmp_path, WatchedProvider(degraded="the small model"))
    built_in_runner(site).process_windows(windows_of(weeks(1)))
    posts = load_results(site.storage)["posts", "2025-01-13"]
    assert (posts.usage.calls, posts.usage.input_tokens, posts.usage.usd) == (1, 100, 0.01)
    assert posts.degraded == "the small model"
    assert posts.seconds >= 0
    again = WatchedProvider()
    built_in_runner(context(tmp_path, again)).process_windows(windows_of(weeks(1)))
    assert again.asked == []  # degraded results are redone on request only
