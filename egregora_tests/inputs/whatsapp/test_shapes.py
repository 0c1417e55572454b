"""Messages printed in any header shape of the catalogue are read back exactly, by either way of scanning."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from egregora_resources.inputs.registry import read_export
from egregora_resources.inputs.whatsapp.scan import scan, scan_by_regex
from egregora_resources.inputs.whatsapp.shape import learn


@dataclass(frozen=True)
class Printed:
    """How some phone prints a header."""

    name: str
    order: str
    header: Callable[[datetime], str]
    seconds: bool = False


def _twelve(moment: datetime) -> int:
    return moment.hour % 12 or 12


def _in(zero: str, text: str) -> str:
    return "".join(chr(ord(zero) + int(char)) if char.isascii() and char.isdigit() else char for char in text)


CATALOGUE = [
    Printed("en-GB", "day-first", lambda m: f"{m:%d/%m/%Y, %H:%M} - "),
    Printed("en-IN", "day-first", lambda m: f"{m:%d/%m/%y}, {_twelve(m)}:{m:%M} {'am' if m.hour < 12 else 'pm'} - "),
    Printed("en-US", "month-first", lambda m: f"{m.month}/{m.day}/{m:%y}, {_twelve(m)}:{m:%M}\u202f{m:%p} - "),
    Printed("en-US 24", "month-first", lambda m: f"{m.month}/{m.day}/{m:%y, %H:%M} - "),
    Printed("en-ZA", "year-first", lambda m: f"{m:%Y/%m/%d, %H:%M} - "),
    Printed("sv", "year-first", lambda m: f"{m:%Y-%m-%d} {_twelve(m):02}:{m:%M} {'fm' if m.hour < 12 else 'em'} - "),
    Printed("de", "day-first", lambda m: f"{m:%d.%m.%y, %H:%M} - "),
    Printed("fi", "day-first", lambda m: f"{m.day}.{m.month}.{m.year} klo {m.hour}.{m:%M} - "),
    Printed("fr", "day-first", lambda m: f"{m:%d/%m/%Y à %H:%M} - "),
    Printed("fr-CA", "year-first", lambda m: f"{m:%Y-%m-%d} {m:%H} h {m:%M} - "),
    Printed("nl", "day-first", lambda m: f"{m:%d-%m-%Y %H:%M} - "),
    Printed("es-CO", "day-first", lambda m: f"{m.day}/{m.month}/{m.year}, {_twelve(m)}:{m:%M}\u202f{'a' if m.hour < 12 else 'p'}.\u00a0m. - "),
    Printed("hr", "day-first", lambda m: f"{m.day}. {m.month}. {m.year}. {m:%H:%M} - "),
    Printed("hu", "year-first", lambda m: f"{m:%Y. %m. %d.} {'de.' if m.hour < 12 else 'du.'} {_twelve(m)}:{m:%M} - "),
    Printed("ko", "year-first", lambda m: f"{m.year}년 {m.month}월 {m.day}일 {'오전' if m.hour < 12 else '오후'} {_twelve(m)}:{m:%M} - "),
    Printed("zh-TW", "year-first", lambda m: f"{m.year}/{m.month}/{m.day} {'上午' if m.hour < 12 else '下午'}{_twelve(m)}:{m:%M} - "),
    Printed("vi", "day-first", lambda m: f"{_twelve(m):02}:{m:%M} {'SA' if m.hour < 12 else 'CH'} {m.day}/{m.month}/{m:%y} - "),
    Printed("bn", "day-first", lambda m: _in("০", f"{m.day}/{m.month}/{m:%y}, {_twelve(m)}:{m:%M}") + f" {m:%p} - "),
    Printed("ar", "day-first", lambda m: _in("٠", f"{m.day}\u200f/{m.month}\u200f/{m.year}، {_twelve(m)}:{m:%M}") + f" {'ص' if m.hour < 12 else 'م'} - "),
    Printed("th", "day-first", lambda m: f"{m.day}/{m.month}/{m.year + 543} {m:%H:%M} - "),
    Printed("2013", "day-first", lambda m: f"{m:%H:%M, %d %b %Y} - "),
    Printed("iPhone en-GB", "day-first", lambda m: f"[{m:%d/%m/%Y, %H:%M:%S}] ", seconds=True),
    Printed("iPhone en-US", "month-first", lambda m: f"[{m.month}/{m.day}/{m:%y}, {_twelve(m)}:{m:%M:%S}\u202f{m:%p}] ", seconds=True),
    Printed("iPhone de", "day-first", lambda m: f"\u200e[{m:%d.%m.%y, %H:%M:%S}] ", seconds=True),
    Printed("iPhone ja", "year-first", lambda m: f"[{m:%Y/%m/%d %H:%M:%S}] ", seconds=True),
    Printed("iPhone vi", "month-first", lambda m: f"[{m:%H:%M:%S}, {m.month}/{m.day}/{m:%y}] ", seconds=True),
    Printed("iPhone 2012", "day-first", lambda m: f"{m:%d/%m/%Y %H:%M:%S}: ", seconds=True),
    Printed("iPhone dots", "day-first", lambda m: f"{m:%d.%m.%y %H.%M.%S}: ", seconds=True),
    Printed("iPhone dash", "day-first", lambda m: f"[{m:%d/%m/%Y, %H:%M:%S}] - ", seconds=True),
    Printed("right to left", "day-first", lambda m: f"\u200f{m.day}.{m.month}.{m.year}, {m:%H:%M} - "),
    Printed("day of the week", "day-first", lambda m: f"{m:%A, %d %B %Y, %H:%M} - "),
]  # fmt: skip

MOMENTS = st.lists(st.datetimes(datetime(2013, 1, 1), datetime(2025, 12, 31)), min_size=1, max_size=25)
NAMES = st.sampled_from(
    ["Ana", "Luis Paz", "+44 7700 900123", "أحمد علي", "🤓", "Zoë - Work", "[A] b", "~ Zed"]
)
LINES = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\u2028\u2029\x85"), max_size=30
)


def _as_printed(moment: datetime, printed: Printed) -> datetime:
    return moment.replace(microsecond=0, second=moment.second if printed.seconds else 0)


@given(st.sampled_from(CATALOGUE), MOMENTS, st.data())
@settings(max_examples=150, deadline=None)
def test_what_a_phone_prints_is_read_back(
    printed: Printed, moments: list[datetime], data: st.DataObject
) -> None:
    authors = [data.draw(NAMES) for _ in moments]
    texts = [f"{number}x {data.draw(LINES)}" for number in range(len(moments))]
    lines = [
        f"{printed.header(moment)}{author}: {text}"
        for moment, author, text in zip(moments, authors, texts, strict=True)
    ]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "chat.txt"
        path.write_bytes(("\n".join(lines) + "\n").encode())
        export = read_export(path, date_order=printed.order)
    got = export.messages.to_pydict()
    assert got["timestamp"] == [_as_printed(moment, printed) for moment in moments]
    assert got["author"] == authors
    for kind, text, wanted in zip(got["kind"], got["text"], texts, strict=True):
        if kind == "text":
            assert text == wanted


@given(st.sampled_from(CATALOGUE), MOMENTS, st.lists(st.text(max_size=20), max_size=10))
@settings(max_examples=150, deadline=None)
def test_both_ways_of_scanning_agree(printed: Printed, moments: list[datetime], noise: list[str]) -> None:
    lines = [f"{printed.header(moment)}Ana: hi" for moment in moments]
    for number, text in enumerate(noise):
        header = printed.header(moments[number % len(moments)])
        lines.insert(number, text + header[: len(text) % (len(header) + 1)])
    shape = learn(lines)
    assert shape is not None
    block = ("\n".join(lines) + "\n").encode()
    fast, _ = scan(block, shape)
    slow = scan_by_regex(block, shape)
    for one, other in zip(fast, slow, strict=True):
        assert np.array_equal(one, other)


@pytest.mark.parametrize("printed", CATALOGUE, ids=lambda printed: printed.name)
def test_the_order_is_found_where_the_dates_tell_it(printed: Printed, tmp_path: Path) -> None:
    moments = [datetime(2021, 1 + day // 28, 1 + day % 28, day % 24, day % 60) for day in range(0, 300, 3)]
    path = tmp_path / "chat.txt"
    path.write_bytes("".join(f"{printed.header(moment)}Ana: hi\n" for moment in moments).encode())
    export = read_export(path)
    assert export.messages["timestamp"].to_pylist() == moments
    assert export.confidence > 0.95
    assert export.evidence.endswith(".")


def test_one_file_has_one_order(tmp_path: Path) -> None:
    path = tmp_path / "chat.txt"
    path.write_text("01/13/25, 10:00 - Ana: a\n02/03/25, 10:00 - Ana: b\n")
    export = read_export(path)
    assert export.date_order == "mdy"
    assert export.messages["timestamp"].to_pylist() == [datetime(2025, 1, 13, 10), datetime(2025, 2, 3, 10)]


def test_the_owner_s_order_is_obeyed(tmp_path: Path) -> None:
    path = tmp_path / "chat.txt"
    path.write_text("02/03/2025, 10:00 - Ana: b\n")
    assert read_export(path, date_order="month-first").messages["timestamp"].to_pylist() == [
        datetime(2025, 2, 3, 10)
    ]
    assert read_export(path, date_order="day-first").messages["timestamp"].to_pylist() == [
        datetime(2025, 3, 2, 10)
    ]


def test_an_order_in_which_dates_do_not_exist_is_obeyed_and_says_so(tmp_path: Path) -> None:
    path = tmp_path / "chat.txt"
    path.write_text("02/03/2025, 10:00 - Ana: a\n13/03/2025, 10:00 - Ana: b\n")
    export = read_export(path, date_order="month-first")
    assert export.messages["text"].to_pylist() == ["a\n13/03/2025, 10:00 - Ana: b"]
    assert "1 date would not exist" in export.evidence
    assert export.confidence == 0.5


def test_a_line_that_is_a_date_only_in_another_order_is_text(tmp_path: Path) -> None:
    lines = [f"{day:02}/02/2025, 10:00 - Ana: hi {day}" for day in range(1, 28)]
    lines.insert(20, "02/27/2025, 12:00 - total: 5")
    path = tmp_path / "chat.txt"
    path.write_text("\n".join(lines))
    texts = read_export(path).messages["text"].to_pylist()
    assert len(texts) == 27
    assert texts[19] == "hi 20\n02/27/2025, 12:00 - total: 5"


def test_spaces_that_vary_late_in_a_file_are_learnt(tmp_path: Path) -> None:
    early = "3/14/21, 7:02 PM - Ana: hi\n" * 20_000
    late = "3/15/21, 7:02\u202fPM - Ana: hi\n" * 20_000
    path = tmp_path / "chat.txt"
    path.write_text(early + late, "utf-8")
    assert len(read_export(path).messages) == 40_000


def test_blocks_end_between_messages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "".join(
        f"24/03/2022, 21:{n % 60:02} - Ana: {n}\nsecond line é 🌻\n\nlast {n}\n" for n in range(500)
    )
    path = tmp_path / "chat.txt"
    path.write_text(text, "utf-8")
    whole = read_export(path).messages
    from egregora_resources.inputs.whatsapp import parse
    from egregora_resources.inputs.whatsapp import text as text_module

    monkeypatch.setattr(
        parse, "blocks_ahead", lambda stream, warnings: text_module.blocks(stream, warnings, 777)
    )
    assert read_export(path).messages.combine_chunks().equals(whole.combine_chunks())
    assert len(whole) == 500


def test_a_message_longer_than_a_block_is_one_message(tmp_path: Path) -> None:
    path = tmp_path / "chat.txt"
    long = "one line\n" * 1_500_000
    path.write_text(f"24/03/2022, 21:41 - Ana: {long}24/03/2022, 21:42 - Luis: ok\n")
    assert read_export(path).messages["text"].to_pylist() == [long.rstrip(), "ok"]
    endless = "x" * (20 << 20)
    path.write_text(f"24/03/2022, 21:41 - Ana: {endless}")
    assert read_export(path).messages["text"].to_pylist() == [endless]


def test_a_chat_pasted_into_a_short_one_is_its_text(tmp_path: Path) -> None:
    path = tmp_path / "chat.txt"
    pasted = "\n".join(f"[24/03/22, 20:{minute}:00] Zoe: yes" for minute in range(10, 25))
    path.write_text(f"24/03/2022, 21:41 - Ana: see\n{pasted}\n24/03/2022, 21:42 - Luis: ok\n")
    assert read_export(path).messages["text"].to_pylist() == [f"see\n{pasted}", "ok"]


def test_a_million_blank_lines_belong_to_nobody(tmp_path: Path) -> None:
    path = tmp_path / "chat.txt"
    blank = "\n" * 1_000_000
    path.write_text(f"24/03/2022, 21:41 - Ana: a{blank}24/03/2022, 21:42 - Ana: b{blank}")
    assert read_export(path).messages["text"].to_pylist() == ["a", "b"]


def test_exports_joined_by_hand_are_pointed_out(tmp_path: Path) -> None:
    path = tmp_path / "chat.txt"
    android = "".join(f"24/03/2022, 21:{minute} - Ana: hi\n" for minute in range(10, 60))
    iphone = "".join(f"[25/03/2022, 21:{minute}:00] Ana: hi\n" for minute in range(10, 50))
    path.write_text(android + iphone)
    export = read_export(path)
    assert len(export.messages) == 50
    assert any("joined" in warning for warning in export.warnings)
