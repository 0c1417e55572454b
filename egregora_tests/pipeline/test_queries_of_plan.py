"""A plan is made out of a handful of queries, however many windows there are."""

from __future__ import annotations

from pathlib import Path

from egregora_assets.pipeline.plan import make_plan
from egregora_assets.stages import STAGES
from egregora_tests.fresh_site import count_queries, days, store_results
from egregora_tests.small_site import SmallSite


def fresh(root: Path, windows: int) -> SmallSite:
    site = SmallSite(root, pipeline={"window_unit": "days", "window_size": 1})
    site.get(days(windows))
    store_results(site.context(), STAGES)
    return site


def test_a_plan_takes_as_many_queries_for_two_hundred_windows_as_for_twelve(tmp_path: Path) -> None:
    few, many = fresh(tmp_path / "few", 12), fresh(tmp_path / "many", 200)
    assert [len(site.windows()) for site in (few, many)] == [12, 200]
    assert make_plan(many.context(), STAGES).nothing_to_do
    asked = [count_queries(lambda site=site: make_plan(site.context(), STAGES)) for site in (few, many)]
    assert 0 < asked[0] == asked[1] < 30


def test_a_plan_of_new_windows_takes_no_query_a_window_either(tmp_path: Path) -> None:
    asked: list[int] = []
    for windows in (12, 200):
        site = SmallSite(tmp_path / str(windows), pipeline={"window_unit": "days", "window_size": 1})
        site.get(days(windows))
        context = site.context()
        asked.append(count_queries(lambda context=context: make_plan(context, STAGES)))
    assert asked[0] == asked[1]
