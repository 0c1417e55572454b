"""The real conversation in the shared exports: every spoken name goes, no ordinary word does."""

from __future__ import annotations

import re
import zipfile
from collections import Counter
from pathlib import Path

import pytest

from egregora_resources.privacy.names.index import NameIndex, Person
from egregora_resources.privacy.pseudonyms import tokens_in
from egregora_resources.privacy.scrubber import Scrubber, ScrubRules

EXPORT = Path(__file__).parents[3] / "shared" / "exports" / "design-team.zip"
PEOPLE = [
    Person("amber-heron", ("Laura Bennett",)),
    Person("calm-otter", ("David Okafor",)),
    Person("bright-fox", ("Andrew Reyes 🎨",)),
    Person("kind-owl", ("+44 7700 900123",)),
]
WORDS_THAT_ARE_NAMES = """
    Will Mark Rose Grace Hope May Bill Frank Rich Art Max Sunny Dawn Summer Joy Faith Chase Grant Drew Pat Sue Ray
    Jack Page Young Long King Brown Green White Black Bell Cook Stone Wood Fish Sky Star Amber April June Case Guy
    Gene Dale Dean Earl Rob Nick Chuck Buck Ace Bud Cliff Heath Reed Ruby Pearl Jade Crystal Ivy Lily Holly Iris
    Daisy Olive Basil Ginger Sandy Rusty Happy Angel Eve Ever Early Love Charity Mercy Patience Justice Victor Miles
    Price Wade Ward Pierce Trip Skip Al Ed Jo Bo Lee Kay Dot Bea Dee Jay Gus Sid Ned Penny Nell Norm Sonny Buddy
    Junior Major Royal Duke Prince Christian Christmas Easter Jordan Chelsea Paris London Sydney Austin Florence
    India China Chad Israel
"""

pytestmark = pytest.mark.skipif(not EXPORT.exists(), reason="the shared exports are not beside the project")


@pytest.fixture(scope="module")
def texts() -> list[str]:
    with zipfile.ZipFile(EXPORT) as export:
        lines = export.read(export.namelist()[0]).decode("utf-8").splitlines()
    return [text for line in lines if (text := line.partition(" - ")[2].partition(": ")[2])]


def test_every_spoken_name_of_an_author_becomes_a_token_and_nothing_else_does(texts: list[str]) -> None:
    scrubber = Scrubber(ScrubRules("GB", ("GB",)), NameIndex(PEOPLE))
    spoken = re.compile(r"\b(?:Laura|David|Andrew|Bennett|Okafor|Reyes)\b", re.IGNORECASE)
    tokens: Counter[str] = Counter()
    for text in texts:
        scrubbed = scrubber.scrub(text)
        assert not spoken.search(scrubbed)
        if spoken.search(text):
            tokens.update(tokens_in(scrubbed))
        else:
            assert scrubbed == text
    assert tokens == {"calm-otter": 9, "bright-fox": 5, "amber-heron": 1}


def test_ordinary_words_that_are_names_stay_ordinary(texts: list[str]) -> None:
    people = [Person(f"{word.lower()}-fox", (word,)) for word in WORDS_THAT_ARE_NAMES.split()]
    names = NameIndex(people)
    taken = [text for text in texts if names.replace(text) != text]
    assert taken == []
