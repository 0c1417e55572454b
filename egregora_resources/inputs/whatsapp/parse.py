"""From a chat's bytes to its table: blocks are scanned, their bodies understood, the dates decided at the end.

A block ends where a message does, so that a chat of any length needs little more memory than its table.
"""

# Arrow has no types:
# pyright: reportUnknownParameterType=false

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Callable, Container, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from typing import BinaryIO

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from egregora_resources.inputs.export import KINDS, MESSAGE_SCHEMA
from egregora_resources.inputs.whatsapp.assemble import Block, Chat, assemble
from egregora_resources.inputs.whatsapp.bodies import phrases
from egregora_resources.inputs.whatsapp.body_columns import CODES
from egregora_resources.inputs.whatsapp.calendar import Ints
from egregora_resources.inputs.whatsapp.date_order import Order, decide, may_exist
from egregora_resources.inputs.whatsapp.scan import Headers, scan
from egregora_resources.inputs.whatsapp.shape import FIELDS, Shape, extend, learn
from egregora_resources.inputs.whatsapp.text import blocks_ahead, check_length
from egregora_resources.inputs.whatsapp.word_tables import MARKS

_SAMPLE = 1 << 20
_SAMPLE_LINES = 150
_MOST_SUSPECTS = 400
_LONGEST_KEPT = 1_000
_MANY_FOREIGN = 20
_MANY_HOURS = 200
_MOST_OPENINGS = 20
_DIGITS = 5
"""A header has at least so many, and within so many bytes:"""
_LOOK_AHEAD = 24


@dataclass(slots=True)
class Parsed:
    """A chat's text, read."""

    messages: pa.Table
    order: Order
    chat: str
    """Its name: the label or, where there is none, the sender that is none."""
    not_understood: list[str] = field(default_factory=list[str])
    warnings: list[str] = field(default_factory=list[str])


def parse(
    opener: Callable[[], BinaryIO],
    *,
    label: str = "",
    members: Container[str] = (),
    wanted: str | None = None,
) -> Parsed:
    """Reads a chat's text.

    Args:
        label: the chat's name, which iPhones print as if it were a sender.
        members: names of the files that came with it.
        wanted: the order of dates, if the owner says it.

    Raises:
        NotText: it is no chat's text.
    """
    reader = _Reader(opener, Chat(members, marked=False))
    order = reader.read(wanted)
    if reader.impossible(order):
        # Some lines looked like headers only while the order was open: read again, now that it is known.
        again = _Reader(opener, Chat(members, marked=False), reader.shape, order)
        again.read(wanted)
        reader = again
    chat = label or reader.label
    return Parsed(reader.table(order, label), order, chat, reader.not_understood, reader.warnings)


class _Reader:
    """One reading of a chat's text."""

    def __init__(
        self,
        opener: Callable[[], BinaryIO],
        chat: Chat,
        shape: Shape | None = None,
        order: Order | None = None,
    ) -> None:
        self.shape = shape
        self.not_understood: list[str] = []
        self.warnings: list[str] = []
        self._opener = opener
        self._chat = chat
        self._order = order
        self._blocks: list[Block] = []
        self._scripts = Counter[str]()
        self._foreign = 0

    def read(self, wanted: str | None) -> Order:
        """Reads everything, and decides the order of dates."""
        rest: list[bytes] = []
        enough = aside = 0
        with self._opener() as stream, closing(blocks_ahead(stream, self.warnings)) as coming:
            for block, last in coming:
                rest.append(block)
                if not last and sum(map(len, rest)) < enough:
                    continue
                data = b"".join(rest) if len(rest) > 1 else block
                if self.shape is None:
                    self._look(data)
                if self.shape is None:
                    aside += len(data)
                    check_length(aside)
                    self._set_aside(data)
                    rest = []
                    continue
                headers = self._scan(data)
                if not last and len(headers.starts) < 2:
                    # A message longer than a block: wait for twice as much, so that the work stays in proportion.
                    check_length(len(data))
                    rest, enough = [data], 2 * len(data)
                    continue
                cut = len(data) if last else int(headers.starts[-1])
                self._take(data, cut, headers if last else _without_last(headers))
                rest, enough = [data[cut:]], 0
        if self._foreign >= _MANY_FOREIGN:
            self.warnings.append(
                "Many lines look like the beginnings of messages as another phone prints them; they were read as text "
                "of the messages above them. If two exports were joined into one file, import each on its own."
            )
        values = self._values()
        if self.shape is not None and not self.shape.twelve_hours and _ends_at_noon(values):
            self.warnings.append(
                "Its clock runs from 1 to 12 and no line says which half of the day it was; all times were read as "
                "printed. Export again with the phone's clock set to 24 hours."
            )
        if self._order is not None or self.shape is None:
            return self._order or Order.unknown(wanted)
        script = self._scripts.most_common(1)[0][0] if self._scripts else ""
        return decide(values, self._named(), self.shape, script, wanted)

    @property
    def label(self) -> str:
        """Under whose name alone an iPhone's export opens with the notice about encryption, if it does."""
        opening = self._blocks[0] if self._blocks else None
        if opening is None or len(opening.notices) == 0 or opening.notices[0] > 0:
            return ""
        name = list(self._chat.senders)[opening.authors[0]]
        # What somebody did to the group may stand under their own name, and tells it.
        theirs = opening.authors[0] not in self._labels("") or name in opening.text[0].as_py()
        return "" if theirs else name

    def impossible(self, order: Order) -> bool:
        """Whether headers were accepted whose dates don't exist in `order`."""
        return len(self._values()) > 0 and not bool(order.exist(self._values()).all())

    def _look(self, data: bytes) -> None:
        sample = data[:_SAMPLE].decode("utf-8", "replace").split("\n")
        middle = data[len(data) // 2 : len(data) // 2 + _SAMPLE].decode("utf-8", "replace").split("\n")[1:]
        self.shape = learn(
            [*sample[:_SAMPLE_LINES], *(middle[:_SAMPLE_LINES] if len(data) > 2 * _SAMPLE else [])]
        )
        self._scripts.update(_script(" ".join(line[-40:] for line in sample[:200])))

    def _scan(self, data: bytes) -> Headers:
        assert self.shape is not None
        headers, others = self._existing(data, self.shape)
        suspects = _suspects(data, others, ascii_only=self.shape.zeros == ("0",))
        if suspects:
            wider, foreign = extend(self.shape, suspects)
            self._foreign += foreign
            if wider != self.shape:
                self.shape = wider
                headers, _ = self._existing(data, wider)
        return headers

    def _existing(self, data: bytes, shape: Shape) -> tuple[Headers, Ints]:
        headers, others = scan(data, shape)
        exist = self._order.exist(headers.values) if self._order else may_exist(headers.values)
        return (headers if exist.all() else headers.keep(exist)), others

    def _take(self, data: bytes, end: int, headers: Headers) -> None:
        assert self.shape is not None
        first = int(headers.starts[0]) if len(headers.starts) else end
        if first:
            self._set_aside(data[:first])
        if first < end:
            self._chat.marked = self.shape.bracketed
            self._blocks.append(assemble(data, end, headers, self._chat))

    def _set_aside(self, data: bytes) -> None:
        for line in data.decode("utf-8", "replace").split("\n"):
            if line.strip(MARKS + " \t\r"):
                self.not_understood.append(line[:_LONGEST_KEPT])

    def _values(self) -> NDArray[np.int16]:
        return np.concatenate(
            [np.empty((0, len(FIELDS)), dtype=np.int16), *(one.values for one in self._blocks)]
        )

    def _named(self) -> NDArray[np.int32]:
        return np.concatenate([np.empty(0, dtype=np.int32), *(one.named for one in self._blocks)])

    def table(self, order: Order, label: str) -> pa.Table:
        """The messages; nothing is left of the blocks after."""
        labels = self._labels(label)
        names = pa.array(list(self._chat.senders) or [""], pa.string())
        kinds = pa.array(KINDS, pa.string())
        batches: list[pa.RecordBatch] = []
        first = True
        while self._blocks:
            block = self._blocks.pop(0)
            codes = block.authors.copy()
            told = self._told(block, labels)
            block.kinds[told], block.system[told] = CODES["notice"], True
            own = np.append(block.notices, told)
            own = own[np.isin(codes[own], labels)]
            codes[own] = -1
            if first and len(block.notices) and block.notices[0] == 0:
                codes[0] = -1  # An export opens with the notice about encryption, under the chat's label.
            first = False
            days, _ = order.days(block.values)
            hours, minutes, seconds = (block.values[:, column].astype(np.int32) for column in (3, 4, 5))
            moments = days * 86400 + (hours * 3600 + minutes * 60 + np.maximum(seconds, 0))
            columns = [
                pa.array(moments).cast(pa.timestamp("s")),
                names.take(pa.array(codes, mask=codes < 0)),
                kinds.take(pa.array(block.kinds)),
                block.text,
                block.attachment,
                _flags(len(codes), block.edited),
                _flags(len(codes), block.deleted),
                _flags(len(codes), block.omitted),
                pa.array(block.system),
                block.data,
            ]
            batches.append(pa.record_batch(columns, schema=MESSAGE_SCHEMA))
        return pa.Table.from_batches(batches, MESSAGE_SCHEMA)

    def _told(self, block: Block, labels: NDArray[np.int64]) -> NDArray[np.int64]:
        """Which of the doubtful rows the app wrote: under the chat's label, or about the one they stand under."""
        names = list(self._chat.senders)
        told = [
            row
            for row in block.doubtful.tolist()
            if (code := int(block.authors[row])) in labels or names[code] in block.text[row].as_py()
        ]
        return np.array(told, dtype=np.int64)

    def _labels(self, label: str) -> NDArray[np.int64]:
        """The chat's label: who speaks of encryption, or else under whose name only the app speaks."""
        for block in self._blocks[:1]:
            for row in block.notices[:_MOST_OPENINGS].tolist():
                if phrases().encryption.search(block.text[row].as_py()):
                    return block.authors[[row]].astype(np.int64)
        count = len(self._chat.senders)
        spoken, noticed = np.zeros((2, count), dtype=np.bool_)
        for block in self._blocks:
            own = block.authors.copy()
            own[block.notices] = own[block.doubtful] = -1
            spoken[own[own >= 0]] = True
            noticed[block.authors[block.notices]] = True
        labels = noticed & ~spoken
        if label in self._chat.senders:
            labels[self._chat.senders[label]] = True
        return np.flatnonzero(labels)


def _suspects(data: bytes, lines: Ints, *, ascii_only: bool) -> list[str]:
    """Lines that are no header by the shape so far, and may be one of its style."""
    lines = lines[lines < len(data) - _LOOK_AHEAD]
    if len(lines) == 0:
        return []
    buffer = np.frombuffer(data, dtype=np.uint8)
    if ascii_only:
        digits = np.zeros(len(lines), dtype=np.int64)
        for offset in range(_LOOK_AHEAD):
            digits += buffer[lines + offset] - 48 < 10  # below zero becomes large
        lines = lines[digits >= _DIGITS]
    else:
        lines = lines[buffer[lines] != 10]
    few = lines[:: max(1, len(lines) // _MOST_SUSPECTS)][:_MOST_SUSPECTS]
    return [data[line : line + 160].partition(b"\n")[0].decode("utf-8", "replace") for line in few.tolist()]


def _ends_at_noon(values: NDArray[np.int16]) -> bool:
    """Whether a clock that names no part of the day seems to have twelve hours, going by many messages."""
    hours = values[:, 3]
    return len(hours) >= _MANY_HOURS and bool(((hours >= 1) & (hours <= 12)).all() and (hours == 12).any())


def _without_last(headers: Headers) -> Headers:
    return headers.keep(slice(-1))


def _flags(count: int, rows: NDArray[np.int64]) -> pa.Array:
    flags = np.zeros(count, dtype=np.bool_)
    flags[rows] = True
    return pa.array(flags)


def _script(text: str) -> Iterator[str]:
    for char in text[:2_000]:
        if char.isalpha():
            name = unicodedata.name(char, "").partition(" ")[0]
            yield name
