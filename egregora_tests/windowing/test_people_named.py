"""A name newly learnt reaches the windows whose texts hold it, in every script, and no others."""

from __future__ import annotations

import re
import unicodedata
from datetime import timedelta
from pathlib import Path
from typing import Literal

import pytest

from egregora_assets.windowing.people_named import name_sieve
from egregora_resources.privacy.names.index import NameIndex, Person
from egregora_tests.small_site import SmallSite
from egregora_tests.weekly_chat import Line, weeks

NAMES = (
    "Laura Bennett",
    "José Müller",
    "Сергей Иванов",
    "김민수",
    "Γιώργος Νικολάου",
    "प्रिया शर्मा",
    "がくと",
    "محمد علي",
    "李小龙",
)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_the_sieve_lets_through_whatever_the_index_finds(name: str, form: Literal["NFC", "NFD"]) -> None:
    index = NameIndex([Person("amber-heron", (name,))])
    sieve = re.compile(name_sieve([name]))
    for said in (name, name.split()[0], name.lower(), name.upper(), f"@\u2068{name}\u2069"):
        text = unicodedata.normalize(form, f"ask {said} tomorrow")
        if index.people_in(text):
            assert sieve.search(text), text


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Jürgen Groß", "Juergen"), ("Jürgen Groß", "Gross"), ("Jürgen Gross", "Groß"), ("Łukasz Żółw", "Lukasz"),
        ("Øystein Lie", "Oystein"), ("Æthelred Ott", "Aethelred"), ("Ayşe Kaya", "AYSE"), ("Ibrahim Ak", "İBRAHİM"),
        ("李小明", "小明"), ("김민수", "민수"), ("田中 太郎", "太郎"), ("Артем Ким", "Артём"), ("محمد علي", "مُحَمَّد"),
    ],
)  # fmt: skip
def test_the_sieve_lets_a_name_through_in_other_letters(name: str, said: str) -> None:
    text = f"ask {said} tomorrow"
    assert NameIndex([Person("amber-heron", (name,))]).people_in(text)
    assert re.search(name_sieve([name]), text)
    assert re.search(name_sieve([name] * 1000), text)


NUMBER = "+55 11 98765-4321"


def test_a_contact_saved_between_two_exports_scrubs_the_windows_that_name_them(tmp_path: Path) -> None:
    site = SmallSite(tmp_path)
    lines = weeks(3)
    theirs = [
        Line(lines[0].time + timedelta(minutes=n), NUMBER, f"I will bring {n} crates of apples to the mill")
        for n in (1, 2, 3, 4)
    ]
    naming = Line(
        lines[13].time + timedelta(minutes=1), lines[13].author, "Marcela will bring the cake to all of us"
    )
    before = sorted([*lines, *theirs, naming], key=lambda line: line.time)
    site.get(before)
    site.run()
    assert "Marcela" in str(site.warehouse.rows("SELECT text FROM messages"))
    after = [
        Line(line.time, "Marcela Duarte", line.text) if line.author == NUMBER else line for line in before
    ]
    site.get(
        [
            *after,
            Line(after[-1].time + timedelta(minutes=1), after[-1].author, "That was the last of it, see you"),
        ]
    )
    site.run()
    assert "Marcela" not in str(site.warehouse.rows("SELECT text FROM messages"))


def test_a_layout_that_returns_shows_its_own_messages(tmp_path: Path) -> None:
    site = SmallSite(tmp_path)
    lines = weeks(2)
    site.get(
        [
            *lines,
            Line(
                lines[-1].time + timedelta(minutes=5),
                lines[0].author,
                "Write to secret.box@example.com about the mill",
            ),
        ]
    )
    site.run()
    site.set(privacy={"scrub_emails": False})
    site.lay_out(window_unit="messages", window_size=5)
    site.run()
    site.set(privacy={"scrub_emails": True})
    site.lay_out(window_unit="days", window_size=7)
    site.run()
    from egregora_assets.site import assemble

    shown = str([post.messages for post in assemble(site.context()).posts])
    assert "secret.box" not in shown
