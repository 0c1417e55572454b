"""From a block's headers to columns: senders, texts and kinds, in whole arrays.

Texts and names are taken straight from the block's bytes by their offsets. Only messages in which something
may have to be understood (a mark of the app, a bracket at an end, a wording of the table) are looked at.
"""

# Arrow has no types:
# pyright: reportUnknownParameterType=false

from __future__ import annotations

import re
from collections.abc import Container
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from egregora_resources.inputs.whatsapp import senders
from egregora_resources.inputs.whatsapp.bodies import Body
from egregora_resources.inputs.whatsapp.body_columns import CODES, understood
from egregora_resources.inputs.whatsapp.calendar import Bools, Ints
from egregora_resources.inputs.whatsapp.candidates import candidates
from egregora_resources.inputs.whatsapp.scan import Headers

_MARK = 3
"""Bytes of a direction mark."""
_MOST_DATED = 200
"""Attachments of a block that the order of dates is checked with."""
_NAMED_DAY = re.compile(r"(?:-|^)(20\d\d)-?(\d\d)-?(\d\d)(?=-|\D|$)")


class Block(NamedTuple):
    """The columns of one block.

    Attributes:
        authors: codes into the senders' list, -1 for none.
        notices: rows that the app wrote under a name, which may be the chat's own label.
        doubtful: rows that it wrote if that name is the chat's label.
        named: the day that the attachment's name tells, -1 for none.
    """

    values: NDArray[np.int16]
    authors: NDArray[np.int32]
    kinds: NDArray[np.int8]
    text: pa.Array
    attachment: pa.Array
    data: pa.Array
    edited: NDArray[np.int64]
    deleted: NDArray[np.int64]
    omitted: NDArray[np.int64]
    system: Bools
    notices: NDArray[np.int64]
    doubtful: NDArray[np.int64]
    named: NDArray[np.int32]


@dataclass(slots=True)
class Chat:
    """What is known of a chat while its blocks are read.

    Attributes:
        members: names of the container's files.
        marked: whether headers are of a phone that marks what the app wrote.
        senders: all names, in order of appearance.
        extended: senders whose names hold a ": ", by the part before it.
        label: what an iPhone's group is called, if that holds a ": "; told by the notice that an export opens with.
    """

    members: Container[str]
    marked: bool
    senders: dict[str, int] = field(default_factory=dict[str, int])
    extended: dict[str, str] = field(default_factory=dict[str, str])
    label: bytes = b""
    known: dict[str, Body] = field(default_factory=dict[str, Body])

    def code(self, name: str) -> int:
        """The sender's number."""
        return self.senders.setdefault(name, len(self.senders))


def assemble(block: bytes, end: int, headers: Headers, chat: Chat) -> Block:
    """The columns of the messages that `headers` begin, the last of which ends at `end`."""
    buffer = np.frombuffer(block, dtype=np.uint8)[:end]
    bodies, count = headers.bodies, len(headers.starts)
    ends = _ends(block, buffer, headers)
    lines = np.minimum(headers.line_ends, ends)
    every_colon = np.flatnonzero(buffer == 58)
    behind = buffer[np.minimum(every_colon + 1, len(buffer) - 1)]
    colons, texts, once_more = _colons(buffer, every_colon[behind == 32], bodies, lines, ends)
    opens = chat.marked and not chat.senders and count > 0
    if opens:
        chat.label = senders.colonned_label(block[bodies[0] : lines[0]])
    authors = _authors(block, bodies, colons, texts, once_more, chat)
    if chat.label:
        _take_label(block, bodies, authors, texts, once_more, chat)
    _take_unspaced(block, bodies, lines, authors, texts, chat)
    unsigned = authors < 0
    lefts, rights = np.where(unsigned, bodies, texts), ends
    wanted = (
        candidates(block, buffer, every_colon[behind == 47], headers.starts, lefts, lines, ends) & ~unsigned
    )
    rows = np.flatnonzero(wanted)
    found = understood(
        _slices(block, lefts[rows], rights[rows]), chat.known, marked=chat.marked, members=chat.members
    )
    kinds = np.where(unsigned, np.int8(CODES["notice"]), np.int8(CODES["text"]))
    kinds[rows] = found.kinds
    system = unsigned.copy()
    system[rows] = found.system
    notices = rows[found.notice]
    if opens and kinds[0] == CODES["text"] and senders.opens_export(block[texts[0] : lines[0]]):
        kinds[0], system[0], notices = CODES["notice"], True, np.append(0, notices)  # its mark is lost
    lefts[unsigned] = _behind_marks(buffer, lefts[unsigned], rights[unsigned])
    lefts[rows] += found.skipped
    rights[rows] = lefts[rows] + found.kept
    text = _replaced(_slices(block, lefts, rights), rows, found.rewritten)
    attachment = _spread(count, rows, found.attachments, found.which)
    return Block(
        headers.values,
        authors,
        kinds,
        text,
        attachment,
        _spread(count, rows, found.data, found.which),
        rows[found.edited],
        rows[found.deleted],
        rows[found.omitted],
        system,
        notices,
        rows[found.doubtful],
        _named_days(attachment),
    )


def _ends(block: bytes, buffer: NDArray[np.uint8], headers: Headers) -> Ints:
    ends = np.append(headers.starts[1:], len(buffer))
    ends -= (ends > headers.bodies) & (buffer[ends - 1] == 10)
    # Blank lines at a message's end are the export's, not the writer's.
    for row in np.flatnonzero((ends > headers.bodies) & (buffer[ends - 1] == 10)).tolist():
        left, right = int(headers.bodies[row]), int(ends[row])
        ends[row] = left + len(block[left:right].rstrip(b"\n"))
    return ends


def _colons(
    buffer: NDArray[np.uint8], spaced: Ints, bodies: Ints, lines: Ints, ends: Ints
) -> tuple[Ints, Ints, Bools]:
    """Where each sender ends and each text begins; both the body's start where there is no sender.

    `spaced` is where the block's colons before a space are.
    The last array tells which texts hold another ": " soon after, which may belong to the name.
    """
    places = np.searchsorted(spaced, bodies)
    spaced = np.append(spaced, [len(buffer), len(buffer)])
    colons = spaced[places]
    found = colons < lines
    # A text that is empty, or begins on the next line, may have lost the space.
    bare = ~found & (lines > bodies) & (buffer[np.maximum(lines - 1, 0)] == 58)
    if bare.any():
        colons = np.where(bare, lines - 1, np.where(found, colons, bodies))
        texts = np.where(bare, lines, np.where(found, colons + 2, bodies))
    else:
        colons = np.where(found, colons, bodies)
        texts = np.where(found, colons + 2, bodies)
    following = spaced[places + 1]
    once_more = found & (following < lines) & (following - texts <= senders.LONGEST_REST)
    return colons, np.minimum(texts, ends), once_more


def _slices(block: bytes, lefts: Ints, rights: Ints) -> pa.Array:
    """The strings between offsets that never overlap."""
    offsets = np.empty(2 * len(lefts) + 1, dtype=np.int32)
    offsets[0:-1:2], offsets[1::2] = lefts, rights
    offsets[-1] = rights[-1] if len(rights) else 0
    strings = pa.StringArray.from_buffers(2 * len(lefts), pa.py_buffer(offsets), pa.py_buffer(block))
    return strings.take(pa.array(np.arange(0, 2 * len(lefts), 2, dtype=np.int32)))


def _authors(
    block: bytes, bodies: Ints, colons: Ints, texts: Ints, once_more: Bools, chat: Chat
) -> NDArray[np.int32]:
    """The senders' codes; `texts` is moved where a name goes on beyond the first colon."""
    encoded = _slices(block, bodies, colons).dictionary_encode()
    indices: NDArray[np.int32] = encoded.indices.to_numpy(zero_copy_only=False)
    printed_names: list[str] = encoded.dictionary.to_pylist()
    counts = np.bincount(indices, minlength=len(printed_names))
    colonned = np.bincount(indices[once_more], minlength=len(printed_names))
    codes = np.empty(len(printed_names), dtype=np.int32)
    for index, printed in enumerate(printed_names):
        name = senders.name(printed)
        often = counts[index] >= senders.OFTEN or name in chat.senders
        codes[index] = chat.code(name) if name and (often or not senders.is_notice_start(printed)) else -1
        if counts[index] == colonned[index] and (counts[index] >= senders.OFTEN or printed in chat.extended):
            codes[index] = _extended(block, printed, int(codes[index]), texts, indices == index, chat)
    return codes[indices]


def _extended(block: bytes, printed: str, code: int, texts: Ints, own: Bools, chat: Chat) -> int:
    """The code of the name with what all its texts begin with, if they do; `texts` is moved behind it."""
    rows = np.flatnonzero(own)
    few = [
        block[left : left + 80].decode("utf-8", "ignore") for left in texts[rows[: senders.OFTEN]].tolist()
    ]
    rest = chat.extended.get(printed) or senders.shared_prefix(few)
    if not rest or not all(block.startswith(f"{rest}: ".encode(), left) for left in texts[rows].tolist()):
        return code
    chat.extended[printed] = rest
    texts[rows] += len(rest.encode()) + 2
    return chat.code(senders.name(f"{printed}: {rest}"))


def _take_label(
    block: bytes, bodies: Ints, authors: NDArray[np.int32], texts: Ints, once_more: Bools, chat: Chat
) -> None:
    """Gives the notices under a label with a colon to it: `authors` and `texts` are changed."""
    opening = chat.label + b": " + senders.MARK
    own = [row for row in np.flatnonzero(once_more).tolist() if block.startswith(opening, int(bodies[row]))]
    texts[own] = bodies[own] + len(opening) - _MARK
    authors[own] = chat.code(senders.name(chat.label.decode("utf-8", "ignore")))


def _take_unspaced(
    block: bytes, bodies: Ints, lines: Ints, authors: NDArray[np.int32], texts: Ints, chat: Chat
) -> None:
    """Gives lines that begin with a known sender and a colon alone to that sender: somebody edited them."""
    for row in np.flatnonzero(authors < 0).tolist():
        printed, colon, _ = block[bodies[row] : lines[row]].partition(b":")
        code = chat.senders.get(senders.name(printed.decode("utf-8", "ignore"))) if colon else None
        if code is not None:
            authors[row], texts[row] = code, bodies[row] + len(printed) + 1


def _behind_marks(buffer: NDArray[np.uint8], lefts: Ints, rights: Ints) -> Ints:
    """Where notices begin behind the direction marks that the phone puts before them."""
    while True:
        marked = np.flatnonzero(lefts + _MARK <= rights)
        at = lefts[marked]
        marked = marked[(buffer[at] == 0xE2) & (buffer[at + 1] == 0x80) & (buffer[at + 2] & 0xFE == 0x8E)]
        if len(marked) == 0:
            return lefts
        lefts[marked] += _MARK


def _spread(count: int, rows: Ints, values: pa.Array, which: NDArray[np.int32]) -> pa.Array:
    """A column that has values in some rows and is null elsewhere."""
    if values.null_count == len(values):
        return pa.nulls(count, pa.string())
    places = np.full(count, -1, dtype=np.int32)
    places[rows] = which
    return values.take(pa.array(places, mask=places < 0))


def _named_days(attachments: pa.Array) -> NDArray[np.int32]:
    """The day that the attachment's name tells, for some of the rows; -1 elsewhere."""
    named = np.full(len(attachments), -1, dtype=np.int32)
    rows = np.flatnonzero(attachments.is_valid().to_numpy(zero_copy_only=False))
    rows = rows[:: 1 + len(rows) // _MOST_DATED]
    names: list[str] = attachments.take(pa.array(rows)).to_pylist()
    named[rows] = [_named_day(name) for name in names]
    return named


def _named_day(name: str) -> int:
    match = _NAMED_DAY.search(name)
    return _day(*match.groups()) if match else -1


@lru_cache(maxsize=4096)
def _day(year: str, month: str, day: str) -> int:
    try:
        return (date(int(year), int(month), int(day)) - date(1970, 1, 1)).days
    except ValueError:
        return -1


def _replaced(column: pa.Array, rows: Ints, rewritten: list[tuple[int, str]]) -> pa.Array:
    """The column with other texts in some of these rows."""
    if not rewritten:
        return column
    mask = np.zeros(len(column), dtype=np.bool_)
    mask[rows[[place for place, _ in rewritten]]] = True
    texts = pa.array([text for _, text in rewritten], pa.string())
    return pc.call_function("replace_with_mask", [column, pa.array(mask), texts])
