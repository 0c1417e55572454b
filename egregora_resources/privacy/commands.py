"""Commands that members type in the chat (``/egregora set alias "Ana S"``), and what they add up to."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args
from urllib.parse import urlsplit

Field: TypeAlias = Literal["alias", "bio", "avatar", "interests", "website", "twitter"]
CommandName: TypeAlias = Literal[
    "alias", "bio", "avatar", "interests", "website", "twitter", "opt-out", "opt-in", "unknown"
]

ALIAS_LENGTH = 40
TEXT_LENGTH = 2_000
_FIELDS: tuple[Field, ...] = get_args(Field)

_SET = re.compile(rf"(?:set\s+)?({'|'.join(_FIELDS)})(?:\s+(.*))?", re.IGNORECASE | re.DOTALL)
_REMOVE = re.compile(rf"(?:remove|unset)\s+({'|'.join(_FIELDS)})[\s.!]*", re.IGNORECASE)
_QUOTES = {
    '"': '"”“',
    "'": "'’‘",
    "“": '”“"',
    "”": "”",
    "„": '“”"',
    "‚": "‘’'",
    "‘": "’‘'",
    "’": "’",
    "«": "»",
    "»": "«",
    "‹": "›",
    "›": "‹",
    "「": "」",
    "『": "』",
    "《": "》",
    "`": "`´",
    "＂": "＂",
}
_INVISIBLE = "\u200b\u200c\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff"
_COMMAND = re.compile(rf"/egregora(?:[\s{_INVISIBLE}]*\s(.*))?", re.IGNORECASE | re.DOTALL)
_OPT_OUT = re.compile(r"[\W_]*opt[\W_]*out[^\w\n]*(?:\n.*)?", re.IGNORECASE | re.DOTALL)
"""In quotes, with an emoji behind or thanks on the lines below: whoever says so means it."""
_OPT_IN = re.compile(r"[\W_]*opt[\W_]*in[\W_]*", re.IGNORECASE)
_EDGE = re.compile(rf"^[\s{_INVISIBLE}]+|[\s\u200d{_INVISIBLE}]+$")
_DIRECTION = re.compile("[\u202a-\u202e\u2066-\u2069]")
_HANDLE = re.compile(r"@?\w{1,30}", re.ASCII)


@dataclass(frozen=True)
class Command:
    """One command. A `value` of None removes the field; an `error` means it has no effect.

    An ``avatar`` with the empty value means the picture that the message carries.
    """

    name: CommandName
    value: str | None = None
    error: str = ""


@dataclass
class Decisions:
    """What an author has decided, after all their commands."""

    alias: str | None = None
    bio: str | None = None
    avatar: str | None = None
    interests: str | None = None
    website: str | None = None
    twitter: str | None = None
    opted_out: bool = False


def parse_command(text: str) -> Command | None:
    """The command a message is, or None for an ordinary message.

    >>> parse_command('/egregora set alias "Ana S"')
    Command(name='alias', value='Ana S', error='')
    >>> parse_command("hello /egregora opt-out") is None
    True
    """
    match = _COMMAND.fullmatch(_trim(text))
    if match is None:
        return None
    rest = _trim(match[1] or "")
    if not rest:
        return Command("unknown", error="no command given")
    if _OPT_OUT.fullmatch(rest):
        return Command("opt-out")
    if _OPT_IN.fullmatch(rest):
        return Command("opt-in")
    if remove := _REMOVE.fullmatch(rest):
        return Command(_field(remove[1]))
    if assign := _SET.fullmatch(rest):
        return _assign(_field(assign[1]), _unquote(_trim(assign[2] or "")))
    return Command("unknown", error="not a command")


def fold(commands: Iterable[Command]) -> Decisions:
    """What commands given in the order of time add up to: the last of each kind wins."""
    decisions = Decisions()
    for command in commands:
        if command.error or command.name == "unknown":
            continue
        if command.name in {"opt-out", "opt-in"}:
            decisions.opted_out = command.name == "opt-out"
        else:
            setattr(decisions, command.name, command.value)
    return decisions


def _field(word: str) -> Field:
    # Turkish phones write the capital of "bio" with a dotted İ: case is ignored as the pattern did.
    return next(field for field in _FIELDS if re.fullmatch(field, word, re.IGNORECASE))


def _trim(text: str) -> str:
    return _EDGE.sub("", text)


def _unquote(value: str) -> str:
    if len(value) > 1 and value[-1] in _QUOTES.get(value[0], ""):
        return _trim(value[1:-1])
    return value


def _assign(field: Field, value: str) -> Command:
    error = _error(field, value)
    return Command("unknown", error=f"{field}: {error}") if error else Command(field, value)


def _error(field: Field, value: str) -> str:
    if not value:
        return "" if field == "avatar" else "no value given"
    if field == "alias":
        if len(value) > ALIAS_LENGTH:
            return f"{len(value)} characters, at most {ALIAS_LENGTH} are allowed"
        if any(unicodedata.category(c) in {"Cc", "Zl", "Zp"} for c in value) or _DIRECTION.search(value):
            return "control characters aren't allowed"
        if not any(unicodedata.category(c)[0] in "LNSP" for c in value):
            return "nothing visible in it"
        return ""
    if len(value) > TEXT_LENGTH:
        return f"{len(value)} characters, at most {TEXT_LENGTH} are allowed"
    if field == "website" or (field in {"twitter", "avatar"} and (":" in value or "/" in value)):
        return _url_error(value)
    if field == "twitter" and not _HANDLE.fullmatch(value):
        return "neither a handle nor an address"
    if any(unicodedata.category(c) == "Cc" and c not in "\n\t\r" for c in value):
        return "control characters aren't allowed"
    return ""


def _url_error(value: str) -> str:
    if any(c.isspace() or c in '<>"`\\^{}|' or unicodedata.category(c) in {"Cc", "Cf"} for c in value):
        return "not an address: it holds characters that addresses don't"
    try:
        parts = urlsplit(value)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "not an address"
    if parts.scheme.lower() not in {"http", "https"}:
        return "not an address that begins with http:// or https://"
    if not host or parts.username or parts.password:
        return "not an address"
    return ""
