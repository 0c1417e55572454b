"""Any set of exports of one true chat gives one log, whatever the order in which they are imported."""

from __future__ import annotations

import os
import random
from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import permutations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from egregora_resources.inputs.export import Export
from egregora_tests.chat_log.conftest import START, Line, Log, export

NUMBER = "+55 11 98765-4321"
WORDS = ["ok", "ok", "haha", "yes", "see you at the station", "who brings the tea?", "no", "on my way home"]


@dataclass(frozen=True)
class Message:
    """A message of the true chat, with what happens to it later."""

    number: int
    line: Line
    edited_at: int | None = None  # as known to exports made when so many messages had been sent
    deleted_at: int | None = None


def true_chat(rng: random.Random, size: int, disorder: bool) -> list[Message]:
    clock, messages = START, []
    for number in range(size):
        clock += timedelta(seconds=rng.choice([0, 5, 5, 20, 40, 90, 300]))
        printed = clock
        if disorder and rng.random() < 0.1:
            printed += timedelta(minutes=rng.choice([-60, -3, -1, 2, 60, -60 * 24 * 30, 60 * 24 * 400]))
        author = rng.choice(["Ana", "Bruno", "Ana", "Carla"])
        text = rng.choice(WORDS) if rng.random() < 0.6 else f"message number {number} of this chat"
        line = Line(printed, author, text)
        chance = rng.random()
        message = Message(number, line)
        if chance < 0.08:
            message = replace(
                message,
                line=replace(
                    line, kind="media", text=rng.choice(["", "look"]), attachment=f"IMG-{number}.jpg"
                ),
            )
        elif chance < 0.16:
            message = replace(message, edited_at=number + rng.randrange(1, size))
        elif chance < 0.22:
            message = replace(message, deleted_at=number + rng.randrange(1, size))
        messages.append(message)
    return messages


def as_exported(message: Message, made_at: int, *, media: bool, seconds: bool, number: bool) -> Line:
    line = message.line
    if not seconds:
        line = replace(line, timestamp=line.timestamp.replace(second=0))
    if number and line.author == "Carla":
        line = replace(line, author=NUMBER)
    if message.deleted_at is not None and message.deleted_at <= made_at:
        return replace(line, text="This message was deleted", kind="deleted", deleted=True, attachment=None)
    if message.edited_at is not None and message.edited_at <= made_at:
        return replace(line, text=line.text + " (corrected)", edited=True)
    if line.attachment and not media:
        return replace(line, text="<Media omitted>", attachment=None, media_omitted=True)
    return line


@dataclass(frozen=True)
class Case:
    """A true chat, and what several phones export of it, in the order in which they do so."""

    chat: list[Message]
    exports: list[Export]
    rng: random.Random


@st.composite
def cases(
    draw: st.DrawFn, *, disorder: bool = False, changes: bool = True, gaps: bool = True, renames: bool = True
) -> Case:
    rng = random.Random(draw(st.integers(0, 2**32)))
    size = draw(st.integers(2, 30))
    chat = true_chat(rng, size, disorder)
    if not changes:
        chat = [Message(message.number, message.line) for message in chat if message.line.kind == "text"]
    exports: list[Export] = []
    for index in range(draw(st.integers(2, 4))):
        first = rng.choice([0, 0, rng.randrange(size)])
        made_at = rng.randrange(first, size) + 1
        media, seconds, number = rng.random() < 0.5, rng.random() < 0.3, renames and rng.random() < 0.2
        missing = rng.choice([0, 0, 0.1]) if gaps else 0
        part = [m for m in chat if first <= m.number < made_at and rng.random() >= missing]
        lines = [as_exported(m, made_at, media=media, seconds=seconds, number=number) for m in part]
        exports.append(export(lines, str(index)))
    return Case(chat, exports, rng)


def written(case: Case, one: Export) -> datetime:
    return datetime(2025, 5, 1) + timedelta(days=case.exports.index(one))


def logs_of_some_orders(case: Case) -> list[Log]:
    orders = list(permutations(case.exports))
    logs: list[Log] = []
    for order in case.rng.sample(orders, min(3, len(orders))):
        logs.append(Log())
        for one in order:
            logs[-1].add(one, modified=written(case, one))
    return logs


COMMON = settings(
    max_examples=int(os.environ.get("EGREGORA_EXAMPLES", "8")),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)


@COMMON
@given(cases())
def test_any_order_of_imports_gives_the_same_log(case: Case) -> None:
    first, *others = logs_of_some_orders(case)
    assert all(log.rows() == first.rows() for log in others)


@COMMON
@given(cases(disorder=True))
def test_any_order_gives_the_same_log_when_clocks_go_back(case: Case) -> None:
    first, *others = logs_of_some_orders(case)
    assert all(log.rows() == first.rows() for log in others)


@COMMON
@given(cases(disorder=True))
def test_importing_everything_again_changes_nothing(case: Case) -> None:
    log = logs_of_some_orders(case)[0]
    before = log.rows()
    for one in case.exports:
        copy = replace(one, digest=f"copy of {one.digest}")
        assert log.add(one, modified=written(case, one)).touched == ()
        assert log.add(copy, modified=written(case, one)).new == 0
    assert log.rows() == before


@COMMON
@given(cases(changes=False, gaps=False, renames=False))
def test_the_log_has_every_message_as_often_as_the_fullest_export(case: Case) -> None:
    fullest: Counter[tuple[str | None, datetime, str]] = Counter()
    for one in case.exports:
        fullest |= Counter(
            (row["author"], row["timestamp"].replace(second=0), row["text"])
            for row in one.messages.to_pylist()
        )
    rows = logs_of_some_orders(case)[0].rows()
    assert Counter((name, ts.replace(second=0), text) for _, ts, name, _, text, *_ in rows) == fullest


@COMMON
@given(st.integers(0, 2**32))
def test_the_exports_that_one_phone_makes_over_time_come_to_the_latest_one(seed: int) -> None:
    rng = random.Random(seed)
    chat = true_chat(rng, rng.randrange(2, 30), disorder=False)
    opening = Message(-1, Line(START - timedelta(hours=1), None, "Ana created the group", kind="notice"))
    ends = [
        index + 1
        for index, message in enumerate(chat)
        if index + 1 == len(chat) or chat[index + 1].line.timestamp.minute != message.line.timestamp.minute
    ]
    exports = [
        export([as_exported(m, end, media=True, seconds=False, number=False) for m in [opening, *chat[:end]]])
        for end in sorted({*rng.choices(ends, k=3), len(chat)})
    ]
    rows = logs_of_some_orders(Case(chat, exports, rng))[0].rows()
    latest = [Line(**row) for row in exports[-1].messages.to_pylist()]
    assert [(row[2], *row[4:8]) for row in rows] == [
        (one.author, one.text, one.attachment, one.edited, one.deleted) for one in latest
    ]
