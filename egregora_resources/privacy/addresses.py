"""Where the links and e-mail addresses of a folded text are."""

from __future__ import annotations

import re

from egregora_resources.privacy.findings import Span
from egregora_resources.privacy.folded_text import UNSPACED

_TOP_LEVEL = (
    "com|org|net|info|biz|edu|gov|io|app|dev|me|tv|co|ai|gg|ly|xyz|site|online|blog|shop|link|to|fm|cc|eu"
    "|br|pt|es|de|fr|it|uk|us|mx|ar|cl|nl|be|ch|at|in|ie|se|no|dk|fi|pl|ru|jp|cn|kr|au|nz|ca|za|gl|page|group"
)
_STOP = rf"\s<>\"“”«»{UNSPACED}"
_URL = re.compile(
    rf"(?:[a-z][a-z0-9+.\-]{{1,20}}://|(?<![a-z0-9@])(?:www\.|(?:mailto|tel|sms|smsto|callto|whatsapp|facetime|skype|xmpp|sip):(?=[^\s])))"
    rf"[^{_STOP}]+"
    rf"|(?<![\w@.\-])(?:[a-z0-9](?:[a-z0-9\-]*[a-z0-9])?\.)+(?:{_TOP_LEVEL})(?![\w@.\-]*@)(?![a-z0-9])(?::\d+)?(?:[/?#][^{_STOP}]*)?"
)
_LINK_LIKE = re.compile(r"[^\W_][.:][^\W_]|:[/+]")
_INVITE = re.compile(
    r"(?<![\w\-])(?:chat\.whatsapp\.com/[\w\-]|(?:t\.me|telegram\.(?:me|dog))/(?:joinchat/|\+)[\w\-]"
    r"|discord\.gg/[\w\-]|discord(?:app)?\.com/invite/[\w\-]|signal\.group/?[#/?]+[\w\-])"
)
_SECRET_PARAMETER = re.compile(
    r"[?&#;/](?:[\w.\-]*[_.\-])?(?:(?:access)?token|(?:api)?key|pwd|password|secret)=[^&#]"
)
_MAP = re.compile(
    r"(?<![\w\-])(?:google(?:\.[a-z]{2,3}){1,2}/maps\b|maps\.(?:google\.|apple\.com)|openstreetmap\.org|osm\.org)"
)
_COORDINATES = re.compile(
    r"[?&#;]mlat=[+\-]?\d|!3d-?\d|(?<![\d.])-?\d{1,3}\.\d+[\s+]*,[\s+]*-?\d{1,3}\.\d"
    r"|[?&](?:q|ll|sll|query|destination|daddr|saddr|center)=(?:loc:)?[\s+]*-?\d{1,3}(?:\.\d+)?,[\s+]*-?\d{1,3}(?![\d\w])"
)
_TRAILING = ".,;:!?'*_~)]}…"

_ATEXT = r"a-z0-9!#$%&'*+/=?^`{|}~_\u00a1-\u02ff\u0370-\u058f"
_EMAIL = re.compile(
    rf"(?:\"[^\"\n@]{{1,64}}\"|[a-z0-9_+\u00a1-\u02ff\u0370-\u058f](?:[{_ATEXT}.\-]{{0,63}}))"
    r"@(?:[a-z0-9\u00a1-\u02ff\u0370-\u058f](?:[a-z0-9\u00a1-\u02ff\u0370-\u058f\-]*)\.)+(?:xn--[a-z0-9\-]+|[a-z\u00a1-\u02ff\u0370-\u058f]{2,})"
    rf"|[{UNSPACED}]{{1,64}}@(?:[\w\-]+\.)+[^\W\d_]{{2,}}"
    # "meet @ example.com" is a place; at these there are only letter boxes
    r"|(?<![\w@])[a-z0-9_+][a-z0-9_.+\-]{0,63} {0,2}@ {0,2}(?:gmail|googlemail|hotmail|outlook|icloud|yahoo|gmx|protonmail)\.[a-z]{2,3}(?:\.[a-z]{2})?(?!\w)"
)
_SPELT_EMAIL = re.compile(
    r"[a-z0-9_+][a-z0-9_.+\-]{0,63} ?(?:[\[({<] ?(?:at|arroba|@|a) ?[\])}>]) ?"
    r"[a-z0-9][a-z0-9\-]*(?:(?:\.| ?[\[({<] ?(?:dot|punto|ponto|point|punkt|\.) ?[\])}>] ?)[a-z0-9\-]+)*"
    r"(?:\.| ?[\[({<] ?(?:dot|punto|ponto|point|punkt|\.) ?[\])}>] ?)[a-z]{2,}"
)
_BRACKETED_AT = re.compile(r"[\[({<] ?(?:at|arroba|@|a) ?[\])}>]")


def may_hold_link(folded: str) -> bool:
    """A quick test: False means `links` finds nothing."""
    return _LINK_LIKE.search(folded) is not None


def links(folded: str) -> list[Span]:
    """Every URL, with or without its scheme, without the punctuation of the sentence around it."""
    found: list[Span] = []
    for match in _URL.finditer(folded):
        start, end = match.span()
        while end > start and folded[end - 1] in _TRAILING:
            closing = folded[end - 1]
            opening = {")": "(", "]": "[", "}": "{"}.get(closing)
            if opening and folded.count(opening, start, end) >= folded.count(closing, start, end):
                break
            end -= 1
        if end > start:
            found.append((start, end))
    return found


def is_secret(link: str) -> bool:
    """True if a link (folded, percent-decoded) grants access to anyone who has it, or tells where somebody is."""
    if _INVITE.search(link) or _SECRET_PARAMETER.search(link):
        return True
    return _MAP.search(link) is not None and _COORDINATES.search(link) is not None


def emails(folded: str) -> list[Span]:
    """Every e-mail address, also spelt out as "user (at) example (dot) com"."""
    found: list[Span] = []
    if "@" in folded:
        found += [match.span() for match in _EMAIL.finditer(folded)]
    if _BRACKETED_AT.search(folded):
        found += [match.span() for match in _SPELT_EMAIL.finditer(folded)]
    return found
