"""Day, month, year: in which order a file prints them, decided once from all the evidence.

Each order is charged for what would have to be true if it held: dates that don't exist, days that run
backwards or leap, attachments named after another day, years before WhatsApp or in the future. What phones
of the regions usually print is a small advance. The cheapest order wins; the lead makes the confidence.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from egregora_resources.inputs.whatsapp.calendar import (
    EARLIEST,
    GREGORIAN,
    Bools,
    Calendar,
    Ints,
    calendar_of,
    to_days,
)
from egregora_resources.inputs.whatsapp.shape import Shape

PLACES = {"dmy": (2, 1, 0), "mdy": (2, 0, 1), "ymd": (0, 1, 2), "ydm": (0, 2, 1), "myd": (1, 0, 2)}
"""The columns of year, month and day."""
_NAMES = {
    "dmy": "day first",
    "mdy": "month first",
    "ymd": "year first",
    "ydm": "year first, then day",
    "myd": "year between",
}
_NO_YEAR = 1900
_SHARE = 20.0
"""What it is charged for if none of the dates exist, beside the charge for each."""


@dataclass(frozen=True, slots=True)
class Order:
    """How dates are read in one file."""

    name: str
    calendar: Calendar
    confidence: float
    evidence: str

    def days(self, values: NDArray[np.int16]) -> tuple[Ints, Bools]:
        """Days since 1970 of the rows of a scan, and which of them exist."""
        # Consecutive messages mostly have the same date: each run of them is computed once.
        rows, lengths = runs(values)
        days, exist = self._days(values[rows].astype(np.int64))
        return np.repeat(days, lengths), np.repeat(exist, lengths)

    def _days(self, values: Ints) -> tuple[Ints, Bools]:
        year, month, day = (values[:, column] for column in PLACES[self.name])
        return to_days(np.where(year < 0, _NO_YEAR, year), month, day, self.calendar)

    @staticmethod
    def unknown(wanted: str | None) -> Order:
        """Of a file without dates."""
        return Order(wanted or "dmy", GREGORIAN, 0.0, "It holds no dated message.")

    def exist(self, values: NDArray[np.int16]) -> Bools:
        """Which rows are dates at all."""
        return self.days(values)[1]


def runs(values: NDArray[np.int16]) -> tuple[Ints, Ints]:
    """Where runs of rows with the same date begin, and how long they are."""
    if len(values) == 0:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    first, second, third = (values[:, column] for column in range(3))
    new = (first[1:] != first[:-1]) | (second[1:] != second[:-1]) | (third[1:] != third[:-1])
    starts = np.concatenate([[0], np.flatnonzero(new) + 1])
    return starts, np.diff(np.append(starts, len(values)))


def may_exist(values: NDArray[np.int16]) -> Bools:
    """Which rows are dates in some order."""
    a, b, c = (values[:, column] for column in range(3))
    day_a, day_b, day_c = ((one >= 1) & (one <= 31) for one in (a, b, c))
    month_a, month_b = ((one >= 1) & (one <= 12) for one in (a, b))
    month_c = (c >= 1) & (c <= 12)
    clock = values[:, 3] <= 23
    return clock & (
        (day_a & month_b)
        | (month_a & day_b)
        | (month_b & day_c)
        | (day_b & month_c)
        | (month_a & (b > 99) & day_c)
    )


def decide(
    values: NDArray[np.int16], named: NDArray[np.int32], shape: Shape, script: str, wanted: str | None
) -> Order:
    """The order of one file.

    Args:
        values: the rows of all its headers.
        named: the day (since 1970) that the attachment's name tells, for each row; -1 where none does.
        script: see `calendar_of`.
        wanted: the order its owner says it has, or None.
    """
    header = b" ".join(b"".join(sorted(slot)) for slot in shape.slots).decode()
    if len(values) == 0:
        return Order.unknown(wanted)
    values, named, weights = _distinct(values, named)
    possible = _possible(values, shape)
    charges: dict[str, _Charge] = {}
    for name in possible:
        column = PLACES[name][0]
        calendar = calendar_of(values[:, column].astype(np.int64), header, script)
        charges[name] = _charge(Order(name, calendar, 0, ""), values, named, weights, shape, script)
    ranked = sorted(charges, key=lambda name: charges[name].total)
    best = ranked[0]
    if wanted is not None:
        chosen = wanted if wanted in charges else best
        sentence = "Its owner says so."
        missing = charges[chosen].missing
        if wanted not in charges:
            sentence = f"Its years stand where only {_NAMES[best]} is possible."
        elif missing > charges[best].missing:
            sentence = (
                f"Its owner says so, but read {_NAMES[wanted]}, {missing:,} {_plural(missing, 'date')} would not exist; "
                "lines that begin so were read as text of the messages above."
            )
        return Order(chosen, charges[chosen].calendar, round(1 - missing / int(weights.sum()), 3), sentence)
    lead = charges[ranked[1]].total - charges[best].total if len(ranked) > 1 else 20.0
    confidence = round(1 / (1 + float(np.exp(-min(lead, 20.0)))), 3)
    return Order(best, charges[best].calendar, confidence, _sentence(best, ranked, charges))


def _distinct(
    values: NDArray[np.int16], named: NDArray[np.int32]
) -> tuple[NDArray[np.int16], NDArray[np.int32], Ints]:
    """The rows that may tell something: new dates and dated attachments, and how many each stands for."""
    rows = np.union1d(runs(values)[0], np.flatnonzero(named >= 0))
    return values[rows], named[rows], np.diff(np.append(rows, len(values)))


def _possible(values: NDArray[np.int16], shape: Shape) -> list[str]:
    if "M" in shape.fields:
        numbers = "".join(name for name in shape.fields if name in "abcM")
        place = numbers.index("M")
        if place == 0:
            return ["mdy"]
        return ["ymd"] if place == 1 and np.median(values[:, 0]) > 31 else ["dmy"]
    first, middle, last = np.median(values, axis=0)[:3].tolist()
    if last < 0:
        return ["mdy", "dmy"]
    if middle > 31:
        return ["myd"]
    if first > 31 and first > last:
        return ["ymd", "ydm"]
    if last > 99:
        return ["dmy", "mdy"]
    return ["dmy", "mdy", "ymd"]


@dataclass(slots=True)
class _Charge:
    calendar: Calendar
    missing: int
    backwards: int
    misnamed: int
    well_named: int
    total: float
    habit: float


def _charge(
    order: Order,
    values: NDArray[np.int16],
    named: NDArray[np.int32],
    weights: Ints,
    shape: Shape,
    script: str,
) -> _Charge:
    days, real = order.days(values)
    missing = int(weights[~real].sum())
    kept = days[real]
    gaps = np.diff(kept)
    backwards = int((gaps < -1).sum())
    # A chat's days follow closely; read in the wrong order they leap by months.
    leaps = float(np.log1p(np.abs(gaps[gaps != 0])).sum()) * 0.35 + 2.5 * backwards
    told = real & (named >= 0)
    apart = np.abs(days[told] - named[told])
    misnamed, well_named = int((apart > 1).sum()), int((apart <= 1).sum())
    today = (date.today() - date(1970, 1, 1)).days + 400
    earliest = (date(EARLIEST, 1, 1) - date(1970, 1, 1)).days
    unlikely = int(((kept > today) | (kept < earliest)).sum())
    habit = _habit(order.name, shape, values, script)
    total = (
        (6.0 + _SHARE / max(1, int(weights.sum()))) * missing
        + leaps
        + 4.0 * (misnamed - well_named)
        + 5.0 * min(unlikely, 3)
        - habit
    )
    return _Charge(order.calendar, missing, backwards, misnamed, well_named, total, habit)


def _habit(order: str, shape: Shape, values: NDArray[np.int16], script: str) -> float:
    """What the shape alone says for an order, in natural logarithms of odds."""
    style = "".join(shape.style[1])
    plain = shape.style[1]
    first_gap = plain[_date_gap(shape)]
    if "." in first_gap or "年" in style or "년" in style:
        korean = first_gap == ". " and (
            ". " in style.replace(first_gap, "", 2) or shape.fields.find("p") == 3
        )
        year_first = "年" in style or "년" in style or korean
        return {"dmy": 0.0 if year_first else 8.0, "ymd": 6.0 if year_first else 1.0, "ydm": -8.0}.get(
            order, -4.0
        )
    if order in ("ymd", "ydm"):
        return (
            3.0 if order == "ymd" and values[:, 0].max(initial=0) > 31 else (-6.0 if order == "ydm" else -2.5)
        )
    if first_gap == "-":
        return 3.0 if order == "dmy" else 0.0
    short_year = bool(np.median(values[:, 2]) < 100)
    american = 1.0 if short_year else -2.0
    american -= (0.0 if shape.zeros == ("0",) else 3.0) + (0.0 if script in ("", "LATIN") else 1.5)
    american += 0.5 if "d" in shape.padding else (-1.0 if "0d" in shape.padding else 0.0)
    periods = {period.decode() for period in shape.periods}
    if periods & {"AM", "PM"}:
        american += 1.5 if short_year and "0h" not in shape.padding else 0.5
    elif periods or "h" in shape.padding:
        american -= 2.0
    if not shape.bracketed:
        # Phones of the United States print "3/4/21, 7:02 PM". iPhones mix one language's comma with another
        # region's order.
        border = plain[3] if shape.fields.startswith("abc") else ""
        american -= 0.0 if border == ", " else 2.0
    return american if order == "mdy" else 0.0


def _date_gap(shape: Shape) -> int:
    return shape.fields.index("a") + 1 if "a" in shape.fields else shape.fields.index("M") + 1


def _sentence(best: str, ranked: list[str], charges: dict[str, _Charge]) -> str:
    name = _NAMES[best].capitalize()
    if len(ranked) == 1:
        return f"{name}: the dates can't be read otherwise."
    own, other = charges[best], charges[ranked[1]]
    second = _NAMES[ranked[1]]
    if other.missing > own.missing:
        count = other.missing - own.missing
        return f"{name}: read {second}, {count:,} {_plural(count, 'date')} would not exist."
    if other.misnamed > own.misnamed:
        count = own.well_named
        return f"{name}: {count:,} {_plural(count, 'attachment')} named after the day agree."
    if other.backwards > own.backwards:
        count = other.backwards - own.backwards
        return f"{name}: read {second}, time would run backwards {count:,} more {_plural(count, 'time')}."
    if other.total + other.habit > own.total + own.habit + 0.5:
        return f"{name}: read {second}, days would leap."
    return f"{name}: only the look of the dates says so; give --date-order if it is wrong."


def _plural(count: int, noun: str) -> str:
    return noun if count == 1 else noun + "s"
