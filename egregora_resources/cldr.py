"""What Unicode's CLDR knows of a language, by way of Babel: how it writes dates and numbers, and its plurals.

Here is which of CLDR's locales a language code means, and what its calendar calls days and months. The product's own
words stand where they are used.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from babel import Locale, UnknownLocaleError

_ENGLISH = "en_GB"
"""Our English is British, and so are its dates: CLDR's plain ``en`` writes ``January 13, 2025``."""


@cache
def locale_of(language: str) -> Locale:
    """The locale of a language code (``fr``, ``pt-BR``), its region ignored; English for one that CLDR lacks."""
    code = language.replace("_", "-").split("-")[0].lower()
    try:
        return Locale.parse(_ENGLISH if code == "en" else code)
    except (UnknownLocaleError, ValueError):
        return Locale.parse(_ENGLISH)


@cache
def language_codes() -> frozenset[str]:
    """The two-letter codes of ISO 639-1."""
    return frozenset(code for code in map(str, Locale.parse("en").languages) if len(code) == 2)


def calendar_words(locale: Locale) -> Iterator[str]:
    """The names of months and weekdays that dates are written with, in full and shortened."""
    for names in (locale.months, locale.days):
        for context in ("format", "stand-alone"):
            for width in ("wide", "abbreviated"):
                yield from names[context][width].values()
