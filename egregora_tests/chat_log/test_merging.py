"""What becomes of messages that several exports have, one claim a test."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from egregora_tests.chat_log.conftest import Log, chat, export, minute, say

OMITTED = {"kind": "media", "media_omitted": True}
DELETED = {"kind": "deleted", "deleted": True}


def test_one_export_is_the_log_in_the_order_of_the_file(log: Log) -> None:
    merged = log.add(chat((0, "Ana", "one"), (0, "Bruno", "two"), (3, "Ana", "three")))
    start = round(minute(0).timestamp() - datetime(1970, 1, 1).timestamp()) // 60
    assert [row[0] for row in log.rows()] == [
        start * 1_000_000,
        start * 1_000_000 + 1,
        (start + 3) * 1_000_000,
    ]
    assert log.texts() == ["one", "two", "three"]
    assert (merged.new, merged.changed, merged.absent) == (3, 0, 0)
    assert merged.new_names == ("Ana", "Bruno")


def test_the_same_export_again_changes_nothing(log: Log) -> None:
    one = chat((0, "Ana", "one"), (1, "Bruno", "two"))
    log.add(one)
    before = log.rows()
    merged = log.add(one)
    assert (merged.new, merged.changed, merged.absent, merged.touched) == (0, 0, 0, ())
    assert log.rows() == before


def test_the_same_messages_in_another_container_change_nothing(log: Log) -> None:
    log.add(chat((0, "Ana", "one"), (1, "Bruno", "two"), label="zip"))
    merged = log.add(chat((0, "Ana", "one"), (1, "Bruno", "two"), label="folder"))
    assert (merged.new, merged.changed, merged.absent, merged.touched) == (0, 0, 0, ())


def test_an_export_that_goes_on_leaves_earlier_rows_untouched(log: Log) -> None:
    log.add(chat((0, "Ana", "one"), (1, "Ana", "two")))
    before = log.rows()
    merged = log.add(chat((0, "Ana", "one"), (1, "Ana", "two"), (1, "Ana", "three"), (5, "Bruno", "four")))
    assert log.rows()[:2] == before
    assert merged.new == 2
    assert all(first > before[-1][0] for first, _ in merged.touched)


def test_overlapping_exports_are_merged_without_loss_or_duplicate(log: Log) -> None:
    log.add(chat((0, "Ana", "one"), (1, "Bruno", "two"), (2, "Ana", "three")))
    merged = log.add(chat((1, "Bruno", "two"), (2, "Ana", "three"), (9, "Ana", "four")))
    assert log.texts() == ["one", "two", "three", "four"]
    assert (merged.new, merged.changed, merged.absent) == (1, 0, 0)


def test_an_export_of_an_earlier_time_goes_before_what_is_known(log: Log) -> None:
    log.add(chat((5, "Ana", "five")))
    log.add(chat((1, "Bruno", "one"), (5, "Ana", "five")))
    assert log.texts() == ["one", "five"]


def test_a_gap_between_two_exports_is_filled_by_a_third(log: Log) -> None:
    merged = log.add(
        chat((0, "Ana", "a"), (1, "Ana", "b")),
        chat((8, "Ana", "y"), (9, "Ana", "z")),
        chat((1, "Ana", "b"), (4, "Bruno", "middle"), (8, "Ana", "y")),
    )
    assert log.texts() == ["a", "b", "middle", "y", "z"]
    assert len(merged.touched) == 1


def test_one_changed_text_replaces_the_known_one_and_touches_nothing_else(log: Log) -> None:
    log.add(
        chat((0, "Ana", "one"), (0, "Ana", "twoo"), (0, "Ana", "three"), (7, "Bruno", "end"), label="old")
    )
    before = log.rows()
    merged = log.add(chat((0, "Ana", "one"), (0, "Ana", "two"), (0, "Ana", "three"), (7, "Bruno", "end")))
    assert log.texts() == ["one", "two", "three", "end"]
    assert (merged.new, merged.changed, merged.absent) == (0, 1, 0)
    assert merged.touched == ((before[1][0], before[1][0]),)


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_changed_text_is_one_message_at_the_edges_of_the_export_too(log: Log, place: int) -> None:
    said = [(0, "Ana", "one"), (0, "Ana", "two"), (4, "Ana", "three")]
    other = [
        (at, who, "quite different" if index == place else text) for index, (at, who, text) in enumerate(said)
    ]
    log.add(chat(*said), chat(*other))
    assert log.texts() == [text for _, _, text in other]


def test_the_export_that_ends_later_wins_whatever_the_order() -> None:
    short = chat((0, "Ana", "old text"), (1, "Ana", "next"))
    long = chat((0, "Ana", "new text"), (1, "Ana", "next"), (2, "Ana", "last"))
    for order in ((short, long), (long, short)):
        log = Log()
        log.add(*order)
        assert log.texts() == ["new text", "next", "last"]


def test_of_exports_that_end_together_the_one_written_later_wins() -> None:
    older, newer = chat((0, "Ana", "old"), (1, "Ana", "x")), chat((0, "Ana", "new"), (1, "Ana", "x"))
    day = datetime(2025, 4, 1)
    first, second = Log(), Log()
    first.add(older, modified=day)
    first.add(newer, modified=day + timedelta(days=1))
    second.add(newer, modified=day + timedelta(days=1))
    second.add(older, modified=day)
    assert first.texts() == second.texts() == ["new", "x"]


def test_an_export_of_unknown_age_counts_as_the_latest(log: Log) -> None:
    log.add(chat((0, "Ana", "unknown age"), (1, "Ana", "x")))
    log.add(chat((0, "Ana", "known age"), (1, "Ana", "x")), modified=datetime(2025, 4, 1))
    assert log.texts() == ["unknown age", "x"]


def test_with_nothing_else_to_tell_the_later_import_wins(log: Log) -> None:
    log.add(chat((0, "Ana", "first"), (1, "Ana", "x")), chat((0, "Ana", "second"), (1, "Ana", "x")))
    assert log.texts() == ["second", "x"]


def test_a_message_merely_missing_is_kept_and_counted(log: Log) -> None:
    log.add(chat((0, "Ana", "one"), (1, "Ana", "two"), (1, "Bruno", "three"), (2, "Ana", "four")))
    merged = log.add(chat((0, "Ana", "one"), (1, "Bruno", "three"), (2, "Ana", "four")))
    assert log.texts() == ["one", "two", "three", "four"]
    assert (merged.new, merged.changed, merged.absent, merged.touched) == (0, 0, 1, ())
    assert log.con.execute("SELECT max(absent_messages) FROM export_files").fetchall() == [(1,)]


def test_a_minute_wholly_missing_is_kept_and_counted(log: Log) -> None:
    log.add(chat((0, "Ana", "one"), (1, "Ana", "two"), (2, "Ana", "three")))
    assert log.add(chat((0, "Ana", "one"), (2, "Ana", "three"))).absent == 1
    assert log.texts() == ["one", "two", "three"]


def test_repeats_within_a_minute_are_kept_as_often_as_the_fuller_export_has_them(log: Log) -> None:
    log.add(chat((0, "Ana", "ok"), (0, "Ana", "ok"), (1, "Bruno", "x")))
    log.add(chat((0, "Ana", "ok"), (0, "Ana", "ok"), (0, "Ana", "ok"), (1, "Bruno", "x")))
    log.add(chat((0, "Ana", "ok"), (1, "Bruno", "x")))
    assert log.texts() == ["ok", "ok", "ok", "x"]


def test_two_phones_that_received_messages_in_another_order_have_the_same_messages(log: Log) -> None:
    log.add(chat((0, "Ana", "a"), (0, "Bruno", "b"), (0, "Carla", "c"), (1, "Ana", "x")))
    log.add(chat((0, "Bruno", "b"), (0, "Ana", "a"), (0, "Carla", "c"), (1, "Ana", "x")))
    assert sorted(log.texts()) == ["a", "b", "c", "x"]


def test_different_people_are_never_one_message(log: Log) -> None:
    log.add(chat((0, "Ana", "me"), (1, "Ana", "x")), chat((0, "Bruno", "me too"), (1, "Ana", "x")))
    assert sorted(log.texts()) == ["me", "me too", "x"]


def test_where_one_export_ends_and_another_begins_no_message_replaces_another(log: Log) -> None:
    log.add(chat((0, "Ana", "one"), (1, "Ana", "two")), chat((1, "Ana", "three"), (2, "Ana", "four")))
    assert log.texts() == ["one", "two", "three", "four"]


@pytest.mark.parametrize("marker_first", [True, False])
def test_a_deletion_marker_in_any_export_wins_over_text(log: Log, marker_first: bool) -> None:
    marked = export([say(0, "Ana", "This message was deleted", **DELETED), say(1, "Bruno", "why?")])
    spoken = export([say(0, "Ana", "secret"), say(1, "Bruno", "why?"), say(5, "Bruno", "later")])
    log.add(*((marked, spoken) if marker_first else (spoken, marked)))
    assert log.texts() == ["This message was deleted", "why?", "later"]
    assert [row[7] for row in log.rows()] == [True, False, False]


def test_a_deleted_picture_is_not_referred_to_any_more(log: Log) -> None:
    log.add(export([say(0, "Ana", "look", kind="media", attachment="IMG-1.jpg"), say(1, "Ana", "x")]))
    log.add(export([say(0, "Ana", "This message was deleted", **DELETED), say(1, "Ana", "x")]))
    assert [row[5] for row in log.rows()] == [None, None]


@pytest.mark.parametrize("edited_first", [True, False])
def test_an_edited_text_wins_over_the_unedited_one(log: Log, edited_first: bool) -> None:
    edited = export([say(0, "Ana", "at eight", edited=True), say(1, "Bruno", "fine")])
    plain = export([say(0, "Ana", "at nine"), say(1, "Bruno", "fine"), say(5, "Bruno", "later")])
    log.add(*((edited, plain) if edited_first else (plain, edited)))
    assert log.texts() == ["at eight", "fine", "later"]
    assert log.rows()[0][6] is True


@pytest.mark.parametrize("known_first", [True, False])
@pytest.mark.parametrize("marker", ["<Media omitted>", "image omitted"])
def test_media_known_once_stay_known_with_their_caption(log: Log, known_first: bool, marker: str) -> None:
    known = export([say(0, "Ana", "the view", kind="media", attachment="IMG-1.jpg"), say(1, "Ana", "x")])
    omitted = export([say(0, "Ana", marker, **OMITTED), say(1, "Ana", "x"), say(2, "Ana", "y")])
    log.add(*((known, omitted) if known_first else (omitted, known)))
    first = log.rows()[0]
    assert first[3:9] == ("media", "the view", "IMG-1.jpg", False, False, False)
    assert log.texts() == ["the view", "x", "y"]


def test_several_pictures_of_one_minute_stay_apart(log: Log) -> None:
    end = say(1, "Ana", "x")
    log.add(export([*(say(0, "Ana", "<Media omitted>", **OMITTED) for _ in range(3)), end]))
    log.add(export([say(0, "Ana", "", kind="media", attachment=f"IMG-{n}.jpg") for n in range(3)] + [end]))
    log.add(export([*(say(0, "Ana", "<Media omitted>", **OMITTED) for _ in range(3)), end], "again"))
    assert [row[5] for row in log.rows()] == ["IMG-0.jpg", "IMG-1.jpg", "IMG-2.jpg", None]


def test_a_text_never_becomes_a_picture(log: Log) -> None:
    log.add(export([say(0, "Ana", "hello"), say(1, "Ana", "x")]))
    log.add(export([say(0, "Ana", "", kind="media", attachment="IMG-1.jpg"), say(1, "Ana", "x")]))
    assert len(log.rows()) == 3


@pytest.mark.parametrize("ios_first", [True, False])
def test_seconds_are_kept_if_any_export_has_them(log: Log, ios_first: bool) -> None:
    ios = chat((0.7, "Ana", "one"), (0.8, "Bruno", "two"))
    android = chat((0, "Ana", "one"), (0, "Bruno", "two"), (3, "Ana", "three"))
    log.add(*((ios, android) if ios_first else (android, ios)))
    assert [row[1].second for row in log.rows()] == [42, 48, 0]
    assert log.texts() == ["one", "two", "three"]


def test_an_hour_printed_twice_keeps_the_order_of_the_file(log: Log) -> None:
    said = [(0, "Ana", "a"), (50, "Ana", "b"), (10, "Ana", "c"), (40, "Ana", "d"), (70, "Ana", "e")]
    log.add(chat(*said[:3]))
    known = log.rows()
    log.add(chat(*said))
    assert log.texts() == ["a", "b", "c", "d", "e"]
    assert log.rows()[:3] == known
    log.add(chat(*said[2:], (71, "Ana", "f")))
    assert log.texts() == ["a", "b", "c", "d", "e", "f"]


@pytest.mark.parametrize("wrong", [-500_000, 2_000_000])
def test_a_phone_with_a_wrong_clock_moves_only_its_own_message_and_that_not_far(log: Log, wrong: int) -> None:
    said = [(0, "Ana", "a"), (1, "Ana", "b"), (wrong, "Bruno", "c"), (2, "Ana", "d"), (3, "Ana", "e")]
    log.add(chat(*said))
    assert log.texts() == ["a", "b", "c", "d", "e"]
    ids = [row[0] for row in log.rows()]
    assert ids[2] == ids[1] + 1
    log.add(chat(*said[1:], (9, "Ana", "f")))
    assert log.texts() == ["a", "b", "c", "d", "e", "f"]


def test_notices_of_the_app_are_one_in_any_language(log: Log) -> None:
    notice = {"kind": "notice", "is_system": True}
    log.add(
        export([say(0, None, "You created the group", **notice), say(0, "Ana", "hi"), say(1, "Ana", "x")])
    )
    log.add(export([say(0, None, "Ana criou o grupo", **notice), say(0, "Ana", "hi"), say(1, "Ana", "x")]))
    assert log.texts() == ["Ana criou o grupo", "hi", "x"]


def test_an_export_without_messages_is_noted_and_changes_nothing(log: Log) -> None:
    log.add(chat((0, "Ana", "one")))
    merged = log.add(export([], "empty"))
    assert (merged.new, merged.touched) == (0, ())
    assert log.texts() == ["one"]
    assert log.con.execute("SELECT count(*) FROM export_files").fetchall() == [(2,)]
