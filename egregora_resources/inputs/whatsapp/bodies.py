"""What kind of message a body is: media, deleted, edited, poll, location, contact, call, notice or plain text.

WhatsApp says it in the phone's language. The wordings are a table; where the app itself puts a direction mark
in front of what it wrote, or the container holds a file of that name, the wording need not be known.
"""

from __future__ import annotations

import json
import re
from collections.abc import Container
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from egregora_resources.inputs.whatsapp.word_tables import plain_spaces, rows, without_marks

_WHOLE = ("waiting", "contact", "location", "call", "view_once", "omitted", "deleted")
_FULL_STOPS = ".。．।۔"
APP_MARKS = "\u200e\u200f"
"""What stands before what the app wrote itself, on iPhones."""


class Body(NamedTuple):
    """A message's body, understood."""

    kind: str
    text: str
    attachment: str | None = None
    edited: bool = False
    deleted: bool = False
    media_omitted: bool = False
    is_system: bool = False
    data: str | None = None
    notice: bool = False
    """It is the app's own; whether its name is an author is for the caller to find out."""
    doubtful: bool = False
    """It may be the app's own: people who write from right to left type that mark, too."""
    other_text: bool = False
    """`text` is not all that was there."""


@dataclass(frozen=True)
class Phrases:
    """The wordings of the tables, by what they mean.

    Attributes:
        whole: entire lines and their meaning: omitted, deleted, call and so on.
        sets: wordings that stand within others, by meaning: edited, attached, poll, option, place.
        deleted_by: what the line of a message that an admin deleted begins with.
        notice: patterns of the app's own lines.
        encryption: those of the one that exports open with.
        stems: parts of words that betray a wording the tables don't have.
    """

    whole: dict[str, str]
    sets: dict[str, frozenset[str]]
    deleted_by: tuple[str, ...]
    notice: re.Pattern[str]
    encryption: re.Pattern[str]
    stems: dict[str, re.Pattern[str]]


def key(text: str) -> str:
    """What wordings are compared by: without marks, dots at the end and kinds of space; case is folded."""
    plain = plain_spaces(without_marks(text)).replace("’", "'")
    return plain.strip().rstrip(_FULL_STOPS).rstrip().casefold()


@lru_cache(maxsize=1)
def phrases() -> Phrases:
    """The tables, read once."""
    table: dict[str, list[str]] = {}
    for meaning, wording in rows("phrases.tsv"):
        table.setdefault(meaning, []).append(wording)
    stems: dict[str, list[str]] = {}
    for meaning, stem in rows("stems.tsv"):
        stems.setdefault(meaning, []).append(re.escape(stem))
    return Phrases(
        {key(wording): meaning for meaning in _WHOLE for wording in table[meaning]},
        {meaning: frozenset(map(key, wordings)) for meaning, wordings in table.items()},
        tuple(map(key, table["deleted_by"])),
        re.compile("|".join(table["encryption"] + table["notice"]), re.IGNORECASE),
        re.compile("|".join(table["encryption"]), re.IGNORECASE),
        {meaning: re.compile("|".join(parts)) for meaning, parts in stems.items()},
    )


_EXTENSION = r"\.[A-Za-z0-9]{0,8}"
_ATTACHED_AFTER = re.compile(r"^(?P<name>[^\n]+?) ?[(（<](?P<word>[^()（）<>\n]{1,60})[)）>]$")
_ATTACHED_BEFORE = re.compile(r"<(?P<word>[^<>:：\n]{1,60})[:：] ?(?P<name>[^<>\n]+)>")
_COINED = re.compile(r"^(?:[A-Z]{3,4}-\d{8}-WA\d{4,}|\d{8}-[A-Z_]+-\d{4}|\d{4}-\d\d-\d\d-[A-Z]+-\d+)")
"""File names that only WhatsApp makes."""
_BESIDE_MARK = re.compile(r"[^\n]*[^\s.]\.[A-Za-z0-9]{2,5} ?[(（][^()（）\n]+[)）]")
"""A file's name and something in brackets, if the app's mark stands before it."""
_EDITED = re.compile(r"<(?P<word>[^<>\n]{2,80})>\s*$")
_MAPS = re.compile(
    r"https?://(?:maps\.google\.[a-z.]+/|maps\.apple\.com/|(?:www\.)?google\.[a-z.]+/maps)[^\s]*"
)
_VENUE = re.compile(r"https?://(?:www\.)?foursquare\.com/v/[^\s]+$")
_COORDINATES = re.compile(r"[?&](?:q|ll|daddr)=(-?\d{1,2}(?:\.\d+)?)(?:,|%2C)\s*(-?\d{1,3}(?:\.\d+)?)")
_OPTION = re.compile(r"(?P<word>(?:[^\W\d_a-zà-öø-ÿ]|[ ‘’'])+): .*\(\d+ [^()\d]{1,30}\)")
_VOTES = re.compile(r"^(?P<text>.*?) ?[(（](?P<votes>\d+)[^()（）]*[)）]$")
_ENDS_AS_FILE = re.compile(rf"{_EXTENSION}$")
_SENTENCE = re.compile(r"[^\d<>=/\\:]{4,60}")
"""What may be a wording rather than markup that somebody typed."""


COINED_LINE = (
    r"^[\x{200e}\x{200f}]*(?:"
    r"(?P<android>[A-Z]{3}-20\d{6}-WA\d{4,}\.[a-z0-9]{0,5}) \([^()\n]{1,80}\)"
    r"|<[^<>:\n]{1,80}: (?P<iphone>\d{8}-[A-Z]+-20\d\d-[-\d]+\.[a-z0-9]{1,5})>)$"
)
"""A body that is nothing but a file of a name that WhatsApp made, as most media are; in RE2's syntax."""


def _is_app_s(before: str, word: str, known: Phrases) -> bool:
    """Whether the app itself put the brackets behind somebody's text: it does so only with what was edited."""
    plain, inner = before.strip(APP_MARKS + " \u00a0\n"), key(word)
    return (
        before[-1:] in APP_MARKS
        and plain != ""
        and _SENTENCE.fullmatch(inner) is not None
        and known.stems["left_out"].search(inner) is None
        and _ENDS_AS_FILE.search(plain) is None
    )


def understand(raw: str, *, marked: bool, members: Container[str]) -> Body:
    """The body of a message with a sender.

    Args:
        raw: everything after the sender.
        marked: whether the file's headers are of a phone that marks what the app wrote.
        members: names of the files in the container.
    """
    known = phrases()
    start = raw.rfind("<")
    match = _EDITED.match(raw, start) if start >= 0 else None
    if match and (_says_edited(match["word"]) or _is_app_s(raw[:start], match["word"], known)):
        text = raw[:start].rstrip(" \u00a0" + APP_MARKS)
        return _understand(text, marked, members, known)._replace(edited=True)
    return _understand(raw, marked, members, known)


def _understand(text: str, marked: bool, members: Container[str], known: Phrases) -> Body:
    attached = _attachment(text, members, known)
    if attached is not None:
        return attached
    app = text[:1] in APP_MARKS and text != ""
    visible = text.lstrip(APP_MARKS)
    first, _, rest = visible.partition("\n")
    plain = key(first)
    meaning = known.whole.get(plain) or _bracketed(first, known)
    if meaning in ("call", "deleted") and not app and first[:1] != first[:1].title():
        meaning = None  # typed: the app begins a line of these with a capital letter
    if meaning is None and app and known.whole.get(key(re.split("[,\u200e\u200f]", first)[0])) == "call":
        meaning = "call"
    if meaning is None and app and known.whole.get(key(re.split("[.。]", first)[0])) == "waiting":
        meaning = "waiting"
    if meaning is None and app and not rest and len(visible) < 60:
        meaning = _app_says(first, plain, known)
    if meaning == "omitted":
        return Body("media", visible, media_omitted=True)
    if meaning == "view_once":
        return Body("view_once", visible, media_omitted=True)
    if not rest and (meaning == "deleted" or plain.startswith(known.deleted_by)):
        return Body("deleted", visible, deleted=True)
    if meaning in ("contact", "location") and not rest:
        return Body(meaning, visible, media_omitted=meaning == "contact")
    if meaning == "waiting" and not rest:
        return Body("text", visible)
    if meaning == "call":
        return Body("call", visible, is_system=True, data=_json({"text": without_marks(visible)}))
    structured = _poll(visible, app, known) or _location(visible, known)
    if structured is not None:
        return structured
    if app and rest and first.isupper() and first.rstrip().endswith((":", "：")):
        return Body("text", visible)  # a card that somebody shared, of a kind to come
    if "\u200e" in text or "\u200f" in text:
        body = _marked(text, app, known)
        if body is not None:
            return body
    if app and marked and text[0] == "\u200f" and not known.notice.search(visible):
        return Body("text", text, doubtful=True)
    if app and marked:
        return Body("notice", visible, is_system=True, notice=True)
    return Body("text", text)


def _app_says(line: str, plain: str, known: Phrases) -> str | None:
    """What a short line of the app's own tells by parts of its words, in languages that no table has."""
    if known.stems["left_out"].search(plain):
        return "omitted"
    removed = known.stems["removed"].search(plain) and known.stems["message"].search(plain)
    if removed and known.notice.search(line) is None:
        return "deleted"
    return None


@lru_cache(maxsize=1024)
def _says_edited(word: str) -> bool:
    known, plain = phrases(), key(word)
    return plain in known.sets["edited"] or (
        _SENTENCE.fullmatch(plain) is not None
        and (" " in plain or not plain.isascii())
        and known.stems["changed"].search(plain) is not None
        and known.stems["message"].search(plain) is not None
    )


def _bracketed(first: str, known: Phrases) -> str | None:
    if "<" not in first:
        return None
    inner = without_marks(first).strip()
    if not (len(inner) > 2 and inner[0] == "<" and inner[-1] == ">"):
        return None
    plain = key(inner[1:-1])
    meaning = known.whole.get(plain)
    if meaning is None and _SENTENCE.fullmatch(plain):
        unknown = known.stems["left_out"].search(plain) or (
            (" " in plain or not plain.isascii()) and known.stems["media"].search(plain)
        )
        return "omitted" if unknown else None
    return meaning


def _marked(text: str, app: bool, known: Phrases) -> Body | None:
    # The app's words come last and begin with a mark: "Report.pdf • ‎2 pages ‎document omitted".
    pieces = re.split("[\u200e\u200f]+", text)
    meaning = known.whole.get(key(pieces[-1]))
    if meaning in ("omitted", "view_once", "contact"):
        return Body("media" if meaning == "omitted" else meaning, text.lstrip(APP_MARKS), media_omitted=True)
    return None


def _attachment(text: str, members: Container[str], known: Phrases) -> Body | None:
    if ">" in text and "<" in text:
        for match in _ATTACHED_BEFORE.finditer(text):
            name = without_marks(match["name"]).strip()
            marked = text[match.start() - 1 : match.start()] in ("\u200e", "\u200f")
            known_word = key(match["word"]) in known.sets["attached"]
            said = (known_word and marked) or ("." in name and (known_word or marked))
            if name in members or _COINED.match(name) or said:
                before, after = text[: match.start()].rstrip(" \u00a0" + APP_MARKS), text[match.end() :]
                return _media(name, (before.lstrip(APP_MARKS) + after).strip("\n"))
    first, _, rest = text.partition("\n")
    if first.rstrip()[-1:] in (")", "）", ">"):
        match = _ATTACHED_AFTER.match(without_marks(first).strip())
        if match:
            name = match["name"].strip()
            marked = first[:1] in APP_MARKS
            said = key(match["word"]) in known.sets["attached"] and (marked or _ENDS_AS_FILE.search(name))
            if (
                name in members
                or _COINED.match(name)
                or said
                or (marked and _BESIDE_MARK.fullmatch(first.strip()))
            ):
                return _media(name, rest.strip("\n"))
    return None


def _media(name: str, caption: str) -> Body:
    if name.lower().endswith(".vcf"):
        return Body("contact", caption, name, data=_json({"name": name[:-4]}))
    return Body("media", caption, name)


def _poll(visible: str, app: bool, known: Phrases) -> Body | None:
    first, newline, rest = visible.partition("\n")
    if not newline:
        return None
    word = key(first).rstrip(":：").rstrip()
    likely = _looks_like_poll(word, rest)
    if not (word in known.sets["poll"] or ((app or likely) and first.rstrip().endswith((":", "：")))):
        return None
    question: list[str] = []
    options: list[dict[str, object]] = []
    for line in without_marks(rest).strip("\n").split("\n"):
        name, *values = re.split("[:：]", line, maxsplit=1)
        votes = _VOTES.match(values[0].strip()) if values else None
        labelled = key(name) in known.sets["option"] or (likely and _OPTION.fullmatch(line))
        if votes and (labelled or options or app):
            options.append({"text": votes["text"].strip(), "votes": int(votes["votes"])})
        elif not options:
            question.append(line)
    if not options:
        return None
    data = {"question": "\n".join(question).strip(), "options": options}
    return Body("poll", visible.rstrip("\n"), data=_json(data))


def _looks_like_poll(word: str, rest: str) -> bool:
    """Whether lines are printed as the app prints a poll, in words that no table has.

    At least two options close it, all with the same word in capitals before them and a count in brackets behind.
    """
    lines = [line for line in rest.split("\n") if line]
    options = [match for line in lines if (match := _OPTION.fullmatch(line))]
    closing = lines[len(lines) - len(options) :] == [match.string for match in options]
    return len(word) < 25 and len(options) > 1 and closing and len({match["word"] for match in options}) == 1


def _location(visible: str, known: Phrases) -> Body | None:
    if "://" not in visible:
        return None
    plain = without_marks(visible).strip()
    match = _MAPS.search(plain)
    if match:
        label, _, _ = plain[: match.start()].partition("\n")
        word = key(label).rstrip(":：").rstrip()
        name = plain[: match.start()].strip().rstrip(":：").strip()
        if word in known.sets["place"] or (match.end() == len(plain) and _COORDINATES.search(match[0])):
            return Body(
                "location", visible, data=_place(match[0], "" if word in known.sets["place"] else name)
            )
        return None
    venue = _VENUE.search(plain)
    if venue and "\n" in plain:
        return Body("location", visible, data=_place(venue[0], plain.split("\n", 1)[0]))
    return None


def _place(url: str, name: str) -> str:
    place: dict[str, object] = {"url": url}
    where = _COORDINATES.search(url)
    if where:
        place |= {"lat": float(where[1]), "lon": float(where[2])}
    if name:
        place["name"] = name
    return _json(place)


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def whole_wordings() -> set[bytes]:
    """The bytes of every line that may be a wording of the tables, as phones print them."""
    found: set[bytes] = set()
    lines = [wording for meaning, wording in rows("phrases.tsv") if meaning in _WHOLE]
    lines += [f"{word}:" for meaning, word in rows("phrases.tsv") if meaning == "poll"]
    for line in lines:
        curled = line.replace("'", "’")
        for cased in {spelt[:1].upper() + spelt[1:] for spelt in (line, curled, curled.replace("’", "'"))} | {
            line,
            curled,
            line[:1].lower() + line[1:],
        }:
            found |= {(cased + stop).encode() for stop in ("", *_FULL_STOPS)}
    return found


@lru_cache(maxsize=1)
def line_openings() -> tuple[bytes, ...]:
    """The first bytes of lines that say who deleted a message."""
    openings = [wording for meaning, wording in rows("phrases.tsv") if meaning == "deleted_by"]
    spelt = [(one, one.replace("'", "’"), one.replace("’", "'")) for one in openings]
    return tuple({opening.encode() for three in spelt for opening in three})
