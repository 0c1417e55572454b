"""Claims about how a plan and a status read on the terminal."""

from __future__ import annotations

from datetime import datetime

import pytest

from egregora_assets.cli import show, sites
from egregora_assets.commands import status as status_module
from egregora_assets.commands.status import Status, StatusRow
from egregora_assets.pipeline.plan import Plan, PlanRow

MONDAY, SUNDAY = datetime(2025, 1, 13, 8), datetime(2025, 1, 19, 23, 5)


def test_a_plan_names_the_cause_and_what_follows_from_it() -> None:
    plan = Plan(
        [
            PlanRow("2025-01-06", "messages", "fresh", ""),
            PlanRow("2025-01-13", "messages", "run", "messages changed"),
            PlanRow("2025-01-13", "media", "run", "messages changed"),
            PlanRow("2025-01-13", "posts", "run", "upstream changed: messages, media"),
            PlanRow("2025-01-13", "site", "run", "upstream changed: posts"),
        ]
    )
    assert show.plan_lines(plan) == [
        "2025-01-13  messages, media: messages changed; then posts, site",
        "1 of 2 windows would be worked on.",
    ]


def test_a_stage_with_a_cause_of_its_own_is_told_by_that_alone() -> None:
    plan = Plan(
        [
            PlanRow("2025-01-13", "digests", "run", "settings changed"),
            PlanRow("2025-01-13", "posts", "run", "settings changed; upstream changed: digests"),
            PlanRow("2025-01-13", "banners", "run", "upstream changed: posts"),
        ]
    )
    assert show.plan_lines(plan)[0] == "2025-01-13  digests, posts: settings changed; then banners"


def test_a_plan_does_not_say_that_no_window_is_due_when_other_windows_come_first() -> None:
    plan = Plan([PlanRow("2025-01-06", "messages", "fresh", "")], before=["17 new ones written."])
    assert show.plan_lines(plan) == ["17 new ones written."]


def test_a_plan_without_work_says_so() -> None:
    assert show.plan_lines(Plan([PlanRow("2025-01-06", "messages", "fresh", "")])) == [
        "Nothing to do: the one window is up to date."
    ]
    assert show.plan_lines(Plan([])) == ["Nothing is imported yet: egregora write EXPORT"]


def test_a_plan_that_only_builds_the_site_says_why() -> None:
    lines = show.plan_lines(Plan([PlanRow("2025-01-06", "messages", "fresh", "")], site="people changed"))
    assert "The site would be built again: people changed." in lines


def test_a_status_shows_each_stage_and_the_reason_of_what_went_wrong(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    rows = [
        StatusRow(
            "2025-01-06", MONDAY, SUNDAY, 1234, 2, {"messages": ("done", ""), "posts": ("done", "fine")}
        ),
        StatusRow(
            "2025-01-13",
            MONDAY,
            SUNDAY,
            5,
            0,
            {"messages": ("done", ""), "posts": ("failed", "no answer [503]")},
        ),
    ]
    site = tmp_path_factory.mktemp("blog")
    sites.make(site / "x")
    monkeypatch.setattr(status_module, "site_status", lambda site: Status(rows))  # pyright: ignore[reportUnknownArgumentType]
    monkeypatch.setenv("COLUMNS", "30")
    show.show_status(site / "x", as_json=False)
    shown = capsys.readouterr().out
    assert "2025-01-06  2025-01-13  2025-01-19     1,234      2  ✓ ✓" in shown, "nothing is cut off"
    assert "2025-01-13  posts failed: no answer [503]" in shown
    assert "fine" not in shown
    assert "✗ failed" in shown
    assert "– skipped" not in shown
