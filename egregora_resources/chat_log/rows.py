"""A message as one export has it, and a message of the log with all that the exports say about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from egregora_resources.chat_log.placement import POSITIONS

CONTENT = "kind, text, attachment, edited, deleted, media_omitted, data"
ROW = f"id, ts, name, {CONTENT}"
"""The columns of `raw_messages`."""
FORGOTTEN = "forgotten"
"""The kind of what is left of a message whose author was forgotten: its place, and in `data` ``person.trace``."""
SAID = f"id, epoch_us(ts) // 1000000 AS second, name, {CONTENT}"
"""The fields of `MessageRow`, selected from them."""


class MessageRow(NamedTuple):
    """One message as one export has it, or as the log has it."""

    id: int
    second: int  # since 1970, as printed
    name: str | None
    kind: str
    text: str
    attachment: str | None
    edited: bool
    deleted: bool
    media_omitted: bool
    data: str | None

    @property
    def minute(self) -> int:
        """The printed minute."""
        return self.second // 60

    @property
    def speaker(self) -> str | None:
        """Who said it; no one for the app's own notices, which some phones label and others don't.

        Of people who were forgotten it is only known which messages are the same person's.
        """
        if self.kind == FORGOTTEN:
            return f"{FORGOTTEN} {(self.data or '').partition('.')[0]}"
        return None if self.kind == "notice" else self.name

    @property
    def with_media(self) -> bool:
        """A picture, voice note or file, whether or not the export has it; a forgotten one counts as omitted."""
        return self.media_omitted or self.attachment is not None


class Face(NamedTuple):
    """What makes two messages of different exports exactly alike."""

    speaker: str | None
    minute: int
    text: str
    attachment: str | None


class Version(NamedTuple):
    """One export's part of a stretch.

    Attributes:
        rank: place of the export among all, the one that ends first being lowest.
        starts: the export begins here; it doesn't know what was said before.
        ends: the export ends here.
    """

    rank: int
    starts: bool
    ends: bool
    said: Sequence[MessageRow]


@dataclass(slots=True, eq=False)
class Slot:
    """One message of the log with all that the exports say about it."""

    sources: list[tuple[int, MessageRow]]
    faces: set[Face] = field(default_factory=set[Face])

    @property
    def effective(self) -> int:
        """The minute it belongs to: where an export saw the clock go back, its place there."""
        moved = [said.id // POSITIONS for _, said in self.sources if said.id // POSITIONS != said.minute]
        return max(moved) if moved else self.sources[0][1].minute

    def add(self, rank: int, said: MessageRow) -> None:
        """Another export has this message too."""
        self.sources.append((rank, said))
        self.faces.add(face_of(said))


def face_of(said: MessageRow) -> Face:
    text = said.data or "" if said.kind == FORGOTTEN else said.text
    return Face(said.speaker, said.minute, text, said.attachment)
