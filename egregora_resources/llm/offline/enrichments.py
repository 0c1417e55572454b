"""What can be said of links and media without reading them: an address made readable, the sender's caption."""

from __future__ import annotations

import re
from urllib.parse import unquote, urlsplit

from egregora_resources.llm.offline.digests import shorten
from egregora_resources.llm.tasks import LinkNote, MediaNote, Notes, NotesInput

OPAQUE = re.compile(
    r"^[\dA-Fa-f]{8,}$|^[\w-]*\d[\w-]*[A-Z][\w-]*$|^\d+$|^(index|default|watch|status|p|dp|gp)$"
)
EXTENSION = re.compile(r"\.(html?|php|aspx?|jsp)$", re.IGNORECASE)


def enrich(request: NotesInput) -> Notes:
    """Nothing is fetched: `read` and `described` stay False."""
    return Notes(
        links=[
            LinkNote(url=link.url, read=False, title=link.title or readable(link.url))
            for link in request.links
        ],
        media=[MediaNote(id=item.id, described=False, alt=item.caption) for item in request.media],
    )


def readable(url: str) -> str:
    """``https://en.wikipedia.org/wiki/Clinker_(boat_building)`` → ``en.wikipedia.org · Clinker (boat building)``."""
    try:
        parts = urlsplit(url if "//" in url else f"//{url}")
        host = (parts.hostname or "").removeprefix("www.")
    except ValueError:
        return shorten(url, 80)
    if not host:
        return shorten(url, 80)
    names = [EXTENSION.sub("", unquote(part)) for part in parts.path.split("/") if part]
    if "wiki" in names[:-1]:
        names = [names[-1].replace("_", " ")]  # an article's title, however odd
    telling = [name for name in names if not OPAQUE.search(name) and any(letter.isalpha() for letter in name)]
    if not telling:
        return host
    name = " ".join(re.sub(r"[-_+]+", " ", telling[-1]).split())
    name = "".join(letter for letter in name if letter.isprintable())
    return f"{host} · {shorten(name, 70)}" if name else host
