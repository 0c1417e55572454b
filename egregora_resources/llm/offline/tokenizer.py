"""From a message to words: cleaned of markup and of spoken hesitation, cut into chunks, stemmed.

What is measured lives here; what is judged (topics, quotes, titles) lives in the modules that read it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from egregora_resources.llm.offline.language import Lexicon
from egregora_resources.llm.tasks import Said

# Vowel signs of Indic and South-East Asian scripts and Hebrew and Arabic points belong to words, which
# Python's \w doesn't know.
MARKS = "\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u0900-\u0963\u0966-\u0fff\u1000-\u109f\u200c\u200d"
WORD = rf"[^\W_]|[{MARKS}]"
TOKEN = re.compile(rf"(?P<word>(?:{WORD})+(?:['’‑\-](?:{WORD})+)*)|(?P<break>[^\w\s'’{MARKS}]|\n)")
URL = re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE)
PERSON = re.compile(r"@[\w-]*\w")
PLACEHOLDER = re.compile(r"\[[^\]\n]{1,24}\]|<[^>\n]{1,60}>")
SPELLED = re.compile(r"(?<![^\W_])(?:[^\W\d_]_ ?)+(?![^\W_])")
MARKUP = re.compile(r"[*~`]+|(?<![^\W_])_|_(?![^\W_])")
# A full stop ends nothing in "4.1 mm", "example.org" and "am 15. März".
SENTENCE = re.compile(
    r"(?:[^.!?…\n。！？؟।]|\.(?=\w)|(?:(?<=\s\d)|(?<=\s\d\d))\.(?=[ \u00a0]\w))+[.!?…。！？؟।]*"
)
UNSPACED = re.compile(
    r"[\u0e00-\u0e7f\u0e80-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]"
)
NOT_SAID = frozenset({"deleted", "notice", "system", "call", "missed_call"})
LONGEST = 6_000
"""Letters of a message that are looked at; the rest of a pasted book changes nothing."""


@dataclass(frozen=True)
class Utterance:
    """A message as it is measured."""

    said: Said
    index: int
    chunks: tuple[tuple[str, ...], ...]
    """Words between two stops, as written, without hesitations and stutters."""
    terms: tuple[str, ...]
    """Stems of the words that carry meaning."""
    words: int
    """All words, hesitations included."""
    small_talk: bool
    """Says nothing that could be quoted."""
    letters: int

    @cached_property
    def question(self) -> bool:
        return bool(re.search(r"[?？؟]", self.said.text))

    @cached_property
    def disfluency(self) -> float:
        """The share of words that were dropped as hesitation or stutter."""
        kept = sum(len(chunk) for chunk in self.chunks)
        return 1 - kept / self.words if self.words else 0.0

    @property
    def substance(self) -> int:
        """How many distinct meaningful words it holds; none in small talk."""
        return 0 if self.small_talk else len(set(self.terms))


def plain(text: str) -> str:
    """Text without links, people, placeholders and markup; what goes leaves a stop behind."""
    text = unicodedata.normalize("NFC", text[:LONGEST])
    text = URL.sub(" ; ", text)
    text = PERSON.sub(" ; ", text)
    text = PLACEHOLDER.sub(" ; ", text)
    text = SPELLED.sub(_spelled, text)
    return MARKUP.sub("", text)


def _spelled(match: re.Match[str]) -> str:
    """``T_V_`` → ``TV``: how transcripts of speech write letters spoken one by one."""
    text = match.group()
    return re.sub(r"[_ ]", "", text) + (" " if text.endswith(" ") else "")


def chunks(text: str, lexicon: Lexicon) -> tuple[list[list[str]], int]:
    """Words between two stops, without hesitations and stutters; and how many words there were."""
    found: list[list[str]] = [[]]
    total = 0
    for match in TOKEN.finditer(plain(text)):
        word = match.group("word")
        if word is None:
            if found[-1]:
                found.append([])
            continue
        total += 1
        word = word.replace("’", "'")
        head, apostrophe, tail = word.partition("'")
        if tail and head.lower() in lexicon.elisions:
            found[-1].append(head + apostrophe)
            word = tail
        if word.lower() not in lexicon.hesitations:
            found[-1].append(word)
    return [fluent(chunk, lexicon) for chunk in found if chunk], total


def fluent(chunk: Sequence[str], lexicon: Lexicon) -> list[str]:
    """Without what a speaker took back: "the the", "des design", "is it is it"."""
    kept: list[str] = []
    for position, word in enumerate(chunk):
        following = chunk[position + 1].lower() if position + 1 < len(chunk) else ""
        low = word.lower()
        if kept and kept[-1].lower() == low:
            continue
        if len(kept) >= 2 and following and [w.lower() for w in kept[-2:]] == [low, following]:
            continue
        if following.startswith(low) and len(low) < min(5, len(following)) and _broken_off(low, lexicon):
            continue
        kept.append(word)
    return kept


def _broken_off(low: str, lexicon: Lexicon) -> bool:
    """A beginning, not a word of its own, as far as the lexicon tells. (Stop lists hold single letters.)"""
    if not lexicon.known or low in lexicon.function_words:
        return False
    return len(low) < 4 or low not in lexicon.stop


def terms_of(words: Sequence[str], lexicon: Lexicon) -> list[str]:
    """Stems of the meaningful ones; pairs of characters where words aren't spaced."""
    terms: list[str] = []
    for word in words:
        low = word.lower()
        if UNSPACED.search(low):
            terms.extend(low[i : i + 2] for i in range(max(1, len(low) - 1)))
        elif meaningful(low, lexicon):
            terms.append(lexicon.stem(low))
    return terms


def meaningful(low: str, lexicon: Lexicon) -> bool:
    """Neither a stop word, nor small talk, nor a digit or a single letter."""
    if len(low) < 2 or low in lexicon.stop or low in lexicon.small_talk or low.isdigit():
        return False
    head = low.split("'")[0]
    return bool(head) and not (head != low and head in lexicon.stop)


def utterance(said: Said, index: int, lexicon: Lexicon) -> Utterance:
    """Measure one message."""
    text = "" if said.kind in NOT_SAID else said.text
    cut, total = chunks(text, lexicon)
    words = [word for chunk in cut for word in chunk]
    terms = terms_of(words, lexicon)
    strong = [
        word for word in words if word.lower() not in lexicon.weak and meaningful(word.lower(), lexicon)
    ]
    unspaced = any(UNSPACED.search(word) for word in words)
    letters = sum(map(len, words))
    small = letters < 6 if unspaced else (not terms or (len(words) < 3 and not strong) or letters < 4)
    return Utterance(said, index, tuple(map(tuple, cut)), tuple(terms), total, small, letters)


def sentences(text: str) -> list[str]:
    """The sentences of a message as written, without markup around them."""
    return [part.strip() for part in SENTENCE.findall(text[:LONGEST]) if part.strip()]
