"""A stretch of conversation as a model reads it: numbered lines between marks; and how a long one is halved."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from egregora_resources.llm.cache import Subjects
from egregora_resources.llm.offline.language import detect
from egregora_resources.llm.offline.tokenizer import PERSON
from egregora_resources.llm.prompting import fence, one_line
from egregora_resources.llm.tasks import Digest, Link, Picture, Stretch

TRACKING = re.compile(
    r"^(utm_\w+|fbclid|gclid|dclid|igshid|igsh|mc_[ce]id|si|ref_src|ref_url|spm)$", re.IGNORECASE
)


@dataclass(frozen=True)
class Page:
    """What a model is shown of a stretch; the lists tell what its numbers stand for, from 1."""

    conversation: str
    links: list[Link]
    pictures: list[Picture]
    language: str
    people: frozenset[str]
    """Tokens of everybody who speaks or is named."""

    def values(self) -> dict[str, object]:
        """For a prompt's template."""
        links = [
            f"[{n}] {one_line(f'{link.url} {link.title} {link.summary}')}"
            for n, link in enumerate(self.links, 1)
        ]
        pictures = [
            f"[{n}] {picture.kind}: {one_line(f'{picture.alt} {picture.summary} {picture.caption}')}"
            for n, picture in enumerate(self.pictures, 1)
        ]
        return {
            "conversation": fence("conversation", self.conversation),
            "links": len(links),
            "fenced_links": fence("conversation-links", "\n".join(links)),
            "pictures": len(pictures),
            "fenced_pictures": fence("conversation-files", "\n".join(pictures)),
            "language": self.language,
        }


def page_of(stretch: Stretch) -> Page:
    """A stretch as it is shown to a model."""
    links = list({link.url: link for link in reversed(stretch.links)}.values())[::-1]
    pictures = [picture for picture in stretch.pictures if not picture.missing]
    shown = {picture.message: n for n, picture in enumerate(pictures, 1)}
    lines: list[str] = []
    day = ""
    for number, said in enumerate(stretch.messages, 1):
        if f"{said.time:%A %Y-%m-%d}" != day:
            day = f"{said.time:%A %Y-%m-%d}"
            lines.append(f"--- {day} ---")
        media = f" (file {shown[said.id]})" if said.id in shown else ""
        lines.append(f"[{number}] {said.time:%H:%M} @{said.author}:{media} {one_line(said.text)}".rstrip())
    texts = [said.text for said in stretch.messages]
    language = detect(texts) if stretch.language in ("auto", "") else stretch.language
    named = {token[1:] for text in texts for token in PERSON.findall(text)}
    people = frozenset({said.author for said in stretch.messages} | named)
    return Page("\n".join(lines), links, pictures, language, people)


def subjects_of(stretch: Stretch, page: Page, memory: Sequence[Digest] = ()) -> Subjects:
    """Whom and what an answer about this is about: the people of the digests that were shown, too."""
    remembered = {person for digest in memory for person in digest.people}
    remembered |= {token[1:] for digest in memory for token in PERSON.findall(digest.summary)}
    return Subjects(
        stretch.window,
        tuple(sorted(page.people | remembered)),
        tuple(said.id for said in stretch.messages),
        tuple(picture.id for picture in page.pictures),
    )


def halves(stretch: Stretch) -> tuple[Stretch, Stretch] | None:
    """The stretch in two, cut at the longest silence near its middle; None if it is too short for that."""
    said = stretch.messages
    if len(said) < 4:
        return None
    first, last = max(len(said) // 4, 1), max(len(said) * 3 // 4, len(said) // 4 + 1)
    cut = max(
        range(first, last + 1), key=lambda n: (said[n].time - said[n - 1].time, -abs(n - len(said) // 2))
    )
    return _part(stretch, 0, cut), _part(stretch, cut, len(said))


def _part(stretch: Stretch, start: int, end: int) -> Stretch:
    said = stretch.messages[start:end]
    ids = {message.id for message in said}
    return stretch.model_copy(
        update={
            "messages": said,
            "links": [link for link in stretch.links if link.message in ids],
            "pictures": [picture for picture in stretch.pictures if picture.message in ids],
        }
    )


def canonical(url: str) -> str:
    """An address without what doesn't change the page: fragment, tracking parameters, case of the host."""
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").lower()
        port = f":{parts.port}" if parts.port not in (None, 80, 443) else ""
    except ValueError:
        return url
    kept = [(k, v) for k, v in parse_qsl(parts.query, keep_blank_values=True) if not TRACKING.match(k)]
    # Who carries a name and password in an address doesn't mean others to use them.
    return urlunsplit((parts.scheme.lower(), host + port, parts.path or "/", urlencode(kept), ""))
