"""Structured parts of a page: a line ``::: kind {JSON}`` in the generated Markdown, HTML when it is rendered.

The Markdown holds the data (who, when, what), as plain and whole as it was stored; everything that makes it
look like something stands here. Text is escaped at this one place, so what a member typed can be neither
Markdown nor HTML.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from html import escape
from typing import Any, cast
from urllib.parse import urlsplit

from egregora_resources.publishing.cast import MENTION, known_prefix
from egregora_resources.publishing.plain_text import web_address

Data = Mapping[str, Any]
BLOCK = re.compile(r"^::: ([a-z]+) (\{.*\})$")
_ADDRESS = re.compile(r"https?://[^\s<>\"'`\\^{|}]*[^\s<>\"'`\\^{|}.,:;!?)\]*_~…]", re.IGNORECASE)
_FENCE = re.compile(r"```(.+?)```", re.DOTALL)
_CODE = re.compile(r"`([^`\n]+)`")
_STYLES = (
    (re.compile(r"(?<![\w*])\*(?=[^\s*])([^*\n]*[^\s*])\*(?![\w*])"), "strong"),
    (re.compile(r"(?<![\w_])_(?=[^\s_])([^_\n]*[^\s_])_(?![\w_])"), "em"),
    (re.compile(r"(?<![\w~])~(?=[^\s~])([^~\n]*[^\s~])~(?![\w~])"), "del"),
)


def block(kind: str, data: Data) -> str:
    """The line that stands for a structured part."""
    return f"::: {kind} {json.dumps(data, ensure_ascii=False, sort_keys=True)}"


def render_block(line: str) -> str | None:
    """The HTML for a block's line; None if it isn't one."""
    match = BLOCK.match(line)
    renderer = _RENDERERS.get(match[1]) if match else None
    if match is None or renderer is None:
        return None
    return renderer(json.loads(match[2]))


def speech(text: str, people: Mapping[str, Any], someone: str) -> str:
    """A message's text as HTML: its lines, its links, its people, and WhatsApp's own marks."""
    pieces = _FENCE.split(text)
    html = ""
    for index, piece in enumerate(pieces):
        if index % 2:
            html += f"<code>{_lines(escape(piece.strip(chr(10))))}</code>"
            continue
        codes = _CODE.split(piece)
        html += "".join(
            f"<code>{escape(part)}</code>" if place % 2 else _styled(part, people, someone)
            for place, part in enumerate(codes)
        )
    return html


def _styled(text: str, people: Mapping[str, Any], someone: str) -> str:
    html = ""
    position = 0
    for match in _ADDRESS.finditer(text):
        html += _plain(text[position : match.start()], people, someone)
        address = web_address(match[0])
        shown = escape(match[0])
        html += f'<a href="{escape(address)}">{shown}</a>' if address else shown
        position = match.end()
    return html + _plain(text[position:], people, someone)


def _plain(text: str, people: Mapping[str, Any], someone: str) -> str:
    html = escape(text)
    for pattern, tag in _STYLES:
        html = pattern.sub(rf"<{tag}>\1</{tag}>", html)

    def person(match: re.Match[str]) -> str:
        token, rest = known_prefix(match[1], people)
        if token is None:
            return f'<span class="eg-mention">{escape(someone)}</span>'
        name, href = cast("list[str]", people[token])
        return f'<a class="eg-mention" href="{escape(href)}">{escape(name)}</a>{escape(rest)}'

    return _lines(MENTION.sub(person, html))


def _lines(html: str) -> str:
    html = re.sub(r"(?m)^ +| {2,}", lambda spaces: "\u00a0" * len(spaces[0]), html)
    return html.replace("\n", "<br>")


def _lead(data: Data) -> str:
    return f'<p class="eg-lead">{escape(data["text"])}</p>'


def _notice(data: Data) -> str:
    return f'<p class="eg-notice">{escape(data["text"])}</p>'


def _plain_text(data: Data) -> str:
    paragraphs = re.split(r"\n\s*\n", data["text"])
    return "".join(f"<p>{_lines(escape(paragraph))}</p>" for paragraph in paragraphs)


def _banner(data: Data) -> str:
    return f'<figure class="eg-banner"><img src="{escape(data["src"])}" alt="{escape(data["alt"])}"></figure>'


def _who(data: Data) -> str:
    name = escape(data["who"])
    who = f'<a class="eg-who" href="{escape(data["href"])}">{name}</a>' if data.get("href") else name
    if not data.get("when"):
        return who
    return f'{who} <time class="eg-when" datetime="{escape(data["at"])}">{escape(data["when"])}</time>'


def _face(data: Data) -> str:
    if data.get("face"):
        return f'<img class="eg-face" src="{escape(data["face"])}" alt="" loading="lazy">'
    return f'<span class="eg-face eg-h{int(data["hue"])}" aria-hidden="true">{escape(data["initial"])}</span>'


def _quote(data: Data) -> str:
    text = speech(data["text"], data["people"], data["someone"])
    said = f"<blockquote><p>{text}</p></blockquote>" if text.strip() else ""
    attached = "".join(_attachment(item) for item in data.get("media", ()))
    return f'<figure class="eg-quote">{_face(data)}<figcaption>{_who(data)}</figcaption>{said}{attached}</figure>'


def _picture(data: Data) -> str:
    caption = speech(data.get("text", ""), data.get("people", {}), data.get("someone", ""))
    credit = f'<span class="eg-credit">{_who(data)}</span>' if data.get("who") else ""
    caption = f"{caption} {credit}".strip()
    legend = f"<figcaption>{caption}</figcaption>" if caption else ""
    return f'<figure class="eg-picture">{_attachment(data["media"])}{legend}</figure>'


def _attachment(media: Data) -> str:
    """A file of the media store; `src` is empty where there is none."""
    kind, label = media["kind"], escape(media["label"])
    if not media["src"]:
        return f'<p class="eg-missing"><strong>{label}</strong> {escape(media["missing"])}</p>'
    src = escape(media["src"])
    if kind in ("image", "sticker"):
        size = f' width="{int(media["w"])}" height="{int(media["h"])}"' if media["w"] and media["h"] else ""
        shown = escape(media["thumb"] or media["src"])
        image = f'<img class="eg-{kind}" src="{shown}" alt="{escape(media["alt"])}" loading="lazy"{size}>'
        return image if kind == "sticker" else f'<a class="eg-full" href="{src}">{image}</a>'
    if kind == "video":
        poster = f' poster="{escape(media["thumb"])}"' if media["thumb"] else ""
        return f'<video src="{src}" controls preload="none" aria-label="{label}"{poster}></video>'
    if kind == "audio":
        return f'<audio src="{src}" controls preload="none" aria-label="{label}"></audio>'
    return f'<p class="eg-file"><a href="{src}" download>{label}</a> {escape(media["size"])}</p>'


def _link(data: Data) -> str:
    address = web_address(data["url"])
    title = escape(data["title"] or data["url"])
    if not address:
        return f'<p class="eg-link">{title}</p>'
    host = escape(urlsplit(address).netloc.removeprefix("www."))
    summary = f'<span class="eg-summary">{escape(data["summary"])}</span>' if data["summary"] else ""
    return (
        f'<p class="eg-link"><a href="{escape(address)}"><span class="eg-host">{host}</span>'
        f'<strong class="eg-title">{title}</strong>{summary}</a></p>'
    )


_RENDERERS: Mapping[str, Callable[[Data], str]] = {
    "lead": _lead,
    "notice": _notice,
    "plain": _plain_text,
    "banner": _banner,
    "quote": _quote,
    "picture": _picture,
    "link": _link,
}
