"""What a site shows, as plain values: the input of the build.

Assembled from the warehouse by `egregora_assets.site`, rendered by the other modules of this room. All text is hostile
until rendered. People are pseudonym tokens (``amber-heron``); the names to show are in `Site.people`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from egregora_resources.document import Message
from egregora_resources.errors import UserError


@dataclass(frozen=True, slots=True)
class MediaView:
    """A media file as pages show it."""

    id: str
    kind: str
    """image, sticker, video, audio or document."""
    path: str | None
    """Below ``docs/``; None: pages say `missing` instead."""
    thumbnail: str | None = None
    width: int = 0
    """Pixels; 0 where unknown, as `height`."""
    height: int = 0
    alt: str = ""
    missing: str = ""
    size: int = 0
    """Bytes."""


@dataclass(frozen=True, slots=True)
class LinkView:
    """A shared link, with what its page says of itself."""

    url: str
    title: str = ""
    summary: str = ""


@dataclass(frozen=True, slots=True)
class Person:
    """A member as readers see them: what they chose to show, and what was counted."""

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
    """Messages by hour of the day: 24 counts, or none."""
    weeks: Sequence[tuple[str, int]] = ()
    """(window key, messages), in time order."""
    topics: Sequence[str] = ()
    talks_with: Sequence[tuple[str, int]] = ()
    """(token, turns exchanged), most first."""
    favourite_words: Sequence[tuple[str, int]] = ()
    notes: Sequence[tuple[str, str]] = ()
    """(window key, observation in prose)."""
    portrait: str = ""
    """Markdown."""
    strict_times: bool = False
    """Show the days of their messages, never the times."""


@dataclass(frozen=True, slots=True)
class Post:
    """A post, ready to render."""

    id: str
    slug: str
    """Unique on the site and never changed once published."""
    window: str
    title: str
    dek: str
    """The sentence below the title."""
    body: str
    """Markdown, with lines ``{quote MESSAGE_ID}``, ``{picture MEDIA_ID}`` and ``{link URL}``."""
    start: datetime
    end: datetime
    language: str = "en"
    category: str = ""
    tags: Sequence[str] = ()
    people: Sequence[str] = ()
    messages: Mapping[int, Message] = field(default_factory=dict[int, Message])
    """Those that `body` quotes or whose pictures it shows, by id."""
    media: Mapping[str, MediaView] = field(default_factory=dict[str, MediaView])
    links: Mapping[str, LinkView] = field(default_factory=dict[str, LinkView])
    banner: str = ""
    """SVG text."""
    banner_picture: str = ""
    """A WebP image in base64, shown in place of `banner`."""
    banner_alt: str = ""
    automatic: bool = True
    """Written without a model; the page is marked as an automatic extract."""
    so_far: bool = False
    pinned: bool = False


@dataclass(frozen=True, slots=True)
class WindowView:
    """A window as the archive lists it."""

    key: str
    label: str
    start: datetime
    end: datetime
    messages: int
    people: Sequence[str]
    posts: Sequence[str] = ()
    """Slugs."""
    note: str = ""
    """Shown below it, e.g. why it has no post."""


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
    """The site couldn't be built. The message is for the owner and quotes neither chat nor posts."""


@dataclass(frozen=True, slots=True)
class BuildReport:
    """Result of a build."""

    pages: int
    """HTML files."""
    bytes: int
    """Of the whole site."""
    changed: int
    """Files that are new, different or gone since the last build."""
    notices: Sequence[str] = ()
    """Ids of posts replaced by a notice because they couldn't be rendered."""
    seconds: float = 0.0
    """Wall time."""
