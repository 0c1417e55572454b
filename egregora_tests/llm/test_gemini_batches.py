"""Claims about batch jobs: half the price, found again after a kill, and what is missing is asked by itself."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from egregora_resources.llm.gemini import GeminiProvider
from egregora_resources.settings import Settings
from egregora_resources.site_folder import SiteFolder
from egregora_tests.llm.chats import PEOPLE, stretch
from egregora_tests.llm.fault_server import FaultServer
from egregora_tests.llm.test_gemini_answers import run

WINDOWS = [stretch([f"Boards, the {n}th"] * (n + 2)).model_copy(update={"window": f"w{n}"}) for n in range(5)]
PRICE = (1_000 * 0.3e-6 + 150 * 2.5e-6) / 2


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_API_KEY", "key-one")


def make(server: FaultServer, site: Path) -> GeminiProvider:
    folder = SiteFolder(site)
    folder.state.mkdir(parents=True, exist_ok=True)
    model = {"base_url": server.url, "send_without_asking": True, "mode": "batch", "timeout_seconds": 5}
    settings = Settings.model_validate({"model": model})
    return GeminiProvider(settings, folder, pause=0.01, waits=(0.1, 0.05))


def digests(provider: GeminiProvider) -> list[Any]:
    return run(provider, lambda: asyncio.gather(*map(provider.digest, WINDOWS)))


def test_many_requests_are_one_job_at_half_the_price(tmp_path: Path) -> None:
    with FaultServer() as server:
        answers = digests(make(server, tmp_path))
    assert len(server.jobs) == 1
    assert server.seen == []
    for answer, window in zip(answers, WINDOWS, strict=True):
        assert answer.output.window == window.window
        assert PEOPLE[0] in answer.output.summary
        assert answer.usage.usd == pytest.approx(PRICE)


@pytest.mark.parametrize(("fault", "alone"), [("missing", 1), ("swapped", 1), ("failed", 5)])
def test_what_a_job_does_not_answer_is_asked_by_itself(fault: str, alone: int, tmp_path: Path) -> None:
    with FaultServer(batch_fault=fault) as server:
        answers = digests(make(server, tmp_path))
    assert len(server.seen) == alone
    assert len({answer.output.window for answer in answers}) == 5
    assert max(answer.usage.usd for answer in answers) == pytest.approx(2 * PRICE)


def test_a_job_is_found_again_by_the_next_run_and_not_sent_twice(tmp_path: Path) -> None:
    with FaultServer(batches_end=False) as server:
        provider = make(server, tmp_path)

        async def killed() -> None:
            waiting = [asyncio.ensure_future(provider.digest(window)) for window in WINDOWS]
            await asyncio.sleep(0.6)
            for task in waiting:
                task.cancel()

        run(provider, killed)
        assert len(server.jobs) == 1
        server.batches_end = True
        assert len(digests(make(server, tmp_path))) == 5
        assert len(server.jobs) == 1
        digests(make(server, tmp_path))
    assert len(server.jobs) == 1
    assert server.seen == []
