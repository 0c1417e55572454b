"""The proof that nothing leaked: what is about to be published, read by somebody who knows all names.

A leak says what kind of thing was found, where, and whose it is; never the thing itself.
"""

from __future__ import annotations

import re
import sys
from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from egregora_resources.privacy.findings import PLACEHOLDER, Finding, Span
from egregora_resources.privacy.folded_text import UNSPACED, WORD, Folded, end_of_row, fold, words
from egregora_resources.privacy.names.index import NameIndex, Person
from egregora_resources.privacy.page_text import BLOCK
from egregora_resources.privacy.pseudonyms import TOKEN_RE, display_name
from egregora_resources.privacy.scrubber import Scrubber, ScrubRules

RUN_WORDS = 6
RUN_CHARACTERS = 23
"""25 characters as written: folded text has no punctuation."""
_RUN_IDEOGRAPHS = 12

_LABEL_WORDS = 3
_RUN_LETTERS = 10
"""A run is words: rows of numbers, as in a table, are nobody's."""

_PARAGRAPH = re.compile(rf"(?:[^\n{BLOCK}]|\n(?!\s*\n))+")
_NAMELESS = re.compile(rf"{TOKEN_RE.pattern}|{PLACEHOLDER.pattern}")
_NO_LETTERS = str.maketrans("", "", "0123456789 ")
_ANY_WORD = re.compile(r"[^\W_]+")
_RUN_WITHOUT_SPACES = re.compile(rf"[{UNSPACED}]+")
_NAMED = re.compile(rf"{WORD.pattern}|{_RUN_WITHOUT_SPACES.pattern}")
_IDEOGRAPH = re.compile(
    "[\u0e00-\u0eff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
)


@dataclass(frozen=True)
class Leak:
    """Something private in what was to be public."""

    kind: str
    """name, phone, e-mail, card, iban, id number, link, or verbatim (words of somebody who opted out)."""
    where: str
    person_token: str = ""
    """Whose it is, where that is known; several people's tokens are separated by spaces."""


class LeakDetector:
    """Reads finished text for raw names, personal numbers, and words of people who opted out.

    Args:
        people: everybody whose names must not appear; of those who opted out, pseudonyms must not either.
        rules: what the scrubber takes out, so that both agree on what is personal.
        opted_out_texts: token and raw text of every message of those who opted out.
        other_texts: what everybody else wrote, raw and cleaned: what they wrote too is nobody's secret. Read only if
            somebody opted out.
        allowed: names that people are shown by (aliases; on level ``open`` their own).
        own_words: what the site says of itself (its title, its buttons): neither a name nor a secret.
        cleaned: the cleaned chat: an ordinary word that is also a name is nobody's if the scrubber left it there.
        language: the chat's language, as for `NameIndex`.
    """

    def __init__(
        self,
        people: Sequence[Person],
        rules: ScrubRules,
        opted_out_texts: Iterable[tuple[str, str]] = (),
        other_texts: Iterable[str] = (),
        *,
        allowed: Collection[str] = (),
        own_words: Collection[str] = (),
        cleaned: Callable[[], Iterable[str]] = tuple,
        language: str = "en",
    ) -> None:
        self._scrubber = Scrubber(rules, NameIndex(people, language))
        self._cleaned = cleaned
        self._known_clean: set[int] = set()
        self._allowed: dict[str, list[tuple[str, ...]]] = {}
        self._allowed_runs: set[str] = set()
        for name in (*allowed, *(display_name(person.token) for person in people if not person.opted_out)):
            self._allow(fold(name))
        for text in own_words:
            folded = Folded(text)
            if len(label := words(folded.folded)) <= _LABEL_WORDS:
                # A button or a title may stand beside another, and both together spell a name.
                for word in label:
                    self._allow(word)
            for finding in self._scrubber.find(folded):
                if finding.kind == "name":
                    self._allow(folded.folded[finding.start : finding.end])
        self._runs: dict[int, str] = {}
        for token, text in opted_out_texts:
            for version in (text, *_NAMELESS.split(self._scrubber.scrub(text))):
                self._runs.update(dict.fromkeys(_runs_of(version or ""), token))
        if self._runs:
            for text in (*own_words, *other_texts):
                for run in _runs_of(text):
                    self._runs.pop(run, None)

    def _allow(self, folded: str) -> None:
        spelt = tuple(words(folded))
        if spelt:
            self._allowed.setdefault(spelt[0], []).append(spelt)
        self._allowed_runs.update(_RUN_WITHOUT_SPACES.findall(folded))

    def find(self, text: str, file: str = "") -> list[Leak]:
        """The leaks in a text, in order; `file` is named in where they are.

        A page's markup goes through `text_of_page` first. A part of a text (see `BLOCK`) found clean is not read again
        when it comes back, as on the pages of a site most do.
        """
        leaks: dict[Leak, None] = {}
        line = 1
        for part in text.split(BLOCK):
            key = hash(part)
            if part and key not in self._known_clean:
                found = self._find(part)
                if not found:
                    self._known_clean.add(key)
                for number, kind, token in found:
                    where = f"line {line + number}"
                    leaks[Leak(kind, f"{file}, {where}" if file else where, token)] = None
            line += part.count("\n")
        return list(leaks)

    def _find(self, text: str) -> list[tuple[int, str, str]]:
        """(lines before it, kind, whose) of what is found in one part of a text."""
        folded = Folded(text)
        placed: list[tuple[int, str, str]] = []
        shown = sorted(self._allowed_spans(folded.folded))
        for finding in self._scrubber.find(folded):
            if finding.kind == "name" and (
                _within(finding, shown, folded.folded) or self._is_a_word(finding, folded)
            ):
                continue
            start, _ = folded.span(finding.start, finding.end)
            placed.append((text.count("\n", 0, start), finding.kind, " ".join(sorted(finding.tokens))))
        return sorted({*placed, *((number, "verbatim", token) for number, token in self._verbatim(text))})

    def _is_a_word(self, finding: Finding, text: Folded) -> bool:
        """Whether a name that is also a word stands as that word in the cleaned chat."""
        return finding.doubtful and text.folded[finding.start : finding.end].lstrip("@") in self._plain_words

    @cached_property
    def _plain_words(self) -> frozenset[str]:
        return frozenset(word for text in self._cleaned() for word in words(fold(text)))

    def _allowed_spans(self, folded: str) -> Iterator[Span]:
        found = list(WORD.finditer(folded))
        for place, word in enumerate(found):
            for spelt in self._allowed.get(word[0], ()):
                end = end_of_row(folded, found, place, spelt)
                if end is not None:
                    yield word.start(), end
        for run in self._allowed_runs:
            yield from (match.span() for match in re.finditer(run, folded))

    def _verbatim(self, text: str) -> Iterator[tuple[int, str]]:
        """Lines that hold what only somebody who opted out wrote, and who that is."""
        if not self._runs:
            return
        for paragraph in _PARAGRAPH.finditer(text):
            folded = fold(paragraph[0])
            for start, run in _runs(folded):
                token = self._runs.get(run)
                if token is not None:
                    yield text.count("\n", 0, paragraph.start()) + folded.count("\n", 0, start), token


def _within(finding: Finding, spans: Sequence[Span], folded: str) -> bool:
    """Whether every word of a finding lies within one of the spans, which are in order of place."""

    def shown(start: int, end: int) -> bool:
        last = bisect_right(spans, (start, sys.maxsize)) - 1
        return any(begin <= start and end <= stop for begin, stop in spans[max(0, last - 3) : last + 1])

    named = _NAMED.finditer(folded, finding.start, finding.end)
    return bool(spans) and all(shown(*word.span()) for word in named)


def _runs_of(text: str) -> Iterator[int]:
    return (run for paragraph in _PARAGRAPH.findall(text) for _, run in _runs(fold(paragraph)))


def _runs(folded: str) -> Iterator[tuple[int, int]]:
    """Every shortest run of words that counts as somebody's own, as a hash, with where it starts."""
    found = [(match.start(), match[0]) for match in _ANY_WORD.finditer(folded)]
    joined = " ".join(word for _, word in found)
    starts: list[int] = []
    place = 0
    for _, word in found:
        starts.append(place)
        place += len(word) + 1
    starts.append(place)
    length = len(joined)
    for index, (start, word) in enumerate(found):
        begin = starts[index]
        if index + RUN_WORDS < len(starts):
            run = joined[begin : starts[index + RUN_WORDS] - 1]
            if _enough_letters(run):
                yield start, hash(run)
        if begin + RUN_CHARACTERS <= length:
            run = joined[begin : begin + RUN_CHARACTERS]
            if _enough_letters(run):
                yield start, hash(run)
        if not word.isascii() and _IDEOGRAPH.search(word):
            for offset in range(len(word)):
                if begin + offset + _RUN_IDEOGRAPHS <= length:
                    yield start + offset, hash(joined[begin + offset : begin + offset + _RUN_IDEOGRAPHS])


def _enough_letters(run: str) -> bool:
    return len(run.translate(_NO_LETTERS)) >= _RUN_LETTERS
