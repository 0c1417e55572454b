"""Who speaks: what stands between header and text is a sender, or the beginning of a notice that has none."""

from __future__ import annotations

import re

from egregora_resources.inputs.whatsapp.bodies import APP_MARKS, phrases
from egregora_resources.inputs.whatsapp.word_tables import plain_spaces, without_marks

_OPENING = "“„«「『《‹"
_CLOSING = "”“»」』》›"
_SINGLE = re.compile(r"\s['‘][^'’]*$")
"""A quotation in single marks that isn't closed; an apostrophe within a name follows a letter."""
_LONGEST_NAME = 120
_SHORTEST_NOTICE = 60
_MOST_WORDS = 12
OFTEN = 4
MARK = "\u200e".encode()
LONGEST_REST = 25
"""Messages after which what they all begin with is taken for a part of the name."""


def name(printed: str) -> str:
    """A sender's name, without direction marks and with ordinary spaces."""
    return plain_spaces(without_marks(printed)).strip()


def is_notice_start(before: str) -> bool:
    """Whether what stands before the first ": " of a line is no name but part of a notice.

    A group's subject in quotes may hold a colon; so may a sentence of the app.
    """
    if before.count('"') % 2 or _SINGLE.search(before) or any(_is_open(before, left) for left in _OPENING):
        return True
    plain = plain_spaces(without_marks(before))
    if len(plain) > _LONGEST_NAME or len(plain.split()) > _MOST_WORDS:
        return True
    return phrases().notice.search(plain) is not None


def _is_open(before: str, left: str) -> bool:
    if left == "“" and "„" in before:
        return False  # it closes
    return before.count(left) > sum(before.count(right) for right in _CLOSING if right != left)


def colonned_label(line: bytes) -> bytes:
    """The chat's label if it holds a ": ", going by the notice about encryption that an iPhone's export opens with."""
    label, found, notice = line.partition(b": " + MARK)
    if not found or b": " not in label or not phrases().encryption.search(notice.decode("utf-8", "ignore")):
        return b""
    return label


def opens_export(line: bytes) -> bool:
    """Whether a line is the notice about encryption, though it lost the mark that the app puts before it."""
    return (
        len(line) > _SHORTEST_NOTICE
        and phrases().encryption.search(line.decode("utf-8", "ignore")) is not None
    )


def shared_prefix(texts: list[str]) -> str | None:
    """What all of one sender's texts begin with up to a ": ", if so: then it belongs to the name."""
    heads = {text.partition(": ")[0] if ": " in text else "" for text in texts}
    head = heads.pop()
    if heads or not head or "\n" in head or head[:1] in APP_MARKS:
        return None
    return head if re.match(r"[\w+~]", head) and not head.startswith("http") else None
