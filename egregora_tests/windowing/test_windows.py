"""Where a conversation is cut, and how a window that is too long for a prompt is parted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import ibis
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from egregora_assets.windowing.cutting import UNITS, Window, WindowSettingsError, create_windows, cut_log
from egregora_assets.windowing.splitting import (
    FULL_CONTEXT_WINDOW_SIZE,
    MESSAGE_OVERHEAD_TOKENS,
    WindowSizeError,
    WindowSplitError,
    split_messages,
)
from egregora_resources.document import Message
from egregora_resources.errors import UserError

START = datetime(2025, 1, 15, 9, 0)  # a Wednesday


def table(times: Sequence[datetime], texts: Sequence[str] | None = None, **columns: Sequence[Any]) -> Any:
    return ibis.memtable(
        pa.table(
            {
                "timestamp": pa.array(times, pa.timestamp("us")),
                "author": pa.array(["Ana"] * len(times), pa.string()),
                "text": pa.array(texts or [str(n) for n in range(len(times))], pa.string()),
                **columns,
            }
        )
    )


def minutes(count: int, start: datetime = START) -> list[datetime]:
    return [start + timedelta(minutes=n) for n in range(count)]


def sizes(windows: Sequence[Window]) -> list[int]:
    return [window.messages.to_pyarrow().num_rows for window in windows]


def texts(windows: Sequence[Window]) -> list[list[str]]:
    return [window.messages.to_pyarrow()["text"].to_pylist() for window in windows]


# the table of cases/README.md


def test_a_hundred_and_twenty_messages_by_fifty_are_fifty_fifty_and_twenty():
    assert sizes(create_windows(table(minutes(120)), 50, "messages")) == [50, 50, 20]


def test_thirty_messages_by_fifty_are_one_window():
    assert sizes(create_windows(table(minutes(30)), 50, "messages")) == [30]


@pytest.mark.parametrize("unit", UNITS)
def test_no_messages_make_no_windows(unit: str):
    assert create_windows(table([]), 1, unit) == []


def test_two_messages_ten_days_apart_are_two_windows_with_none_between():
    windows = create_windows(table([START, START + timedelta(days=10)]), 1, "days")
    assert [window.label for window in windows] == ["2025-01-15", "2025-01-25"]
    assert sizes(windows) == [1, 1]


def test_nine_bytes_ten_times_by_twenty_are_pairs():
    assert sizes(create_windows(table(minutes(10), ["123456789"] * 10), 20, "bytes")) == [2, 2, 2, 2, 2]


def test_bytes_are_those_of_utf8():
    assert sizes(create_windows(table(minutes(2), ["é😀", "é😀"]), 12, "bytes")) == [2]
    assert sizes(create_windows(table(minutes(2), ["é😀", "é😀"]), 11, "bytes")) == [1, 1]


@pytest.mark.parametrize("size", [0, -1, 1.5, "7", None, True])
def test_a_size_that_is_none_is_an_error_naming_it_and_what_is_allowed(size: Any):
    with pytest.raises(WindowSettingsError) as error:
        create_windows(table(minutes(3)), size, "messages")
    assert repr(size) in str(error.value)
    assert "whole numbers from 1" in str(error.value)
    assert isinstance(error.value, UserError)
    assert isinstance(error.value, ValueError)


@pytest.mark.parametrize("unit", ["weeks", "invalid", "", "Days", None])
def test_a_unit_that_is_none_is_an_error_naming_it_and_what_is_allowed(unit: Any):
    with pytest.raises(WindowSettingsError) as error:
        create_windows(table(minutes(3)), 1, unit)
    assert repr(unit) in str(error.value)
    for allowed in UNITS:
        assert allowed in str(error.value)


def test_a_window_of_more_days_than_the_calendar_has_is_an_error():
    with pytest.raises(WindowSettingsError, match=r"40000.*36,500"):
        create_windows(table(minutes(3)), 40_000, "days")


def test_a_table_without_a_clock_is_an_error_naming_its_columns():
    with pytest.raises(WindowSettingsError, match=r"'timestamp'.*when, text"):
        create_windows(ibis.memtable({"when": ["now"], "text": ["hi"]}))


def test_a_message_without_a_time_is_an_error_naming_the_column():
    without: Any = [START, None]
    with pytest.raises(WindowSettingsError, match=r"1 without a time in column 'timestamp'"):
        create_windows(table(without))


def test_bytes_of_a_table_without_texts_are_an_error_naming_its_columns():
    with pytest.raises(WindowSettingsError, match=r"'text'; it has: timestamp, author"):
        create_windows(table(minutes(2)).drop("text"), 10, "bytes")


def test_a_message_without_a_text_has_no_bytes():
    missing: Any = ["12345", None, "67890", "x"]
    assert sizes(create_windows(table(minutes(4), missing), 10, "bytes")) == [3, 1]


# the calendar


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/Santiago", "Australia/Lord_Howe"])
@pytest.mark.parametrize("hours", [1, 5, 24])
def test_a_time_zone_s_own_clock_decides_also_when_it_is_put_forward_or_back(zone: str, hours: int):
    """Every half hour of a year: the same windows as by what the clocks on the wall showed."""
    instants = pa.array(
        [START + timedelta(minutes=30 * n) for n in range(365 * 48)], pa.timestamp("us", zone)
    )
    shown = [time.replace(tzinfo=None) for time in instants.to_pylist()]
    windows = create_windows(
        ibis.memtable(pa.table({"timestamp": instants, "text": ["x"] * len(instants)})), hours, "hours"
    )
    spans = [(t.date(), t.hour // hours) for t in shown]
    assert [window.size for window in windows] == list(Counter(spans).values())
    assert len({window.label for window in windows}) == len(windows)
    assert windows[0].start_time <= shown[0] < windows[0].end_time


def test_times_before_1902_and_after_2038_have_windows_too():
    windows = create_windows(table([datetime(1899, 12, 31, 23), datetime(2041, 1, 6)]))
    assert [window.label for window in windows] == ["1899-12-25", "2040-12-31"]


def test_seven_days_run_from_monday_to_sunday_whatever_the_first_message():
    sunday, monday = datetime(2025, 1, 19, 23, 59), datetime(2025, 1, 20, 0, 0)
    windows = create_windows(table([START, sunday, monday]))
    assert [window.label for window in windows] == ["2025-01-13", "2025-01-20"]
    assert (windows[0].start_time, windows[0].end_time) == (datetime(2025, 1, 13), monday)
    assert sizes(windows) == [2, 1]


def test_days_are_counted_from_monday_the_first_of_january_2001():
    for size in (1, 2, 3, 7, 10, 30):
        label = create_windows(table([START]), size, "days")[0].label
        since = datetime.fromisoformat(label) - datetime(2001, 1, 1)
        assert since.days % size == 0
        assert timedelta(0) <= START - datetime.fromisoformat(label) < timedelta(days=size)


def test_messages_before_2001_have_windows_too():
    window = create_windows(table([datetime(2000, 12, 31, 23, 59)]))[0]
    assert (window.label, window.end_time) == ("2000-12-25", datetime(2001, 1, 1))


def test_hours_restart_at_midnight():
    day = datetime(2025, 1, 15)
    windows = create_windows(table([day + timedelta(hours=h) for h in range(48)]), 7, "hours")
    assert [w.label for w in windows[:5]] == [
        "2025-01-15T00",
        "2025-01-15T07",
        "2025-01-15T14",
        "2025-01-15T21",
        "2025-01-16T00",
    ]
    assert sizes(windows) == [7, 7, 7, 3] * 2
    assert windows[3].end_time == datetime(2025, 1, 16)


def test_the_sessions_time_zone_moves_no_wall_clock():
    connection = ibis.duckdb.connect()
    connection.raw_sql("SET timezone = 'America/Sao_Paulo'")
    connection.create_table("said", pa.table({"timestamp": [datetime(2025, 1, 15, 0, 30)], "text": ["hi"]}))
    window = create_windows(connection.table("said"), 1, "hours")[0]
    assert window.label == "2025-01-15T00"
    assert window.messages.to_pyarrow()["timestamp"][0].as_py() == datetime(2025, 1, 15, 0, 30)


def test_a_window_knows_its_span_and_reads_nothing_until_asked():
    window = create_windows(table(minutes(90)), 60, "messages")[0]
    assert (window.start_time, window.end_time) == (START, START + timedelta(minutes=59))
    assert window.size == 60
    assert hasattr(window.messages, "execute")
    assert window.messages.columns == ("timestamp", "author", "text")


def test_an_id_orders_messages_of_the_same_minute():
    windows = create_windows(table([START] * 4, list("dbca"), id=[4, 2, 3, 1]), 2, "messages")
    assert texts(windows) == [["a", "b"], ["c", "d"]]


def test_without_an_id_messages_of_the_same_minute_keep_their_order():
    count = 150_000  # more than a few of DuckDB's row groups
    said = table([START + timedelta(minutes=n // 500) for n in range(count)])
    windows = create_windows(said, 40_000, "messages")
    assert [text for part in texts(windows) for text in part] == [str(n) for n in range(count)]


# properties

LOGS = st.lists(
    st.tuples(st.datetimes(datetime(1999, 6, 1), datetime(2040, 1, 1)), st.text(max_size=12)), max_size=60
).map(lambda log: sorted(log, key=lambda row: row[0]))
LAYOUTS = st.one_of(
    st.tuples(st.just("days"), st.integers(1, 400)),
    st.tuples(st.just("hours"), st.integers(1, 24)),
    st.tuples(st.just("messages"), st.integers(1, 70)),
    st.tuples(st.just("bytes"), st.integers(1, 200)),
)


def arrays(log: Sequence[tuple[datetime, str]]) -> tuple[Any, Any]:
    seconds = [int((time - datetime(1970, 1, 1)).total_seconds()) for time, _ in log]
    return np.array(seconds, np.int64), np.array([len(text.encode()) for _, text in log], np.int64)


@given(log=LOGS, layout=LAYOUTS)
@settings(max_examples=150, deadline=None)
def test_windows_partition_the_log_in_order_and_none_is_empty(
    log: list[tuple[datetime, str]], layout: tuple[str, int]
):
    unit, size = layout
    seconds, lengths = arrays(log)
    cuts = cut_log(seconds, lengths, size, unit)
    covered = [row for cut in cuts for row in range(cut.first, cut.last + 1)]
    assert covered == list(range(len(log)))
    assert all(cut.first <= cut.last for cut in cuts)
    labels = [cut.label for cut in cuts]
    assert len(set(labels)) == len(labels)
    assert not any(set(label) & set(",|.:/ ") for label in labels)
    for cut in cuts:
        held = log[cut.first : cut.last + 1]
        if unit in ("days", "hours"):
            assert all(cut.start <= time.replace(microsecond=0) < cut.end for time, _ in held)
        elif unit == "messages":
            assert len(held) == size or cut is cuts[-1]
        else:
            weight = int(lengths[cut.first : cut.last + 1].sum())
            assert weight <= size or len(held) == 1


@given(log=LOGS, layout=LAYOUTS, moment=st.datetimes(datetime(1999, 6, 1), datetime(2040, 1, 1)))
@settings(max_examples=100, deadline=None)
def test_calendar_windows_dont_depend_on_other_messages(
    log: list[tuple[datetime, str]], layout: tuple[str, int], moment: datetime
):
    unit, size = layout
    if unit not in ("days", "hours"):
        return
    alone = cut_log(*arrays([(moment, "")]), size, unit)[0]
    together = cut_log(*arrays(sorted([*log, (moment, "")], key=lambda row: row[0])), size, unit)
    assert (alone.label, alone.start, alone.end) in [(cut.label, cut.start, cut.end) for cut in together]


@given(log=LOGS, layout=LAYOUTS, more=st.integers(0, 20))
@settings(max_examples=150, deadline=None)
def test_a_log_that_grows_at_its_end_is_cut_the_same_up_to_its_last_window(
    log: list[tuple[datetime, str]], layout: tuple[str, int], more: int
):
    unit, size = layout
    seconds, lengths = arrays(log)
    short = cut_log(seconds[:-more] if more else seconds, lengths[:-more] if more else lengths, size, unit)
    assert cut_log(seconds, lengths, size, unit)[: max(len(short) - 1, 0)] == short[:-1]


# splitting inside a window


def said(costs: Sequence[int], gaps: Sequence[int] | None = None) -> list[Message]:
    """Messages that cost so many tokens each, so many minutes after one another."""
    time, messages = START, list[Message]()
    for n, cost in enumerate(costs):
        time += timedelta(minutes=gaps[n] if gaps else 1)
        messages.append(Message(n, time, "amber-heron", "text", "x" * (cost - MESSAGE_OVERHEAD_TOKENS)))
    return messages


def split(messages: list[Message], budget: int, max_parts: int = 100) -> list[list[int]]:
    parts = split_messages("2025-01-13", messages, len, budget=budget, max_parts=max_parts)
    return [[message.id for message in part] for part in parts]


def test_a_window_within_the_budget_is_one_part():
    assert split(said([20] * 5), 100) == [[0, 1, 2, 3, 4]]


def test_a_window_over_the_budget_is_cut_at_the_longest_silence():
    assert split(said([20] * 6, [1, 1, 90, 1, 1, 1]), 80) == [[0, 1], [2, 3, 4, 5]]


def test_without_a_silence_it_is_cut_in_the_middle():
    assert split(said([20] * 6), 100) == [[0, 1, 2], [3, 4, 5]]


def test_a_window_over_the_budget_with_splitting_off_says_so_with_its_numbers():
    with pytest.raises(WindowSizeError, match="2025-01-13") as error:
        split(said([20] * 6), 50, max_parts=1)
    e = error.value
    assert (e.window, e.tokens, e.budget, e.parts, e.max_parts) == ("2025-01-13", 120, 50, 3, 1)
    assert "splitting is off" in str(e)


def test_a_window_of_more_parts_than_allowed_says_how_many_it_would_take():
    with pytest.raises(WindowSizeError) as error:
        split(said([20] * 10), 40, max_parts=4)
    assert (error.value.parts, error.value.max_parts) == (5, 4)
    assert "at most 4 parts" in str(error.value)


def test_a_message_over_the_budget_alone_is_named():
    with pytest.raises(WindowSplitError, match="message 2") as error:
        split(said([20, 20, 300, 20]), 100)
    e = error.value
    assert (e.window, e.message, e.tokens, e.budget) == ("2025-01-13", 2, 300, 100)


def test_silences_that_would_make_too_many_parts_give_way_to_full_ones():
    # Cut at its silences this takes five parts; filled up, three are enough.
    messages = said([40, 40, 40, 40, 40, 40], [1, 1, 60, 1, 60, 1])
    assert len(split(messages, 90, max_parts=3)) == 3


def test_the_largest_context_is_a_mebitoken():
    assert FULL_CONTEXT_WINDOW_SIZE == 1_048_576


@given(
    costs=st.lists(st.integers(MESSAGE_OVERHEAD_TOKENS, 60), min_size=1, max_size=80),
    budget=st.integers(60, 400),
    gaps=st.data(),
    max_parts=st.integers(2, 12),
)
@settings(max_examples=150, deadline=None)
def test_parts_keep_every_message_in_order_within_the_budget_or_there_is_an_honest_error(
    costs: list[int], budget: int, gaps: st.DataObject, max_parts: int
):
    silences = gaps.draw(st.lists(st.integers(0, 500), min_size=len(costs), max_size=len(costs)))
    messages = said(costs, silences)
    fewest, room = 1, budget
    for cost in costs:
        if cost > room:
            fewest, room = fewest + 1, budget
        room -= cost
    if fewest > max_parts:
        with pytest.raises(WindowSizeError) as error:
            split(messages, budget, max_parts)
        assert error.value.parts == fewest
        return
    parts = split(messages, budget, max_parts)
    assert [n for part in parts for n in part] == list(range(len(costs)))
    assert len(parts) <= max_parts
    assert all(part and sum(costs[n] for n in part) <= budget for part in parts)
    assert parts == split(messages, budget, max_parts)
