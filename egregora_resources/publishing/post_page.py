"""A post's page: its body with quotes, pictures and links put in, and the card that other pages show of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from egregora_resources.document import Message
from egregora_resources.publishing.cast import Cast, Face, outside_code
from egregora_resources.publishing.content import LinkView, MediaView, Post
from egregora_resources.publishing.front_matter import Card, Chip, PostPage, Ref, write_page
from egregora_resources.publishing.html_blocks import Data, block
from egregora_resources.publishing.locale import Strings
from egregora_resources.publishing.plain_text import one_line, spoken, web_address
from egregora_resources.publishing.slugs import path_segment, topic_slug
from egregora_resources.site.clock import instant

ROOT = "../../"
_DIRECTIVE = re.compile(r"\{(quote|picture|link)[ \t]+([^{}\n]+?)[ \t]*\}")
_BRACKET = re.compile(r"(?P<link>\[[^\[\]\n]{1,300}\]\([^()\s]{1,800}\))|\[")
# Python-Markdown takes minutes for some ten thousand brackets, as a model caught in a loop may write them, and
# overflows the stack on deep nesting. No prose needs so much; what does is shown as it was typed.
_MARKUP = re.compile(r"[\[\]*_`<>&!\\|#=~]")
_MOST_MARKUP = 1_500
_DEEP = re.compile(r"(?m)^(?:[ ]*(?:[-*+][ ]|\d+[.)][ ]|>)){12}|^[ ]{40,}(?:[-*+>]|\d+[.)]) ")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")
_MEDIA_PATH = re.compile(r"(?:media|assets)/(?!.*(?:^|/)\.\.?(?:/|$))[^\\:?#\x00-\x1f]+")


@dataclass(frozen=True)
class Desk:
    """What rendering any page needs to know."""

    strings: Strings
    cast: Cast
    strict_times: bool
    zone: ZoneInfo
    banners: Mapping[str, str]
    """Banner files below ``docs/`` by post id."""

    def chip(self, token: str, note: str = "") -> Chip:
        face = self.cast[token]
        return Chip(face.name, face.url, face.initial, face.hue, media_url(face.picture), note)

    def topic(self, name: str, note: str = "") -> Ref:
        name = self.cast.named(name)
        return Ref(name, f"topics/{topic_slug(name)}/index.html", note)


def post_url(slug: str) -> str:
    return f"posts/{path_segment(slug, 'post')}/index.html"


def media_url(path: str | None) -> str:
    """A media file's address below the site's root; empty unless `path` stays in a folder for files."""
    return quote(path) if path and _MEDIA_PATH.fullmatch(path) else ""


def language_of(code: str) -> str:
    return code if _LANGUAGE.fullmatch(code) else ""


def post_card(post: Post, desk: Desk) -> Card:
    """The post as other pages show it."""
    title = desk.cast.named(post.title) or desk.strings.span(post.start, post.end)
    return Card(
        title=one_line(title, 200),
        url=post_url(post.slug),
        dek=one_line(desk.cast.named(post.dek), 300),
        date=desk.strings.span(post.start, post.end),
        day=post.start.date().isoformat(),
        lang=language_of(post.language),
        banner=desk.banners.get(post.id, ""),
        banner_alt=_banner_alt(post, desk),
        category=desk.topic(post.category) if post.category.strip() else None,
        automatic=post.automatic,
        so_far=post.so_far,
        pinned=post.pinned,
    )


def post_page(post: Post, desk: Desk) -> str:
    """The post's Markdown file."""
    card = post_card(post, desk)
    names = dict.fromkeys(name for name in (post.category, *post.tags) if name.strip())
    topics = {ref.url: ref for ref in map(desk.topic, names)}
    people = [desk.chip(token) for token in dict.fromkeys(post.people) if token in desk.cast]
    page = PostPage(
        title=card.title,
        description=card.dek,
        lang=card.lang,
        date=card.date,
        day=card.day,
        category=card.category,
        topics=list(topics.values()),
        tags=[one_line(ref.name, 80) for ref in topics.values()],
        people=people,
        automatic=post.automatic,
        so_far=post.so_far,
    )
    parts = [block("lead", {"text": card.dek})] if card.dek else []
    if card.banner:
        parts.append(block("banner", {"src": ROOT + card.banner, "alt": card.banner_alt}))
    return write_page(page, "\n\n".join([*parts, body_markdown(post, desk)]))


def notice_page(desk: Desk) -> str:
    """What stands at a post's address when the post can't be rendered."""
    notice = desk.strings["unrenderable"]
    return write_page(PostPage(title=notice, automatic=False), block("notice", {"text": notice}))


def body_markdown(post: Post, desk: Desk) -> str:
    """The body with its directives expanded; what is withdrawn or unknown leaves no trace."""
    written = _Expansion(post, desk)
    parts: list[str] = []
    prose: list[str] = []
    for line in spoken(post.body).split("\n"):
        directive = _DIRECTIVE.fullmatch(line.strip())
        if directive is None:
            prose.append(line)
            continue
        parts += [_prose("\n".join(prose), desk), written.expand(directive[1], directive[2])]
        prose = []
    parts.append(_prose("\n".join(prose), desk))
    return "\n\n".join(part for part in parts if part.strip())


def prose_markdown(text: str, desk: Desk) -> str:
    """Markdown written elsewhere (a portrait), with people's names."""
    return _prose(spoken(text), desk)


def _prose(text: str, desk: Desk) -> str:
    text = _DIRECTIVE.sub("", text)
    if len(_MARKUP.findall(text)) > _MOST_MARKUP or _DEEP.search(text):
        return block("plain", {"text": desk.cast.named(text).strip("\n")}) if text.strip() else ""
    text = re.sub(r"(?m)^:::", "&#58;::", text)
    text = outside_code(text, _tame_brackets)
    return desk.cast.linked(text.strip("\n"), ROOT)


def _tame_brackets(text: str) -> str:
    """Only whole inline links keep their brackets: Python-Markdown is slow on open ones, and nobody means them."""
    return _BRACKET.sub(lambda match: match["link"] or "&#91;", text)


def _banner_alt(post: Post, desk: Desk) -> str:
    alt = desk.cast.named(post.banner_alt) or desk.strings["banner_of"].format(desk.cast.named(post.title))
    return one_line(alt, 250)


class _Expansion:
    """The blocks for one post's directives."""

    def __init__(self, post: Post, desk: Desk) -> None:
        self.post = post
        self.desk = desk
        self.several_days = post.start.date() != post.end.date()
        directives: list[tuple[str, str]] = _DIRECTIVE.findall(post.body)
        self.in_place = {argument for kind, argument in directives if kind == "picture"}
        """Media that the body shows by themselves: a quote doesn't show them once more."""
        self.quoted = {argument for kind, argument in directives if kind == "quote"}
        """Messages that the body quotes: their words and author don't stand under their picture once more."""
        self.shared_by = {message.media: message for message in post.messages.values() if message.media}

    def expand(self, kind: str, argument: str) -> str:
        if kind == "quote":
            return self.quote(argument)
        return self.picture(argument) if kind == "picture" else self.link(argument)

    def quote(self, argument: str) -> str:
        message = self.post.messages.get(int(argument)) if argument.isdecimal() else None
        if message is None:
            return ""
        data = self._said(message)
        media = self.post.media.get(message.media or "")
        if media and media.id not in self.in_place:
            data["media"] = [self._media(media, self.desk.cast[message.author])]
        return block("quote", data) if data["text"].strip() or data.get("media") else ""

    def picture(self, argument: str) -> str:
        media = self.post.media.get(argument)
        if media is None:
            return ""
        message = self.shared_by.get(argument)
        face = self.desk.cast[message.author] if message else None
        credit = self._said(message) if message and str(message.id) not in self.quoted else {}
        return block("picture", credit | {"media": self._media(media, face)})

    def link(self, argument: str) -> str:
        known = self.post.links.get(argument) or LinkView(argument)
        url = web_address(known.url)
        if not url:
            return ""
        named = self.desk.cast.named
        return block(
            "link",
            {
                "url": url,
                "title": one_line(named(known.title), 200),
                "summary": one_line(named(known.summary), 300),
            },
        )

    def _said(self, message: Message) -> dict[str, Any]:
        face = self.desk.cast[message.author]
        text = spoken(message.text).strip("\n")
        return {
            "who": face.name,
            "href": ROOT + face.url if face.url else "",
            "face": ROOT + media_url(face.picture) if media_url(face.picture) else "",
            "initial": face.initial,
            "hue": face.hue,
            "when": self._when(message.time, face),
            "at": self._at(message.time, face),
            "text": text,
            "people": {
                token: [who.name, ROOT + who.url] for token, who in self.desk.cast.mentioned(text).items()
            },
            "someone": self.desk.cast.someone,
        }

    def _at(self, time: datetime, face: Face) -> str:
        """For machines: the day, or the instant."""
        return (
            f"{time:%Y-%m-%d}"
            if self.desk.strict_times or face.strict_times
            else instant(time, self.desk.zone).isoformat(timespec="minutes")
        )

    def _when(self, time: datetime, face: Face) -> str:
        if self.desk.strict_times or face.strict_times:
            return self.desk.strings.short_day(time)
        words = self.desk.strings
        return words.short_moment(time) if self.several_days else words.clock(time)

    def _media(self, media: MediaView, shared_by: Face | None) -> Data:
        words = self.desk.strings
        labels = {"image": "picture", "sticker": "sticker", "audio": "voice", "video": "video"}
        label = words[labels.get(media.kind, "file")]
        described = one_line(self.desk.cast.named(media.alt), 250)
        by = words["picture_by"].format(shared_by.name) if shared_by else words["picture"]
        source, thumb = media_url(media.path), media_url(media.thumbnail)
        return {
            "kind": media.kind,
            "src": ROOT + source if source else "",
            "thumb": ROOT + thumb if thumb else "",
            "w": media.width,
            "h": media.height,
            "alt": described or by,
            "label": label,
            "missing": one_line(media.missing) or words["missing"],
            "size": words.size(media.size) if media.size else "",
        }
