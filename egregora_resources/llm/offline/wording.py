"""The provider's own sentences (``phrases.toml``) filled with numbers, days and names."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from importlib import resources
from typing import Any

from babel import Locale

from egregora_resources.cldr import locale_of
from egregora_resources.llm.offline.language import normal_code


@dataclass(frozen=True, slots=True)
class Wording:
    """One language's sentences. No clock times: a site may be set to show days only."""

    phrases: dict[str, Any]
    locale: Locale

    def __getitem__(self, key: str) -> str:
        return self.phrases[key]

    def number(self, n: int) -> str:
        names: list[str] = self.phrases["numbers"]
        return names[n] if n < len(names) else str(n)

    def people(self, n: int) -> str:
        return self["person"] if n == 1 else self["people"].format(n=self.number(n))

    def messages(self, n: int) -> str:
        return self["message"] if n == 1 else self["messages"].format(n=self.number(n))

    def day(self, time: datetime) -> str:
        weekday = self.locale.days["format"]["wide"][time.weekday()]
        return self["day"].format(weekday=weekday, day=time.day, month=self._month(time))

    def _month(self, time: datetime) -> str:
        return self.locale.months["format"]["wide"][time.month]

    def _dated(self, key: str, time: datetime) -> str:
        weekdays = self.phrases.get("on_weekdays")
        return self[key].format(
            day=self.day(time),
            on_weekday=weekdays[time.weekday()] if weekdays else "",
            number=time.day,
            month=self._month(time),
        )

    def when(self, first: datetime, last: datetime) -> str:
        if first.date() == last.date():
            return self._dated("on_day", first)
        return self["from_to"].format(first=self.day(first), last=self.day(last))

    def listing(self, items: Sequence[str]) -> str:
        """``a, b and c``."""
        if len(items) < 2:
            return "".join(items)
        return f"{', '.join(items[:-1])} {self['and']} {items[-1]}"

    def pause(self, before: datetime, after: datetime) -> str:
        """What to say between two quotes: nothing, hours later, or the new day."""
        if before.date() != after.date():
            return sentence(self._dated("later_day", after))
        hours = int((after - before) / timedelta(hours=1))
        if hours < 1:
            return ""
        text = self["hour_later"] if hours == 1 else self["hours_later"].format(n=self.number(hours))
        return sentence(text)


@cache
def wording(language: str) -> Wording:
    """The sentences of a language; English where there are none."""
    entries, code = _entries(), normal_code(language)
    code = code if code in entries else "en"
    return Wording(entries[code], locale_of(code))


@cache
def _entries() -> dict[str, dict[str, Any]]:
    source = resources.files("egregora_resources.llm.offline") / "phrases.toml"
    return tomllib.loads(source.read_text(encoding="utf-8"))


def sentence(text: str) -> str:
    """With a capital first letter, wherever the letters begin."""
    for position, letter in enumerate(text):
        if letter.isalpha():
            return text[:position] + letter.upper() + text[position + 1 :]
        if letter.isdigit():
            break
    return text
