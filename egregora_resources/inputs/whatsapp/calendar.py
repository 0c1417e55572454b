"""From printed dates to days: calendars of the phones' regions, and validity, over whole arrays."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

EARLIEST = 2009
"""WhatsApp's first year."""


class Calendar(NamedTuple):
    """A way of counting years.

    Attributes:
        offset: what makes a Gregorian year of one of its years; for calendars with months of their own, 0.
        century: what is added to two-digit years.
    """

    name: str
    offset: int = 0
    century: int = 2000


GREGORIAN = Calendar("Gregorian")
BUDDHIST = Calendar("Buddhist", -543, 2500)
MINGUO = Calendar("Minguo", 1911, 0)
REIWA = Calendar("Reiwa", 2018, 0)
HEISEI = Calendar("Heisei", 1988, 0)
PERSIAN = Calendar("Persian", 0, 1300)
HIJRI = Calendar("Hijri", 0, 1400)


def calendar_of(years: Ints, header: str, script: str) -> Calendar:
    """The calendar that a file's years are counted in.

    Args:
        years: as printed.
        header: the literals of its headers (eras are named there).
        script: the letters its words are mostly in, by their Unicode name: "LATIN", "THAI", "ARABIC" and so on.
    """
    if len(years) == 0:
        return GREGORIAN
    year = int(np.median(years))
    eras = (
        {one.strip("[\u200e\u200f")[-1:] for one in re.split("[ /.-]", header)} if year < 100 else set[str]()
    )
    if any(era in header for era in ("民國", "民国")):
        return MINGUO
    if "令和" in header or "R" in eras:
        return REIWA
    if "平成" in header or "H" in eras:
        return HEISEI
    if year >= 100:
        if 2440 <= year <= 2700:
            return BUDDHIST
        if 1380 <= year < 1420:
            return PERSIAN
        if 1420 <= year <= 1500:
            return HIJRI
        return GREGORIAN
    if 52 <= year <= 75 or (script == "THAI" and 40 < year < 80):
        return BUDDHIST
    if script == "ARABIC" and 86 <= year <= 99:
        return PERSIAN
    if script == "ARABIC" and 0 <= year <= 8:
        return PERSIAN._replace(century=1400)
    if script == "ARABIC" and 30 <= year <= 50:
        return HIJRI
    return GREGORIAN


def to_days(year: Ints, month: Ints, day: Ints, calendar: Calendar) -> tuple[Ints, Bools]:
    """Days since 1970-01-01 of printed dates, and which of them exist."""
    year = np.where(year < 100, year + calendar.century, year) + calendar.offset
    possible = (month >= 1) & (month <= 12) & (day >= 1) & (day <= 31) & (year >= 1) & (year <= 9999)
    if calendar.name == "Persian":
        return _persian(year, month, day), possible & (day <= np.where(month <= 6, 31, 30))
    if calendar.name == "Hijri":
        return _hijri(year, month, day), possible & (day <= 30)
    lengths = np.array([31, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
    leap = ((year % 4 == 0) & (year % 100 != 0)) | (year % 400 == 0)
    longest = lengths[np.where(possible, month, 0)] + (leap & (month == 2))
    return _gregorian(year, month, day), possible & (day <= longest)


def _gregorian(year: Ints, month: Ints, day: Ints) -> Ints:
    # Years that begin in March, in eras of 400 years: the leap day is then the last of a year.
    shifted = year - (month <= 2)
    era = shifted // 400
    of_era = shifted - era * 400
    of_year = (153 * (month + np.where(month > 2, -3, 9)) + 2) // 5 + day - 1
    return era * 146097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719468


def _persian(year: Ints, month: Ints, day: Ints) -> Ints:
    # Eight leap years in 33, as the calendar has had them since 1178 and will until 1633.
    of_year = np.where(month <= 7, 31 * (month - 1), 186 + 30 * (month - 7))
    return 365 * year + (8 * year + 21) // 33 + of_year + day + _PERSIAN_EPOCH


_PERSIAN_EPOCH = 17245 - (365 * 1396 + (8 * 1396 + 21) // 33)
"""So that 1 Farvardin 1396 is 21 March 2017."""


def _hijri(year: Ints, month: Ints, day: Ints) -> Ints:
    known = (year >= _HIJRI_FIRST) & (year < _HIJRI_FIRST + len(_UMM_AL_QURA)) & (month >= 1) & (month <= 12)
    place = np.where(known, (year - _HIJRI_FIRST) * 12 + month - 1, 0)
    # Outside the table the arithmetic calendar, which may differ by a day.
    computed = (year - 1) * 354 + (3 + 11 * year) // 30 + (59 * (month - 1) + 1) // 2 - 492149
    return np.where(known, _hijri_months()[place], computed) + day - 1


@lru_cache(maxsize=1)
def _hijri_months() -> Ints:
    """The first day of each month of the table."""
    lengths = [29 + (year >> (11 - month) & 1) for year in _UMM_AL_QURA for month in range(12)]
    return _HIJRI_START + np.concatenate([[0], np.cumsum(lengths)[:-1]])


_HIJRI_FIRST = 1429
_HIJRI_START = 13888
_UMM_AL_QURA = (
    1179, 1621, 1705, 1876, 2922, 1388, 2733, 1365, 2857, 2962, 2985, 1492,
    2778, 1370, 2731, 1429, 1865, 1892, 2986, 1461, 694, 2646, 3661,
)  # fmt: skip
"""Which months of each year from 1429 have 30 days, a bit each; announced, not computed."""
