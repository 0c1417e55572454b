"""What somebody typed as HTML: its lines, links and people, and the marks that WhatsApp knows."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape
from typing import Any, cast

from markupsafe import Markup

from egregora_resources.publishing.cast import MENTION, known_prefix
from egregora_resources.publishing.plain_text import web_address

_ADDRESS = re.compile(r"https?://[^\s<>\"'`\\^{|}]*[^\s<>\"'`\\^{|}.,:;!?)\]*_~…]", re.IGNORECASE)
_FENCE = re.compile(r"```(.+?)```", re.DOTALL)
_CODE = re.compile(r"`([^`\n]+)`")
_STYLES = (
    (re.compile(r"(?<![\w*])\*(?=[^\s*])([^*\n]*[^\s*])\*(?![\w*])"), "strong"),
    (re.compile(r"(?<![\w_])_(?=[^\s_])([^_\n]*[^\s_])_(?![\w_])"), "em"),
    (re.compile(r"(?<![\w~])~(?=[^\s~])([^~\n]*[^\s~])~(?![\w~])"), "del"),
)


def speech(text: str, people: Mapping[str, Any], someone: str) -> Markup:
    """A message as HTML.

    Args:
        text: as it was typed, with ``@token`` where somebody is named.
        people: (name, address of their page) of those named, by token.
        someone: what a token is called that isn't in `people`.
    """
    html = ""
    for index, piece in enumerate(_FENCE.split(text)):
        if index % 2:
            html += f"<code>{lines(piece.strip(chr(10)))}</code>"
            continue
        html += "".join(
            f"<code>{escape(part)}</code>" if place % 2 else _styled(part, people, someone)
            for place, part in enumerate(_CODE.split(piece))
        )
    return Markup(html)


def lines(text: str) -> Markup:
    """Plain text as HTML that keeps its lines and its spaces."""
    return Markup(_broken(escape(text)))


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

    return _broken(MENTION.sub(person, html))


def _broken(html: str) -> str:
    html = re.sub(r"(?m)^ +| {2,}", lambda spaces: "\u00a0" * len(spaces[0]), html)
    return html.replace("\n", "<br>")
