"""The two values that flow through the pipeline: a chat `Message` (anonymised) and a `Document` made of messages.

Raw messages never take this form: they stay in the warehouse's raw tables.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Message:
    """One anonymised message of a window.

    `author` is a pseudonym token such as ``amber-heron`` (None for notices, which stages don't see);
    people inside `text` stand as ``@amber-heron``. `time` is the wall clock printed in the export.
    """

    id: int
    time: datetime
    author: str
    kind: str
    text: str
    media: str | None = None
    """Id of the picture, voice message or file in the media store; ``missing-7``, ``damaged-7`` or ``omitted-7`` where
    message 7 has one that no export holds, that can't be read, or that the phone left out."""
    edited: bool = False
    data: Mapping[str, Any] | None = None
    """Particulars of a poll; of a file that isn't there its kind, as `file`."""


@dataclass(frozen=True, slots=True)
class Document:
    """Something a worker made or is to work on.

    Attributes:
        kind: ``media``, ``enrichment``, ``digest``, ``profile``, ``post``, ``banner``, or an extender's own.
        id: stable within the site, e.g. ``2025-01-13-1`` for a window's first post.
        window: key of the window it belongs to.
        slug: last part of its URL, if it has a page. Never changes once published.
        front_matter: JSON-able particulars, typed by the stage that makes the document.
        body: Markdown; lines ``{quote ID}``, ``{picture ID}`` and ``{link URL}`` of their own stand for
            the thing itself and are filled in when pages are rendered.
    """

    kind: str
    id: str
    window: str = ""
    slug: str | None = None
    front_matter: Mapping[str, Any] = field(default_factory=dict[str, Any])
    body: str = ""

    def digest(self) -> str:
        """A content hash: two documents with the same digest say the same."""
        return fingerprint(self.kind, self.id, self.window, self.slug, self.front_matter, self.body)


def fingerprint(*parts: object) -> str:
    """A stable hash of JSON-able values, the same in every process and on every machine."""
    text = json.dumps(parts, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:20]


def absent(media: str) -> str:
    """Why a message's file isn't in the store: ``missing``, ``damaged`` or ``omitted``; empty if it is."""
    why, dash, _ = media.partition("-")
    return why if dash else ""
