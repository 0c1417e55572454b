"""The words of the site itself, by language: ``strings/<language>.json``. English where a language is missing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

LANGUAGES = ("en", "pt", "es", "de")


@dataclass(frozen=True)
class Strings:
    """The words, dates and numbers of one language."""

    language: str
    words: Mapping[str, Any]

    def __getitem__(self, key: str) -> str:
        return self.words[key]

    def count(self, key: str, number: int) -> str:
        """`number` of something: ``1 message``, ``1,204 messages``."""
        form = self.words[key]["one" if number == 1 else "other"]
        return form.format(self.number(number))

    def number(self, value: int) -> str:
        return f"{value:,}".replace(",", self.words["thousands"])

    def day(self, moment: date) -> str:
        """``13 January 2025``."""
        return self.words["day"].format(d=moment.day, m=self.words["months"][moment.month - 1], y=moment.year)

    def short_day(self, moment: date) -> str:
        """``13 Jan``."""
        month = self.words["months"][moment.month - 1][:3]
        return self.words["short_day"].format(d=moment.day, m=month)

    def month(self, moment: date) -> str:
        """``January 2025``."""
        return self.words["month"].format(m=self.words["months"][moment.month - 1], y=moment.year)

    def span(self, start: datetime, end: datetime) -> str:
        """``13–19 January 2025``; an end at midnight belongs to the day before."""
        if end > start and end.time().isoformat() == "00:00:00":
            end -= timedelta(seconds=1)
        if start.date() == end.date():
            return self.day(start)
        months = self.words["months"]
        if (start.year, start.month) == (end.year, end.month):
            return self.words["days"].format(
                d1=start.day, d2=end.day, m=months[start.month - 1], y=start.year
            )
        if start.year == end.year:
            first = self.words["day_month"].format(d=start.day, m=months[start.month - 1])
            return f"{first} – {self.day(end)}"
        return f"{self.day(start)} – {self.day(end)}"


@cache
def strings_for(language: str) -> Strings:
    """The words for `language` (``pt``, ``pt-BR``), or the English ones."""
    code = language.lower().replace("_", "-").split("-")[0]
    code = code if code in LANGUAGES else "en"
    text = (Path(__file__).parent / "strings" / f"{code}.json").read_text("utf-8")
    return Strings(code, json.loads(text))
