"""Front matter of the documents that the built-in stages make: a model for each kind, as it is stored.

Digests and profiles are stored as the provider answers them: `Digest` and `Observation` in `llm.tasks`. What does not
belong here: the front matter of pages (`publishing.front_matter`), and models of an extender's own kinds, which live
beside the stage that makes them.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, RootModel

from egregora_resources.document import FrontMatter
from egregora_resources.llm.tasks import Link, Picture
from egregora_resources.publishing.content import MediaView


class AttachmentMatter(FrontMatter):
    """``media`` as the messages tell of it: a file, before it is made fit for the site."""

    media: str
    """Id in the media store, or why it isn't there; see `Message.media`."""
    message: int
    caption: str
    """The message's text."""
    kind: str
    """image, sticker, video, audio or document."""
    extension: str
    """Without dot; empty where there is no file."""


class MediaMatter(AttachmentMatter):
    """``media``: a file as pages show it."""

    view: MediaView


class LinkEnrichment(FrontMatter, Link):
    """A link, and what could be learnt of it; see `LinkNote`."""

    read: bool = False
    problem: str = ""


class MediaEnrichment(FrontMatter, Picture):
    """A media file, and what could be learnt of it; see `MediaNote`."""

    described: bool = False
    text: str = ""
    problem: str = ""


class Enrichment(RootModel[LinkEnrichment | MediaEnrichment]):
    """``enrichment``: of a link or of a media file, in `root`."""


class LinkedPage(BaseModel):
    """What a post knows of a page that it may link to."""

    title: str
    summary: str


class PostMatter(FrontMatter):
    """``post``: everything but the text, which is the body."""

    title: str
    dek: str = ""
    """The one-sentence lead under the title."""
    category: str = ""
    tags: list[str] = []
    """As the writer chose them; pages show the spelling that `pipeline.taxonomy` settles."""
    people: list[str] = []
    """Tokens."""
    language: str = "en"
    sources: list[int]
    """Ids of the messages it was made from."""
    sections: list[list[int]] = []
    """The same by section."""
    start: datetime
    """Time of the first source, by the chat's own clock."""
    end: datetime
    so_far: bool = False
    """The window was still running."""
    extract: bool = False
    """An automatic extract: the offline provider wrote it."""
    memory: list[str] = []
    """Windows whose digests the writer was given."""
    links: dict[str, LinkedPage] = {}
    """By URL."""


class BannerMatter(FrontMatter):
    """``banner``: what the picture in the body is; SVG text, or a bitmap as base64."""

    format: Literal["svg", "png", "jpeg", "webp"]
    alt: str
