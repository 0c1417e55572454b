"""One person stays one person, under whatever names phones print them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from egregora_resources.chat_log.persons import ENOUGH_LETTERS, ENOUGH_TEXTS, LETTERS_PER_TEXT
from egregora_tests.chat_log.conftest import Log, chat

NUMBER = "+55 11 98765-4321"
SAID = [
    (0, "Bruno", "who comes to the lake?"),
    (1, "Ana", "I will be there at nine"),
    (1, "Ana", "ok"),
    (2, "Bruno", "great, see you"),
    (3, "Ana", "shall I bring the boat?"),
    (4, "Bruno", "please do"),
]


def with_name(name: str, label: str = "", last: int | None = None) -> list[tuple[float, str, str]]:
    return [(at, name if who == "Ana" else who, text) for at, who, text in SAID[:last]]


@pytest.mark.parametrize("other", [NUMBER, "~ Ana Souza", "Aninha"])
@pytest.mark.parametrize("named_first", [True, False])
def test_a_renamed_contact_is_found_by_the_messages_in_common(
    log: Log, other: str, named_first: bool
) -> None:
    named, renamed = chat(*SAID), chat(*with_name(other), (9, "Bruno", "later"))
    log.add(*((named, renamed) if named_first else (renamed, named)))
    assert log.texts() == [text for _, _, text in SAID] + ["later"]
    assert {name for name, _ in log.lines()} == {"Ana", "Bruno"}
    first = "Ana" if named_first else other
    assert log.authors() == {"Ana": f"id of {first}", other: f"id of {first}", "Bruno": "id of Bruno"}
    assert len(log.con.execute("SELECT * FROM authors").fetchall()) == 2


def test_a_person_keeps_the_first_id_through_three_names(log: Log) -> None:
    log.add(chat(*with_name(NUMBER)), chat(*with_name("~ Ana")), chat(*with_name("Ana")))
    assert set(log.authors().values()) == {f"id of {NUMBER}", "id of Bruno"}
    assert len(log.rows()) == len(SAID)


def test_short_words_in_common_prove_nothing(log: Log) -> None:
    log.add(chat((0, "Ana", "ok"), (1, "Bruno", "x")), chat((0, "Carla", "ok"), (1, "Bruno", "x")))
    assert log.authors()["Ana"] != log.authors()["Carla"]


def test_a_short_word_beside_one_sentence_in_common_is_enough(log: Log) -> None:
    said = [(0, "Ana", "ok!"), (1, "Bruno", "x"), (2, "Ana", "see you at the lake")]
    log.add(chat(*said), chat(*((at, NUMBER if who == "Ana" else who, text) for at, who, text in said)))
    assert log.lines() == [(who, text) for _, who, text in said]


@settings(deadline=None, max_examples=25)
@given(lengths=st.lists(st.integers(1, 40), min_size=1, max_size=60))
def test_no_more_evidence_is_kept_than_decides_and_what_is_left_out_never_does(lengths: list[int]) -> None:
    log = Log()
    texts = [f"{at:x}".rjust(length, "x")[-length:] for at, length in enumerate(lengths)]
    log.add(*(chat(*((at, name, text) for at, text in enumerate(texts))) for name in ("Ana", "Carla")))
    different = set(texts)
    decides = (
        len(different) >= ENOUGH_TEXTS
        and sum(min(len(text), LETTERS_PER_TEXT) for text in different) >= ENOUGH_LETTERS
    )
    assert (log.authors()["Ana"] == log.authors()["Carla"]) == decides
    (kept,) = log.con.execute("SELECT count(*) FROM common_texts").fetchall()[0]
    assert kept == min(len(different), ENOUGH_LETTERS)


def test_people_whom_one_phone_prints_apart_are_never_joined(log: Log) -> None:
    log.add(chat(*SAID, (5, "Carla", "I am Carla")))
    log.add(chat(*with_name("Carla"), (5, "Carla", "I am Carla")))
    assert log.authors()["Ana"] != log.authors()["Carla"]


def test_the_owner_can_say_who_is_one_person(log: Log) -> None:
    log.add(chat((0, "Ana", "hi"), (1, "Bruno", "x")))
    merged = log.add(chat((0, NUMBER, "hi"), (1, "Bruno", "x")), same=[["Ana", NUMBER]])
    assert log.lines() == [("Ana", "hi"), ("Bruno", "x")]
    assert (merged.new, merged.joined) == (0, ())


def test_what_the_owner_says_later_undoes_the_doubling(log: Log) -> None:
    second = chat((0, NUMBER, "hi"), (1, "Bruno", "x"))
    log.add(chat((0, "Ana", "hi"), (1, "Bruno", "x")), second)
    assert len(log.rows()) == 3
    merged = log.add(second, same=[["Ana", NUMBER]])
    assert log.lines() == [("Ana", "hi"), ("Bruno", "x")]
    assert merged.joined == (("id of Ana", f"id of {NUMBER}"),)
    assert len(merged.touched) == 1


def test_names_that_first_seem_two_people_become_one_when_another_export_shows_it(log: Log) -> None:
    log.add(chat(*with_name("Ana", last=4)))
    log.add(chat(*with_name(NUMBER)[3:], (6, NUMBER, "the boat is in the water"), (7, "Bruno", "lovely")))
    assert log.authors()["Ana"] != log.authors()[NUMBER]
    merged = log.add(chat(*with_name("Ana"), (6, "Ana", "the boat is in the water"), (7, "Bruno", "lovely")))
    assert merged.joined == (("id of Ana", f"id of {NUMBER}"),)
    assert len(log.rows()) == len(SAID) + 2
    assert {name for name, _ in log.lines()} == {"Ana", "Bruno"}


def test_what_was_decided_about_either_name_holds_for_the_person(log: Log) -> None:
    second = chat((0, NUMBER, "hi"), (1, "Bruno", "x"))
    log.add(chat((0, "Ana", "hi"), (1, "Bruno", "x")), second)
    decide = "INSERT INTO decisions (author_id, source, alias, bio, opted_out) VALUES (?, ?, ?, ?, ?)"
    log.con.execute(decide, ["id of Ana", "owner", "Aninha", None, False])
    log.con.execute(decide, [f"id of {NUMBER}", "owner", "Nobody", "sails", True])
    log.con.execute(decide, [f"id of {NUMBER}", "chat", "Captain", None, None])
    log.con.execute("UPDATE decisions SET opted_out_at = 7 WHERE opted_out")
    log.add(second, same=[["Ana", NUMBER]])
    rows = log.con.execute(
        "SELECT author_id, source, alias, bio, opted_out, opted_out_at FROM decisions ORDER BY source"
    ).fetchall()
    assert rows == [
        ("id of Ana", "chat", "Captain", None, None, None),
        ("id of Ana", "owner", "Aninha", "sails", True, 7),
    ]
