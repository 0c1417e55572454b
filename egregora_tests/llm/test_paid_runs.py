"""Claims about `write` with a model: what the owner agrees to, pays, asks anew and tries, on the whole way to the site."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from egregora_assets.cli.app import app
from egregora_assets.commands.consent import NotConfirmed
from egregora_assets.commands.plan import plan_site
from egregora_assets.commands.redo import redo_windows
from egregora_assets.commands.report import WriteReport
from egregora_assets.commands.status import site_status
from egregora_assets.commands.try_window import NotTried, try_window
from egregora_assets.commands.write import write_site
from egregora_resources.errors import UserError
from egregora_resources.llm.database import LlmStore
from egregora_resources.llm.pricing import dollars
from egregora_resources.llm.spending import Spent, spent
from egregora_resources.site.folder import SiteFolder
from egregora_resources.site.settings import settings_template
from egregora_resources.warehouse.database import Warehouse
from egregora_resources.warehouse.results import load_results
from egregora_tests.llm.fault_server import FaultServer, Seen
from egregora_tests.runs import tree
from egregora_tests.weekly_chat import export, weeks

pytestmark = pytest.mark.slow
FIRST, SECOND = "2025-01-13", "2025-01-20"


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_API_KEY", "key-one")


@pytest.fixture(scope="module")
def server() -> Iterator[FaultServer]:
    with FaultServer() as running:
        yield running


@pytest.fixture(autouse=True)
def _as_new(server: FaultServer) -> None:
    server.seen.clear()
    server.keys, server.always = (), lambda seen: None


def new_site(root: Path, server: FaultServer, **model: str) -> Path:
    site = root / "blog"
    site.mkdir()
    text = settings_template(title="Neighbours").replace('base_url = ""', f'base_url = "{server.url}"')
    text = text.replace('provider = "auto"', 'provider = "gemini"')
    for key, value in model.items():
        line = next(line for line in text.splitlines() if line.startswith(f"{key} = "))
        text = text.replace(line, f"{key} = {value}")
    (site / "egregora.toml").write_text(text, encoding="utf-8")
    return site


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory, server: FaultServer) -> Path:
    """A site of two weeks, written once with a model."""
    site = new_site(tmp_path_factory.mktemp("written"), server)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GOOGLE_API_KEY", "key-one")
        write_site(site, [export(site.parent, weeks(2))], yes=True)
    return site


@pytest.fixture
def site(written: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(written, tmp_path / "blog", symlinks=True))


def ledger(site: Path) -> Spent:
    return spent(LlmStore(SiteFolder(site).llm))


def stored(site: Path) -> dict[tuple[str, str], str]:
    """What was made, and when: the same only if nothing was made anew."""
    results = load_results(Warehouse(SiteFolder(site).warehouse))
    return {key: f"{r.status} {r.data_version} {r.run_id}" for key, r in results.items()}


def tasks(server: FaultServer) -> list[str]:
    return [seen.task for seen in server.seen]


def test_the_owner_is_told_what_leaves_to_whom_and_for_how_much_and_is_asked_once(
    tmp_path: Path, server: FaultServer
) -> None:
    site, asked = new_site(tmp_path, server), list[str]()

    def confirm(question: str) -> bool:
        asked.append(question)
        return len(asked) > 1

    with pytest.raises(NotConfirmed, match=r'nothing was sent. With .* provider = "offline"'):
        write_site(site, [export(tmp_path, weeks(1))], confirm=confirm)
    assert server.seen == []
    assert server.url in asked[0]
    assert "pseudonyms" in asked[0]
    assert "voice messages with all that is seen and heard" in asked[0]
    assert "It will take about" in asked[0]
    assert "$10.00 a run" in asked[0]
    assert "$30.00 a month" in asked[0]
    write_site(site, [], confirm=confirm)
    write_site(site, [export(tmp_path, weeks(2))], confirm=confirm)
    assert len(asked) == 2


def test_without_a_terminal_nobody_waits_and_nothing_is_sent(tmp_path: Path, server: FaultServer) -> None:
    site = new_site(tmp_path, server)
    with pytest.raises(NotConfirmed, match="send_without_asking"):
        write_site(site, [export(tmp_path, weeks(1))])
    assert server.seen == []
    toml = site / "egregora.toml"
    toml.write_text(toml.read_text().replace("send_without_asking = false", "send_without_asking = true"))
    assert write_site(site, []).calls > 0


def test_another_service_is_asked_about_anew(site: Path, server: FaultServer) -> None:
    toml = site / "egregora.toml"
    toml.write_text(toml.read_text().replace(server.url, f"{server.url}/other"))
    with pytest.raises(NotConfirmed, match="/other"):
        write_site(site, [export(site.parent, weeks(3))])
    assert server.seen == []


def test_a_write_ends_with_what_it_really_took_and_status_keeps_it_by_window(
    tmp_path: Path, server: FaultServer
) -> None:
    site = new_site(tmp_path, server)
    report = write_site(site, [export(tmp_path, weeks(2))], yes=True)
    kept = ledger(site)
    assert report.calls == len(server.seen) == kept.calls
    assert (report.input_tokens, report.output_tokens) == (kept.input_tokens, kept.output_tokens)
    assert report.usd == pytest.approx(kept.usd)
    assert report.month_usd == pytest.approx(kept.usd)
    status = site_status(site)
    shared = spent(LlmStore(SiteFolder(site).llm), "task", "vocabulary")
    assert shared.calls == 1
    assert sum(row.usage.usd for row in status.rows) == pytest.approx(kept.usd - shared.usd)
    assert status.month.calls == kept.calls
    shown = CliRunner().invoke(app, ["status", "--site", str(site)]).stdout
    assert f"This month so far: {kept.calls} calls" in shown
    for row in status.rows:
        assert re.search(rf"(?m)^{row.window} .* {re.escape(dollars(row.usage.usd))} ", shown)


def test_a_budget_that_is_reached_stops_cleanly_and_the_next_write_goes_on(
    tmp_path: Path, server: FaultServer
) -> None:
    site = new_site(tmp_path, server, max_output_tokens="1000", budget_usd_per_run="0.012")
    path = export(tmp_path, weeks(4))
    result = CliRunner().invoke(app, ["write", str(path), "--site", str(site), "--yes"])
    assert result.exit_code == 1
    assert "more than [model] budget_usd_per_run" in result.output
    assert "not written: " in result.output
    assert "The budget is used up: [model] budget_usd_per_run is $0.01" in result.output
    assert ledger(site).usd <= 0.012
    assert not [r for r in load_results(Warehouse(SiteFolder(site).warehouse)).values() if r.error]
    toml = site / "egregora.toml"
    toml.write_text(toml.read_text().replace("budget_usd_per_run = 0.012", "budget_usd_per_run = 5.0"))
    report = write_site(site, [])
    assert (report.stopped, report.unwritten) == ("", [])
    assert plan_site(site).nothing_to_do
    bodies = [str(seen.body) for seen in server.seen]
    assert len(bodies) == len(set(bodies))  # nothing was paid twice


def test_a_wrong_key_is_one_error_and_no_window_is_failed_for_it(tmp_path: Path, server: FaultServer) -> None:
    site = new_site(tmp_path, server)
    server.keys = ("another",)
    report = write_site(site, [export(tmp_path, weeks(4))], yes=True)
    assert "refused the key" in report.stopped
    assert report.failed == {}
    assert len(report.unwritten) == 4
    assert len(server.seen) <= 8  # what was in flight


def redo(site: Path, stage: str = "posts", window: str = FIRST) -> WriteReport:
    return redo_windows(site, [stage], [window])


def test_redo_asks_the_service_anew_and_touches_no_other_window(site: Path, server: FaultServer) -> None:
    before = stored(site)
    report = redo(site)
    assert tasks(server) == ["posts"]
    assert report.windows_written == [FIRST]
    assert report.calls == 1
    after = stored(site)
    assert {key for key in after if after[key] != before[key]} == {("posts", FIRST)}
    assert plan_site(site).nothing_to_do


def test_redo_of_several_windows_has_one_budget(site: Path, server: FaultServer) -> None:
    toml = site / "egregora.toml"
    text = toml.read_text().replace("max_output_tokens = 32768", "max_output_tokens = 1000")
    # A post costs $0.0013 and is reserved with less than $0.005.
    toml.write_text(text.replace("budget_usd_per_run = 10.0", "budget_usd_per_run = 0.005"))
    before = stored(site)
    report = redo_windows(site, ["posts"], [FIRST, SECOND])
    assert tasks(server) == ["posts"]
    assert "budget_usd_per_run is $0.0050" in report.stopped
    after = stored(site)
    assert {key for key in after if after[key] != before[key]} == {("posts", FIRST)}


def test_redo_that_fails_leaves_the_text_the_site_and_what_is_stored(site: Path, server: FaultServer) -> None:
    before, pages = stored(site), tree(site / "site")
    server.always = lambda seen: "SAFETY" if seen.task == "posts" else None
    report = redo(site)
    assert "what was there is kept" in report.failed[FIRST]
    assert stored(site) == before
    assert tree(site / "site") == pages
    assert plan_site(site).nothing_to_do


def test_redo_of_what_isnt_there_says_what_is(site: Path, server: FaultServer) -> None:
    with pytest.raises(UserError, match=r"Did you mean 2025-01-20"):
        redo(site, window="2025-01-21")
    with pytest.raises(UserError, match="enrichments, digests, profiles, posts, banners"):
        redo(site, stage="site")
    assert server.seen == []
    lonely = CliRunner().invoke(app, ["write", "--redo", "posts", "--site", str(site)])
    assert lonely.exit_code == 2
    assert "--window" in lonely.output


def test_what_a_fallback_made_is_named_and_done_again_only_when_the_owner_asks(
    site: Path, server: FaultServer
) -> None:
    def refuse(seen: Seen) -> str | None:
        return "SAFETY" if seen.task == "posts" else None

    server.always = refuse
    write_site(site, [export(site.parent, weeks(3))])
    window = "2025-01-27"
    server.always = lambda seen: None
    assert write_site(site, []).nothing_to_do
    assert plan_site(site).degraded[window, "posts"] == "offline"
    shown = CliRunner().invoke(app, ["plan", "--site", str(site)]).stdout
    assert f"egregora write --redo posts --window {window}" in shown
    row = next(row for row in site_status(site).rows if row.window == window)
    assert row.stages["posts"] == ("degraded", "made by offline")
    redo(site, window=window)
    assert (window, "posts") not in plan_site(site).degraded


def test_a_trial_prints_posts_and_leaves_everything_as_it_was(site: Path, server: FaultServer) -> None:
    before, pages, paid = stored(site), tree(site / "site"), ledger(site).usd
    prompt = site.parent / "brief.jinja"
    prompt.write_text('{% extends "builtin/posts.jinja" %}{% block system %}Be very brief.{% endblock %}')
    trial = try_window(site, FIRST, model="gemini-3.5-flash-lite", prompt=prompt)
    assert [seen.model for seen in server.seen] == ["gemini-3.5-flash-lite"]
    assert server.seen[0].system == "Be very brief."
    assert "# A day in the garden" in str(trial)
    assert "> @" in str(trial)
    assert "$" in str(trial)
    assert ledger(site).usd > paid
    assert stored(site) == before
    assert tree(site / "site") == pages
    assert plan_site(site).nothing_to_do


def test_a_trial_with_the_offline_provider_sends_nothing(site: Path, server: FaultServer) -> None:
    result = CliRunner().invoke(app, ["try", "--window", FIRST, "--model", "offline", "--site", str(site)])
    assert result.exit_code == 0
    assert "offline-" in result.stdout
    assert server.seen == []


def test_a_trial_that_comes_to_nothing_says_why(site: Path, server: FaultServer) -> None:
    server.always = lambda seen: "SAFETY"
    with pytest.raises(NotTried, match="SAFETY"):
        try_window(site, FIRST, model="gemini-3.5-flash-lite")
    broken = site.parent / "broken.jinja"
    broken.write_text("{% block system %}")
    with pytest.raises(NotTried, match=r"broken\.jinja"):
        try_window(site, FIRST, prompt=broken)
    with pytest.raises(NotTried, match="no model's name"):
        try_window(site, FIRST, model="a b")
