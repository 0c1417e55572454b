"""The header shape of one file: learnt from its lines, then the only thing accepted at a line's start.

A shape knows the order of the fields and, for each place between them, the exact literals seen there (kinds
of space and direction marks vary within a file). It compiles to one regular expression over bytes, which is
the reference; `scan` runs the same shape over whole blocks with numpy.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from egregora_resources.inputs.whatsapp.header import Sighting, sight
from egregora_resources.inputs.whatsapp.word_tables import MARKS, hour_of, month

_MANY_MORE = 20
FIELDS = "abchms"
"""Columns of the numbers that a scan yields; the part of the day is told by its own column after them."""
_WIDTHS = {"a": (1, 4), "b": (1, 4), "c": (1, 4), "h": (1, 2)}
_PADDED = {"a": "d", "b": "d", "c": "d", "h": "h", "m": "m", "s": "m"}


@dataclass(frozen=True)
class Shape:
    """Attributes:
    fields: the fields in the order they are printed, see `Sighting`.
    slots: the literals seen before, between and after the fields.
    words: the parts of the day and names of months seen, longest first.
    zeros: the digit zero of each script that digits were seen in.
    style: the plain form that literals of this shape share.
    padding: what of the file's numbers below ten was seen: "0d", "0h" and "0m" with, "d", "h" and "m" without
        a zero before them, in dates, hours, and minutes or seconds.
    """

    fields: str
    slots: tuple[frozenset[bytes], ...]
    periods: tuple[bytes, ...]
    months: tuple[bytes, ...]
    zeros: tuple[str, ...]
    style: tuple[str, tuple[str, ...]] = field(repr=False)
    padding: frozenset[str] = frozenset()

    @property
    def bracketed(self) -> bool:
        """Whether headers stand in brackets, as iPhones print them."""
        return any(b"[" in literal for literal in self.slots[0])

    @property
    def twelve_hours(self) -> bool:
        """Whether the clock names the part of the day."""
        return "p" in self.fields

    @cached_property
    def widths(self) -> dict[str, tuple[int, int]]:
        """The fewest and most digits of each number; a few languages' phones print minutes without a zero before."""
        short = (1, 2) if "m" in self.padding and "0m" not in self.padding else (2, 2)
        return _WIDTHS | {"m": short, "s": short}

    @cached_property
    def regex(self) -> re.Pattern[bytes]:
        """The shape at the start of a line; one group for each field."""
        pattern = bytearray(b"^")
        for place, name in enumerate(self.fields):
            pattern += _either(self.slots[place])
            if name == "p":
                pattern += b"(" + _either(self.periods) + b")"
            elif name == "M":
                pattern += b"(" + _either(self.months) + b")"
            else:
                low, high = self.widths[name]
                digit = _either([_digits(zero) for zero in self.zeros], escape=False)
                pattern += b"(%b{%d,%d})" % (digit, low, high)
        pattern += _either(self.slots[-1])
        return re.compile(bytes(pattern), re.MULTILINE)

    @cached_property
    def month_numbers(self) -> dict[bytes, int]:
        """The month each of `months` names."""
        return {word: month(word.decode()) or 0 for word in self.months}

    def hours(self, period: bytes) -> list[int]:
        """The hour of 24 for each hour 0 to 24 on the clock in `period`."""
        word = period.decode()
        return [hour_of(word, hour) for hour in range(25)]

    def values(self, sighting: Sighting) -> list[int]:
        """The numbers of one sighting in the order of `FIELDS`, -1 for none; the hour is of 24."""
        by_name = dict(zip(sighting.fields, sighting.values, strict=True))
        row = [int(by_name[name]) if name in by_name else -1 for name in FIELDS]
        if "M" in by_name:
            numbers = "".join(name for name in sighting.fields if name in "abcM")
            row["abc".index(_month_place(numbers))] = month(by_name["M"]) or 0
        if "p" in by_name:
            row[3] = hour_of(by_name["p"], row[3])
        return row


def _month_place(numbers: str) -> str:
    # The letters a, b, c were given by place, the month's name among them.
    return "abc"[numbers.index("M")]


def month_column(fields: str) -> int:
    """The column of `FIELDS` that a month's name stands in."""
    return "".join(name for name in fields if name in "abcM").index("M")


def _digits(zero: str) -> bytes:
    encoded = zero.encode()
    return re.escape(encoded[:-1]) + b"[\\x%02x-\\x%02x]" % (encoded[-1], encoded[-1] + 9)


def _either(literals: Iterable[bytes], *, escape: bool = True) -> bytes:
    ordered = sorted(set(literals), key=lambda literal: (-len(literal), literal))
    return b"(?:" + b"|".join(re.escape(one) if escape else one for one in ordered) + b")"


def learn(lines: Iterable[str]) -> Shape | None:
    """The shape that the file opens with, or else most header-like lines share; of equals, the one that comes first.

    Somebody may have pasted another chat, longer than the rest of this one.
    """
    opening: Sighting | None = None
    begun = False
    groups: dict[tuple[str, tuple[str, ...]], list[Sighting]] = {}
    for line in lines:
        sighting = sight(line)
        if sighting is not None:
            groups.setdefault(sighting.style, []).append(sighting)
        if not begun and line.strip():
            opening, begun = sighting, True
    if not groups:
        return None
    style = max(groups, key=lambda one: len(groups[one]))  # max keeps the first of equals
    if opening is not None and len(groups[style]) <= _MANY_MORE * len(groups[opening.style]):
        style = opening.style
    bare = (style[0], (*style[1][:-1], "]"))
    if bare in groups:
        style = bare  # the dash behind some of the brackets begins a name
    return _shape([_plain_clock(one) for one in groups[style]] if _is_era(groups[style]) else groups[style])


def _is_era(sightings: Sequence[Sighting]) -> bool:
    """Whether what looks like a part of the day is always the same, beside a clock of 24 hours."""
    fields = sightings[0].fields
    if "p" not in fields:
        return False
    words = {one.values[fields.index("p")] for one in sightings}
    return len(words) == 1 and any(int(one.values[fields.index("h")]) > 12 for one in sightings)


def _plain_clock(one: Sighting) -> Sighting:
    place = one.fields.index("p")
    joined = one.literals[place] + one.values[place] + one.literals[place + 1]
    return Sighting(
        one.fields.replace("p", ""),
        (*one.literals[:place], joined, *one.literals[place + 2 :]),
        (*one.values[:place], *one.values[place + 1 :]),
    )


def extend(shape: Shape, lines: Iterable[str]) -> tuple[Shape, int]:
    """The shape with what lines of its style have and it missed, and how many lines are headers of another style."""
    sightings = [one for line in lines if (one := sight(line)) is not None]
    if "p" not in shape.fields:
        sightings = [_plain_clock(one) if "p" in one.fields else one for one in sightings]
    missed = [one for one in sightings if one.style == shape.style]
    foreign = len(sightings) - len(missed)
    if not missed:
        return shape, foreign
    more = _shape(missed)
    wider = Shape(
        shape.fields,
        tuple(old | new for old, new in zip(shape.slots, more.slots, strict=True)),
        _longest_first({*shape.periods, *more.periods}),
        _longest_first({*shape.months, *more.months}),
        tuple(dict.fromkeys((*shape.zeros, *more.zeros))),
        shape.style,
        shape.padding | more.padding,
    )
    return wider, foreign


def _shape(sightings: Sequence[Sighting]) -> Shape:
    first = sightings[0]
    slots = [Counter[bytes]() for _ in first.literals]
    words: dict[str, set[bytes]] = {"p": set(), "M": set()}
    zeros: dict[str, None] = {}
    for one in sightings:
        for place, literal in enumerate(one.literals):
            slots[place][literal.encode()] += 1
        for name, value in zip(one.fields, one.values, strict=True):
            if name in words:
                words[name].add(value.encode())
            else:
                for digit in value:
                    zeros[chr(ord(digit) - unicodedata.decimal(digit))] = None
    # Phones put a mark before the lines they write themselves, also where the sample holds none.
    opening = {
        variant
        for literal in slots[0]
        for variant in (literal, ("\u200e" + literal.decode().lstrip(MARKS)).encode())
    }
    return Shape(
        first.fields,
        (frozenset(opening), *(frozenset(slot) for slot in slots[1:])),
        _longest_first(words["p"]),
        _longest_first(words["M"]),
        tuple(zeros),
        first.style,
        frozenset(found for one in sightings for found in _padding(one)),
    )


def _padding(one: Sighting) -> Iterator[str]:
    for name, value in zip(one.fields, one.values, strict=True):
        if name in FIELDS and int(value) < 10:
            yield ("0" if len(value) == 2 else "") + _PADDED[name]


def _longest_first(words: set[bytes]) -> tuple[bytes, ...]:
    return tuple(sorted(words, key=lambda word: (-len(word), word)))
