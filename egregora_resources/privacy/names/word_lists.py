"""What is known of a language's words, so that names can be told from words: lists read from ``words/``.

Each list file has sections in brackets; words are compared folded. A language without a file of its own
is read with the words of all files, so that an ordinary word of any of them stays.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path

import stopwordsiso

from egregora_resources.privacy.folded_text import fold

_WORDS = Path(__file__).parent / "words"
LANGUAGES = ("en", "pt", "es", "de", "fr", "it")


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """One language's words, by how they bear on names. All folded."""

    language: str
    ordinary: frozenset[str]
    """Words of every day that are also names: a capital inside a sentence makes the name."""
    stopwords: frozenset[str]
    rare: frozenset[str]
    """Words that are names more often: any capital makes the name."""
    capitalised: frozenset[str]
    """Months, places, feasts: written with a capital whoever is meant."""
    after_place_words: frozenset[str]
    """Words after which a place or month is meant, not a person."""
    determiners: frozenset[str]
    subjects: frozenset[str]
    """Pronouns that follow a verb in a question ("Will you")."""
    verbs: frozenset[str]
    says: frozenset[str]
    """Verbs that only follow a person."""
    addressed: frozenset[str]
    """How a sentence goes on after somebody was addressed ("Will, can you")."""
    phrases: frozenset[tuple[str, str]]
    """A word and the word after it that make it an ordinary word."""
    titles: frozenset[str]
    suffixes: frozenset[str]
    links: frozenset[str]
    """Small words within names and contact labels ("da", "von", "from")."""
    adjective_endings: tuple[str, ...]
    """Where every noun has a capital: endings of a word before a noun."""
    before_a_name: frozenset[str]
    """Where every noun has a capital: words that end like that and yet stand before names."""


@cache
def vocabulary(language: str) -> Vocabulary:
    """The words of a language given as a code such as ``en`` or ``pt-BR``."""
    code = re.split(r"[-_]", language.strip().lower())[0]
    known = (code,) if code in LANGUAGES else LANGUAGES
    sections: dict[str, set[str]] = {field.name: set() for field in fields(Vocabulary)}
    phrases: set[tuple[str, str]] = set()
    for name in known:
        for section, text in _sections((_WORDS / f"{name}.txt").read_text(encoding="utf-8")):
            if section == "phrases":
                pairs = (fold(pair).split() for pair in text.split("|"))
                phrases.update((words[0], words[1]) for words in pairs if len(words) == 2)
            else:
                sections[section].update(fold(word) for word in text.split())
    stopwords = stopwordsiso.stopwords([name for name in (*known, code) if stopwordsiso.has_lang(name)])
    sections["stopwords"].update(fold(word) for word in stopwords)
    sections["ordinary"] |= sections["stopwords"]
    sections["rare"] -= sections["ordinary"]
    nouns_have_capitals = code == "de"
    return Vocabulary(
        language=code,
        phrases=frozenset(phrases),
        adjective_endings=tuple(sections["adjective_endings"]) if nouns_have_capitals else (),
        **{
            name: frozenset(sections[name])
            for name in sections
            if name not in {"language", "phrases", "adjective_endings"}
        },
    )


def _sections(text: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for block in re.split(r"(?m)^\[", text)[1:]:
        name, _, words = block.partition("]")
        lines = (line for line in words.splitlines() if not line.startswith("#"))
        found.append((name.replace(" ", "_"), " | ".join(lines) if name == "phrases" else " ".join(lines)))
    return found
