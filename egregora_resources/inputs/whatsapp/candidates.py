"""Which messages have to be looked at one by one: those that bear a mark, a bracket or the face of a wording.

A sieve over whole arrays: it may let plain messages through, but never holds back one that `bodies` would
understand.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from egregora_resources.inputs.whatsapp.bodies import line_openings, whole_wordings
from egregora_resources.inputs.whatsapp.calendar import Bools, Ints

_PLACE = re.compile(rb"(?:www\.)?(?:maps\.|google\.|foursquare\.)")
_FURTHER = 8
"""Where in a line its opening is looked at a second time: the first bytes are those of many words."""
_FACES = 1 << 20


@lru_cache(maxsize=1)
def _wording_faces() -> NDArray[np.bool_]:
    """For the length and the outer bytes of a line: whether a wording of the tables may have them."""
    faces = np.zeros(_FACES, dtype=np.bool_)
    for wording in whole_wordings():
        if len(wording) > 3:
            faces[_face(len(wording), wording[0], wording[1], wording[-1], wording[-2])] = True
    return faces


def _face(length: Any, first: Any, second: Any, last: Any, last_but_one: Any) -> Any:
    return (length * 7919 + first * 131 + second * 4099 + last * 65537 + last_but_one * 521) & (_FACES - 1)


def candidates(
    block: bytes,
    buffer: NDArray[np.uint8],
    slashed: Ints,
    starts: Ints,
    texts: Ints,
    lines: Ints,
    ends: Ints,
) -> Bools:
    """Messages that have to be looked at one by one.

    Args:
        slashed: where the block's colons before a slash are.
        starts, texts, lines, ends: of the messages: their offsets, those of their texts, of their first
            lines' ends and of their own.
    """
    if len(buffer) == 0 or len(texts) == 0:
        return np.zeros(len(texts), dtype=np.bool_)
    after = np.minimum(texts, len(buffer) - 2)
    first, second = buffer[after].astype(np.int32), buffer[after + 1].astype(np.int32)
    last, last_but_one = buffer[lines - 1].astype(np.int32), buffer[lines - 2].astype(np.int32)
    lengths = (lines - texts).astype(np.int32)
    wanted = _wording_faces()[_face(np.minimum(lengths, _LONGEST), first, second, last, last_but_one)]
    wanted |= _ENDINGS[last] | (first == 0x3C) | (buffer[ends - 1] == 0x3E)
    wanted |= (last == 0x3A) & (buffer[ends - 1] == 0x29)  # a poll's first and last bytes
    wanted[_begin_so(block, buffer, texts, _pair(first, second), lengths)] = True
    for place in (_marks(buffer), _places(block, buffer, slashed)):
        rows = np.searchsorted(starts, place, side="right") - 1
        rows, place = rows[rows >= 0], place[rows >= 0]
        wanted[rows[place >= texts[rows]]] = True
    return wanted & (ends > texts)


_LONGEST = 400
_ENDINGS = np.zeros(256, dtype=np.bool_)
_ENDINGS[[0x29, 0x3E, 0x89]] = True  # ) and > and what may be the last byte of a wide bracket


def _marks(buffer: NDArray[np.uint8]) -> Ints:
    """Where the direction marks U+200E and U+200F are."""
    third = np.flatnonzero((buffer & 0xFE) == 0x8E)
    third = third[third > 1]
    return third[(buffer[third - 1] == 0x80) & (buffer[third - 2] == 0xE2)]


def _places(block: bytes, buffer: NDArray[np.uint8], slashed: Ints) -> Ints:
    """Where links to maps and venues are."""
    links = slashed[slashed < len(buffer) - 24]
    links = links[(buffer[links + 2] == 47) & _HOSTS[buffer[links + 3]]]
    found = [link for link in links.tolist() if _PLACE.match(block, link + 3)]
    return np.array(found, dtype=np.int64)


_HOSTS = np.zeros(256, dtype=np.bool_)
_HOSTS[list(b"wmgf")] = True  # what `_PLACE` may begin with


def _pair(one: Any, other: Any) -> Any:
    return one * 256 + other


@lru_cache(maxsize=1)
def _openings() -> NDArray[np.bool_]:
    """For two bytes at a line's start, and for two further on: whether wordings of who deleted a message have them."""
    openings = np.zeros((2, 1 << 16), dtype=np.bool_)
    for opening in line_openings():
        openings[0, _pair(opening[0], opening[1])] = True
        # A shorter one is told by its first bytes alone.
        further = opening[_FURTHER : _FURTHER + 2]
        openings[1, _pair(*further) if len(further) == 2 else slice(None)] = True
    return openings


def _begin_so(
    block: bytes, buffer: NDArray[np.uint8], texts: Ints, pairs: NDArray[np.int32], lengths: NDArray[np.int32]
) -> list[int]:
    known = line_openings()
    rows = np.flatnonzero(_openings()[0][pairs] & (lengths >= min(map(len, known))))
    at = np.minimum(texts[rows] + _FURTHER, len(buffer) - 2)
    rows = rows[_openings()[1][_pair(buffer[at].astype(np.int32), buffer[at + 1])]]
    return [row for row in rows.tolist() if block.startswith(known, int(texts[row]))]
