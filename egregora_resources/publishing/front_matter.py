"""The front matter of generated pages: what templates read as ``page.meta``.

A page is one of these dataclasses, so its keys are fixed. Every string is cleaned when it is written, whoever wrote it,
and every value is written as JSON, which is YAML too: no text can become a key or another document. For cleaned strings
that is as safe as ``yaml.safe_dump``, and it makes the build of a large site a quarter faster, because YAML needn't
guess the type of quoted text.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

from egregora_resources.publishing.plain_text import one_line


@dataclass(frozen=True, slots=True)
class Ref:
    """A link within the site, with an optional remark beside it."""

    name: str
    url: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Chip:
    """A person as a small picture or initial with a name."""

    name: str
    url: str
    initial: str
    hue: int
    picture: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Card:
    """A post in a list of posts. `date` is for readers, `day` for machines (ISO)."""

    title: str
    url: str
    dek: str
    date: str
    day: str
    lang: str
    banner: str = ""
    banner_alt: str = ""
    category: Ref | None = None
    automatic: bool = False
    so_far: bool = False
    pinned: bool = False


@dataclass(frozen=True, slots=True)
class Chart:
    """A bar chart, laid out, and the table that says the same."""

    title: str
    label: str
    unit: str
    width: int
    height: int
    bars: Sequence[Sequence[float]]
    """(x, y, width, height) in a box of `width` by `height`."""
    rows: Sequence[tuple[str, str]]
    ticks: Sequence[tuple[float, str]] = ()
    """(x of the middle, text)."""
    ends: Sequence[str] = ()
    """The texts below the first and the last bar, or none."""


@dataclass(frozen=True, slots=True)
class Page:
    """What every page has."""

    title: str
    description: str = ""
    lang: str = ""


@dataclass(frozen=True, slots=True)
class PostPage(Page):
    template: str = "post.html"
    date: str = ""
    day: str = ""
    category: Ref | None = None
    topics: Sequence[Ref] = ()
    tags: Sequence[str] = ()
    people: Sequence[Chip] = ()
    automatic: bool = True
    so_far: bool = False


@dataclass(frozen=True, slots=True)
class HomePage(Page):
    template: str = "home.html"
    cards: Sequence[Card] = ()
    people: Sequence[Chip] = ()
    more: bool = False


@dataclass(frozen=True, slots=True)
class PeoplePage(Page):
    template: str = "people.html"
    people: Sequence[Chip] = ()


@dataclass(frozen=True, slots=True)
class PersonPage(Page):
    template: str = "person.html"
    chip: Chip | None = None
    facts: Sequence[tuple[str, str]] = ()
    links: Sequence[Ref] = ()
    charts: Sequence[Chart] = ()
    topics: Sequence[Ref] = ()
    talks_with: Sequence[Chip] = ()
    words: Sequence[tuple[str, str]] = ()
    notes: Sequence[tuple[str, str]] = ()
    cards: Sequence[Card] = ()


@dataclass(frozen=True, slots=True)
class TopicsPage(Page):
    template: str = "topics.html"
    topics: Sequence[Ref] = ()


@dataclass(frozen=True, slots=True)
class TopicPage(Page):
    template: str = "topic.html"
    cards: Sequence[Card] = ()
    earlier: Sequence[Ref] = ()
    """The posts that came before, by title only: a list that grows for years stays readable."""


@dataclass(frozen=True, slots=True)
class ArchiveRow:
    """A window: what happened and what was written about it."""

    label: str
    numbers: str
    posts: Sequence[Ref] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class ArchiveMonth:
    """The windows that begin in one month."""

    name: str
    rows: Sequence[ArchiveRow]


@dataclass(frozen=True, slots=True)
class ArchivePage(Page):
    template: str = "archive.html"
    months: Sequence[ArchiveMonth] = ()


@dataclass(frozen=True, slots=True)
class TextPage(Page):
    template: str = "text.html"


def write_page(page: Page, body: str = "") -> str:
    """A Markdown file: `page` as front matter, cleaned, then `body` as it is."""
    meta = "".join(f"{key}: {_json(value)}\n" for key, value in _plain(page).items())
    return f"---\n{meta}---\n\n{body}".rstrip() + "\n"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return one_line(value, 400)
    if isinstance(value, bool | int | float) or value is None:
        return value
    if is_dataclass(value):
        held = {field.name: getattr(value, field.name) for field in fields(value)}
        return {key: _plain(item) for key, item in held.items() if _says_something(item)}
    return [_plain(item) for item in value]


def _says_something(value: Any) -> bool:
    """Whether to write a value: templates treat a missing key like an empty value. Zero is written."""
    return value is not None and value is not False and value not in ("", (), [])
