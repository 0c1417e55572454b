"""What a detector found in a text, and how findings are cut out of it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from egregora_resources.privacy.folded_text import Folded
from egregora_resources.privacy.pseudonyms import TOKEN_RE, is_token

Kind: TypeAlias = Literal["name", "phone", "e-mail", "card", "iban", "id number", "link"]
Span: TypeAlias = tuple[int, int]

PLACEHOLDER = re.compile(r"\[(?:name|phone|e-mail|card|iban|id number|link)\]")


@dataclass(frozen=True, slots=True)
class Finding:
    """A stretch of folded text that must not stay, and what takes its place."""

    start: int
    end: int
    kind: Kind
    tokens: frozenset[str] = frozenset()
    """Whom it may mean; exactly one is put in its place, several are nobody in particular."""
    unnamed: bool = False
    """Whoever it is must not be told apart: they opted out."""
    doubtful: bool = False
    """A name that is also a word."""

    @property
    def replacement(self) -> str:
        if len(self.tokens) == 1 and not self.unnamed:
            return "@" + next(iter(self.tokens))
        return f"[{self.kind}]"


class Occupied:
    """Which characters of a text are spoken for."""

    def __init__(self, length: int, spans: Iterable[Span] = ()) -> None:
        self._taken = bytearray(length)
        for start, end in spans:
            self.add(start, end)

    def add(self, start: int, end: int) -> None:
        self._taken[start:end] = b"\1" * (end - start)

    def free(self, start: int, end: int) -> bool:
        """Whether nothing between `start` and `end` is spoken for."""
        return self._taken.find(1, start, end) < 0

    def blank(self, text: str) -> str:
        """The text with what is spoken for made unreadable."""
        if self._taken.find(1) < 0:
            return text
        return "".join(
            "x" if taken else character for character, taken in zip(text, self._taken, strict=True)
        )


def protected(
    folded: str, known: frozenset[str] = frozenset(), hidden: frozenset[str] = frozenset()
) -> list[Span]:
    """Where earlier cleaning put tokens and placeholders: nothing is looked for there, but for the `hidden` ones."""
    spans: list[Span] = []
    if "@" in folded:
        for match in TOKEN_RE.finditer(folded):
            if match[1] not in hidden and (match[1] in known or is_token(match[1])):
                spans.append(match.span())
    if "[" in folded:
        spans += [match.span() for match in PLACEHOLDER.finditer(folded)]
    return spans


def without_overlaps(findings: Iterable[Finding], occupied: Occupied) -> list[Finding]:
    """In order of place; where two overlap, the one found earlier in the given order stays."""
    kept: list[Finding] = []
    for finding in findings:
        if occupied.free(finding.start, finding.end):
            occupied.add(finding.start, finding.end)
            kept.append(finding)
    return sorted(kept, key=lambda finding: finding.start)


def cut(text: Folded, findings: Iterable[Finding]) -> str:
    """The text as written, with every finding replaced.

    A replacement is kept apart from letters and hyphens that follow it, so that a token stays readable
    as a token: ``Laura-led`` becomes ``@amber-heron–led``.
    """
    written = text.text
    pieces: list[str] = []
    done = 0
    for finding in findings:
        start, end = text.span(finding.start, finding.end)
        start = max(start, done)
        pieces.append(written[done:start])
        replacement = finding.replacement
        before = written[start - 1] if start > done else pieces[-2][-1:] if len(pieces) > 1 else ""
        if before.isascii() and before.isalnum():
            pieces.append(" ")
        done = end
        if replacement.startswith("@"):
            following = written[end : end + 2]
            if following[:1].isascii() and following[:1].isalnum():
                replacement += " "
            elif following[:1] in {"-", "_"} and (
                len(following) == 1 or following[1].isalnum() or following[1] in "-_"
            ):
                replacement += "–"
                done = end + 1
        pieces.append(replacement)
    pieces.append(written[done:])
    return "".join(pieces)
