"""The chat's name, from the names of the files it comes in; the wordings of languages are a table."""

from __future__ import annotations

import re
from functools import lru_cache

from egregora_resources.inputs.whatsapp.word_tables import MARKS, plain_spaces, rows, without_marks

_COPY = re.compile(r"(?:\s*\(\d+\))+$")
_DASH = re.compile(r"^WhatsApp\b.{0,24}? [-–—] ", re.IGNORECASE)


@lru_cache(maxsize=1)
def _templates() -> list[re.Pattern[str]]:
    templates = sorted((template for _, template in rows("file_names.tsv")), key=len, reverse=True)
    patterns = [
        re.escape(plain_spaces(one)).replace(r"\{\}", "(.+)").replace(r"\ ", r"[\s_]") for one in templates
    ]
    return [re.compile(rf"^{pattern}$", re.IGNORECASE | re.DOTALL) for pattern in patterns]


def is_chat_text(name: str) -> bool:
    """Whether a file of this name is surely a chat's text."""
    lowered = name.lower()
    return lowered.endswith(".txt") and (
        stem_is_plain(name) or named(name[:-4]) != "" or "whatsapp" in lowered
    )


def stem_is_plain(name: str) -> bool:
    """Whether it is iOS's `_chat.txt`, or a copy of it."""
    return re.fullmatch(r"_?chat(\s*\(\d+\)|-\d+)?\.txt", name.lower()) is not None


def named(stem: str) -> str:
    """The chat's name in a file's name without its extension, or ""."""
    plain = _COPY.sub("", plain_spaces(without_marks(stem)).strip()).strip()
    for template in _templates():
        match = template.match(plain)
        if match:
            # Some programs put an underscore for every space of a file's name.
            name = match[1] if " " in plain else match[1].replace("_", " ")
            return name.strip(MARKS + " ")
    dash = _DASH.match(plain)
    return plain[dash.end() :].strip() if dash else ""


def chat_name(name: str, parents: tuple[str, ...]) -> str:
    """The chat's name for a text in a container.

    Args:
        name: of the text file.
        parents: names of the folders and zips around it, outermost first, without extensions.
    """
    found = named(name[:-4] if name.lower().endswith(".txt") else name)
    if found:
        return found
    for parent in reversed(parents):
        found = named(parent)
        if found:
            return found
    return ""
