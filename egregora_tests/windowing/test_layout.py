"""The stored windows of a site: stable as the log grows, retired and back again, told apart by what they hold."""

from __future__ import annotations

from pathlib import Path

import pytest

from egregora_tests.small_site import SmallSite
from egregora_tests.weekly_chat import MONDAY, NAMES, Line, reworded, said, week, weeks

WEEKS = ["2025-01-13", "2025-01-20", "2025-01-27"]


def by_messages(root: Path, size: int = 10) -> SmallSite:
    return SmallSite(root, pipeline={"window_unit": "messages", "window_size": size})


def test_an_import_lays_weeks_out_over_the_merged_log(tmp_path: Path):
    site = SmallSite(tmp_path)
    change = site.get(weeks(3)).layout
    assert change is not None
    assert (list(change.new), list(change.changed), list(change.retired)) == (WEEKS, [], [])
    assert site.windows() == [(key, 12) for key in WEEKS]


def test_a_changed_text_changes_its_window_and_no_other(tmp_path: Path):
    site = SmallSite(tmp_path)
    site.get(weeks(3))
    change = site.get(reworded(weeks(3), 15, "Larch boards cost nineteen pounds now")).layout
    assert change is not None
    assert (list(change.new), list(change.changed), list(change.retired)) == ([], ["2025-01-20"], [])


@pytest.mark.parametrize(("unit", "size"), [("messages", 10), ("bytes", 500)])
def test_growth_at_the_end_fills_the_last_window_and_cuts_no_other(tmp_path: Path, unit: str, size: int):
    site = SmallSite(tmp_path, pipeline={"window_unit": unit, "window_size": size})
    site.get(weeks(2))
    before = site.windows()
    site.get(weeks(4))
    after = site.windows()
    assert after[: len(before) - 1] == before[:-1]
    assert after[len(before) - 1][0] == before[-1][0]
    grown = SmallSite(tmp_path / "at-once", pipeline={"window_unit": unit, "window_size": size})
    grown.get(weeks(4))
    assert after == grown.windows()


def test_messages_before_the_first_window_get_windows_of_their_own(tmp_path: Path):
    site = by_messages(tmp_path)
    site.get(week(1) + week(2))
    before = site.windows()
    change = site.get(weeks(3)).layout
    assert change is not None
    assert site.windows() == [("2025-01-13-1", 10), ("2025-01-13-2", 2), *before]
    assert list(change.changed) == list(change.retired) == []


def test_messages_inside_a_stored_window_stay_in_it_however_many(tmp_path: Path):
    site = by_messages(tmp_path)
    site.get(weeks(2))
    late = said(said(weeks(2), NAMES[0], "Found the crowbar", 0, 10), NAMES[1], "Good", 0, 11)
    change = site.get(late).layout
    assert change is not None
    assert site.windows() == [("2025-01-13-1", 12), ("2025-01-13-2", 10), ("2025-01-20-1", 4)]
    assert list(change.changed) == ["2025-01-13-1"]


def test_recutting_cuts_as_if_for_the_first_time(tmp_path: Path):
    site = by_messages(tmp_path)
    site.get(week(1))
    site.get(weeks(2))
    assert site.windows()[0] == ("2025-01-13-1", 10)
    assert site.lay_out() is None
    site.lay_out(recut=True)
    assert [size for _, size in site.windows()] == [10, 10, 4]


def test_an_opt_out_moves_no_cut(tmp_path: Path):
    site = by_messages(tmp_path)
    site.get(weeks(2))
    before = site.windows()
    site.get(said(weeks(2), NAMES[1], "/egregora opt-out", 1))
    after = site.windows()
    assert after[:-1] == before[:-1]
    assert after[-1] == (before[-1][0], before[-1][1] + 1)


def test_keys_hold_nothing_that_dagster_stumbles_over(tmp_path: Path):
    for unit, size in (("days", 7), ("hours", 6), ("messages", 5), ("bytes", 300)):
        site = SmallSite(tmp_path / unit, pipeline={"window_unit": unit, "window_size": size})
        site.get(weeks(2))
        keys = [key for key, _ in site.windows()]
        assert not any(set(key) & set(",|. :/\\") for key in keys)
        assert len(set(keys)) == len(keys)


def test_windows_of_another_layout_are_retired_with_their_rows_and_free_on_return(tmp_path: Path):
    site = SmallSite(tmp_path)
    site.get(weeks(3))
    site.run()
    posts = site.posts()
    change = site.lay_out(window_unit="messages", window_size=12)
    assert change is not None
    assert list(change.retired) == WEEKS
    assert site.posts() == {}  # hidden …
    assert site.warehouse.rows("SELECT count(*) FROM documents WHERE stage = 'posts'")[0][0] == len(posts)
    site.run()
    assert len(site.posts()) >= 3
    change = site.lay_out(window_unit="days", window_size=7)
    assert change is not None
    assert list(change.new) == WEEKS
    assert site.posts() == posts
    assert site.plan().nothing_to_do  # … and free on return
    assert site.run().fresh
    assert site.provider.asked == []


def test_names_learnt_while_a_window_was_retired_are_taken_out_when_it_returns(tmp_path: Path):
    site = SmallSite(tmp_path)
    lines = said(weeks(2), NAMES[0], "I met Philomena Grant at the market, she knows oak", 0)
    site.get(lines)
    site.run()
    site.lay_out(window_unit="messages", window_size=30)
    newcomer = Line(MONDAY.replace(day=27), "Philomena Grant", "Hello everybody, I am new here")
    site.get([*lines, newcomer])
    site.lay_out(window_unit="days", window_size=7)
    changed = [window for window, stages in site.stale().items() if "messages" in stages]
    assert changed == ["2025-01-13", "2025-01-27"]
    site.run()
    assert "Philomena" not in repr(site.warehouse.rows("SELECT text FROM messages"))


def test_a_newly_known_name_changes_the_windows_where_it_occurs_alone(tmp_path: Path):
    site = SmallSite(tmp_path)
    lines = said(weeks(3), NAMES[0], "Did philomena bring the keys?", 1)
    site.get(lines)
    newcomer = Line(MONDAY.replace(day=28), "Philomena Grant", "Hello everybody, I am new here")
    change = site.get([*lines, newcomer]).layout
    assert change is not None
    assert list(change.changed) == ["2025-01-20", "2025-01-27"]


def test_a_file_that_comes_with_a_later_export_changes_its_window(tmp_path: Path):
    site = SmallSite(tmp_path)
    lines = said(weeks(2), NAMES[0], "IMG-20250120-WA0001.jpg (file attached)", 1)
    site.get(lines)
    change = site.get(
        lines, files={"IMG-20250120-WA0001.jpg": b"\xff\xd8\xff\xe0 not much of a picture"}
    ).layout
    assert change is not None
    assert list(change.changed) == ["2025-01-20"]


def test_the_same_export_again_changes_nothing(tmp_path: Path):
    site = SmallSite(tmp_path)
    site.get(weeks(3))
    change = site.get(weeks(3)).layout  # the same bytes: known
    assert change is None
    change = site.get(weeks(3), files={"note.txt": b"another container"}).layout
    assert change is not None
    assert [*change.new, *change.changed, *change.retired] == []
