"""Forgetting somebody leaves the log of everybody else as it was, whatever is imported before or after."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from hypothesis import given

from egregora_resources.chat_log import persons as who
from egregora_resources.chat_log.erase import erase_labels, erase_names, leave_places, without_forgotten
from egregora_resources.chat_log.versions import recombine_all
from egregora_resources.inputs.export import Export
from egregora_resources.privacy.forgotten import Forgotten, hash_names
from egregora_tests.chat_log.conftest import Log, export, say
from egregora_tests.chat_log.test_property import COMMON, NUMBER, Case, cases, written

CARLA = ["Carla", NUMBER]
KEY = b"secret"


def hashed(value: str) -> str:
    return hashlib.blake2b(value.encode(), key=KEY, digest_size=16).hexdigest()


def forgotten(names: Sequence[str], others: Sequence[str] = ("Ana", "Bruno")) -> Forgotten:
    return Forgotten(hash_names(names, others, hashed, "en"), hashed)


def forget(log: Log, names: Sequence[str], known: Forgotten) -> None:
    leave_places(log.con, names, known)
    erase_names(log.con, known)
    erase_labels(log.con, known)
    for table, column in (("author_names", "name"), ("export_names", "name"), ("common_texts", "name")):
        log.con.execute(f"DELETE FROM {table} WHERE list_contains(?, {column})", [list(names)])
    log.con.execute("DELETE FROM common_texts WHERE list_contains(?, other)", [list(names)])
    recombine_all(log.con, who.known_persons(log.con).printed())
    log.con.execute("DELETE FROM authors WHERE author_id NOT IN (SELECT author_id FROM author_names)")


def everything(log: Log) -> str:
    """The log, all versions of it, and all names."""
    tables = (
        "raw_messages",
        "minute_versions",
        "author_names",
        "export_names",
        "export_files",
        "common_texts",
    )
    return str([log.con.execute(f"FROM {table}").fetchall() for table in tables])


def test_a_forgotten_persons_messages_are_empty_places_without_a_name() -> None:
    log, known = Log(), forgotten(["Carla"])
    log.add(export([say(0, "Ana", "morning"), say(1, "Carla", "secret plan"), say(2, "Ana", "bye")], "one"))
    before = [row[0] for row in log.rows()]
    forget(log, ["Carla"], known)
    assert [row[0] for row in log.rows()] == before
    assert [(row[2], row[3], row[4]) for row in log.rows()] == [
        ("Ana", "text", "morning"), (None, "forgotten", ""), ("Ana", "text", "bye"),
    ]  # fmt: skip
    assert "Carla" not in everything(log)
    assert "secret" not in everything(log)


def test_a_forgotten_name_leaves_what_others_wrote_in_every_way_it_is_written() -> None:
    names = ["Carla Mendes", NUMBER]
    texts = [
        "@\u2068Carla Mendes\u2069 are you there?",
        "ask carla mendes, or Carla",
        "her number is +55 (11) 98765-4321",
        "see https://example.org/carla.mendes and carla.mendes@example.org",
        f"@\u2068{NUMBER}\u2069 hello",
    ]
    log, known = Log(), forgotten(names)
    log.add(export([say(n, "Ana", text) for n, text in enumerate(texts)], "one"))
    forget(log, names, known)
    left = everything(log).casefold()
    assert "carla" not in left
    assert "98765" not in left
    assert "are you there?" in left
    # What is left of an address would be read as another one by who proves the site.
    assert "see [link] and [e-mail]" in log.texts()


def test_words_and_people_that_only_look_like_a_forgotten_name_stay() -> None:
    texts = ["will you come?", "Carla Souza said so", "@\u2068Will Souza\u2069 hi", "12345678901"]
    log, known = Log(), forgotten(["Will"], ["Ana", "Carla Souza", "Will Souza"])
    log.add(export([say(n, "Ana", text) for n, text in enumerate(texts)], "one"))
    forget(log, ["Will"], known)
    assert log.texts() == texts


def without(case: Case, log: Log, known: Forgotten, exports: Sequence[Export]) -> None:
    for one in exports:
        log.add(without_forgotten(one, known), modified=written(case, one))


def others(log: Log) -> list[tuple[Any, ...]]:
    return [row for row in log.rows() if row[3] != "forgotten"]


@COMMON
@given(cases(renames=False))
def test_importing_the_same_exports_again_after_forgetting_changes_nothing(case: Case) -> None:
    log, known = Log(), forgotten(CARLA)
    without(case, log, forgotten([]), case.exports)
    before = others(log)
    places = len(log.rows())
    forget(log, CARLA, known)
    assert len(log.rows()) == places
    assert [row for row in before if row[2] not in CARLA] == others(log)
    left = log.rows()
    copies = [replace(one, digest=f"copy of {one.digest}") for one in case.exports]
    for copy, one in zip(copies, case.exports, strict=True):
        log.add(without_forgotten(copy, known), modified=written(case, one))
    assert log.rows() == left
    assert "Carla" not in everything(log)


@COMMON
@given(cases())
def test_any_order_of_imports_and_forgetting_gives_the_same_log(case: Case) -> None:
    known = forgotten(CARLA)
    early, late, between = Log(), Log(), Log()
    without(case, early, known, case.exports)
    without(case, late, forgotten([]), case.exports)
    forget(late, CARLA, known)
    without(case, between, forgotten([]), case.exports[:1])
    forget(between, CARLA, known)
    without(case, between, known, case.exports[1:])
    assert between.rows() == early.rows() == late.rows()
