"""Claims about the price that the owner is told before anything is sent, and the budgets it is held against."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from egregora_assets.cli.show import plan_lines
from egregora_assets.costs.estimates import estimate, priced, this_month
from egregora_assets.pipeline.context import PipelineContext
from egregora_assets.pipeline.open_window import window_works
from egregora_assets.pipeline.plan import make_plan
from egregora_assets.pipeline.stage_runner import Outcome
from egregora_assets.stages import STAGES, built_in_runner
from egregora_resources.llm.estimate import Estimate, StageEstimate
from egregora_resources.llm.gemini import GeminiProvider
from egregora_resources.llm.pricing import dollars
from egregora_resources.site.settings import ModelSettings
from egregora_resources.warehouse.results import load_results
from egregora_resources.warehouse.windows import active_windows
from egregora_tests.llm.fault_server import FaultServer
from egregora_tests.small_site import WITHOUT_SITE, SmallSite
from egregora_tests.weekly_chat import Line, said, weeks


def site_of(root: Path, url: str, lines: list[Line], **model: Any) -> SmallSite:
    """A site of these messages whose service is at `url`."""
    options = {"provider": "gemini", "base_url": url, "send_without_asking": True, **model}
    site = SmallSite(root, model=options, site={"language": "en"})
    site.get(lines)
    site.lay_out()
    return site


def context_of(site: SmallSite) -> PipelineContext:
    provider = GeminiProvider(site.opened, pause=0.01)
    return PipelineContext(site.settings, site.folder.root, site.warehouse, provider=provider)


def estimate_of(site: SmallSite) -> Estimate:
    context = context_of(site)
    found = estimate(context, make_plan(context, STAGES[:-1]))
    assert found is not None
    return found


def run(site: SmallSite) -> Outcome:
    context = context_of(site)
    works = window_works(context, active_windows(site.warehouse))
    return asyncio.run(built_in_runner(context).run(works, WITHOUT_SITE))


def of(found: Estimate, stage: str) -> StageEstimate:
    return next(s for s in found.stages if s.stage == stage)


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_API_KEY", "key-one")


def test_the_price_is_told_without_a_call_and_the_calls_are_one_a_window_for_each_task(
    tmp_path: Path,
) -> None:
    shared = [said(weeks(3), "Ingrid Sandoval", "see https://example.org/boards", n) for n in range(2)]
    with FaultServer() as server:
        site = site_of(tmp_path, server.url, sorted({*shared[0], *shared[1]}, key=lambda line: line.time))
        found = estimate_of(site)
        assert server.seen == []
    assert {s.stage: s.calls for s in found.stages} == {
        "enrichments": 1,  # one link, shared twice, is read once
        "digests": 3, "profiles": 3, "posts": 3, "banners": 6, "vocabulary": 1,
    }  # fmt: skip
    assert all(s.usd > 0 and not s.learnt_from for s in found.stages)
    assert found.usd == pytest.approx(sum(s.usd for s in found.stages))


def test_recorded_usage_corrects_the_guess(tmp_path: Path) -> None:
    with FaultServer() as server:
        site = site_of(tmp_path, server.url, weeks(2))
        # The server writes one and the same post, whose banner is drawn once.
        site.set(pipeline={"banners": {"enabled": False}})
        run(site)
        site.get(weeks(4))
        due = make_plan(context_of(site), STAGES[:-1]).stale
        found = estimate_of(site)
        # The server counts 1,000 tokens in and 150 out for everything that is written.
        posts = of(found, "posts")
        assert posts.windows == posts.calls == len(due)
        assert posts.learnt_from == 2
        assert posts.output_tokens == 150 * posts.calls
        assert posts.input_tokens == pytest.approx(1_000 * posts.calls, rel=0.05)
        before = this_month(context_of(site))
        run(site)
        after = this_month(context_of(site))
    assert after.calls - before.calls == found.calls - of(found, "vocabulary").calls  # nothing new
    assert after.usd - before.usd == pytest.approx(found.usd - of(found, "vocabulary").usd, rel=0.15)


def test_what_was_described_already_costs_nothing_again_unless_it_is_asked_otherwise(tmp_path: Path) -> None:
    lines = said(said(weeks(1), "Ingrid Sandoval", "https://one.example", 0, 90), "Theodore Baptiste",
                 "And (https://one.example)! https://two.example", 0, 95)  # fmt: skip
    with FaultServer() as server:
        site = site_of(tmp_path, server.url, lines)
        run(site)
        assert len(server.calls("links")) == of_calls(site, "enrichments") == 2
        site.get(said(lines, "Ingrid Sandoval", "https://three.example", 0, 99))
        assert of(estimate_of(site), "enrichments").calls == 1
        run(site)
        assert len(server.calls("links")) == 3
        site.set(site={"language": "pt"})
        assert of(estimate_of(site), "enrichments").calls == 3


def of_calls(site: SmallSite, stage: str) -> int:
    return sum(r.usage.calls for (name, _), r in load_results(site.warehouse).items() if name == stage)


def test_a_trial_is_not_priced_as_a_run(tmp_path: Path) -> None:
    site = site_of(tmp_path, "http://127.0.0.1:9", weeks(1))
    plan = make_plan(context_of(site), STAGES[:-1])
    rows = [row for row in plan.rows if row.stage == "posts"]
    cost = priced(context_of(site), replace(plan, rows=rows), whole=False).cost
    assert cost is not None
    assert [(stage.stage, stage.calls) for stage in cost.stages] == [("posts", 1)]


def test_a_model_without_a_known_price_is_named(tmp_path: Path) -> None:
    site = site_of(tmp_path, "http://127.0.0.1:9", weeks(1), names={"posts": "our-own-7b"})
    plan = priced(context_of(site), make_plan(context_of(site), STAGES[:-1]))
    assert len(plan.warnings) == 1
    assert "our-own-7b" in plan.warnings[0]
    assert plan.warnings[0] in plan_lines(plan)


def test_a_part_that_is_switched_off_costs_nothing(tmp_path: Path) -> None:
    site = site_of(
        tmp_path, "http://127.0.0.1:9", said(weeks(1), "Ingrid Sandoval", "https://example.org", 0)
    )
    site.set(
        pipeline={
            "enrichment": {"enabled": False}, "profiles": {"enabled": False}, "banners": {"enabled": False}
        }
    )  # fmt: skip
    assert {s.stage for s in estimate_of(site).stages} == {"digests", "posts", "vocabulary"}
    site.set(pipeline={"min_messages": 500})
    assert estimate_of(site).stages == []


def test_a_long_window_counts_as_many_calls_as_it_is_written_in_parts(tmp_path: Path) -> None:
    lines = [replace(line, text=f"{line.text} {'and so on ' * 40}") for line in weeks(2)]
    with FaultServer() as server:
        site = site_of(tmp_path, server.url, lines, mode="sync")
        site.set(pipeline={"max_prompt_tokens": 1_000, "banners": {"enabled": False}, "split": False})
        assert estimate_of(site).stages == []  # these windows would fail, without a call
        site.set(pipeline={"split": True})
        found = estimate_of(site)
        run(site)
        for task in ("digests", "profiles", "posts"):
            assert of(found, task).calls == len(server.calls(task)) > 2


def test_half_the_price_is_half(tmp_path: Path) -> None:
    site = site_of(tmp_path, "http://127.0.0.1:9", weeks(1))
    whole = of(estimate_of(site), "profiles").usd
    site.set(model={"mode": "batch"})
    assert of(estimate_of(site), "profiles").usd == pytest.approx(whole / 2)


def test_the_offline_provider_costs_nothing_and_plan_says_nothing_of_prices(tmp_path: Path) -> None:
    site = SmallSite(tmp_path)
    site.get(weeks(2))
    plan = priced(site.context(), site.plan())
    assert plan.cost is None
    assert not any("$" in line for line in plan_lines(plan))


def test_plan_tells_each_stages_price_the_total_the_month_and_a_budget_that_is_too_small(
    tmp_path: Path,
) -> None:
    site = site_of(tmp_path, "http://127.0.0.1:9", weeks(3), budget_usd_per_run=0.001)
    plan = priced(context_of(site), make_plan(context_of(site), STAGES[:-1]))
    text = "\n".join(plan_lines(plan))
    assert "  posts: about 3 calls (" in text
    assert "(gemini-3.8-flash, guessed)" in text
    assert "This month has cost $0.00 so far" in text
    assert "more than [model] budget_usd_per_run, $0.0010" in text
    assert plan.to_json()["estimate"]["usd"] == plan.cost.usd if plan.cost else None
    assert len(plan.to_json()["warnings"]) == 1


@given(st.floats(0, 100), st.floats(0, 100), st.floats(0, 100))
def test_a_budget_is_warned_of_exactly_when_it_is_exceeded(
    usd: float, per_month: float, spent: float
) -> None:
    stage = StageEstimate("posts", "gemini-3.8-flash", 1, 1, 1, 1, usd, 0)
    model = ModelSettings(budget_usd_per_run=0.0, budget_usd_per_month=per_month)
    told = Estimate([stage], spent).warnings(model)
    assert bool(told) == (per_month > 0 and usd > per_month - spent)


def test_small_prices_are_not_rounded_to_nothing() -> None:
    assert [dollars(usd) for usd in (0, 0.0012, 0.25, 12)] == ["$0.00", "$0.0012", "$0.25", "$12.00"]


@pytest.mark.parametrize("offline_fallback", [True, False])
def test_where_no_model_wrote_nothing_is_learnt_about_the_price(
    tmp_path: Path, offline_fallback: bool
) -> None:
    def refused(seen: Any) -> str | None:
        return "SAFETY" if seen.task == "digests" else None

    with FaultServer(always=refused) as server:
        site = site_of(tmp_path, server.url, weeks(3), offline_fallback=offline_fallback)
        before = of(estimate_of(site), "digests")
        run(site)
        site.set(site={"language": "pt"})
    assert of(estimate_of(site), "digests") == before
