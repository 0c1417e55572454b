"""Where each message of one export stands in the log, given the minutes that the export prints.

The order of the file is the order of the conversation; the clock is only its label. Where printed minutes
go back (an hour printed twice in autumn, a late delivery, a phone with a wrong clock), the message keeps
its place in the file and gets the *effective* minute of what stands before it. So effective minutes never
decrease along a file, and `effective minute × 1,000,000 + position` numbers its messages in order.

What belongs to the same message in two exports is not decided here; see `fold`.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Int64 = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

POSITIONS = 1_000_000
"""Message ids within one minute."""

TOLERANCE = 120
"""Minutes by which a clock may go back and still be believed: more than the hour printed twice."""


@dataclass(frozen=True, slots=True)
class Knot:
    """Minutes that can only be put in order together.

    Attributes:
        first: a printed minute.
        last: the minute it belongs to by its place in the file.
        whole: every minute in between belongs to the knot too; else only the two do.
    """

    first: int
    last: int
    whole: bool


@dataclass(frozen=True, slots=True)
class Placement:
    """The messages of one export in order.

    Attributes:
        ids: effective minute × 1,000,000 + position, as if this export were the only one; increasing.
        knots: where the clock didn't agree with the order of the file.
    """

    ids: Int64
    knots: tuple[Knot, ...]


def place(minutes: Int64) -> Placement:
    """Numbers messages in file order.

    Args:
        minutes: the printed time of each message in whole minutes since 1970, in file order.
    """
    if len(minutes) == 0:
        return Placement(minutes, ())
    if bool(np.all(minutes[1:] >= minutes[:-1])):
        return Placement(_number(minutes), ())
    strays = _strays(minutes)
    lowest = np.iinfo(np.int64).min
    effective = np.maximum.accumulate(np.where(strays, lowest, minutes))
    effective[effective == lowest] = minutes[~strays][0]
    late = (effective > minutes) & ~strays
    lost = (effective != minutes) & strays
    knots = [Knot(a, b, True) for a, b in _pairs(minutes[late], effective[late])]
    knots += [Knot(a, b, False) for a, b in _pairs(minutes[lost], effective[lost])]
    return Placement(_number(effective), tuple(knots))


def _number(effective: Int64) -> Int64:
    index = np.arange(len(effective), dtype=np.int64)
    starts = np.flatnonzero(np.r_[True, effective[1:] != effective[:-1]])
    lengths = np.diff(np.r_[starts, len(effective)])
    return effective * POSITIONS + index - np.repeat(index[starts], lengths)


def _pairs(first: Int64, last: Int64) -> list[tuple[int, int]]:
    return sorted(set(zip(first.tolist(), last.tolist(), strict=True)))


def _strays(minutes: Int64) -> Mask:
    """Messages whose clock is beyond belief, told by what most messages around them say."""
    strays = np.zeros(len(minutes), dtype=np.bool_)
    highest = np.maximum.accumulate(minutes)
    wild = highest - minutes > TOLERANCE
    if not bool(wild.any()):
        return strays
    lowest = np.minimum.accumulate(minutes[::-1])[::-1]
    starts = np.flatnonzero(np.r_[True, highest[:-1] <= lowest[1:]])
    ends = np.r_[starts[1:], len(minutes)]
    blocks = np.unique(np.searchsorted(starts, np.flatnonzero(wild), side="right") - 1)
    for start, end in zip(starts[blocks].tolist(), ends[blocks].tolist(), strict=True):
        if start > 0:
            strays[start:end] = _strays_of_block(minutes[start:end])
        else:
            # Of two clocks that contradict each other believe the one that is nearer to what follows;
            # elsewhere the one that is nearer to what goes before.
            strays[start:end] = _strays_of_block(-minutes[start:end][::-1])[::-1]
    return strays


def _strays_of_block(minutes: Int64) -> Mask:
    spine = _longest_ordered(minutes.tolist())
    bounds = np.iinfo(np.int64)
    before = np.maximum.accumulate(np.where(spine, minutes, bounds.min // 2))
    after = np.minimum.accumulate(np.where(spine, minutes, bounds.max // 2)[::-1])[::-1]
    return ~spine & ((minutes < before - TOLERANCE) | (minutes > after + TOLERANCE))


def _longest_ordered(minutes: list[int]) -> Mask:
    """The longest subsequence that never goes back, as a mask."""
    tails: list[int] = []
    at: list[int] = []
    previous: list[int] = []
    for index, minute in enumerate(minutes):
        length = bisect_right(tails, minute)
        previous.append(at[length - 1] if length else -1)
        if length == len(tails):
            tails.append(minute)
            at.append(index)
        else:
            tails[length] = minute
            at[length] = index
    mask = np.zeros(len(minutes), dtype=np.bool_)
    index = at[-1]
    while index >= 0:
        mask[index] = True
        index = previous[index]
    return mask


class Segments:
    """Which minutes are put in order together, given the knots of all exports.

    A minute outside all knots is a segment of its own; every other segment is named by its first minute.
    """

    def __init__(self, knots: list[Knot]) -> None:
        spans = sorted(
            [(knot.first, knot.last) for knot in knots if knot.whole]
            + [(minute, minute) for knot in knots if not knot.whole for minute in (knot.first, knot.last)]
        )
        self._parts: list[tuple[int, int]] = []
        for first, last in spans:
            if self._parts and first <= self._parts[-1][1]:
                self._parts[-1] = (self._parts[-1][0], max(last, self._parts[-1][1]))
            else:
                self._parts.append((first, last))
        self._starts = [first for first, _ in self._parts]
        self._parent = list(range(len(self._parts)))
        for knot in knots:
            if not knot.whole:
                one, other = sorted((self._root(self._index(knot.first)), self._root(self._index(knot.last))))
                self._parent[other] = one

    @property
    def parts(self) -> list[tuple[int, int, int]]:
        """First minute, last minute and segment of every run of minutes that belongs to a knot."""
        return [
            (first, last, self._starts[self._root(index)]) for index, (first, last) in enumerate(self._parts)
        ]

    def _index(self, minute: int) -> int:
        return bisect_right(self._starts, minute) - 1

    def _root(self, index: int) -> int:
        while self._parent[index] != index:
            self._parent[index] = self._parent[self._parent[index]]
            index = self._parent[index]
        return index
