"""Slugs: the last part of a page's address, made from a title. Making them unique is up to the caller."""

from __future__ import annotations

import hashlib
import re
import unicodedata

SAFE_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_SPECIAL = str.maketrans(
    {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "ł": "l", "ı": "i", "ħ": "h"}
)
_APOSTROPHES = re.compile("['’ʼ`´]")


def slugify(title: str, fallback: str = "post", max_length: int = 60) -> str:
    """ASCII words joined by hyphens, such as ``joao-and-the-paella``.

    Args:
        title: what to make the slug from.
        fallback: used instead of a title mostly in another script, which would say nothing in ASCII; for instance the
            window's date.
        max_length: in characters; longer slugs are cut between words.
    """
    text = _APOSTROPHES.sub("", title.casefold().translate(_SPECIAL))
    ascii_text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    letters = sum(character.isalnum() for character in unicodedata.normalize("NFC", text))
    kept = sum(character.isalnum() for character in ascii_text)
    if kept * 2 < letters or not kept:
        return slugify(fallback, "post", max_length) if fallback != title else "post"
    slug = re.sub(r"[^a-z0-9]+", "-", ascii_text).strip("-")
    if len(slug) > max_length:
        head, _, _ = slug[: max_length + 1].rpartition("-")
        slug = head or slug[:max_length]
    return slug.strip("-")


def path_segment(name: str, kind: str) -> str:
    """A folder name for `name`: `name` if it is a slug, otherwise a slug with a hash that tells it from others.

    Args:
        name: a token, an id or a post's slug; anything.
        kind: the slug's words if `name` has none.
    """
    if SAFE_SLUG.fullmatch(name) and len(name) <= 120:
        return name
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{slugify(name, kind, 40)}-{digest}"


def topic_slug(name: str) -> str:
    """The slug of a topic: one for all spellings that differ only in case, accents and punctuation."""
    slug = slugify(name, "")
    if slug != "post" or name.casefold() == "post":
        return slug
    return "t-" + hashlib.sha256(name.casefold().encode("utf-8", "surrogatepass")).hexdigest()[:8]
