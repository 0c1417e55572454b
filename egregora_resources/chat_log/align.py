"""Which messages of an export are messages that others have too.

Exactly alike ones are found first, in order and then out of order. What is left over between them is paired
by person and minute, if both sides are known to be whole there: not where one export ends and another
begins, since two messages of one minute would be taken for one, and a text would be lost.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from difflib import SequenceMatcher
from itertools import pairwise
from pathlib import PurePath

from egregora_resources.chat_log.rows import FORGOTTEN, Face, MessageRow, Slot, Version, face_of

Pairs = list[tuple[int, int]]
"""Index of a slot, and index of a message of the version."""

EXACT = 1000
"""Outweighs any number of likely pairs that fit into one stretch."""
ALMOST_ALIKE = 17
LARGEST_TABLE = 1_000_000
"""Cells of an alignment; beyond it only exact repeats are looked for."""
MANY = 2_500
"""Cells beyond which texts aren't compared letter by letter."""


def align(slots: Sequence[Slot], known: Mapping[int, Version], version: Version) -> tuple[Pairs, Pairs]:
    """Slots and messages that are the same: in order, and exact repeats out of order.

    Args:
        slots: what the versions so far came to.
        known: these versions, by rank.
    """
    faces = [face_of(said) for said in version.said]
    low, shorter = 0, min(len(slots), len(faces))
    while low < shorter and faces[low] in slots[low].faces:
        low += 1
    high = 0
    while high < shorter - low and faces[-1 - high] in slots[-1 - high].faces:
        high += 1
    path = [(x, x) for x in range(low)]
    tail = [(len(slots) - x, len(faces) - x) for x in range(high, 0, -1)]
    rows, columns = range(low, len(slots) - high), range(low, len(faces) - high)
    if not rows or not columns:
        return path + tail, []
    if len(rows) * len(columns) > LARGEST_TABLE:
        middle = _exact_only([slots[i] for i in rows], [faces[j] for j in columns], low)
    else:
        middle = _best_path(slots, version.said, faces, rows, columns)
    crossing = _out_of_order(slots, faces, middle, rows, columns)
    found = path + middle + tail
    elsewhere = {i for i, _ in crossing}, {j for _, j in crossing}
    return _believed(slots, known, version, faces, found, elsewhere), crossing


def slots_are_its_messages(slots: Sequence[Slot], taken: Sequence[Version], version: Version) -> bool:
    """Whether an alignment could only pair slots and messages one by one: quickly found where exports hardly differ.

    That is so if all are exactly alike, or if a single one isn't and can't be another message either.
    """
    if len(slots) != len(version.said):
        return False
    odd = [i for i, slot in enumerate(slots) if face_of(version.said[i]) not in slot.faces]
    if not odd:
        return True
    if len(odd) > 1 or version.starts or version.ends or any(one.starts or one.ends for one in taken):
        return False
    said, faces = version.said[odd[0]], set[Face]().union(*(slot.faces for slot in slots))
    all_distinct = len(faces) == sum(len(slot.faces) for slot in slots)
    return all_distinct and face_of(said) not in faces and _likeness(slots[odd[0]], said, by_letter=False) > 0


def _out_of_order(
    slots: Sequence[Slot], faces: Sequence[Face], path: Pairs, rows: range, columns: range
) -> Pairs:
    used_slots, used = {i for i, _ in path}, {j for _, j in path}
    waiting: dict[Face, list[int]] = {}
    for i in reversed(rows):
        if i not in used_slots:
            for face in slots[i].faces:
                waiting.setdefault(face, []).append(i)
    crossing: Pairs = []
    for j in columns:
        choices = waiting.get(faces[j], [])
        while choices and choices[-1] in used_slots:
            choices.pop()
        if j not in used and choices:
            used_slots.add(choices[-1])
            crossing.append((choices[-1], j))
    return crossing


def _exact_only(slots: Sequence[Slot], faces: Sequence[Face], offset: int) -> Pairs:
    known = [face_of(slot.sources[-1][1]) for slot in slots]
    blocks = SequenceMatcher(None, known, faces, autojunk=False).get_matching_blocks()
    return [(block.a + x + offset, block.b + x + offset) for block in blocks for x in range(block.size)]


def _best_path(
    slots: Sequence[Slot], said: Sequence[MessageRow], faces: Sequence[Face], rows: range, columns: range
) -> Pairs:
    """The alignment with most exact repeats and, among those, the likeliest other pairs."""
    ours = Counter(face for i in rows for face in slots[i].faces)
    theirs = Counter(faces[j] for j in columns)
    # What the other side has often enough will find its exact like, here or out of order.
    free_rows = {i for i in rows if all(theirs[face] < ours[face] for face in slots[i].faces)}
    free_columns = {j for j in columns if theirs[faces[j]] > ours[faces[j]]}
    by_letter = len(free_rows) * len(free_columns) <= MANY
    scores: list[list[int]] = []
    for i in rows:
        row: list[int] = []
        for j in columns:
            if faces[j] in slots[i].faces:
                row.append(EXACT)
            elif i in free_rows and j in free_columns:
                row.append(_likeness(slots[i], said[j], by_letter))
            else:
                row.append(0)
        scores.append(row)
    best = [[0] * (len(columns) + 1) for _ in range(len(rows) + 1)]
    for x in range(len(rows) - 1, -1, -1):
        below, here, row = best[x + 1], best[x], scores[x]
        for y in range(len(columns) - 1, -1, -1):
            score = max(below[y], here[y + 1])
            if row[y] and below[y + 1] + row[y] > score:
                score = below[y + 1] + row[y]
            here[y] = score
    path: Pairs = []
    x = y = 0
    while x < len(rows) and y < len(columns):
        if scores[x][y] and best[x][y] == best[x + 1][y + 1] + scores[x][y]:
            path.append((rows[x], columns[y]))
            x, y = x + 1, y + 1
        elif best[x][y] == best[x + 1][y]:
            x += 1
        else:
            y += 1
    return path


def _likeness(slot: Slot, said: MessageRow, by_letter: bool = True) -> int:
    """0 if they can't be one message, else more the liker they are."""
    known = slot.sources[-1][1]
    if known.speaker != said.speaker or known.minute != said.minute:
        return 0
    if said.deleted or any(one.deleted for _, one in slot.sources):
        return 11
    if known.with_media != said.with_media:
        return 0
    if said.attachment is not None:
        suffix = PurePath(said.attachment).suffix.lower()
        names = [one.attachment for _, one in slot.sources if one.attachment is not None]
        return 15 if not names or suffix == PurePath(names[-1]).suffix.lower() else 0
    if said.with_media:
        return 15
    if said.kind == FORGOTTEN:
        return 19 if known.data == said.data or known.edited or said.edited else 10
    if not by_letter:
        return 10
    return 10 + round(9 * SequenceMatcher(None, known.text[:200], said.text[:200], autojunk=False).ratio())


def _believed(
    slots: Sequence[Slot],
    known: Mapping[int, Version],
    version: Version,
    faces: Sequence[Face],
    found: Pairs,
    elsewhere: tuple[set[int], set[int]],
) -> Pairs:
    """Exact pairs, and the others where both sides are whole."""
    sure = [(i, j) for i, j in found if faces[j] in slots[i].faces or _obvious(slots[i], version.said[j])]
    if len(sure) == len(found):
        return found
    before = not version.starts and any(not one.starts for one in known.values())
    after = not version.ends and any(not one.ends for one in known.values())
    end = (len(slots), len(faces))
    believed: Pairs = []
    for left, right in pairwise([(-1, -1), *sure, end]):
        if left != (-1, -1):
            believed.append(left)
        likely = [(i, j) for i, j in found if left[0] < i < right[0] and left[1] < j < right[1]]
        from_left, from_right = before or left != (-1, -1), after or right != end
        if from_left and from_right:
            believed += likely
        elif from_left:
            believed += _next_to(slots, known, version, left, right, elsewhere)
        elif from_right:
            believed += reversed(_next_to(slots, known, version, right, left, elsewhere))
        else:
            # A side that knows what was before and after has the message that the other side begins or
            # ends with, if only as the mark of its deletion.
            whole = any(not (one.starts or one.ends) for one in (version, *known.values()))
            both_start = version.starts and all(one.starts for one in known.values())
            both_end = version.ends and all(one.ends for one in known.values())
            believed += [
                (i, j)
                for i, j in likely
                if (version.said[j].deleted or slots[i].sources[-1][1].deleted)
                and (
                    whole or (both_start and i == 0 == j) or (both_end and (i, j) == (end[0] - 1, end[1] - 1))
                )
            ]
    return believed


def _next_to(
    slots: Sequence[Slot],
    known: Mapping[int, Version],
    version: Version,
    anchor: tuple[int, int],
    stop: tuple[int, int],
    elsewhere: tuple[set[int], set[int]],
) -> Pairs:
    """Pairs that follow a pair one by one, in the version and in an earlier export too."""
    i, j = anchor
    step = 1 if i < stop[0] else -1
    if 0 <= i < len(slots):
        ranks = {rank for rank, _ in slots[i].sources}
    else:
        ranks = {rank for rank, one in known.items() if not (one.starts if step > 0 else one.ends)}
    pairs: Pairs = []
    i, j = i + step, j + step
    while i != stop[0] and j != stop[1] and ranks:
        ranks &= {rank for rank, _ in slots[i].sources}
        if not ranks or i in elsewhere[0] or j in elsewhere[1] or not _likeness(slots[i], version.said[j]):
            break
        pairs.append((i, j))
        i, j = i + step, j + step
    return pairs


def _obvious(slot: Slot, said: MessageRow) -> bool:
    """The same message beyond doubt, wherever it stands."""
    known = slot.sources[-1][1]
    if known.media_omitted or said.media_omitted:
        return _likeness(slot, said) > 0
    return (known.edited or said.edited) and _likeness(slot, said) >= ALMOST_ALIKE
