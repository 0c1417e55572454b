"""Claims about batch jobs: half the price, found again after a kill, and what is missing is asked by itself."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from egregora_resources.llm.database import LlmStore
from egregora_resources.llm.gemini import GeminiProvider, batches
from egregora_resources.llm.tasks import Stretch
from egregora_resources.site.folder import SiteFolder
from egregora_resources.site.settings import Settings
from egregora_resources.site.site import Site
from egregora_resources.warehouse.database import Warehouse
from egregora_tests import HANG
from egregora_tests.llm.chats import PEOPLE, stretch
from egregora_tests.llm.fault_server import FaultServer
from egregora_tests.llm.test_gemini_answers import run

WINDOWS = [stretch([f"Boards, the {n}th"] * (n + 2)).model_copy(update={"window": f"w{n}"}) for n in range(5)]
PRICE = (1_000 * 0.3e-6 + 150 * 2.5e-6) / 2


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_API_KEY", "key-one")


def make(server: FaultServer, site: Path, **options: Any) -> GeminiProvider:
    folder = SiteFolder(site)
    folder.state.mkdir(parents=True, exist_ok=True)
    model = {
        "base_url": server.url,
        "send_without_asking": True,
        "mode": "batch",
        "timeout_seconds": HANG,
    } | options
    settings = Settings.model_validate({"model": model})
    return GeminiProvider(Site(folder, settings, Warehouse(folder.warehouse)), pause=0.01, waits=(0.3, 0.05))


def digests(provider: GeminiProvider, windows: Sequence[Stretch] = WINDOWS) -> list[Any]:
    return run(provider, lambda: asyncio.gather(*map(provider.digest, windows)))


def cut_short(provider: GeminiProvider, site: Path) -> None:
    """Sends jobs, and doesn't wait for them."""
    store = LlmStore(SiteFolder(site).llm)

    async def killed() -> None:
        waiting = [asyncio.ensure_future(provider.digest(window)) for window in WINDOWS]
        noted = 0
        while noted < len(WINDOWS):
            await asyncio.sleep(0.05)
            with store.connect() as connection:
                noted = connection.execute("SELECT count(*) FROM batch_requests").fetchone()[0]
        for task in waiting:
            task.cancel()

    run(provider, killed)


def test_many_requests_are_one_job_at_half_the_price(tmp_path: Path) -> None:
    with FaultServer() as server:
        answers = digests(make(server, tmp_path))
    assert len(server.jobs) == 1
    assert server.seen == []
    for answer, window in zip(answers, WINDOWS, strict=True):
        assert answer.output.window == window.window
        assert PEOPLE[0] in answer.output.summary
        assert answer.usage.usd == pytest.approx(PRICE)


@pytest.mark.parametrize(
    ("fault", "alone"),
    [("missing", 1), ("swapped", 1), ("error", 1), ("failed", 5), ("expired", 5), ("cancelled", 5)],
)
def test_what_a_job_does_not_answer_is_asked_by_itself(fault: str, alone: int, tmp_path: Path) -> None:
    with FaultServer(batch_fault=fault) as server:
        answers = digests(make(server, tmp_path))
    assert len(server.seen) == alone
    assert len({answer.output.window for answer in answers}) == 5
    assert max(answer.usage.usd for answer in answers) == pytest.approx(2 * PRICE)


def test_a_job_is_found_again_by_the_next_run_and_not_sent_twice(tmp_path: Path) -> None:
    with FaultServer(batches_end=False) as server:
        cut_short(make(server, tmp_path), tmp_path)
        assert len(server.jobs) == 1
        server.batches_end = True
        assert len(digests(make(server, tmp_path))) == 5
        assert len(server.jobs) == 1
        digests(make(server, tmp_path))
    assert len(server.jobs) == 1
    assert server.seen == []


def test_a_job_is_found_again_whichever_key_it_was_sent_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEY_TWO", "key-two")
    both = {"api_key_env": ["GOOGLE_API_KEY", "KEY_TWO"]}
    with FaultServer(batches_end=False) as server:
        cut_short(make(server, tmp_path, **both), tmp_path)
        jobs = len(server.jobs)
        server.batches_end = True
        assert len(digests(make(server, tmp_path, **both), WINDOWS[::-1])) == 5
        assert len(server.jobs) == jobs
    assert server.seen == []


def test_a_job_that_the_service_is_too_busy_for_is_sent_again_and_stays_at_half_the_price(
    tmp_path: Path,
) -> None:
    with FaultServer(refused_jobs=[503, 429]) as server:
        answers = digests(make(server, tmp_path))
    assert server.seen == []
    assert len(server.jobs) >= 1
    assert max(answer.usage.usd for answer in answers) == pytest.approx(PRICE)


def test_a_service_that_takes_no_jobs_is_asked_request_by_request(tmp_path: Path) -> None:
    with FaultServer(refused_jobs=[404] * 9) as server:
        answers = digests(make(server, tmp_path))
    assert len(server.seen) == 5
    assert {answer.degraded for answer in answers} == {""}


def test_a_job_is_full_at_two_hundred_requests(tmp_path: Path) -> None:
    windows = [WINDOWS[0].model_copy(update={"window": f"w{n}", "language": "en"}) for n in range(230)]
    for n, window in enumerate(windows):
        window.messages = [window.messages[0].model_copy(update={"text": f"Board {n}"})]
    with FaultServer() as server:
        assert len(digests(make(server, tmp_path), windows)) == 230
    sizes = [len(requests) for _, requests in server.jobs.values()]
    assert max(sizes) <= 200
    assert sum(sizes) == 230


def test_a_job_stays_below_what_the_service_takes_in_any_script(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "MOST_BYTES", 60_000)
    windows = [
        stretch([f"{n}" + "छत की मरम्मत " * 200]).model_copy(update={"window": f"w{n}"}) for n in range(12)
    ]
    with FaultServer() as server:
        digests(make(server, tmp_path), windows)
    assert len(server.jobs) > 1
    assert max(len(json.dumps(requests)) for _, requests in server.jobs.values()) <= 60_000
