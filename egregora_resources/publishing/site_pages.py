"""Which pages a site has: each as a file below ``docs/``, with its front matter."""

from __future__ import annotations

import base64
import logging
from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from zoneinfo import ZoneInfo

from egregora_resources.publishing.cast import Cast
from egregora_resources.publishing.content import Post, Site, WindowView
from egregora_resources.publishing.front_matter import (
    ArchiveMonth,
    ArchivePage,
    ArchiveRow,
    Card,
    HomePage,
    PeoplePage,
    Ref,
    TextPage,
    TopicPage,
    TopicsPage,
    write_page,
)
from egregora_resources.publishing.html_blocks import block
from egregora_resources.publishing.locale import Strings, strings_for
from egregora_resources.publishing.person_page import person_page
from egregora_resources.publishing.plain_text import one_line
from egregora_resources.publishing.post_page import RenderContext, notice_page, post_card, post_page, post_url
from egregora_resources.publishing.safe_svg import plain_svg, safe_svg
from egregora_resources.publishing.slugs import path_segment

logger = logging.getLogger(__name__)

ON_THE_HOME_PAGE = 13
ON_A_PERSONS_PAGE = 24
ON_A_TOPICS_PAGE = 24
FACES_ON_THE_HOME_PAGE = 12
Written = tuple[Post, Card]


@dataclass
class Pages:
    """The generated files of a site."""

    files: dict[str, str | bytes] = field(default_factory=dict[str, str | bytes])
    """Contents by path below ``docs/``."""
    notices: list[str] = field(default_factory=list[str])
    """Ids of posts replaced by a notice."""
    posts: dict[str, str] = field(default_factory=dict[str, str])
    """Post ids by path."""


def site_pages(site: Site) -> Pages:
    """All pages of `site` as Markdown files, and its banners."""
    words = strings_for(site.language)
    pages = Pages()
    cast, zone = Cast(site.people, words["someone"]), ZoneInfo(site.timezone)
    context = RenderContext(words, cast, site.strict_times, zone, _banners(site.posts, pages))
    written = _posts(site, context, pages)
    written.sort(key=lambda pair: (pair[0].start, pair[0].id), reverse=True)
    _home(site, context, pages, written)
    topics = _topics(context, pages, written)
    _people(site, context, pages, written, topics)
    _archive(site, context, pages, written)
    _about(words, pages)
    return pages


def _banners(posts: Iterable[Post], pages: Pages) -> dict[str, str]:
    banners: dict[str, str] = {}
    for post in posts:
        if post.banner_picture:
            path = f"assets/banners/{path_segment(post.id, 'banner')}.webp"
            pages.files[path] = base64.b64decode(post.banner_picture)
            banners[post.id] = path
            continue
        if not post.banner.strip():
            continue
        path = f"assets/banners/{path_segment(post.id, 'banner')}.svg"
        pages.files[path] = safe_svg(post.banner) or plain_svg(post.id)
        banners[post.id] = path
    return banners


def _posts(site: Site, context: RenderContext, pages: Pages) -> list[Written]:
    written: list[Written] = []
    for post in site.posts:
        path = source_path(post_url(post.slug))
        pages.posts[path] = post.id
        try:
            pages.files[path] = post_page(post, context)
            written.append((post, post_card(post, context)))
        except Exception as error:  # one post that can't be written must not cost the site
            logger.warning("post %s was replaced by a notice: %s", post.id, type(error).__name__)
            pages.files[path] = notice_page(context)
            pages.notices.append(post.id)
    return written


def source_path(url: str) -> str:
    """The Markdown file below ``docs/`` that becomes the page at `url`."""
    return url.removesuffix(".html") + ".md"


def _home(site: Site, context: RenderContext, pages: Pages, written: Sequence[Written]) -> None:
    cards = sorted((card for _, card in written), key=lambda card: not card.pinned)
    chattiest = sorted(site.people.values(), key=lambda person: (-person.messages, person.token))
    page = HomePage(
        title=site.title,
        description=site.description,
        cards=cards[:ON_THE_HOME_PAGE],
        people=[context.chip(person.token) for person in chattiest[:FACES_ON_THE_HOME_PAGE]],
        more=len(cards) > ON_THE_HOME_PAGE,
    )
    pages.files["index.md"] = write_page(page)


def _people(
    site: Site, context: RenderContext, pages: Pages, written: Sequence[Written], topics: Container[str]
) -> None:
    words = context.strings
    appearances: dict[str, list[Card]] = defaultdict(list)
    for post, card in written:
        for token in dict.fromkeys(post.people):
            appearances[token].append(card)
    labels = {window.key: window.label for window in site.windows}
    people = sorted(
        site.people.values(), key=lambda person: (context.cast[person.token].name.casefold(), person.token)
    )
    for person in people:
        path = source_path(context.cast[person.token].url)
        cards = appearances[person.token][:ON_A_PERSONS_PAGE]
        pages.files[path] = person_page(person, context, cards, labels, topics)
    page = PeoplePage(
        title=words["people"],
        description=words["description_people"],
        people=[
            context.chip(person.token, words.count("messages", person.messages) if person.messages else "")
            for person in people
        ],
    )
    pages.files["people/index.md"] = write_page(page)


def _topics(context: RenderContext, pages: Pages, written: Sequence[Written]) -> set[str]:
    """Write a page for each topic; return their addresses.

    Names that make the same address share a page, under the one that most posts use.
    """
    words = context.strings
    cards: dict[str, list[Card]] = defaultdict(list)
    names: dict[str, Counter[str]] = defaultdict(Counter)
    for post, card in written:
        filed: dict[str, str] = {}
        for name in (post.category, *post.tags):
            if name.strip():
                filed.setdefault(context.topic(name).url, context.topic(name).name)
        for url, name in filed.items():
            cards[url].append(card)
            names[url][name] += 1
    topics: list[Ref] = []
    for url, listed in cards.items():
        name = one_line(min(names[url].items(), key=lambda item: (-item[1], item[0]))[0], 80)
        topics.append(Ref(name, url, words.number(len(listed))))
        description = words["description_topic"].format(name)
        page = TopicPage(
            title=name,
            description=description,
            cards=listed[:ON_A_TOPICS_PAGE],
            earlier=[Ref(card.title, card.url, card.date) for card in listed[ON_A_TOPICS_PAGE:]],
        )
        pages.files[source_path(url)] = write_page(page, block("lead", {"text": description}))
    topics.sort(key=lambda topic: (topic.name.casefold(), topic.url))
    index = TopicsPage(title=words["topics"], description=words["description_topics"], topics=topics)
    pages.files["topics/index.md"] = write_page(index)
    return set(cards)


def _archive(site: Site, context: RenderContext, pages: Pages, written: Sequence[Written]) -> None:
    words = context.strings
    titles = {post.slug: Ref(card.title, card.url) for post, card in written}
    windows = sorted(site.windows, key=lambda window: (window.start, window.key), reverse=True)
    months = [
        ArchiveMonth(month, [_row(window, titles, context) for window in held])
        for month, held in groupby(windows, key=lambda window: words.month(window.start))
    ]
    page = ArchivePage(title=words["archive"], description=words["description_archive"], months=months)
    pages.files["archive/index.md"] = write_page(page)


def _row(window: WindowView, titles: Mapping[str, Ref], context: RenderContext) -> ArchiveRow:
    words = context.strings
    posts = [titles[slug] for slug in window.posts if slug in titles]
    numbers = f"{words.count('messages', window.messages)} · {words.count('members', len(window.people))}"
    note = context.cast.named(window.note) or ("" if posts else words["no_post"])
    return ArchiveRow(window.label, numbers, posts, note)


def _about(words: Strings, pages: Pages) -> None:
    both = f"{words['about_automatic']} {words['about_written']}"
    body = (
        "\n\n".join(words.words["about_body"])
        .replace("{automatic}", both)
        .replace("](archive/", "](../archive/")
    )
    pages.files["about/index.md"] = write_page(TextPage(title=words["about_title"]), body)
