"""Tokens become names: where a page shows who somebody is, and where their own page stands."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass

from egregora_resources.publishing.content import Person
from egregora_resources.publishing.plain_text import one_line
from egregora_resources.publishing.slugs import path_segment

MENTION = re.compile(r"(?<![\w@./])@([a-z]+(?:-[a-z0-9]+)+)|(?:\[|&#91;)name\]")
"""A token, which is group 1; or what stands for somebody whom nothing tells apart."""
HUES = 8
CODE = re.compile(
    r"^(?:```|~~~)[\s\S]*?(?:^(?:```|~~~)[ ]*$|\Z)|(?<!`)(`+)(?!`)[^`\n]+(?<!`)\1(?!`)", re.MULTILINE
)
"""Code within Markdown, in blocks or lines."""
_MARKDOWN = re.compile(r"[\\`*_{}\[\]()#+\-.!|~:&<>=]")


def known_prefix(token: str | None, people: Container[str]) -> tuple[str | None, str]:
    """The person that ``amber-heron`` or ``amber-heron-like`` begins with, and what follows."""
    if token is None:
        return None, ""
    head = token
    while head not in people:
        head, hyphen, _ = head.rpartition("-")
        if not hyphen:
            return None, ""
    return head, token[len(head) :]


def markdown_text(text: str) -> str:
    """`text` such that Markdown shows it as it is."""
    return _MARKDOWN.sub(lambda match: f"&#{ord(match[0])};", text)


def outside_code(
    text: str, change: Callable[[str], str], within: Callable[[str], str] = lambda code: code
) -> str:
    """Markdown `text` with its prose changed by one function and its code by another."""
    pieces: list[str] = []
    position = 0
    for code in CODE.finditer(text):
        pieces += [change(text[position : code.start()]), within(code[0])]
        position = code.end()
    return "".join(pieces) + change(text[position:])


@dataclass(frozen=True)
class Face:
    """What is shown of a person beside what they said."""

    token: str
    name: str
    url: str
    """Below the site's root; empty for somebody without a page."""
    picture: str
    initial: str
    hue: int
    strict_times: bool = False


class Cast:
    """Everybody who has a page, by token."""

    def __init__(self, people: Mapping[str, Person], someone: str) -> None:
        self.someone = someone
        self._faces = {token: self._face(token, person) for token, person in people.items()}

    def __contains__(self, token: object) -> bool:
        return token in self._faces

    def __getitem__(self, token: str) -> Face:
        face = self._faces.get(token)
        return face or Face(token, self.someone, "", "", "?", _hue(token))

    def mentioned(self, text: str) -> dict[str, Face]:
        """The people named in `text`."""
        found = (known_prefix(match[1], self._faces)[0] for match in MENTION.finditer(text))
        return {token: self._faces[token] for token in found if token}

    def named(self, text: str) -> str:
        """`text` with names for tokens, for places without links."""
        if "@" not in text and "name]" not in text:
            return text

        def name(match: re.Match[str]) -> str:
            token, rest = known_prefix(match[1], self._faces)
            return self._faces[token].name + rest if token else self.someone

        return MENTION.sub(name, text)

    def linked(self, text: str, root: str) -> str:
        """Markdown `text` with links to people's pages for tokens; plain names within code."""
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
