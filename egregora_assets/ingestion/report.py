"""Result of an import: what happened to each file, and to the windows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from egregora_resources.errors import UserError

if TYPE_CHECKING:  # only a new file needs what these load
    from egregora_assets.windowing.layout import LayoutChange
    from egregora_resources.chat_log import Merged


_SHOWN = 5
"""How many commands without effect are told one by one."""


class DifferentChat(UserError):
    """An export of another chat than the site's."""


@dataclass(frozen=True, slots=True)
class Imported:
    """Result of importing one file."""

    file: str
    known: bool
    """The file's content had been imported before."""
    chat: str = ""
    """The one it was taken for."""
    messages: int = 0
    notices: int = 0
    """Lines that the app wrote about the chat."""
    merged: Merged | None = None
    media: int = 0
    warnings: Sequence[str] = ()

    def sentence(self) -> str:
        """For the owner's terminal."""
        if self.known:
            return f"{self.file}: nothing new, this file was imported before"
        merged = self.merged
        assert merged is not None
        read = f"{_count(self.messages, 'message')} and {_count(self.notices, 'notice')} of the app read"
        parts = [
            read,
            "all of them new" if merged.new == self.messages + self.notices else f"{merged.new:,} new",
        ]
        if merged.changed:
            parts.append(f"{merged.changed:,} changed")
        if merged.absent:
            parts.append(f"{merged.absent:,} known ones are missing from it and kept")
        if self.media:
            parts.append(_count(self.media, "media file"))
        chat = f" (“{self.chat}”)" if self.chat else ""
        return f"{self.file}{chat}: {', '.join(parts)}"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun if number == 1 else noun + 's'}"


@dataclass
class ImportReport:
    """Result of an import."""

    files: list[Imported] = field(default_factory=list[Imported])
    layout: LayoutChange | None = None
    command_errors: list[str] = field(default_factory=list[str])

    def ignored_commands(self) -> str:
        """A sentence about commands without effect, never with their words; empty if all had one."""
        errors = self.command_errors
        if not errors:
            return ""
        more = f", and {len(errors) - _SHOWN:,} earlier ones" if len(errors) > _SHOWN else ""
        return f"Commands in the chat without effect: {', '.join(errors[-_SHOWN:])}{more}."
