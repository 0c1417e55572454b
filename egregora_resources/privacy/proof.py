"""The proof that nothing leaked: what is about to be published, read by somebody who knows all names.

A leak says what kind of thing was found, where, and whose it is; never the thing itself.
"""

from __future__ import annotations

import html
import re
import sys
from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from egregora_resources.privacy.findings import Finding, Span
from egregora_resources.privacy.folding import WORD, Folded, end_of_row, fold, words
from egregora_resources.privacy.names import NameIndex, Person
from egregora_resources.privacy.pseudonyms import display_name
from egregora_resources.privacy.scrubber import Scrubber, ScrubRules

RUN_WORDS = 6
RUN_CHARACTERS = 23
"""25 characters as written: folded text has no punctuation."""
_RUN_IDEOGRAPHS = 12

_BLOCK = "\x0c"
"""Stands in the text of a page where one block of it ends: no run of words goes on behind it."""
_PARAGRAPH = re.compile(rf"(?:[^\n{_BLOCK}]|\n(?!\s*\n))+")
_ANY_WORD = re.compile(r"[^\W_]+")
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
        people: everybody whose names must not appear.
        rules: what the scrubber takes out, so that both agree on what is personal.
        opted_out_texts: token and raw text of every message of those who opted out.
        other_texts: raw texts of everybody else: what they wrote too is nobody's secret.
        allowed: names that people chose to be shown by (aliases).
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
        language: str = "en",
    ) -> None:
        self._scrubber = Scrubber(rules, NameIndex(people, language))
        shown = (*allowed, *(display_name(person.token) for person in people))
        self._allowed: dict[str, list[tuple[str, ...]]] = {}
        for name in shown:
            spelt = tuple(words(fold(name)))
            if spelt:
                self._allowed.setdefault(spelt[0], []).append(spelt)
        self._runs: dict[int, str] = {}
        for token, text in opted_out_texts:
            for version in self._versions(text):
                self._runs.update(dict.fromkeys(_runs_of(version), token))
        if self._runs:
            for text in other_texts:
                for version in self._versions(text):
                    for run in _runs_of(version):
                        self._runs.pop(run, None)

    def _versions(self, text: str) -> set[str]:
        return {text, self._scrubber.scrub(text)}

    def find(self, text: str, file: str = "") -> list[Leak]:
        """The leaks in a text, in order; `file` is named in where they are.

        A page's markup goes through `text_of_page` first.
        """
        folded = Folded(text)
        breaks = [match.start() for match in re.finditer("\n", text)]
        placed: list[tuple[int, str, str]] = []
        shown = list(self._allowed_spans(folded.folded))
        for finding in self._scrubber.find(folded):
            if finding.kind == "name" and _within(finding, shown):
                continue
            start, _ = folded.span(finding.start, finding.end)
            placed.append((bisect_right(breaks, start) + 1, finding.kind, " ".join(sorted(finding.tokens))))
        placed += [(number, "verbatim", token) for number, token in self._verbatim(text)]
        leaks: dict[Leak, None] = {}
        for number, kind, token in sorted(placed):
            line = f"line {number}"
            leaks[Leak(kind, f"{file}, {line}" if file else line, token)] = None
        return list(leaks)

    def _allowed_spans(self, folded: str) -> Iterator[Span]:
        found = list(WORD.finditer(folded))
        for place, word in enumerate(found):
            for spelt in self._allowed.get(word[0], ()):
                end = end_of_row(folded, found, place, spelt)
                if end is not None:
                    yield word.start(), end

    def _verbatim(self, text: str) -> Iterator[tuple[int, str]]:
        """Lines that hold what only somebody who opted out wrote, and who that is."""
        if not self._runs:
            return
        for paragraph in _PARAGRAPH.finditer(text):
            folded = fold(paragraph[0])
            for start, run in _runs(folded):
                token = self._runs.get(run)
                if token is not None:
                    before = text.count("\n", 0, paragraph.start())
                    yield before + folded.count("\n", 0, start) + 1, token


def _within(finding: Finding, spans: Sequence[Span]) -> bool:
    """Whether a finding lies within one of the spans, which are in order of place."""
    last = bisect_right(spans, (finding.start, sys.maxsize)) - 1
    return any(
        start <= finding.start and finding.end <= end for start, end in spans[max(0, last - 3) : last + 1]
    )


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
            yield start, hash(joined[begin : starts[index + RUN_WORDS] - 1])
        if begin + RUN_CHARACTERS <= length:
            yield start, hash(joined[begin : begin + RUN_CHARACTERS])
        if not word.isascii() and _IDEOGRAPH.search(word):
            for offset in range(len(word)):
                if begin + offset + _RUN_IDEOGRAPHS <= length:
                    yield start + offset, hash(joined[begin + offset : begin + offset + _RUN_IDEOGRAPHS])


_CODE = re.compile(
    r"<script\b(?![^>]*\bjson\b)[^>]*>.*?</script\s*>|<style\b[^>]*>.*?</style\s*>", re.IGNORECASE | re.DOTALL
)
_TAG = re.compile(
    r"<!--.*?-->|</?([a-z][\w:-]*)((?:[^<>\"']|\"[^\"]*\"|'[^']*')*)>|<![^>]*>", re.IGNORECASE | re.DOTALL
)
_READ_ATTRIBUTE = re.compile(
    r"\b(?:title|alt|content|href|src|srcset|cite|aria-label|aria-description|value|placeholder|label|summary|download|id|name|data-[\w-]+)"
    r"\s*=\s*(?:\"([^\"]*)\"|'([^']*)')",
    re.IGNORECASE,
)
_INLINE = frozenset(
    [
        *(
            "a",
            "abbr",
            "b",
            "bdi",
            "bdo",
            "cite",
            "code",
            "del",
            "em",
            "font",
            "i",
            "ins",
            "kbd",
            "mark",
            "q",
        ),
        *("s", "small", "span", "strong", "sub", "sup", "time", "tspan", "u", "wbr"),
    ]
)


def text_of_page(markup: str) -> str:
    """What a page's markup says: its text, comments, and the attributes that hold words or addresses.

    Lines stay where they are. Scripts and styles say nothing; JSON does.
    """
    without_code = _CODE.sub(lambda match: "\n" * match[0].count("\n"), markup)
    return html.unescape(_TAG.sub(_words_of_tag, without_code))


def _words_of_tag(match: re.Match[str]) -> str:
    tag, attributes = match[1], match[2]
    if tag is None:
        return f"{_BLOCK}{match[0][4:-3]}{_BLOCK}" if match[0].startswith("<!--") else _BLOCK
    said: list[str] = []
    done = 0
    for attribute in _READ_ATTRIBUTE.finditer(attributes):
        said.append("\n" * attributes.count("\n", done, attribute.start()))
        said.append(f"{_BLOCK}{attribute[1] or attribute[2] or ''}{_BLOCK}")
        done = attribute.end()
    said.append("\n" * attributes.count("\n", done))
    return "".join(said) if tag.lower() in _INLINE else _BLOCK + "".join(said)
