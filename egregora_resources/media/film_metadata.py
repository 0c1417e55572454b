"""Films of the MP4 family (mp4, mov, m4a, 3gp): where their boxes tell more than picture and sound.

Phones write the place of recording, the owner's name and the device into boxes beside the film. `read`
finds every box that playing doesn't need; `blank` overwrites those with zeros and calls them ``free``, so
that no offset in the film moves.

Not stripped: recording times in headers, and anything inside the coded picture and sound themselves.
A film with a further track (positions of an action camera, subtitles of a drone, which hold them too) is
refused: its samples lie scattered among the film's.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO, NamedTuple

_NEEDED: dict[bytes, frozenset[bytes]] = {
    b"": frozenset({b"ftyp", b"styp", b"moov", b"mdat", b"moof", b"mfra", b"sidx"}),
    b"moov": frozenset({b"mvhd", b"trak", b"mvex", b"iods"}),
    b"trak": frozenset({b"tkhd", b"mdia", b"edts", b"tref", b"tapt"}),
    b"mdia": frozenset({b"mdhd", b"hdlr", b"minf", b"elng"}),
}
"""By the box around them (none: the file), the boxes that playing needs. All others are blanked."""

_TRACKS = frozenset({b"vide", b"soun", b"tmcd", b"hint", b"odsm", b"sdsm"})
_HARMLESS_TAGS = frozenset({b"\xa9too", b"\xa9enc"})
_HARMLESS_KEYS = frozenset({b"com.android.version", b"com.android.capture.fps"})
_MOST_BOXES = 100_000
_CHUNK = 1 << 20


class FilmError(Exception):
    """The film can't be published; the message is a sentence for the reader."""


class Box(NamedTuple):
    type: bytes
    start: int
    payload: int
    end: int


@dataclass(slots=True)
class Film:
    """A film's size in pixels as it is shown (0 for sound), and the boxes that have to be blanked."""

    width: int = 0
    height: int = 0
    tracks: set[bytes] = field(default_factory=set[bytes])
    tells: list[Box] = field(default_factory=list[Box])


def read(file: BinaryIO) -> Film:
    """Reads the boxes of a film, not its pictures.

    Raises:
        FilmError: the boxes make no sense, or it has tracks beside picture and sound.
    """
    film = Film()
    _walk(file, b"", 0, file.seek(0, os.SEEK_END), film, [_MOST_BOXES])
    if not film.tracks:
        raise FilmError("A recording that is damaged or incomplete.")
    if not film.tracks <= _TRACKS:
        raise FilmError("A recording that carries data beside picture and sound, and isn’t published.")
    return film


def blank(file: BinaryIO, film: Film) -> None:
    """Overwrites in place what the film tells beside itself; its length stays."""
    for box in film.tells:
        file.seek(box.start + 4)
        file.write(b"free")
        file.seek(box.payload)
        left = box.end - box.payload
        while left:
            left -= file.write(bytes(min(left, _CHUNK)))


def _walk(file: BinaryIO, inside: bytes, start: int, end: int, film: Film, boxes_left: list[int]) -> None:
    for box in _boxes(file, start, end):
        boxes_left[0] -= 1
        if not boxes_left[0]:
            raise FilmError("A recording that is damaged or incomplete.")
        if box.type not in _NEEDED[inside]:
            if not _harmless(file, box):
                film.tells.append(box)
        elif box.type in _NEEDED:
            _walk(file, box.type, box.payload, box.end, film, boxes_left)
        elif box.type == b"hdlr":
            film.tracks.add(_read(file, box.payload + 8, 4))
        elif box.type == b"tkhd":
            _measure(_read(file, box.payload, min(box.end - box.payload, 128)), film)


def _boxes(file: BinaryIO, start: int, end: int) -> Iterator[Box]:
    """The boxes between two offsets. QuickTime may end a list with four zero bytes; they are no box."""
    while end - start >= 8:
        header = _read(file, start, 16)
        size, kind, payload = int.from_bytes(header[:4], "big"), header[4:8], start + 8
        if size == 1:
            size, payload = int.from_bytes(header[8:16], "big"), start + 16
        elif size == 0:
            size = end - start
        stop = start + size
        # A film cut short in its last pictures still plays; cut anywhere else, nothing in it can be trusted.
        if stop > end and kind == b"mdat":
            stop = end
        if stop < payload or stop > end:
            raise FilmError("A recording that is damaged or incomplete.")
        yield Box(kind, start, payload, stop)
        start = stop


def _read(file: BinaryIO, offset: int, size: int) -> bytes:
    file.seek(offset)
    return file.read(size)


def _measure(header: bytes, film: Film) -> None:
    """The picture's size from a track header: 16.16 numbers at its end, behind the matrix that turns it."""
    end = 96 if header[:1] == b"\x01" else 84
    if len(header) < end:
        return
    width, height = (int.from_bytes(header[at : at + 4], "big") >> 16 for at in (end - 8, end - 4))
    if width and height and not film.width:
        lies_down = header[end - 44 : end - 40] == bytes(4)
        film.width, film.height = (height, width) if lies_down else (width, height)


def _harmless(file: BinaryIO, box: Box) -> bool:
    """Whether a box is padding or names only the program that wrote the film.

    So most films that an app has coded anew are linked as they are; without this, each would be copied.
    """
    if box.type in {b"free", b"skip", b"wide"}:
        return _is_zero(file, box)
    if box.type not in {b"udta", b"meta"} or box.end - box.payload > 1 << 16:
        return False
    return _says_nothing(box.type, _read(file, box.payload, box.end - box.payload))


def _is_zero(file: BinaryIO, box: Box) -> bool:
    file.seek(box.payload)
    left = box.end - box.payload
    while left:
        chunk = file.read(min(left, _CHUNK))
        if not chunk or chunk.count(0) != len(chunk):
            return False
        left -= len(chunk)
    return True


def _says_nothing(kind: bytes, payload: bytes) -> bool:
    if kind == b"keys":
        count, names = int.from_bytes(payload[4:8], "big"), _children(payload[8:])
        return len(names) == count and all(name in _HARMLESS_KEYS for _, name in names)
    if kind in {b"udta", b"meta"}:
        # ISO's meta begins with version and flags, QuickTime's with its first box.
        inner = payload[4:] if kind == b"meta" and payload[8:12] == b"hdlr" else payload
        return all(_says_nothing(*child) for child in _children(inner))
    if kind == b"ilst":
        # Numbered entries are values of `keys`, which is judged beside this.
        return all(name in _HARMLESS_TAGS or name[:2] == bytes(2) for name, _ in _children(payload))
    if kind in {b"free", b"skip"}:
        return not any(payload)
    return kind == b"hdlr" or kind in _HARMLESS_TAGS


def _children(payload: bytes) -> list[tuple[bytes, bytes]]:
    """The boxes of a small payload; one that makes no sense counts as telling something."""
    try:
        boxes = list(_boxes(io.BytesIO(payload), 0, len(payload)))
    except FilmError:
        return [(b"????", b"")]
    rest = payload[boxes[-1].end :] if boxes else payload
    unexplained = [(b"????", b"")] if any(rest) else []
    return [(box.type, payload[box.payload : box.end]) for box in boxes] + unexplained
