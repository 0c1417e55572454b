"""What a site consists of, as plain values: the input of the page writer and the build.

Assembled from the warehouse by `egregora_assets.site`; rendered by the other modules of this package.
All text in here is hostile until rendered. People are pseudonym tokens (``amber-heron``); the names to
show stand in `Site.people`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from egregora_resources.document import Message
from egregora_resources.errors import UserError


@dataclass(frozen=True, slots=True)
class MediaView:
    """A media file as a page shows it. `path` is below ``docs/`` (None: a placeholder that says `missing`)."""

    id: str
    kind: str
    """image, sticker, video, audio or document."""
    path: str | None
    thumbnail: str | None = None
    width: int = 0
    height: int = 0
    alt: str = ""
    missing: str = ""
    size: int = 0
    """Bytes."""


@dataclass(frozen=True, slots=True)
class LinkView:
    """A link with what is known of it."""

    url: str
    title: str = ""
    summary: str = ""


@dataclass(frozen=True, slots=True)
class Person:
    """A member as readers know them: display name and what the member chose to show."""

    token: str
    name: str
    bio: str = ""
    avatar: MediaView | None = None
    interests: str = ""
    website: str = ""
    twitter: str = ""
    messages: int = 0
    words: int = 0
    first: datetime | None = None
    last: datetime | None = None
    hours: Sequence[int] = ()
    """Messages by hour of the day, 24 numbers."""
    weeks: Sequence[tuple[str, int]] = ()
    """Messages by window key, in time order."""
    topics: Sequence[str] = ()
    talks_with: Sequence[tuple[str, int]] = ()
    """(token, turns exchanged), most first."""
    favourite_words: Sequence[tuple[str, int]] = ()
    notes: Sequence[tuple[str, str]] = ()
    """(window key, observation in prose)."""
    portrait: str = ""
    """Markdown."""
    strict_times: bool = False
    """Show the days of what they said, never the times."""


@dataclass(frozen=True, slots=True)
class Post:
    """A post, ready to render. `body` is Markdown with ``{quote ID}``, ``{picture ID}``, ``{link URL}`` lines."""

    id: str
    slug: str
    """Unique on the site and never changed once published."""
    window: str
    title: str
    dek: str
    body: str
    start: datetime
    end: datetime
    language: str = "en"
    category: str = ""
    tags: Sequence[str] = ()
    people: Sequence[str] = ()
    messages: Mapping[int, Message] = field(default_factory=dict[int, Message])
    """The messages that `body` quotes, and those whose pictures it shows."""
    media: Mapping[str, MediaView] = field(default_factory=dict[str, MediaView])
    links: Mapping[str, LinkView] = field(default_factory=dict[str, LinkView])
    banner: str = ""
    """SVG text."""
    banner_picture: str = ""
    """Instead of it: a WebP picture, as base64."""
    banner_alt: str = ""
    automatic: bool = True
    """An automatic extract, and the page says so."""
    so_far: bool = False
    pinned: bool = False


@dataclass(frozen=True, slots=True)
class WindowView:
    """A window for the archive: what happened in it, in numbers, and why it has no post, if so."""

    key: str
    label: str
    start: datetime
    end: datetime
    messages: int
    people: Sequence[str]
    posts: Sequence[str] = ()
    """Slugs."""
    note: str = ""
    """E.g. why nothing was written."""


@dataclass(frozen=True, slots=True)
class Site:
    """Everything that the built site shows."""

    title: str
    description: str
    language: str
    posts: Sequence[Post]
    """In time order, oldest first."""
    people: Mapping[str, Person]
    windows: Sequence[WindowView]
    timezone: str = "UTC"
    strict_times: bool = False
    """Show days, never times (`[privacy] level = "strict"`)."""


class PublishError(UserError):
    """The site couldn't be built; the message is for the owner and holds no text of chat or posts."""


@dataclass(frozen=True, slots=True)
class BuildReport:
    """What a build made: pages, bytes, files that changed, and pages replaced by a notice (post ids)."""

    pages: int
    bytes: int
    changed: int
    notices: Sequence[str] = ()
    seconds: float = 0.0
