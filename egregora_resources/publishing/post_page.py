"""A post's page, with its quotes, pictures and links, and the card that other pages show of it."""

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
class RenderContext:
    """What all pages of a site share."""

    strings: Strings
    cast: Cast
    strict_times: bool
    """Show days only, no times, of anybody."""
    zone: ZoneInfo
    """Of the messages' times."""
    banners: Mapping[str, str]
    """Paths of banner files below ``docs/``, by post id."""

    def chip(self, token: str, note: str = "") -> Chip:
        face = self.cast[token]
        return Chip(face.name, face.url, face.initial, face.hue, media_url(face.picture), note)

    def topic(self, name: str, note: str = "") -> Ref:
        name = self.cast.named(name)
        return Ref(name, f"topics/{topic_slug(name)}/index.html", note)


def post_url(slug: str) -> str:
    """A post's address, relative to the site's root."""
    return f"posts/{path_segment(slug, 'post')}/index.html"


def media_url(path: str | None) -> str:
    """A media file's address, relative to the site's root; empty unless `path` stays in ``media/`` or ``assets/``."""
    return quote(path) if path and _MEDIA_PATH.fullmatch(path) else ""


def language_of(code: str) -> str:
    """`code` if it can stand in a ``lang`` attribute, otherwise an empty string."""
    return code if _LANGUAGE.fullmatch(code) else ""


def post_card(post: Post, context: RenderContext) -> Card:
    """A post as other pages list it."""
    title = context.cast.named(post.title) or context.strings.span(post.start, post.end)
    return Card(
        title=one_line(title, 200),
        url=post_url(post.slug),
        dek=one_line(context.cast.named(post.dek), 300),
        date=context.strings.span(post.start, post.end),
        day=post.start.date().isoformat(),
        lang=language_of(post.language),
        banner=context.banners.get(post.id, ""),
        banner_alt=_banner_alt(post, context),
        category=context.topic(post.category) if post.category.strip() else None,
        automatic=post.automatic,
        so_far=post.so_far,
        pinned=post.pinned,
    )


def post_page(post: Post, context: RenderContext) -> str:
    """A post's Markdown file."""
    card = post_card(post, context)
    names = dict.fromkeys(name for name in (post.category, *post.tags) if name.strip())
    topics = {ref.url: ref for ref in map(context.topic, names)}
    people = [context.chip(token) for token in dict.fromkeys(post.people) if token in context.cast]
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
    return write_page(page, "\n\n".join([*parts, body_markdown(post, context)]))


def notice_page(context: RenderContext) -> str:
    """The Markdown file at a post's address when the post can't be rendered."""
    notice = context.strings["unrenderable"]
    return write_page(PostPage(title=notice, automatic=False), block("notice", {"text": notice}))


def body_markdown(post: Post, context: RenderContext) -> str:
    """A post's body with its directives expanded. One that names something unknown or withdrawn leaves no trace."""
    directives = _Directives(post, context)
    parts: list[str] = []
    prose: list[str] = []
    for line in spoken(post.body).split("\n"):
        directive = _DIRECTIVE.fullmatch(line.strip())
        if directive is None:
            prose.append(line)
            continue
        parts += [_prose("\n".join(prose), context), directives.expand(directive[1], directive[2])]
        prose = []
    parts.append(_prose("\n".join(prose), context))
    return "\n\n".join(part for part in parts if part.strip())


def prose_markdown(text: str, context: RenderContext) -> str:
    """Markdown written elsewhere (a portrait), with people's names."""
    return _prose(spoken(text), context)


def _prose(text: str, context: RenderContext) -> str:
    text = _DIRECTIVE.sub("", text)
    if len(_MARKUP.findall(text)) > _MOST_MARKUP or _DEEP.search(text):
        return block("plain", {"text": context.cast.named(text).strip("\n")}) if text.strip() else ""
    text = re.sub(r"(?m)^:::", "&#58;::", text)
    text = outside_code(text, _escape_lone_brackets)
    return context.cast.linked(text.strip("\n"), ROOT)


def _escape_lone_brackets(text: str) -> str:
    """Escape every bracket outside an inline link: Python-Markdown is slow on open ones, and nobody means them."""
    return _BRACKET.sub(lambda match: match["link"] or "&#91;", text)


def _banner_alt(post: Post, context: RenderContext) -> str:
    alt = context.cast.named(post.banner_alt) or context.strings["banner_of"].format(
        context.cast.named(post.title)
    )
    return one_line(alt, 250)


class _Directives:
    """Expands one post's directives into blocks."""

    def __init__(self, post: Post, context: RenderContext) -> None:
        self.post = post
        self.context = context
        self.several_days = post.start.date() != post.end.date()
        directives: list[tuple[str, str]] = _DIRECTIVE.findall(post.body)
        self.in_place = {argument for kind, argument in directives if kind == "picture"}
        """Ids of media that have a directive of their own: a quote doesn't show them again."""
        self.quoted = {argument for kind, argument in directives if kind == "quote"}
        """Ids of messages that are quoted: a picture's caption doesn't repeat them."""
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
            data["media"] = [self._media(media, self.context.cast[message.author])]
        return block("quote", data) if data["text"].strip() or data.get("media") else ""

    def picture(self, argument: str) -> str:
        media = self.post.media.get(argument)
        if media is None:
            return ""
        message = self.shared_by.get(argument)
        face = self.context.cast[message.author] if message else None
        credit = self._said(message) if message and str(message.id) not in self.quoted else {}
        return block("picture", credit | {"media": self._media(media, face)})

    def link(self, argument: str) -> str:
        known = self.post.links.get(argument) or LinkView(argument)
        url = web_address(known.url)
        if not url:
            return ""
        named = self.context.cast.named
        return block(
            "link",
            {
                "url": url,
                "title": one_line(named(known.title), 200),
                "summary": one_line(named(known.summary), 300),
            },
        )

    def _said(self, message: Message) -> dict[str, Any]:
        face = self.context.cast[message.author]
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
                token: [who.name, ROOT + who.url] for token, who in self.context.cast.mentioned(text).items()
            },
            "someone": self.context.cast.someone,
        }

    def _at(self, time: datetime, face: Face) -> str:
        """The ISO day or instant, for machines."""
        return (
            f"{time:%Y-%m-%d}"
            if self.context.strict_times or face.strict_times
            else instant(time, self.context.zone).isoformat(timespec="minutes")
        )

    def _when(self, time: datetime, face: Face) -> str:
        if self.context.strict_times or face.strict_times:
            return self.context.strings.short_day(time)
        words = self.context.strings
        return words.short_moment(time) if self.several_days else words.clock(time)

    def _media(self, media: MediaView, shared_by: Face | None) -> Data:
        words = self.context.strings
        labels = {"image": "picture", "sticker": "sticker", "audio": "voice", "video": "video"}
        label = words[labels.get(media.kind, "file")]
        described = one_line(self.context.cast.named(media.alt), 250)
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
