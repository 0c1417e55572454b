"""Replace pseudonym tokens by the names that people chose, and link them to their pages."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass

from egregora_resources.publishing.content import Person
from egregora_resources.publishing.plain_text import one_line
from egregora_resources.publishing.slugs import path_segment

MENTION = re.compile(r"(?<![\w@./])@([a-z]+(?:-[a-z0-9]+)+)|(?:\[|&#91;)name\]")
"""``@token`` (group 1 is the token), or ``[name]``, which stands for somebody unidentified."""
HUES = 8
CODE = re.compile(
    r"^(?:```|~~~)[\s\S]*?(?:^(?:```|~~~)[ ]*$|\Z)|(?<!`)(`+)(?!`)[^`\n]+(?<!`)\1(?!`)", re.MULTILINE
)
"""Code in Markdown: fenced blocks and inline spans."""
_MARKDOWN = re.compile(r"[\\`*_{}\[\]()#+\-.!|~:&<>=]")


def known_prefix(token: str | None, people: Container[str]) -> tuple[str | None, str]:
    """Split a token into the longest part that is in `people`, and the rest.

    ``amber-heron-like`` gives ``("amber-heron", "-like")``; a token that begins with nobody gives ``(None, "")``.
    """
    if token is None:
        return None, ""
    head = token
    while head not in people:
        head, hyphen, _ = head.rpartition("-")
        if not hyphen:
            return None, ""
    return head, token[len(head) :]


def markdown_text(text: str) -> str:
    """`text` escaped so that Markdown shows it literally."""
    return _MARKDOWN.sub(lambda match: f"&#{ord(match[0])};", text)


def outside_code(
    text: str, change: Callable[[str], str], within: Callable[[str], str] = lambda code: code
) -> str:
    """Apply `change` to the prose of a Markdown text, and `within` to its code."""
    pieces: list[str] = []
    position = 0
    for code in CODE.finditer(text):
        pieces += [change(text[position : code.start()]), within(code[0])]
        position = code.end()
    return "".join(pieces) + change(text[position:])


@dataclass(frozen=True)
class Face:
    """How a person is shown beside what they said: name, link, picture or coloured initial."""

    token: str
    name: str
    url: str
    """Of their page, relative to the site's root; empty for somebody without one."""
    picture: str
    """Path below ``docs/``; empty without a picture."""
    initial: str
    hue: int
    """0 to `HUES` - 1."""
    strict_times: bool = False
    """Show days only, no times."""


class Cast:
    """Everybody who has a page, by token. A token without a page is shown as `someone`."""

    def __init__(self, people: Mapping[str, Person], someone: str) -> None:
        self.someone = someone
        self._faces = {token: self._face(token, person) for token, person in people.items()}

    def __contains__(self, token: object) -> bool:
        return token in self._faces

    def __getitem__(self, token: str) -> Face:
        face = self._faces.get(token)
        return face or Face(token, self.someone, "", "", "?", _hue(token))

    def mentioned(self, text: str) -> dict[str, Face]:
        """The people that `text` mentions, by token."""
        found = (known_prefix(match[1], self._faces)[0] for match in MENTION.finditer(text))
        return {token: self._faces[token] for token in found if token}

    def named(self, text: str) -> str:
        """`text` with tokens replaced by names, for places that can't hold links."""
        if "@" not in text and "name]" not in text:
            return text

        def name(match: re.Match[str]) -> str:
            token, rest = known_prefix(match[1], self._faces)
            return self._faces[token].name + rest if token else self.someone

        return MENTION.sub(name, text)

    def linked(self, text: str, root: str) -> str:
        """Markdown `text` with tokens replaced by links to people's pages; by plain names in code.

        Args:
            text: Markdown.
            root: the relative address of the site's root from the page, such as ``../../``.
        """
        if "@" not in text and "name]" not in text:
            return text

        def link(match: re.Match[str]) -> str:
            token, rest = known_prefix(match[1], self._faces)
            if token is None:
                return markdown_text(self.someone)
            face = self._faces[token]
            page = face.url.removesuffix(".html") + ".md"
            return f"[{markdown_text(face.name)}]({root}{page}){rest}"

        return outside_code(text, lambda prose: MENTION.sub(link, prose), self.named)

    def _face(self, token: str, person: Person) -> Face:
        name = one_line(person.name, 60) or self.someone
        initial = next((character for character in name if character.isalnum()), "?").upper()
        picture = (person.avatar.thumbnail or person.avatar.path or "") if person.avatar else ""
        url = f"people/{path_segment(token, 'person')}/index.html"
        return Face(token, name, url, picture, initial[:1], _hue(token), person.strict_times)


def _hue(token: str) -> int:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()[0] % HUES
