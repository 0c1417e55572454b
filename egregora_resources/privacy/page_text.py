"""What a finished file says, to people and to machines: its text, comments, attributes, and what pictures carry.

A text's parts that don't belong together are kept apart by `BLOCK`; lines stay where they are.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast
from urllib.parse import unquote

from PIL import Image

BLOCK = "\x0c"
"""Stands in a text where one part of it ends: no run of words goes on behind it."""

_CODE = re.compile(
    r"<script\b(?![^>]*\bjson\b)[^>]*>.*?</script\s*>|<style\b[^>]*>.*?</style\s*>", re.IGNORECASE | re.DOTALL
)
_TAG = re.compile(
    r"<!--.*?-->|</?([a-z][\w:-]*)((?:[^<>\"']|\"[^\"]*\"|'[^']*')*)>|<![^>]*>", re.IGNORECASE | re.DOTALL
)
_DECORATION = re.compile(r"<(span)\b[^<>]*\baria-hidden=\"true\"[^<>]*>([^<]*)</\1>", re.IGNORECASE)
"""Such as the initial in place of a picture: it stands before a name, and is no part of it."""
_READ_ATTRIBUTE = re.compile(
    r"\b(?:title|alt|content|href|src|srcset|cite|aria-label|aria-description|value|placeholder|label|summary|download|id|name|data-[\w-]+)"
    r"\s*=\s*(?:\"([^\"]*)\"|'([^']*)')",
    re.IGNORECASE,
)
_INLINE = frozenset(
    [
        *(
            "a",
            "abbr",
            "b",
            "bdi",
            "bdo",
            "cite",
            "code",
            "del",
            "em",
            "font",
            "i",
            "ins",
            "kbd",
            "mark",
            "q",
        ),
        *("s", "small", "span", "strong", "sub", "sup", "time", "tspan", "u", "wbr"),
    ]
)


def text_of_page(markup: str) -> str:
    """What a page's markup says: its text, comments, and the attributes that hold words or addresses.

    Lines stay where they are. Scripts and styles say nothing; JSON does.
    """
    without_code = _CODE.sub(lambda match: "\n" * match[0].count("\n"), markup)
    apart = _DECORATION.sub(rf"{BLOCK}\2{BLOCK}", without_code)
    return html.unescape(_TAG.sub(_words_of_tag, apart))


def _words_of_tag(match: re.Match[str]) -> str:
    tag, attributes = match[1], match[2]
    if tag is None:
        return f"{BLOCK}{match[0][4:-3]}{BLOCK}" if match[0].startswith("<!--") else BLOCK
    said: list[str] = []
    done = 0
    for attribute in _READ_ATTRIBUTE.finditer(attributes):
        said.append("\n" * attributes.count("\n", done, attribute.start()))
        value = attribute[1] or attribute[2] or ""
        said.append(f"{BLOCK}{value}{BLOCK}")
        if "%" in value:
            said.append(f"{unquote(value)}{BLOCK}")
        done = attribute.end()
    said.append("\n" * attributes.count("\n", done))
    return "".join(said) if tag.lower() in _INLINE else BLOCK + "".join(said)


def strings_of(value: Any) -> Iterator[str]:
    """Every string within a JSON value, keys too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in cast("dict[str, Any]", value).items():
            yield key
            yield from strings_of(inner)
    elif isinstance(value, list):
        for inner in cast("list[Any]", value):
            yield from strings_of(inner)


def text_of_json(text: str) -> str:
    """The strings of a JSON text, or of a script that assigns one; the text itself if it is neither."""
    try:
        value = json.loads(text[text.index("{") : text.rindex("}") + 1])
    except ValueError:
        return text
    return BLOCK.join(map(text_of_page, strings_of(value)))


_THEME = ("assets/javascripts/", "assets/stylesheets/", "assets/fonts/")
"""Copied from the theme's package: the same for everybody, and full of words of all languages."""
_PAGES = frozenset({".html", ".xml", ".svg"})
_FIRST_BYTES = 8192
_PICTURES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".gif", ".avif"})


def texts_of_folder(folder: Path) -> Iterator[tuple[str, str]]:
    """(path, what the file says, its own path first) of every file of a built site but the theme's."""
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and not name.startswith(_THEME):
            yield name, f"{name}{BLOCK}{_text_of_file(path)}"


def _text_of_file(path: Path) -> str:
    kind = path.suffix.lower()
    with path.open("rb") as file:
        if kind == ".pdf" or b"\0" in file.read(_FIRST_BYTES):
            return ""  # a picture, a film; a PDF's digits are its own bookkeeping
    text = path.read_text("utf-8", "replace")
    if kind in _PAGES:
        return text_of_page(text)
    return text_of_json(text) if kind in {".json", ".js"} else text


def tells_of_its_maker(path: Path) -> bool:
    """Whether a picture carries what a camera or a program wrote into it (EXIF, XMP, IPTC, comments)."""
    if path.suffix.lower() not in _PICTURES:
        return False
    try:
        with Image.open(path) as picture:
            kept = {"exif", "xmp", "XML:com.adobe.xmp", "comment", "photoshop", "Raw profile type exif"}
            return bool(kept & {str(key) for key in picture.info}) or bool(picture.getexif())
    except (OSError, ValueError, SyntaxError):
        return False
