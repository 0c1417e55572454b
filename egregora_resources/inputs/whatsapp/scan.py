"""Finding the headers in a block of bytes, given the file's shape.

`scan_by_regex` is the reference. `scan` does the same for all lines of a block at once: each field and
literal of the shape is one step over arrays of positions, from which lines that don't fit drop out.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from egregora_resources.inputs.whatsapp.calendar import Bools, Ints
from egregora_resources.inputs.whatsapp.shape import FIELDS, Shape, month_column

Bytes = NDArray[np.uint8]
Small = NDArray[np.int16]
_MARGIN = 128
"""Bytes after a block, so that a look ahead never leaves it; no shape is as long."""


class Headers(NamedTuple):
    """The headers of one block.

    Attributes:
        starts: offsets of the lines they begin.
        bodies: offsets of what follows: sender and text, or a notice.
        line_ends: offsets of these lines' ends.
        values: a row for each, columns as in `FIELDS`, -1 for none; hours of 24.
    """

    starts: Ints
    bodies: Ints
    line_ends: Ints
    values: Small

    def keep(self, wanted: Bools | slice) -> Headers:
        """Some of them."""
        return Headers(self.starts[wanted], self.bodies[wanted], self.line_ends[wanted], self.values[wanted])


def scan(block: bytes, shape: Shape) -> tuple[Headers, Ints]:
    """The headers of a block, and the offsets of its other lines."""
    padded = np.frombuffer(block + bytes(_MARGIN), dtype=np.uint8)
    breaks = np.flatnonzero(padded[: len(block)] == 10)
    starts = np.concatenate([[0], breaks + 1])
    line_ends = np.append(breaks, len(block))
    if block.endswith(b"\n") or not block:
        starts, line_ends = starts[:-1], line_ends[:-1]
    if _is_simple(shape):
        found, bodies, values = _Walk(padded, starts, shape).run()
        headers = Headers(starts[found], bodies, line_ends[found], values)
    else:
        headers = scan_by_regex(block, shape)
        found = np.searchsorted(starts, headers.starts)
    others = np.ones(len(starts), dtype=np.bool_)
    others[found] = False
    return headers, starts[others]


def scan_by_regex(block: bytes, shape: Shape) -> Headers:
    """The reference: the shape's regular expression at every line's start."""
    starts: list[int] = []
    bodies: list[int] = []
    rows: list[list[int]] = []
    groups = [
        (group + 1, month_column(shape.fields) if name == "M" else FIELDS.index(name), name == "M")
        for group, name in enumerate(shape.fields)
        if name != "p"
    ]
    period = shape.fields.find("p") + 1
    hours = {word: shape.hours(word) for word in shape.periods}
    for match in shape.regex.finditer(block):
        row = [-1] * len(FIELDS)
        for group, column, named in groups:
            row[column] = shape.month_numbers[match[group]] if named else int(match[group].decode())
        if row[3] > 24 or row[4] > 59 or row[5] > 59:
            continue
        row[3] = hours[match[period]][row[3]] if period else row[3] % 24
        starts.append(match.start())
        bodies.append(match.end())
        rows.append(row)
    values = np.array(rows, dtype=np.int16).reshape(len(rows), len(FIELDS))
    breaks = np.append(np.flatnonzero(np.frombuffer(block, dtype=np.uint8) == 10), len(block))
    offsets = np.array(bodies, dtype=np.int64)
    return Headers(
        np.array(starts, dtype=np.int64), offsets, breaks[np.searchsorted(breaks, offsets)], values
    )


def _is_simple(shape: Shape) -> bool:
    # Without going back on a choice, a field's end must be told by what follows it.
    inner = [literal for slot in shape.slots[1:] for literal in slot]
    return len(shape.zeros) == 1 and all(literal and not literal[:1].isdigit() for literal in inner)


class _Walk:
    """Goes through the shape's steps at all lines at once."""

    def __init__(self, buffer: Bytes, starts: Ints, shape: Shape) -> None:
        self._buffer = buffer
        self._shape = shape
        self._digit = shape.zeros[0].encode()
        self._rows = np.flatnonzero(self._beginnings()[buffer[starts]])
        self._at = starts[self._rows]
        self._columns: dict[str, Small] = {}

    def run(self) -> tuple[Ints, Ints, Small]:
        """The lines that have the shape, where it ends in them, and the numbers in it."""
        for place, name in enumerate(self._shape.fields):
            self._either(self._shape.slots[place])
            if name == "p":
                self._columns["p"] = self._either(self._shape.periods)
            elif name == "M":
                self._columns["M"] = self._either(self._shape.months)
            else:
                self._columns[name] = self._number(*self._shape.widths[name])
        self._either(self._shape.slots[-1])
        values = self._values()
        sound = (values[:, 3] <= 24) & (values[:, 4] <= 59) & (values[:, 5] <= 59)
        if not sound.all():
            self._keep(sound)
            values = values[sound]
        values[:, 3] = self._hours(values[:, 3])
        return self._rows, self._at, values

    def _beginnings(self) -> Bools:
        first: set[int] = set()
        for literal in self._shape.slots[0]:
            if literal:
                first.add(literal[0])
            elif self._shape.fields[0] in "pM":
                first |= {word[0] for word in (*self._shape.periods, *self._shape.months)}
            elif len(self._digit) == 1:
                first |= set(range(48, 58))
            else:
                first.add(self._digit[0])
        beginnings = np.zeros(256, dtype=np.bool_)
        beginnings[list(first)] = True
        return beginnings

    def _keep(self, wanted: Bools) -> None:
        if wanted.all():
            return
        self._rows, self._at = self._rows[wanted], self._at[wanted]
        self._columns = {name: column[wanted] for name, column in self._columns.items()}

    def _ahead(self, offset: int) -> Bytes:
        """The bytes so far behind where the lines are."""
        return self._buffer[offset:][self._at]

    def _either(self, literals: Iterable[bytes]) -> Small:
        """Steps over one of the literals; which one, counted in the order given."""
        given = list(literals)
        if len(given) == 1:
            here = np.ones(len(self._at), dtype=np.bool_)
            for offset, byte in enumerate(given[0]):
                here &= self._ahead(offset) == byte
            self._keep(here)
            self._at = self._at + len(given[0])
            return np.zeros(len(self._at), dtype=np.int16)
        chosen = np.full(len(self._at), -1, dtype=np.int16)
        lengths = np.array([len(literal) for literal in given], dtype=np.int64)
        for index in sorted(range(len(given)), key=lambda index: -len(given[index])):
            here = chosen < 0
            for offset, byte in enumerate(given[index]):
                here &= self._ahead(offset) == byte
                if not here.any():
                    break
            chosen[here] = index
        found = chosen >= 0
        self._keep(found)
        chosen = chosen[found]
        self._at = self._at + lengths[chosen]
        return chosen

    def _number(self, low: int, high: int) -> Small:
        width = len(self._digit)
        value: Small = np.zeros(len(self._at), dtype=np.int16)
        digits = np.zeros(len(self._at), dtype=np.int64)
        going = np.ones(len(self._at), dtype=np.bool_)
        for place in range(high):
            for offset in range(width - 1):
                going &= self._ahead(place * width + offset) == self._digit[offset]
            digit = self._ahead(place * width + width - 1) - self._digit[-1]  # below zero becomes large
            going &= digit < 10
            if going.all():
                value = value * 10 + digit
                digits += 1
            elif going.any():
                value = np.where(going, value * 10 + digit, value)
                digits += going
            else:
                break
        found = digits >= low
        self._at = self._at + digits * width
        self._keep(found)
        return value if found.all() else value[found]

    def _values(self) -> Small:
        values = np.full((len(self._rows), len(FIELDS)), -1, dtype=np.int16)
        for name, column in self._columns.items():
            if name == "M":
                numbers = np.array([self._shape.month_numbers[word] for word in self._shape.months])
                values[:, month_column(self._shape.fields)] = numbers[column]
            elif name != "p":
                values[:, FIELDS.index(name)] = column
        return values

    def _hours(self, hours: Small) -> Small:
        if "p" not in self._columns:
            return hours % 24
        table = np.array([self._shape.hours(period) for period in self._shape.periods], dtype=np.int16)
        return table[self._columns["p"], hours]
