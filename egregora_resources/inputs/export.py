"""What an input adapter hands over: one chat as a table of messages, with its media and what was made of it.

Nothing here knows a particular messenger; the adapters are in the registry.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa

from egregora_resources.errors import UserError

KINDS = ("text", "media", "deleted", "poll", "location", "contact", "call", "view_once", "notice")

MESSAGE_SCHEMA: pa.Schema = pa.schema(
    [
        ("timestamp", pa.timestamp("s")),  # the wall clock as printed, never shifted
        ("author", pa.string()),
        ("kind", pa.string()),
        ("text", pa.string()),
        ("attachment", pa.string()),
        ("edited", pa.bool_()),
        ("deleted", pa.bool_()),
        ("media_omitted", pa.bool_()),
        ("is_system", pa.bool_()),
        ("data", pa.string()),  # JSON of polls, locations, contacts and calls
    ]
)

DATE_ORDERS = {
    "auto": None,
    "day-first": "dmy",
    "month-first": "mdy",
    "year-first": "ymd",
}
"""What a caller may ask for, and the order of day, month and year it stands for."""


class InputError(UserError):
    """A path that can't be read as an export."""


@dataclass(frozen=True, slots=True)
class Member:
    """A media file inside an export; its bytes are streamed, never held."""

    name: str
    size: int
    opener: Callable[[], BinaryIO] = field(repr=False, compare=False)
    crc: int | None = None
    """CRC-32 of the bytes, where the container tells it."""

    def open(self) -> BinaryIO:
        """A stream over the file's bytes; the caller closes it."""
        return self.opener()


@dataclass(frozen=True, slots=True)
class Export:
    """One chat, read.

    Attributes:
        digest: SHA-256 of the container's bytes; of a folder, of its text and its files' names and sizes.
        chat: the group's name, or "" where nothing tells it.
        messages: in file order, by `MESSAGE_SCHEMA`.
        media: the container's other files by name.
        date_order: `dmy`, `mdy` or `ymd`: how dates were read.
        confidence: 0 to 1, in that order.
        evidence: a sentence for the owner.
        not_understood: lines that belong to no message.
        modified: when the phone wrote the chat's text, if the container tells.
    """

    source: Path
    digest: str
    chat: str
    messages: pa.Table
    media: Mapping[str, Member]
    date_order: str
    confidence: float
    evidence: str
    not_understood: Sequence[str] = ()
    warnings: Sequence[str] = ()
    modified: datetime | None = None
