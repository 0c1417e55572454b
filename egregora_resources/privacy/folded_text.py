"""Text as the detectors see it: one shape for all the ways of writing the same thing.

Detectors look at the folded text; what they find is cut out of the text as written. Folding makes lower
case, takes accents, direction marks and zero-width characters away, and turns every digit, space, dash
and apostrophe into its ASCII form. It is never stored or shown.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u2e80-\u2fdf\u3040-\u30ff\u3130-\u318f\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\U00020000-\U0003ffff"
"""Scripts written without spaces between words, or with endings glued to names: inside a character class."""

WORD = re.compile(rf"[^\W_{UNSPACED}]+")
"""A word of folded text in a script with spaces."""

MANY_DIGITS = re.compile(r"\d(?:[^\d\n]{0,4}\d){5}|[a-z]{5}\d{4}[a-z]")
"""A quick test: a text without this holds no phone number, card or national number."""

_ASCII_WORD = re.compile("[a-z0-9]+")
_OWN_LETTERS = {"ı": "i", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ß": "ss"}
_APOSTROPHES = "'\u2018\u2019\u201b\u02bc\u02b9\u00b4\uff07"
# Accents of the scripts where they are ornaments; elsewhere (Devanagari, Thai) combining marks are vowels.
_ACCENT = re.compile(
    r"[\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u05bf-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06dc\u3099\u309a\ufe00-\ufe0f\u20d0-\u20f0]"
)


@lru_cache(maxsize=8192)
def _fold_character(character: str) -> str:
    if character == "\n":
        return character
    category = unicodedata.category(character)
    if category in {"Cf", "Cs"} or character in "\u034f\u115f\u1160\u3164\uffa0\u180b\u180c\u180d":
        return ""
    if category == "Nd":
        return str(unicodedata.decimal(character))
    if category in {"Zs", "Zl", "Zp", "Cc"}:
        return "\n" if category in {"Zl", "Zp"} or character in "\x0b\x0c\x85" else " "
    if category == "Pd" or character in "\u2212\u02d7\u2043":
        return "-"
    if character in _APOSTROPHES:
        return "'"
    compatible = unicodedata.normalize("NFKD", character).casefold()
    plain = _ACCENT.sub("", unicodedata.normalize("NFKD", compatible))
    return "".join(_OWN_LETTERS.get(letter, letter) for letter in plain)


class _Table(dict[int, str]):
    """What `str.translate` asks, filled as characters turn up."""

    def __missing__(self, code: int) -> str:
        folded = _fold_character(chr(code))
        self[code] = folded
        return folded


_TABLE = _Table()


def fold(text: str) -> str:
    """The folded text alone, for keys and look-ups.

    >>> fold("José ＋４４ L\u200baura")
    'jose +44 laura'
    """
    if text.isascii() and text.isprintable():
        return text.lower()
    return text.translate(_TABLE)


def words(folded: str) -> list[str]:
    """The words of a folded text, in order."""
    return (_ASCII_WORD if folded.isascii() else WORD).findall(folded)


_BETWEEN_WORDS = re.compile(r"[^\w\n!?;:()\[\]{}<>|/\\\"@#=]{1,5}|\n| ?\n|_|-")


def end_of_row(
    folded: str, found: Sequence[re.Match[str]], place: int, wanted: tuple[str, ...]
) -> int | None:
    """Where the words from `place` on end, if they are the wanted ones in a row; else None."""
    if place + len(wanted) > len(found):
        return None
    end = found[place].end()
    for offset in range(1, len(wanted)):
        word = found[place + offset]
        if word[0] != wanted[offset] or not _BETWEEN_WORDS.fullmatch(folded, end, word.start()):
            return None
        end = word.end()
    return end


class Folded:
    """A folded text that remembers where its characters came from."""

    __slots__ = ("_ends", "_starts", "folded", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.folded = fold(text)
        self._starts: list[int] | None = None
        self._ends: list[int] | None = None

    def _map(self) -> tuple[list[int], list[int]]:
        if self._starts is None or self._ends is None:
            starts: list[int] = []
            ends: list[int] = []
            for position, character in enumerate(self.text):
                width = len(_TABLE[ord(character)])
                if width:
                    starts += [position] * width
                    ends += [position + 1] * width
                elif ends:
                    # A mark that folding drops goes with the character before it.
                    ends[-1] = position + 1
            self._starts, self._ends = starts, ends
        return self._starts, self._ends

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The stretch of the text as written that `folded[start:end]` stands for (never empty)."""
        if self.text.isascii():
            return start, end
        starts, ends = self._map()
        first = starts[start]
        while (
            first and unicodedata.category(self.text[first - 1]) == "Cf" and self.text[first - 1] != "\u200d"
        ):
            first -= 1
        return first, ends[end - 1]

    def written(self, start: int, end: int) -> str:
        """The characters that `folded[start:end]` stands for, as written."""
        if self.text.isascii():
            return self.text[start:end]
        starts, ends = self._map()
        return self.text[starts[start] : ends[end - 1]]
