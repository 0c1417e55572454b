"""The tasks that stages ask of a provider: their typed inputs and outputs."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, TypeAlias

from pydantic import BaseModel, Field

from egregora_resources.document import FrontMatter

NOTES_A_REQUEST = 10
"""Links and files that are described in one request."""

Task: TypeAlias = Literal["enrichments", "digests", "profiles", "posts", "banners"]


class Said(BaseModel):
    """A message as a provider sees it."""

    id: int
    time: datetime
    author: str
    text: str
    kind: str = "text"
    media: str | None = None
    """Id of a picture or file that is in the media store."""


class Link(BaseModel):
    """A link shared in the chat, with what could be learnt of it (nothing, offline)."""

    url: str
    title: str = ""
    summary: str = ""
    message: int


class Picture(BaseModel):
    """A media file shared in the chat, with what could be learnt of it (nothing, offline)."""

    id: str
    message: int
    kind: str = "image"
    """image, video, audio, document or sticker."""
    caption: str = ""
    alt: str = ""
    summary: str = ""
    missing: bool = False
    """The export lacks the file, or it can't be shown: a placeholder says so in its place."""


class Stretch(BaseModel):
    """A window's conversation, or one part of it: the input of digests, profiles and posts."""

    window: str
    part: int = 1
    parts: int = 1
    messages: list[Said]
    links: list[Link] = []
    pictures: list[Picture] = []
    language: str = "auto"
    """ISO 639-1 code to write in, or ``auto`` for the chat's own."""
    so_far: bool = False
    """The window is still running."""
    portraits: bool = False
    """Whether its people are to be portrayed anew, beside what is noted of them."""


class Digest(FrontMatter):
    """What a stretch was about, in a few lines: the memory that later windows' writers are given."""

    window: str
    summary: str
    topics: list[str] = []
    people: list[str] = []
    language: str = "en"


class Quote(BaseModel):
    """A message quoted as it stands, by id."""

    type: Literal["quote"] = "quote"
    message: int


class Prose(BaseModel):
    """A paragraph of Markdown, people as ``@amber-heron``."""

    type: Literal["prose"] = "prose"
    text: str


class PictureUse(BaseModel):
    """A picture of the chat, in place."""

    type: Literal["picture"] = "picture"
    id: str


class LinkUse(BaseModel):
    """A link of the chat, in place."""

    type: Literal["link"] = "link"
    url: str


Block: TypeAlias = Prose | Quote | PictureUse | LinkUse


class Section(BaseModel):
    """A part of a post; `sources` are the messages it was made from."""

    heading: str = ""
    blocks: list[Block]
    sources: list[int] = []


class PostDraft(BaseModel):
    """A post as the writer delivers it. `dek` is the one-sentence lead under the title."""

    title: str = Field(min_length=1, max_length=200)
    dek: str = ""
    category: str = ""
    tags: list[str] = []
    people: list[str] = []
    sections: list[Section]
    language: str = "en"


class Posts(BaseModel):
    """Zero or more posts of a stretch; `nothing_because` says why there is none."""

    posts: list[PostDraft]
    nothing_because: str = ""


class PostsInput(BaseModel):
    """What the writer is given."""

    stretch: Stretch
    memory: list[Digest] = []
    vocabulary: list[str] = []
    """Categories and tags in use, so that new posts reuse them."""
    instructions: str = ""


class Observation(FrontMatter):
    """What one window adds to the portrait of one person. Facts only when offline."""

    person: str
    messages: int
    words: int
    first: datetime
    last: datetime
    hours: list[int] = Field(default_factory=lambda: [0] * 24)
    """Messages by hour of the day, 24 numbers."""
    talks_with: dict[str, int] = {}
    """Person → turns exchanged."""
    topics: list[str] = []
    favourite_words: dict[str, int] = {}
    links: int = 0
    pictures: int = 0
    notes: list[str] = []
    """Dated observations in prose; empty offline."""
    portrait: str = ""
    """A few sentences for who doesn't know the person; empty offline, and where none was asked for."""
    language: str = "en"


class Observations(BaseModel):
    """One window's observations, a person each."""

    people: list[Observation]


class LinkNote(BaseModel):
    """What could be learnt of a link; `read` is False when the page couldn't be read."""

    url: str
    read: bool = False
    title: str = ""
    summary: str = ""
    problem: str = ""
    """Why it couldn't be read."""


class MediaNote(BaseModel):
    """What could be learnt of a media file."""

    id: str
    described: bool = False
    alt: str = ""
    summary: str = ""
    text: str = ""
    """What is written in the picture, or said in the recording."""
    problem: str = ""
    """Why it couldn't be described."""


class Notes(BaseModel):
    """What the enrichment of a window yields."""

    links: list[LinkNote] = []
    media: list[MediaNote] = []


class NotesInput(BaseModel):
    """Links and media of a window to describe."""

    window: str = ""
    links: list[Link] = []
    media: list[Picture] = []
    language: str = "auto"


class BannerInput(BaseModel):
    """The post to illustrate."""

    post_id: str
    window: str = ""
    title: str
    dek: str = ""
    category: str = ""
    tags: list[str] = []


class Banner(BaseModel):
    """A 16:9 picture: SVG text, or the bytes of a bitmap as base64."""

    format: Literal["svg", "png", "jpeg", "webp"] = "svg"
    content: str
    alt: str = ""


class Terms(BaseModel):
    """Categories and tags, of which new ones may mean what others mean."""

    known: list[str] = []
    """In use: these never give way."""
    new: list[str]
    people: list[str] = []
    messages: list[int] = []
    """Of the posts that brought the new ones."""


class Merges(BaseModel):
    """New term → the term that stays in its place."""

    stays: dict[str, str] = {}
