"""What is recomputed, and what is not: the plan compares what is wanted with what is stored, and the runner agrees."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from egregora_assets.pipeline.open_window import running_window
from egregora_resources.warehouse.windows import active_windows
from egregora_tests.providers import WatchedProvider
from egregora_tests.small_site import WITHOUT_SITE, SmallSite
from egregora_tests.weekly_chat import NAMES, reworded, said, week, weeks

WEEKS = ["2025-01-13", "2025-01-20", "2025-01-27", "2025-02-03"]
LAST = WEEKS[-1]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four weeks, written."""
    site = SmallSite(tmp_path_factory.mktemp("written") / "blog")
    site.get(weeks(4))
    assert site.run().failed == {}
    site.forget_runs()
    return site.folder.root


@pytest.fixture
def site(written: Path, tmp_path: Path) -> SmallSite:
    """A copy of it."""
    return SmallSite(Path(shutil.copytree(written, tmp_path / "blog")))


def test_everything_is_new_at_first(tmp_path: Path):
    site = SmallSite(tmp_path)
    site.get(weeks(2))
    assert site.stale() == {window: dict.fromkeys(WITHOUT_SITE, "new") for window in WEEKS[:2]}


def test_an_unchanged_chat_leaves_nothing_to_do(site: SmallSite):
    site.get(weeks(4), files={"note.txt": b"another container"})
    assert site.plan().nothing_to_do
    outcome = site.run()
    assert site.provider.asked == []
    assert outcome.results == []
    assert len(outcome.fresh) == 4 * len(WITHOUT_SITE)


def test_a_changed_text_is_recomputed_in_its_window_in_every_stage_that_depends_on_it(site: SmallSite):
    before = site.posts()
    site.get(reworded(weeks(4), 15, "Larch boards cost a full nineteen pounds each at the timber yard now"))
    stale = site.stale()
    assert list(stale) == ["2025-01-20"]
    assert stale["2025-01-20"]["messages"] == "messages changed"
    assert set(stale["2025-01-20"]) == set(WITHOUT_SITE)
    site.run()
    made = site.made()
    assert {window for windows in made.values() for window in windows} == {"2025-01-20"}
    assert {"messages", "digests", "profiles", "posts"} <= made.keys()
    after = site.posts()
    assert {post: after[post] for post in after if not post.startswith("2025-01-20")} == {
        post: before[post] for post in before if not post.startswith("2025-01-20")
    }
    assert site.plan().nothing_to_do


def test_a_command_that_changes_no_message_changes_nothing_behind_the_messages(site: SmallSite):
    site.get(said(weeks(4), NAMES[0], '/egregora set alias "Mari"', 1))
    site.run()
    assert site.made() == {"messages": {"2025-01-20"}}
    assert [m.alias for m in site.context().people.members if m.alias] == ["Mari"]


def test_an_opt_out_recomputes_the_windows_where_they_spoke_or_were_named(tmp_path: Path):
    site = SmallSite(tmp_path)
    three = [NAMES[0], NAMES[1], NAMES[3]]
    lines = weeks(1) + [line for line in weeks(4, three) if line.time > weeks(1)[-1].time]
    lines = said(lines, NAMES[0], f"{NAMES[2].split()[0]} has the key of the clock tower", 2)
    site.get(lines)
    site.run()
    site.forget_runs()
    site.get(said(lines, NAMES[2], "/egregora opt-out", 0))
    stale = [window for window, stages in site.stale().items() if "messages" in stages]
    assert stale == ["2025-01-13", "2025-01-27"]
    site.run()
    rest = repr(site.warehouse.rows("SELECT text FROM messages")) + repr(
        site.warehouse.rows("SELECT * FROM documents")
    )
    assert "Ingrid" not in rest
    for line in weeks(1):
        if line.author == NAMES[2]:
            assert line.text not in rest


def test_opting_in_again_brings_everything_back(site: SmallSite):
    before = site.posts()
    out = said(weeks(4), NAMES[2], "/egregora opt-out", 3, 201)
    site.get(out)
    site.run()
    assert site.posts() != before
    site.get(said(out, NAMES[2], "/egregora opt-in", 3, 202))
    site.run()
    assert site.posts() == before


def test_a_deleted_message_leaves_the_documents(site: SmallSite):
    lines = reworded(weeks(4), 14, "This message was deleted")
    site.get(lines)
    site.run()
    kept = repr(site.warehouse.rows("SELECT text FROM messages WHERE window_key = '2025-01-20'"))
    assert "greenhouse roof this morning" not in kept
    assert site.made()["posts"] == {"2025-01-20"}


def test_settings_recompute_the_stages_that_read_them(site: SmallSite):
    site.set(model={"instructions": "Write about wood."})
    assert {tuple(stages) for stages in site.stale().values()} == {("posts", "banners")}
    assert {stages["posts"] for stages in site.stale().values()} == {"settings changed"}
    site.set(model={"instructions": ""})
    assert site.plan().nothing_to_do
    site.set(pipeline={"banners": {"enabled": False}})
    assert {tuple(stages) for stages in site.stale().values()} == {("banners",)}
    site.set(pipeline={"banners": {"enabled": True}}, site={"title": "Neighbours"})
    assert site.plan().nothing_to_do


def test_another_model_recomputes_the_stage_that_uses_it(site: SmallSite):
    class Newer(WatchedProvider):
        def model(self, task: str) -> str:
            return "offline-9" if task == "profiles" else super().model(task)  # pyright: ignore[reportArgumentType]

    site.provider = Newer()
    assert {tuple(stages.items()) for stages in site.stale().values()} == {(("profiles", "model changed"),)}


def test_a_window_that_failed_is_done_by_the_next_run_alone(site: SmallSite):
    site.get(weeks(6))
    outcome = site.run(WatchedProvider(failing=["2025-02-10"]))
    assert outcome.failed == {"2025-02-10": "posts: the model is out of order (503)"}
    assert site.stale() == {
        "2025-02-10": {"posts": "failed last time", "banners": "new"},
    }
    site.run()
    assert site.provider.asked == [("write", "2025-02-10"), ("illustrate", "2025-02-10")]
    assert site.plan().nothing_to_do


def test_what_a_window_had_stays_while_its_rewriting_fails(site: SmallSite):
    before = site.posts()
    site.get(reworded(weeks(4), 15, "Larch boards cost a full nineteen pounds each at the timber yard now"))
    site.run(WatchedProvider(failing=["2025-01-20"]))
    assert site.posts() == before


def test_the_memory_of_a_post_is_fixed_when_it_is_first_written(tmp_path: Path):
    def remembered() -> dict[str, list[str]]:
        return {
            request.stretch.window: [d.window for d in request.memory] for request in site.provider.requests
        }

    site = SmallSite(tmp_path)
    lines = weeks(3) + [replace(line, time=line.time + timedelta(weeks=3)) for line in week(0)]
    site.get(lines)
    site.run()
    site.forget_runs()
    assert remembered() == {**{window: [] for window in WEEKS[:3]}, LAST: [WEEKS[0]]}
    # Another subject now, and another window that would be related: what was written is not written again.
    changed = [replace(line, text=line.text.replace("compost heap", "broken fence")) for line in week(0)]
    site.get(changed + lines[12:])
    site.run()
    assert site.made()["posts"] == {WEEKS[0]}
    site.set(model={"instructions": "Write about wood."})
    site.run()
    assert remembered()[LAST] == [WEEKS[0]]


def test_an_opt_out_and_a_retraction_rewrite_the_posts_that_remember_it(tmp_path: Path):
    site = SmallSite(tmp_path)
    three = [NAMES[0], NAMES[1], NAMES[3]]
    again = [replace(line, time=line.time + timedelta(weeks=3)) for line in week(0, three)]
    # Who is to opt out speaks in the first week alone; the fourth remembers it.
    lines = week(0) + week(1, three) + week(2, three) + again
    site.get(lines)
    site.run()
    site.forget_runs()
    site.get(said(lines, NAMES[2], "/egregora opt-out", 0))
    assert {window for window, stages in site.stale().items() if "posts" in stages} == {WEEKS[0], LAST}
    assert set(site.stale()[LAST]) == {"posts", "banners"}
    assert "opted out" in site.stale()[LAST]["posts"]
    site.run()
    assert site.made()["posts"] == {WEEKS[0], LAST}
    assert site.plan().nothing_to_do
    site.forget_runs()
    site.get(reworded(said(lines, NAMES[2], "/egregora opt-out", 0), 1, "This message was deleted"))
    site.run()
    assert site.made()["posts"] == {WEEKS[0], LAST}
    assert site.plan().nothing_to_do
    assert site.run().results == []


def test_urls_once_published_never_change(site: SmallSite):
    def slugs() -> dict[str, str]:
        return dict(site.warehouse.rows("SELECT id, slug FROM documents WHERE stage = 'posts'"))

    before = slugs()
    site.get(
        reworded(weeks(4), 15, "Turnips, turnips and again turnips: my turnips won the prize for turnips")
    )
    site.run()
    after = slugs()
    assert {post: after[post] for post in before if post in after} == {
        post: slug for post, slug in before.items() if post in after
    }
    assert len(set(after.values())) == len(after)


def test_degraded_results_are_kept(tmp_path: Path):
    site = SmallSite(tmp_path)
    site.get(weeks(1))
    site.run(WatchedProvider(degraded="the small model"))
    site.provider = WatchedProvider()
    assert site.plan().nothing_to_do


def test_a_window_with_too_little_to_say_is_skipped_with_the_reason(tmp_path: Path):
    site = SmallSite(tmp_path, pipeline={"min_messages": 13})
    site.get(weeks(1))
    site.run()
    rows = site.warehouse.rows("SELECT status, note FROM stage_results WHERE stage = 'posts'")
    assert rows == [("skipped", "too little to say: 12 messages, [pipeline] min_messages is 13")]
    assert site.provider.counts["write"] == 0
    assert site.plan().nothing_to_do


def test_a_running_window_is_written_so_far_and_again_when_it_is_over(site: SmallSite):
    notes = site.warehouse.rows(
        "SELECT window_key, front_matter->>'so_far' FROM documents WHERE stage = 'posts' GROUP BY ALL ORDER BY 1"
    )
    assert notes == [(window, "true" if window == LAST else "false") for window in WEEKS]
    site.get(weeks(5))
    assert set(site.stale()[LAST]) == {"posts", "banners"}


@pytest.mark.parametrize(("unit", "size"), [("messages", 24), ("bytes", 1700)])
def test_a_window_of_messages_or_bytes_runs_until_it_is_full(tmp_path: Path, unit: str, size: int):
    site = SmallSite(tmp_path, pipeline={"window_unit": unit, "window_size": size})
    site.get(weeks(3))
    windows = active_windows(site.warehouse)
    assert len(windows) > 1
    assert running_window(site.opened, windows) == windows[-1].key
    full = windows[-1].messages if unit == "messages" else windows[-1].bytes
    site.set(pipeline={"window_size": full})
    assert running_window(site.opened, windows) is None


def test_an_import_stands_for_an_export_of_unknown_time_by_the_sites_clock(tmp_path: Path):
    site = SmallSite(tmp_path, site={"timezone": "America/Sao_Paulo"})
    site.get(weeks(1))
    windows = active_windows(site.warehouse)
    end = windows[-1].end
    for imported, running in ((end + timedelta(hours=2), True), (end + timedelta(hours=3), False)):
        with site.warehouse.transaction() as connection:
            connection.execute("UPDATE export_files SET modified = NULL, imported_at = ?", [imported])
        assert running_window(site.opened, windows) == (windows[-1].key if running else None)


def test_the_plan_says_the_same_as_the_run_does(site: SmallSite):
    site.get(reworded(weeks(5), 15, "Larch boards cost a full nineteen pounds each at the timber yard now"))
    planned = {(stage, window) for window, stages in site.stale().items() for stage in stages}
    site.run()
    made = {(stage, window) for stage, windows in site.made().items() for window in windows}
    assert made <= planned
    # What comes behind a stage that made the same again is planned, and then found fresh.
    assert {stage for stage, _ in planned - made} <= {"media", "enrichments", "banners"}
