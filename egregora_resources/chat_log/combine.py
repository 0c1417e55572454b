"""Several exports' versions of the same stretch of conversation become one.

Versions are taken in a fixed order, whatever the order of import, each aligned in sequence with what is there
already. A message is the same in two exports if it has the same person and minute and stands between
matching neighbours; exact repeats are found even out of order. What each export says about a message is
kept until the end, and only then decided upon, so that a deletion or an attachment known to any export
counts whatever the order.

Pure functions over plain values: no database here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from heapq import heappop, heappush
from itertools import pairwise
from typing import NamedTuple

from egregora_resources.chat_log.align import Pairs, align, slots_are_its_messages
from egregora_resources.chat_log.placement import POSITIONS
from egregora_resources.chat_log.rows import MessageRow, Slot, Version, face_of


class Folded(NamedTuple):
    """The log's messages of one stretch, in order, and which exports have each of them."""

    rows: list[MessageRow]
    ranks: list[frozenset[int]]


def fold(versions: Iterable[Version]) -> Folded:
    """The one sequence that all versions are parts of.

    Versions of exports that know what was before and after come first, so that those which begin or end
    here find their messages' neighbours.

    Args:
        versions: of one segment.
    """
    slots: list[Slot] = []
    taken: list[Version] = []
    orders: list[list[Slot]] = []
    for version in sorted(versions, key=lambda one: (one.starts + one.ends, one.rank)):
        if not version.said:
            continue
        if not taken:
            slots = [Slot([(version.rank, said)], {face_of(said)}) for said in version.said]
            taken.append(version)
            orders.append(list(slots))
            continue
        if taken and version.said == taken[-1].said:
            for slot, said in zip(orders[-1], version.said, strict=True):
                slot.add(version.rank, said)
            taken.append(version)
            orders.append(orders[-1])
            continue
        if slots_are_its_messages(slots, taken, version):
            for slot, said in zip(slots, version.said, strict=True):
                slot.add(version.rank, said)
            taken.append(version)
            orders.append(list(slots))
            continue
        path, crossing = align(slots, {one.rank: one for one in taken}, version)
        comes_before = bool(taken) and not version.starts and all(one.starts for one in taken)
        slots, own = _merge(slots, version, path, crossing, comes_before)
        orders.append(own)
        if crossing:
            slots = in_order(slots, orders)
        taken.append(version)
    return Folded(_number(slots), [frozenset(rank for rank, _ in slot.sources) for slot in slots])


def settle(sources: Sequence[tuple[int, MessageRow]]) -> MessageRow:
    """What the log says, given what each export says about one message.

    A deletion marker wins over text, an edited text over an unedited one, the export that ends later over
    the others. An attachment known to one export stays known; so do the seconds.
    """
    said = [one for _, one in sorted(sources, key=lambda source: source[0])]
    second = next((one.second for one in reversed(said) if one.second % 60), said[-1].second)
    deleted = [one for one in said if one.deleted]
    if deleted:
        return deleted[-1]._replace(second=second, attachment=None)
    edited = [one for one in said if one.edited]
    chosen = edited[-1] if edited else said[-1]
    if chosen.attachment is None:
        known = [one for one in said if one.attachment is not None]
        if known:
            caption = chosen.text
            if chosen.media_omitted:
                caption = chosen.text.partition("\n")[2] or known[-1].text
            chosen = known[-1]._replace(text=caption, data=known[-1].data or chosen.data)
    return chosen._replace(second=second, edited=bool(edited))


def _number(slots: list[Slot]) -> list[MessageRow]:
    rows: list[MessageRow] = []
    minute, position = -(10**15), 0
    for slot in slots:
        effective = max(minute, slot.effective)
        position = position + 1 if effective == minute else 0
        minute = effective
        rows.append(settle(slot.sources)._replace(id=minute * POSITIONS + position))
    return rows


def _merge(
    slots: list[Slot], version: Version, path: Pairs, crossing: Pairs, comes_before: bool
) -> tuple[list[Slot], list[Slot]]:
    """Slots with one more version in them; and those of the version, in its own order.

    Args:
        comes_before: all the others begin where this one was there already.
    """
    own: dict[int, Slot] = {}
    for i, j in (*path, *crossing):
        slots[i].add(version.rank, version.said[j])
        own[j] = slots[i]
    for j, said in enumerate(version.said):
        if j not in own:
            own[j] = Slot([(version.rank, said)], {face_of(said)})
    crossed = {j for _, j in crossing}
    merged: list[Slot] = []
    for (i, j), (next_i, next_j) in pairwise([(-1, -1), *path, (len(slots), len(version.said))]):
        if i >= 0:
            merged.append(slots[i])
        fresh = [own[x] for x in range(j + 1, next_j) if x not in crossed]
        known = slots[i + 1 : next_i]
        merged += _by_minute(fresh, known) if comes_before and i < 0 else _by_minute(known, fresh)
    return merged, [own[j] for j in range(len(version.said))]


def in_order(slots: list[Slot], orders: Sequence[Sequence[Slot]]) -> list[Slot]:
    """Slots in an order that all exports agree with; where they contradict each other, in the given one."""
    index = {id(slot): x for x, slot in enumerate(slots)}
    after: dict[int, list[int]] = {}
    waits = [0] * len(slots)
    for order in orders:
        for one, other in pairwise(order):
            after.setdefault(index[id(one)], []).append(index[id(other)])
            waits[index[id(other)]] += 1
    ready = [x for x, count in enumerate(waits) if count == 0]
    left = list(range(len(slots)))
    done = [False] * len(slots)
    merged: list[Slot] = []
    while len(merged) < len(slots):
        x = heappop(ready) if ready else next(y for y in left if not done[y])
        if done[x]:
            continue
        done[x] = True
        merged.append(slots[x])
        for y in after.get(x, ()):
            waits[y] -= 1
            if waits[y] == 0 and not done[y]:
                heappush(ready, y)
    return merged


def _by_minute(known: list[Slot], fresh: list[Slot]) -> list[Slot]:
    """Both in one sequence; of one minute, what is known first."""
    if not known or not fresh:
        return known or fresh
    merged: list[Slot] = []
    waiting = list(reversed(known))
    for slot in fresh:
        while waiting and waiting[-1].effective <= slot.effective:
            merged.append(waiting.pop())
        merged.append(slot)
    return merged + waiting[::-1]
