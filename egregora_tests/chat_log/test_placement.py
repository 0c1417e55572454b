"""Messages are numbered in the order of the file, whatever the clock says."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from egregora_resources.chat_log.placement import POSITIONS, Knot, Segments, place


def effective(minutes: list[int]) -> list[int]:
    return (place(np.array(minutes, np.int64)).ids // POSITIONS).tolist()


@given(st.lists(st.integers(0, 10**7), max_size=60))
def test_ids_always_increase_along_the_file(minutes: list[int]) -> None:
    ids = place(np.array(minutes, np.int64)).ids
    assert bool(np.all(np.diff(ids) > 0))
    assert set((ids // POSITIONS).tolist()) <= set(minutes)


def test_a_clock_that_goes_on_is_believed() -> None:
    assert effective([5, 5, 6, 900, 90_000]) == [5, 5, 6, 900, 90_000]


def test_an_hour_printed_twice_is_counted_at_its_end() -> None:
    assert effective([100, 159, 100, 130, 160]) == [100, 159, 159, 159, 160]


def test_one_wild_clock_is_outvoted() -> None:
    assert effective([100, 101, 9_000_000, 102, 103]) == [100, 101, 101, 102, 103]
    assert effective([10_100, 10_101, 3, 10_102]) == [10_100, 10_101, 10_101, 10_102]
    assert effective([9_000_000, 100, 101, 102]) == [100, 100, 101, 102]


def test_minutes_that_knots_share_are_ordered_together() -> None:
    parts = Segments([Knot(10, 20, True), Knot(15, 30, True), Knot(99, 12, False), Knot(50, 60, True)]).parts
    assert parts == [(10, 30, 10), (50, 60, 50), (99, 99, 10)]
