"""Who is who, without saying so: the site's secret, authors' ids, and their readable pseudonyms.

An id is a keyed hash: without the secret a name or a phone number can't be tested against it. A token
such as ``amber-heron`` is what stored text, prompts and documents call a person (``@amber-heron``).
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import re
import secrets
import unicodedata
from collections.abc import Collection
from functools import cache
from pathlib import Path

from egregora_resources.errors import UserError

SECRET_FILE = "secret.key"
_SECRET_BYTES = 32
_WORDS = Path(__file__).parent / "words"
_TWO_WORD_TRIES = 8

TOKEN_RE = re.compile(r"(?<![A-Za-z0-9])@([a-z]{3,12}-[a-z]{3,12}(?:-[a-z]{3,12})?)(?![A-Za-z0-9_-])")
"""A token standing in text; group 1 is the token without its ``@``."""

_NUMBER_NAME = re.compile(r"[+(]*\d[\d\s().\-/]{5,}\d")


class PrivacyError(UserError):
    """Something that keeps people private is missing or broken; the message says what to do."""


def load_secret(state: Path) -> bytes:
    """The site's secret, created on first use as ``secret.key`` in the site's state folder.

    The file holds 32 random bytes in hexadecimal, readable by its owner only.

    Raises:
        PrivacyError: the file can't be read or created, or doesn't hold a secret.
    """
    path = state / SECRET_FILE
    try:
        if not path.exists():
            _create_secret(path)
        content = path.read_bytes()
        if os.name == "posix" and path.stat().st_mode & 0o077:
            with contextlib.suppress(OSError):
                path.chmod(0o600)
    except OSError as error:
        raise PrivacyError(f"The secret key {path} can't be read or created: {error.strerror}.") from error
    try:
        secret = bytes.fromhex(content.decode("ascii").strip())
    except ValueError:
        secret = b""
    if len(secret) != _SECRET_BYTES:
        raise PrivacyError(
            f"{path} doesn't hold a secret key (64 hexadecimal digits). Restore it from a backup: "
            "with another key every person gets another pseudonym."
        )
    return secret


def _create_secret(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    # Written aside and linked into place: a crash leaves no half key, and of two processes one wins.
    aside = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(secrets.token_bytes(_SECRET_BYTES).hex().encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        _move_into_place(aside, path)
    finally:
        aside.unlink(missing_ok=True)
    if os.name == "posix":
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _move_into_place(aside: Path, path: Path) -> None:
    try:
        os.link(aside, path)
    except FileExistsError:
        return
    except OSError:
        # File systems without hard links (exFAT sticks).
        with contextlib.suppress(FileExistsError):
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb") as file:
                file.write(aside.read_bytes())
                file.flush()
                os.fsync(file.fileno())


def secret_check(secret: bytes) -> str:
    """A short value that tells a changed or lost secret, and nothing about the secret itself."""
    return _keyed(secret, "check", "").hex()[:16]


def _keyed(secret: bytes, purpose: str, value: str) -> bytes:
    return hmac.new(secret, f"egregora:{purpose}\0{value}".encode(), hashlib.sha256).digest()


def clean_name(printed: str) -> str:
    """A printed name without direction marks and WhatsApp's ``~``, NFC, with single plain spaces."""
    name = unicodedata.normalize("NFC", printed)
    name = "".join(
        c for c in name if c == "\u200d" or unicodedata.category(c) not in {"Cf", "Cc"} or c.isspace()
    )
    name = " ".join(name.split())
    return name.lstrip("~\u223c\uff5e ").strip("\u200d ") or name


def number_of(printed: str) -> str | None:
    """The digits of a name that is a phone number, ``+`` first when written internationally; else None.

    >>> number_of("+44 7700-900123"), number_of("0044 7700 900123"), number_of("Ana")
    ('+447700900123', '+447700900123', None)
    """
    name = clean_name(printed)
    plain = "".join(
        "-" if unicodedata.category(c) == "Pd" else unicodedata.normalize("NFKC", c) for c in name
    )
    if not _NUMBER_NAME.fullmatch(plain):
        return None
    international = plain.lstrip("(").startswith(("+", "00"))
    if international:
        plain = plain.replace("(0)", "")
    digits = "".join(str(unicodedata.decimal(c)) for c in plain if c.isdecimal())
    if len(digits) < 7:
        return None
    return "+" + digits.removeprefix("00") if international else digits


class Pseudonyms:
    """Ids and tokens under one site's secret. Both depend on the secret and the name alone."""

    def __init__(self, secret: bytes) -> None:
        if len(secret) != _SECRET_BYTES:
            raise PrivacyError(f"A secret has {_SECRET_BYTES} bytes, not {len(secret)}.")
        self._secret = secret

    def author_id(self, printed_name: str) -> str:
        """16 hexadecimal digits; the same for every way of printing the same name or number."""
        number = number_of(printed_name)
        value = f"number\0{number}" if number else f"name\0{clean_name(printed_name)}"
        return _keyed(self._secret, "author", value).hex()[:16]

    def hashed(self, value: str) -> str:
        """32 hexadecimal digits that tell whether a value is the one once hashed, to who has the secret."""
        return _keyed(self._secret, "forgotten", value).hex()[:32]

    def token(self, author_id: str, taken: Collection[str]) -> str:
        """A pseudonym for this author that isn't among those `taken` by others."""
        adjectives, animals, places = _words("adjectives"), _words("animals"), _words("places")
        taken = taken if isinstance(taken, (set, frozenset, dict)) else set(taken)
        attempt = 0
        while True:
            number = int.from_bytes(_keyed(self._secret, "token", f"{author_id}\0{attempt}")[:16], "big")
            number, adjective = divmod(number, len(adjectives))
            number, animal = divmod(number, len(animals))
            token = f"{adjectives[adjective]}-{animals[animal]}"
            if attempt >= _TWO_WORD_TRIES:
                token += f"-{places[number % len(places)]}"
            if token not in taken:
                return token
            attempt += 1


@cache
def _words(name: str) -> tuple[str, ...]:
    # Order matters: to change a list is to rename the authors of sites whose names aren't stored yet.
    return tuple((_WORDS / f"{name}.txt").read_text(encoding="utf-8").split())


def is_token(word: str) -> bool:
    """Whether a word is made of our word lists, as every token is."""
    parts = word.split("-")
    return (
        len(parts) in {2, 3}
        and parts[0] in _word_set("adjectives")
        and parts[1] in _word_set("animals")
        and (len(parts) == 2 or parts[2] in _word_set("places"))
    )


@cache
def _word_set(name: str) -> frozenset[str]:
    return frozenset(_words(name))


def tokens_in(text: str) -> set[str]:
    """The tokens that stand in a text as ``@token``.

    >>> sorted(tokens_in("@amber-heron's cake, said @calm-otter."))
    ['amber-heron', 'calm-otter']
    """
    return set(TOKEN_RE.findall(text)) if "@" in text else set()


def display_name(token: str) -> str:
    """How a token reads: ``amber-heron`` is Amber Heron."""
    return " ".join(part.capitalize() for part in token.split("-"))
