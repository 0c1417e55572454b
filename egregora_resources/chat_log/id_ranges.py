"""Ranges of messages: what an export covers, and what an import wrote."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from egregora_resources.chat_log.placement import POSITIONS


class Span(NamedTuple):
    """The time an export covers: its first and last message, by their ids within it."""

    first_id: int
    last_id: int

    @property
    def minutes(self) -> tuple[int, int]:
        """First and last minute."""
        return self.first_id // POSITIONS, self.last_id // POSITIONS


@dataclass(slots=True)
class Changes:
    """What was written to the log; see `merge.Merged`."""

    new: int = 0
    changed: int = 0
    absent: int = 0
    _ranges: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])

    def touch(self, first_id: int, last_id: int) -> None:
        """Notes that messages were written between these ids."""
        self._ranges.append((first_id, last_id))

    def and_then(self, later: Changes) -> Changes:
        """Both together."""
        return Changes(
            self.new + later.new,
            self.changed + later.changed,
            self.absent + later.absent,
            self._ranges + later._ranges,
        )

    def ranges(self) -> list[tuple[int, int]]:
        """Ranges of ids, in order and disjoint."""
        return disjoint(self._ranges)


def disjoint(ranges: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """The same ranges in order, those that overlap made one."""
    merged: list[tuple[int, int]] = []
    for first, last in sorted(ranges):
        if merged and first <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    return merged


def without(ranges: Iterable[tuple[int, int]], taken: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """What is left of ranges.

    Args:
        taken: in order and disjoint.
    """
    left: list[tuple[int, int]] = []
    for first, last in ranges:
        for taken_first, taken_last in taken:
            if first <= taken_last and taken_first <= last:
                if first < taken_first:
                    left.append((first, taken_first - 1))
                first = taken_last + 1
        if first <= last:
            left.append((first, last))
    return left


def within(ranges: Iterable[tuple[int, int]], bounds: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """What several ranges have in common with others; both are in order and disjoint."""
    return [
        (max(first, low), min(last, high))
        for first, last in ranges
        for low, high in bounds
        if first <= high and low <= last
    ]
