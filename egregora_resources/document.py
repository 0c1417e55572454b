"""The two values that flow through the pipeline: a chat `Message` (anonymised) and a `Document` made of messages.

Raw messages never take this form: they stay in the warehouse's raw tables.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic

from pydantic import BaseModel, ConfigDict, ValidationError
from typing_extensions import TypeVar

from egregora_resources.errors import UserError

Matter = TypeVar("Matter", bound=BaseModel, default=BaseModel, covariant=True)
"""The model of a document's front matter; any, where none is named."""
Model = TypeVar("Model", bound=BaseModel)


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


class FrontMatter(BaseModel):
    """Base of the models of front matter, and front matter of which nothing is declared.

    Fields that a model doesn't name are kept as they are: what another version stored isn't lost by reading it. A
    field added later needs a default, because documents stored before don't have it.
    """

    model_config = ConfigDict(extra="allow", hide_input_in_errors=True)


class FrontMatterError(UserError):
    """A document's front matter isn't what its reader takes it for."""


@dataclass(frozen=True, slots=True)
class Document(Generic[Matter]):
    """Something a worker made or is to work on.

    Attributes:
        kind: ``media``, ``enrichment``, ``digest``, ``profile``, ``post``, ``banner``, or an extender's own.
        id: stable within the site, e.g. ``2025-01-13-1`` for a window's first post.
        window: key of the window it belongs to.
        slug: last part of its URL, if it has a page. Never changes once published.
        front_matter: its particulars, an instance of the kind's pydantic model; stored as JSON. The built-in kinds
            have theirs in `document_kinds` and `llm.tasks`.
        body: Markdown; lines ``{quote ID}``, ``{picture ID}`` and ``{link URL}`` of their own stand for
            the thing itself and are filled in when pages are rendered.

    Example:
        >>> class Haiku(FrontMatter):
        ...     syllables: list[int]
        >>> Document("haiku", "2025-01-13/1", "2025-01-13", front_matter=Haiku(syllables=[5, 7, 5]), body="…")
    """

    kind: str
    id: str
    window: str = ""
    slug: str | None = None
    # Without front matter a document is a `Document[BaseModel]`: no checker can follow that.
    front_matter: Matter = field(default_factory=FrontMatter)  # pyright: ignore[reportAssignmentType]
    body: str = ""

    def digest(self) -> str:
        """A content hash: two documents with the same digest say the same."""
        return fingerprint(
            self.kind, self.id, self.window, self.slug, self.front_matter.model_dump(mode="json"), self.body
        )

    def read_as(self, model: type[Model]) -> Document[Model]:
        """The same document with front matter of this model: as it is, or checked against the model.

        Raises:
            FrontMatterError: the front matter doesn't fit.
        """
        known = self.front_matter
        try:
            read = known if isinstance(known, model) else model.model_validate(known.model_dump(mode="json"))
        except ValidationError as error:
            # No values, and of a path into the front matter no more than the field: both may be words of the chat.
            wrong = {f"{e['loc'][0]} ({e['type']})" if e["loc"] else e["type"] for e in error.errors()}
            raise FrontMatterError(
                f"The front matter of the {self.kind} {self.id} isn't what {model.__name__} takes: "
                f"{', '.join(sorted(wrong))}. Give fields that were added later a default, or change the `code` of the "
                "stage that makes such documents, so that they are made anew."
            ) from None
        return Document(self.kind, self.id, self.window, self.slug, read, self.body)


def fingerprint(*parts: object) -> str:
    """A stable hash of JSON-able values, the same in every process and on every machine."""
    text = json.dumps(parts, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:20]


def absent(media: str) -> str:
    """Why a message's file isn't in the store: ``missing``, ``damaged`` or ``omitted``; empty if it is."""
    why, dash, _ = media.partition("-")
    return why if dash else ""
