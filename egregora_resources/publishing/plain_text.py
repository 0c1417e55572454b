"""Clean hostile text before it is written anywhere: one line for front matter, many lines for messages.

Cleaning doesn't make text safe as HTML or Markdown; escaping does that. It removes what misleads a reader or a parser
in any context: control characters, direction overrides, invisible characters, stacks of accents that climb over the
neighbouring lines, and lone surrogates that no file can hold.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_BREAKS = re.compile("\r\n|[\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b\u200e\u200f"
    "\u202a-\u202e\u2060-\u206f\u3164\ufeff\ufff0-\ufffb\ufffe\uffff\ud800-\udfff"
    "\U000e0000-\U000e001f\U000e0080-\U000e0fff\U000f0000-\U0010ffff]"
)
# Joiners make families of emoji and words of Persian and Hindi; next to ASCII or a space they only hide.
_IDLE_JOINER = re.compile("(?<![^\x00-\x7f\\s])[\u200c\u200d]+|[\u200c\u200d]+(?![^\x00-\x7f\\s])")
# Tag characters spell the flags of Scotland and Wales after a black flag, and hidden messages anywhere else.
_HIDDEN_TAGS = re.compile("(?<![\U0001f3f4\U000e0020-\U000e007f])[\U000e0020-\U000e007f]+")
_MARKS = "\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20df\u20e1-\u20ff\ufe20-\ufe2f"
_PILED_MARKS = re.compile(f"([{_MARKS}]{{2}})[{_MARKS}]+")
# No-break spaces between a number's thousands, or before its unit, stay: no line is to end there.
_NO_BREAK = re.compile("[0-9][\u00a0\u202f]")
_SPACES = re.compile("(?!(?<=[0-9])[\u00a0\u202f]\\S)\\s+")
_ENTITY = re.compile(r"&(?=#|[A-Za-z][A-Za-z0-9]*;|(?i:lt|gt|amp|quot))")
_OPENING_QUOTE = re.compile(r'(^|[\s(\[{‹«—–-])"')
_TYPOGRAPHIC = str.maketrans({"<": "‹", ">": "›", '"': "”"})


def spoken(text: str) -> str:
    """Clean text of several lines. Its only control character is ``\\n``; tabs become four spaces."""
    text = _BREAKS.sub("\n", text).replace("\t", "    ")
    if text.isascii() and text.replace("\n", "").isprintable():
        return text
    text = _INVISIBLE.sub("", text)
    text = unicodedata.normalize("NFC", text)
    text = _PILED_MARKS.sub(r"\1", text)
    return _HIDDEN_TAGS.sub("", _IDLE_JOINER.sub("", text))


@lru_cache(maxsize=50_000)
def one_line(text: str, limit: int = 300) -> str:
    """Clean text as a single line of at most `limit` characters: harmless in front matter, HTML and search index.

    ``< > "`` become typographic, and an ampersand that would start an entity becomes a full-width one.
    Spaces become single plain ones, except a no-break space behind a digit.
    """
    text = spoken(text)
    text = _SPACES.sub(" ", text).strip() if _NO_BREAK.search(text) else " ".join(text.split())
    if len(text) > limit:
        text = text[: limit - 1].rstrip() + "…"
    text = _OPENING_QUOTE.sub(r"\1“", text).translate(_TYPOGRAPHIC)
    return _ENTITY.sub("＆", text) if "&" in text else text


def web_address(url: str) -> str:
    """`url` if it is a plain http(s) address, otherwise an empty string."""
    url = url.strip()
    if not re.fullmatch(r"(?i)https?://[^\s<>\"'`\\^{|}\x00-\x20\x7f]+", url) or spoken(url) != url:
        return ""
    return url
