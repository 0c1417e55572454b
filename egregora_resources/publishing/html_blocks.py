"""Structured parts of a page: a line ``::: kind {JSON}`` in the generated Markdown, HTML when it is rendered.

The Markdown holds the data (who, when, what), as plain and whole as it was stored; ``blocks/<kind>.html`` makes
it look like something. The templates escape whatever they are given, so what a member typed can be neither
Markdown nor HTML; `speech` alone makes markup of text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, Template

from egregora_resources.publishing.plain_text import web_address
from egregora_resources.publishing.speech import lines, speech

Data = Mapping[str, Any]
BLOCK = re.compile(r"^::: ([a-z]+) (\{.*\})$")
KINDS = frozenset({"lead", "notice", "plain", "banner", "quote", "picture", "link"})


def block(kind: str, data: Data) -> str:
    """The Markdown line that stands for a structured part.

    Args:
        kind: one of `KINDS`.
        data: what the kind's template reads; JSON can hold it.
    """
    return f"::: {kind} {json.dumps(data, ensure_ascii=False, sort_keys=True)}"


def render_block(line: str) -> str | None:
    """The HTML for a block's line; None if `line` isn't one.

    Raises:
        ValueError: what follows the kind isn't JSON.
    """
    match = BLOCK.match(line)
    if match is None or match[1] not in KINDS:
        return None
    return _template(match[1]).render(data=json.loads(match[2]))


@cache
def _template(kind: str) -> Template:
    return _environment().get_template(f"{kind}.html")


@cache
def _environment() -> Environment:
    """Nothing that MiniJinja lacks is used in the templates: a faster renderer may take them as they are."""
    folder = FileSystemLoader(Path(__file__).parent / "blocks")
    environment = Environment(loader=folder, autoescape=True, auto_reload=False)
    environment.filters.update(_FILTERS)
    return environment


def _host(address: str) -> str:
    return urlsplit(address).netloc.removeprefix("www.")


def _paragraphs(text: str) -> list[str]:
    return re.split(r"\n\s*\n", text)


_FILTERS: Mapping[str, Callable[..., Any]] = {
    "host": _host,
    "lines": lines,
    "paragraphs": _paragraphs,
    "speech": speech,
    "web_address": web_address,
}
