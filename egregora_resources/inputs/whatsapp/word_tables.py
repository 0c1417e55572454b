"""The words WhatsApp and its phones print, from the data tables beside this module, each read when needed."""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from importlib.resources import files

MARKS = "\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u061c\ufeff"
"""Direction marks: invisible, put in by phones."""
SPACES = " \u00a0\u202f\u2009\u2007\u3000"
_NO_MARKS = dict.fromkeys(map(ord, MARKS))
_PLAIN_SPACES = dict.fromkeys(map(ord, SPACES), " ")


def without_marks(text: str) -> str:
    """`text` without direction marks."""
    return text if text.isascii() else text.translate(_NO_MARKS)


def plain_spaces(text: str) -> str:
    """`text` with every kind of space as the ordinary one."""
    return text if text.isascii() else text.translate(_PLAIN_SPACES)


def rows(table: str) -> list[list[str]]:
    """The rows of a table, split at tabs; lines that begin with # are comments."""
    text = (files("egregora_resources.inputs.whatsapp") / table).read_text("utf-8")
    return [line.split("\t") for line in text.split("\n") if line and not line.startswith("#")]


def letters(word: str) -> str:
    """What the tables of words are keyed by: letters only, case folded."""
    folded = unicodedata.normalize("NFKC", word).casefold()
    return "".join(c for c in folded if unicodedata.category(c)[0] in "LM")


@lru_cache(maxsize=1)
def _day_periods() -> dict[str, tuple[int, int]]:
    return {word: (int(start), int(before)) for word, start, before in rows("day_periods.tsv")}


@lru_cache(maxsize=1)
def _months() -> dict[str, int]:
    return {word: int(month) for word, month in rows("months.tsv")}


def month(word: str) -> int | None:
    """The month that `word` names in any language."""
    return _months().get(letters(word))


def is_day_period(word: str) -> bool:
    """Whether `word` tells the half or the part of the day."""
    return letters(word) in _day_periods()


def hour_of(word: str, hour: int) -> int:
    """The hour of 24 that a 12-hour clock shows as `hour` in the part of the day that `word` names."""
    start, before = _day_periods()[letters(word)]
    if hour > 12:
        return hour
    low, high = hour % 12, hour % 12 + 12
    if before <= start:
        before += 24
    inside = [h for h in (low, high) if start <= h < before or start <= h + 24 < before]
    if len(inside) == 1:
        return inside[0]
    # Outside its part of the day (phones differ in where it ends), the nearer of both.
    middle = (start + before) / 2
    return min((low, high), key=lambda h: min(abs(h + 0.5 - middle), 24 - abs(h + 0.5 - middle)) % 24)
