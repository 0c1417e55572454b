"""Claims about what calls cost, and about the budgets that hold whatever the calls and the processes come to."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from egregora_resources.llm.database import LlmStore
from egregora_resources.llm.pricing import IMAGE_TOKENS, known, price
from egregora_resources.llm.spending import BudgetUsedUp, Ledger, spent


@pytest.fixture
def store(tmp_path: Path) -> LlmStore:
    return LlmStore(tmp_path / "llm.sqlite")


def reserve(ledger: Ledger, most: float = 0.4, least: float = 0.0) -> int | None:
    return ledger.reserve("posts", "m", "w", most=most, least=least)


def test_a_call_that_might_not_fit_waits_for_those_in_flight_and_then_ends_the_run(store: LlmStore) -> None:
    ledger = Ledger(store, "one", per_run=1.0)
    first, second = reserve(ledger), reserve(ledger)
    assert first is not None
    assert second is not None
    assert reserve(ledger) is None
    ledger.settle(first, "answered", usd=0.1)
    third = reserve(ledger)
    assert third is not None
    ledger.settle(second, "answered", usd=0.4)
    ledger.settle(third, "answered", usd=0.4)
    with pytest.raises(BudgetUsedUp, match=r"\$1.00, this run has cost \$0.90 so far, .* up to \$0.40"):
        reserve(ledger)
    assert reserve(Ledger(store, "two", per_run=1.0)) is not None


def test_the_budget_of_a_month_counts_all_runs_of_that_month_alone(store: LlmStore) -> None:
    with store.connect() as connection:
        connection.executemany(
            "INSERT INTO calls (month, run, task, model, window, input_tokens, output_tokens, cached_tokens, usd, "
            "outcome, sent_at) VALUES (?, 'old', 'posts', 'm', 'w', 1, 1, 0, ?, 'answered', '')",
            [("2001-01", 99.0), ("2001-02", 99.0)],
        )
    sensor = Ledger(store, "sensor", per_month=1.0)
    call = reserve(sensor)
    assert call is not None
    sensor.settle(call, "answered", usd=0.4)
    command = Ledger(store, "command", per_month=1.0)
    call = reserve(command)
    assert call is not None
    command.settle(call, "answered", usd=0.4)
    for ledger in (sensor, command):
        with pytest.raises(BudgetUsedUp, match="all runs of this month have cost"):
            reserve(ledger)


def test_no_number_of_calls_at_once_gets_past_a_budget(store: LlmStore) -> None:
    ledger = Ledger(store, "one", per_run=1.0)
    with ThreadPoolExecutor(8) as pool:
        calls = list(pool.map(lambda _: reserve(ledger, 0.09), range(40)))
    assert len([call for call in calls if call is not None]) == 11
    assert spent(store).usd <= 1.0


def test_what_a_killed_process_had_reserved_does_not_count_for_ever(store: LlmStore) -> None:
    code = (
        "import os, sys; from pathlib import Path; from egregora_resources.llm.spending import Ledger; "
        "from egregora_resources.llm.database import LlmStore; "
        "ledger = Ledger(LlmStore(Path(sys.argv[1])), 'killed'); "
        "[ledger.reserve('posts', 'm', 'w', most=2.0, least=least) for least in (0.25, 0.25, 0.0)]; os._exit(9)"
    )
    subprocess.run([sys.executable, "-c", code, str(store.path)], check=False)
    alive = Ledger(store, "alive", per_month=1.0)
    assert reserve(alive) is not None
    # They may have been answered; what was sent in a batch job is booked by whoever finds the job again.
    assert (spent(store, "run", "killed").calls, spent(store, "run", "killed").usd) == (2, pytest.approx(0.5))
    assert spent(store, "run", "alive").usd == pytest.approx(0.4)


@pytest.mark.parametrize(
    "model", ["gemini-3-pro-image-preview", "gemini-3.1-flash-lite-image", "gemini-nano-banana-2.1"]
)
def test_a_picture_costs_what_pictures_cost_whatever_the_model_is_called(model: str) -> None:
    drawn = price(model, 50, IMAGE_TOKENS, image_tokens=IMAGE_TOKENS)
    assert drawn > 3 * price(model, 50, IMAGE_TOKENS)


def test_a_model_that_nobody_knows_is_counted_like_the_dearest() -> None:
    assert not known("somebodys-own-7b")
    for model in ("gemini-3.8-flash", "gemini-3.1-pro-preview", "gemini-3.5-flash-lite"):
        assert known(model)
        assert price("somebodys-own-7b", 1_000, 1_000) >= price(model, 1_000, 1_000)
    banner = price("somebodys-own-painter", 50, IMAGE_TOKENS, image_tokens=IMAGE_TOKENS)
    assert banner >= price("gemini-3-pro-image-preview", 50, IMAGE_TOKENS, image_tokens=IMAGE_TOKENS)
