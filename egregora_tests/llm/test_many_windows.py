"""Claims about whole runs: however the service fails, every window is done or honestly failed, and nothing is paid twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from egregora_resources.llm.database import LlmStore
from egregora_resources.llm.spending import spent
from egregora_resources.warehouse.results import load_results
from egregora_tests import HANG
from egregora_tests.llm.fault_server import MIXED, FaultServer
from egregora_tests.llm.many_windows import ManyWindows, continue_windows, run_windows

CONCURRENCY = 8


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_API_KEY", "key-one")


def check(run: ManyWindows, server: FaultServer, windows: int) -> None:
    """Every window done or honestly failed, none twice; no call after success; never too many at once."""
    done, failed = set(run.outcome.done), set(run.outcome.failed)
    assert len(done | failed) == windows
    assert not done & failed
    assert len(failed) <= windows // 50
    results = load_results(run.site.warehouse)
    for window in done:
        assert {results[stage, window].status for stage in ("digests", "profiles", "posts")} == {"done"}
    for window in failed:
        assert any(r.error for (_, key), r in results.items() if key == window)
    posts = run.site.warehouse.rows(
        "SELECT window_key, count(*) FROM documents WHERE stage = 'posts' GROUP BY ALL"
    )
    assert {row[0] for row in posts} >= done
    store = LlmStore(run.site.folder.llm)
    with store.connect() as connection:
        late = connection.execute(
            "SELECT count(*) FROM calls WHERE outcome = 'no answer in time'"
        ).fetchone()[0]
    # On a busy machine good answers are late, too; they are asked for again while the server works on.
    late -= sum(seen.fault == "timeout" for seen in server.seen)
    assert server.answered.total() - len(server.answered) <= late
    assert server.peak <= CONCURRENCY + late
    assert spent(store).calls == len(server.seen)


def test_a_run_with_faults_of_every_kind_comes_through_and_pays_nothing_twice(tmp_path: Path) -> None:
    with FaultServer(rate=0.2, kinds=MIXED, hang=HANG) as server:
        run = run_windows(server, tmp_path, 24, concurrency=CONCURRENCY, timeout_seconds=10)
        check(run, server, 24)
        before = len(server.seen)
        again = continue_windows(run.site)
        assert len(server.seen) == before or run.outcome.failed
        assert not again.outcome.results or run.outcome.failed


def test_all_digests_precede_the_posts_and_each_task_is_one_call_a_window(tmp_path: Path) -> None:
    with FaultServer(latency=0.02) as server:
        run = run_windows(server, tmp_path, 12)
    assert len(run.outcome.done) == 12
    tasks = [seen.task for seen in server.seen]
    assert {task: tasks.count(task) for task in tasks} == {
        "digests": 12,
        "profiles": 12,
        "posts": 12,
        "vocabulary": 1,
    }
    assert max(n for n, task in enumerate(tasks) if task == "digests") < tasks.index("posts")


def test_a_wrong_key_ends_the_run_with_one_sentence_and_no_window_is_marked_failed(tmp_path: Path) -> None:
    with FaultServer(keys=["another"]) as server:
        run = run_windows(server, tmp_path, 12, concurrency=2)
        assert len(server.seen) <= 2
        assert "refused the key" in run.outcome.stopped
        assert all(told.endswith("not tried, the run was stopped") for told in run.outcome.failed.values())
        assert "failed" not in {result.status for result in load_results(run.site.warehouse).values()}
        server.keys = ()
        assert len(continue_windows(run.site).outcome.done) == 12


def test_a_budget_ends_the_run_in_time_and_a_larger_one_continues_where_it_stopped(tmp_path: Path) -> None:
    with FaultServer() as server:
        run = run_windows(server, tmp_path, 12, max_output_tokens=512, budget_usd_per_month=0.02)
        assert "budget_usd_per_month is $0.02" in run.outcome.stopped
        assert 0.01 < spent(LlmStore(run.site.folder.llm)).usd <= 0.02
        run.site.set(model={"budget_usd_per_month": 5.0})
        assert len(continue_windows(run.site).outcome.done) == 12
    assert len(server.seen) == 37  # three a window, and one for the vocabulary
    assert set(server.answered.values()) == {1}


@pytest.mark.soak
@pytest.mark.parametrize("kind", MIXED)
def test_a_run_comes_through_a_fifth_of_calls_that_fail_in_one_way(kind: str, tmp_path: Path) -> None:
    with FaultServer(rate=0.2, kinds=[kind], hang=HANG) as server:
        check(run_windows(server, tmp_path, 15, concurrency=CONCURRENCY, timeout_seconds=2), server, 15)


@pytest.mark.slow
def test_two_hundred_windows_come_through_a_fifth_of_failing_calls(tmp_path: Path) -> None:
    with FaultServer(rate=0.2, kinds=MIXED, hang=HANG) as server:
        check(run_windows(server, tmp_path, 200, concurrency=CONCURRENCY, timeout_seconds=10), server, 200)


@pytest.mark.soak
@pytest.mark.parametrize("kind", MIXED)
def test_two_hundred_windows_come_through_a_fifth_of_calls_that_fail_in_one_way(
    kind: str, tmp_path: Path
) -> None:
    with FaultServer(rate=0.2, kinds=[kind], hang=HANG) as server:
        check(run_windows(server, tmp_path, 200, concurrency=CONCURRENCY, timeout_seconds=10), server, 200)


@pytest.mark.soak
def test_two_hundred_windows_take_at_most_a_fifth_longer_than_ideal(tmp_path: Path) -> None:
    with FaultServer(latency=1.0) as server:
        run = run_windows(server, tmp_path, 200, concurrency=CONCURRENCY)
    assert len(run.outcome.done) == 200
    assert run.seconds <= 1.2 * len(server.seen) * 1.0 / CONCURRENCY
