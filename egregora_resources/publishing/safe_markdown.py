"""The Markdown extension of every page: no raw HTML, no attributes, blocks of our own, and nh3 at the end.

The generated MkDocs configuration lists it by this module's name, so it also applies to pages that the owner adds to
``docs/`` by hand.
"""

from __future__ import annotations

import logging
import re
from html import escape
from typing import Any
from xml.etree.ElementTree import Element

import nh3
from markdown import Markdown
from markdown.extensions import Extension
from markdown.postprocessors import Postprocessor
from markdown.preprocessors import Preprocessor
from markdown.treeprocessors import Treeprocessor

from egregora_resources.publishing.html_blocks import render_block

logger = logging.getLogger(__name__)

UNRENDERABLE = '<p class="eg-notice eg-unrenderable">'
_TAGS = frozenset(
    [
        "a",
        "img",
        "figure",
        "figcaption",
        "span",
        "time",
        "audio",
        "video",
        "p",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "ul",
        "ol",
        "li",
        "blockquote",
        "pre",
        "code",
        "em",
        "strong",
        "del",
        "sub",
        "sup",
        "hr",
        "br",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
    ]
)
_ATTRIBUTES = {
    "a": {"href", "download"},
    "img": {"src", "alt", "width", "height", "loading"},
    "audio": {"src", "controls", "preload", "aria-label"},
    "video": {"src", "controls", "preload", "poster", "aria-label"},
    "time": {"datetime"},
    "span": {"aria-hidden"},
    "ol": {"start"},
}
_CLASSES = {
    "p": {"eg-lead", "eg-notice", "eg-missing", "eg-file", "eg-link"},
    "figure": {"eg-banner", "eg-quote", "eg-picture"},
    "img": {"eg-face", "eg-image", "eg-sticker"},
    "a": {"eg-who", "eg-mention", "eg-full"},
    "time": {"eg-when"},
    "span": {
        "eg-mention",
        "eg-credit",
        "eg-host",
        "eg-summary",
        "eg-face",
        *(f"eg-h{hue}" for hue in range(8)),
    },
    "strong": {"eg-title"},
}
_LOCAL = re.compile(r"(?:\.\./)*(?:assets|media)/[A-Za-z0-9%._/-]+")
_OWN_PAGE = re.compile(r"(?:\.\./)+(?:[a-z0-9][a-z0-9-]*/)*index\.(?:md|html)")
_WEB = re.compile(r"https?://[^\s<>\"'`\\^{|}\x00-\x20]+|mailto:[^\s<>\"'`\\^{|}\x00-\x20]+", re.IGNORECASE)


def clean_html(html: str) -> str:
    """`html` without anything that could run, load from another host, or leave its place on the page."""
    return nh3.clean(
        html,
        tags=set(_TAGS),
        attributes=_ATTRIBUTES,
        allowed_classes=_CLASSES,
        attribute_filter=_own_sources,
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer nofollow",
        strip_comments=True,
    )


def _own_sources(_: str, attribute: str, value: str) -> str | None:
    if attribute in ("src", "poster"):
        return value if _LOCAL.fullmatch(value) and ".." not in value.lstrip("./") else None
    if attribute == "href":
        return value if _is_link(value) else None
    return value


def _is_link(address: str) -> bool:
    if _OWN_PAGE.fullmatch(address) or _LOCAL.fullmatch(address):
        return True
    return bool(_WEB.fullmatch(address)) and "[" not in address and "]" not in address


class _Blocks(Preprocessor):
    """Stashes the HTML of ``::: kind {…}`` lines, which keeps Markdown from touching it."""

    def run(self, lines: list[str]) -> list[str]:
        result: list[str] = []
        for line in lines:
            html = render_block(line) if line.startswith("::: ") else None
            result += [line] if html is None else ["", self.md.htmlStash.store(html), ""]
        return result


class _Structure(Treeprocessor):
    """Drops Markdown's images and links that can't work, and leaves ``h1`` to the theme, before MkDocs sees any."""

    def run(self, root: Element) -> None:
        for element in root.iter():
            if element.tag == "a":
                if not _is_link(element.get("href", "")):
                    element.tag = "span"
                    element.attrib.clear()
            elif element.tag == "img":
                element.tag = "span"
                element.text = element.get("alt", "")
                element.attrib.clear()
            elif element.tag == "h1":
                element.tag = "h2"


class _Cleaning(Postprocessor):
    """Cleans the whole page with nh3, and excludes all but the lead from the search index."""

    def run(self, text: str) -> str:
        html = clean_html(text)
        lead = ""
        if html.startswith('<p class="eg-lead">'):
            lead, end, html = html.partition("</p>")
            lead += end
        return f'{lead}<div class="eg-text" data-search-exclude="true">{html}</div>'


class SafeMarkdown(Extension):
    """Python-Markdown without anything that lets text become more than text."""

    def __init__(self, **options: Any) -> None:
        self.config = {
            "notice": ["This page couldn’t be shown.", "What stands in place of a page that fails"]
        }
        super().__init__(**options)

    def extendMarkdown(self, md: Markdown) -> None:
        for registry, name in (
            (md.preprocessors, "html_block"),
            (md.inlinePatterns, "html"),
            (md.treeprocessors, "toc"),
        ):
            if name in registry:
                registry.deregister(name)
        md.preprocessors.register(_Blocks(md), "egregora_blocks", 27)
        md.treeprocessors.register(_Structure(md), "egregora_structure", 4)
        md.postprocessors.register(_Cleaning(md), "egregora_clean", -100)
        self._guard(md)

    def _guard(self, md: Markdown) -> None:
        """Replace a page that can't be rendered by a notice: it must not cost the site."""
        convert = md.convert

        def convert_or_notice(source: str) -> str:
            try:
                return convert(source)
            except Exception as error:  # whatever a hostile text provokes, RecursionError included
                logger.info("a page was replaced by a notice: %s", type(error).__name__)
                return f"{UNRENDERABLE}{escape(str(self.getConfig('notice')))}</p>"

        md.convert = convert_or_notice


def makeExtension(**options: Any) -> SafeMarkdown:
    return SafeMarkdown(**options)
