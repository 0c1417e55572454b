"""A page's own language: its words from ``strings/<language>.json``, its dates, numbers and plurals from CLDR.

A language without a string file has English words, but dates and numbers of its own. Adding one is adding a file.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from babel import Locale
from babel.dates import (
    DateTimePattern,
    format_date,
    get_datetime_format,
    match_skeleton,
    parse_pattern,
)
from babel.numbers import format_decimal
from babel.units import format_unit

from egregora_resources.cldr import locale_of

_STRINGS = Path(__file__).parent / "strings"
LANGUAGES = tuple(sorted(file.stem for file in _STRINGS.glob("*.json")))
"""Those with a string file."""


@dataclass(frozen=True)
class Strings:
    """How the pages of one site say things."""

    language: str
    """Of the words: one of `LANGUAGES`."""
    words: Mapping[str, Any]
    """The string file: sentences, by key; plurals as a mapping from CLDR's plural categories."""
    locale: Locale
    """Of dates and numbers: the site's language, whether or not there are words in it."""

    def __getitem__(self, key: str) -> str:
        return self.words[key]

    def count(self, key: str, number: int) -> str:
        """`number` of something: ``1 message``, ``1,204 messages``."""
        category = locale_of(self.language).plural_form(number)
        return self.words[key][category].format(self.number(number))

    def number(self, value: int) -> str:
        """``1,204``."""
        return format_decimal(value, locale=self.locale)

    def size(self, size: int) -> str:
        """A number of bytes: ``12 kB``, ``1.4 MB``."""
        if size < 1_000_000:
            return format_unit(max(1, round(size / 1000)), "digital-kilobyte", "short", locale=self.locale)
        return format_unit(round(size / 1_000_000, 1), "digital-megabyte", "short", locale=self.locale)

    def day(self, day: date) -> str:
        """``13 January 2025``."""
        return format_date(day, "long", locale=self.locale)

    def short_day(self, day: date) -> str:
        """``13 Jan``."""
        return _pattern(self.locale, "MMMd").apply(day, self.locale)

    def month(self, day: date) -> str:
        """``January 2025``."""
        return _pattern(self.locale, "yMMMM").apply(day, self.locale)

    def clock(self, moment: datetime | time) -> str:
        """``09:12``, on a clock of 24 hours."""
        return _pattern(self.locale, "Hm").apply(moment, self.locale)

    def short_moment(self, moment: datetime) -> str:
        """``13 Jan, 09:12``."""
        pattern = str(get_datetime_format("medium", locale=self.locale)).replace("'", "")
        return pattern.replace("{0}", self.clock(moment)).replace("{1}", self.short_day(moment))

    def span(self, start: datetime, end: datetime) -> str:
        """``13–19 January 2025``; an end at midnight belongs to the day before."""
        if end > start and end.time() == time.min:
            end -= timedelta(seconds=1)
        first, last = start.date(), end.date()
        if first == last:
            return self.day(first)
        differing = "y" if first.year != last.year else "M" if first.month != last.month else "d"
        from_pattern, to_pattern = _span_patterns(self.locale)[differing]
        return from_pattern.apply(first, self.locale) + to_pattern.apply(last, self.locale)


@cache
def _pattern(locale: Locale, skeleton: str) -> DateTimePattern:
    """The pattern in which `locale` writes the fields of a skeleton; looking it up costs more than using it."""
    skeletons = locale.datetime_skeletons
    return skeletons[match_skeleton(skeleton, skeletons)]


@cache
def _span_patterns(locale: Locale) -> Mapping[str, tuple[DateTimePattern, DateTimePattern]]:
    """How a span is written whose ends differ in the year (``y``), the month (``M``) or only the day (``d``)."""
    skeleton = match_skeleton("yMMMMd", locale.interval_formats)
    return {
        field: (_in_full(first), _in_full(last))
        for field, (first, last) in locale.interval_formats[skeleton].items()
        if field in "yMd"
    }


def _in_full(pattern: str) -> DateTimePattern:
    """`pattern` with the month's name in full and the day without a zero.

    Most languages have patterns for short names only; CLDR wants those stretched, which Babel doesn't do.
    """
    pattern = re.sub(r"(?<![ML])([ML])\1\1(?![ML])", r"\1\1\1\1", pattern)
    return parse_pattern(pattern.replace("dd", "d"))


@cache
def strings_for(language: str) -> Strings:
    """The strings of a site in `language` (``pt``, ``pt-BR``); English as far as the language isn't known."""
    code = language.lower().replace("_", "-").split("-")[0]
    code = code if code in LANGUAGES else "en"
    text = (_STRINGS / f"{code}.json").read_text("utf-8")
    return Strings(code, json.loads(text), locale_of(language))
