"""Names inside text become person tokens.

Mentions (``@⁨Laura Bennett⁩``, ``@447700900123``), full names, distinctive first names and surnames
become ``@amber-heron``. A name that several people share, the mention of somebody unknown, and whoever opted
out, become ``[name]``. Links and e-mail addresses are left alone here: see `scrubber.py`.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from egregora_resources.privacy.addresses import emails, links, may_hold_link
from egregora_resources.privacy.findings import Finding, Kind, Occupied, cut, protected, without_overlaps
from egregora_resources.privacy.folded_text import (
    MANY_DIGITS,
    UNSPACED,
    WORD,
    Folded,
    end_of_row,
    fold,
    words,
)
from egregora_resources.privacy.names.forms import Form, FormKind, forms
from egregora_resources.privacy.names.name_or_word import (
    Caution,
    capitals_throughout,
    caution,
    means_person,
)
from egregora_resources.privacy.names.word_lists import vocabulary
from egregora_resources.privacy.pseudonyms import clean_name, number_of

VERSION = 4
"""Part of fingerprints: raise it when the same people and text give another result."""

_MENTION = re.compile(
    r"@[\u200e\u200f]*[\u2066-\u2068\u202a\u202b\u202d]+([^\u2066-\u2069\u202a-\u202e\n]{1,120})[\u2069\u202c]+"
)
_EVERYBODY = frozenset({"all", "everyone", "todos", "todas", "tous", "alle", "tutti", "meta ai"})
_NUMBER = re.compile(r"@?\+?\(?\d(?:[ ()./\-]{0,3}\d){6,20}(?!\d)")
_UNSPACED_CHARACTER = re.compile(rf"[{UNSPACED}]")
_NOBODY = ""
_RANK: dict[FormKind, int] = {"full": 0, "initial": 1, "first": 2, "last": 3}


@dataclass(frozen=True)
class Person:
    """Somebody whose names must not appear, and the token that stands for them."""

    token: str
    names: tuple[str, ...]
    """Every printed name of theirs, phone numbers as printed among them."""
    opted_out: bool = False
    """What others wrote about them tells nobody who is meant: no token stands for them."""


@dataclass(frozen=True, slots=True)
class _Entry:
    """A form of one or several people's names."""

    words: tuple[str, ...]
    kind: FormKind
    caution: Caution
    tokens: frozenset[str]


class NameIndex:
    """The names of everybody in the site, ready to be looked for. Built once a run."""

    def __init__(self, people: Sequence[Person], language: str = "en") -> None:
        self._vocabulary = vocabulary(language)
        self.hidden = frozenset(person.token for person in people if person.opted_out)
        """Tokens of those who opted out: none of them is written, and where one stands, it goes."""
        self.tokens = frozenset(person.token for person in people) - self.hidden
        hidden = "|".join(re.escape(token).replace("\\-", "[- ]") for token in sorted(self.hidden))
        self._hidden_re = re.compile(rf"@?\b(?:{hidden})\b") if hidden else None
        self._printed: dict[str, dict[str, str]] = defaultdict(dict)
        self._numbers: dict[str, set[str]] = defaultdict(set)
        by_form: dict[Form, set[str]] = defaultdict(set)
        for person in people:
            for name in person.names:
                number = number_of(name)
                if number:
                    self._numbers[number.removeprefix("+")].add(person.token)
                self._printed[_printed_key(name)][clean_name(name)] = person.token
                for form in forms(name, self._vocabulary):
                    by_form[form].add(person.token)
        self._complete(by_form)

    @classmethod
    def of_forms(cls, known: Iterable[Form], numbers: Iterable[str], language: str) -> NameIndex:
        """Finds a person from forms of their name and numbers in digits alone."""
        index = cls((), language)
        index._numbers.update((number, {_NOBODY}) for number in numbers)
        index._complete({form: {_NOBODY} for form in known})
        return index

    def _complete(self, by_form: Mapping[Form, set[str]]) -> None:
        # Somebody known by one word: that word is their full name.
        self._single_names = frozenset(key for key in self._printed if WORD.fullmatch(key))
        self._entries: dict[str, list[_Entry]] = defaultdict(list)
        self._unspaced: dict[str, _Entry] = {}
        self._index(by_form)
        self._first_words = frozenset(self._entries)
        stretches = sorted(map(re.escape, self._unspaced), key=len, reverse=True)
        self._unspaced_re = re.compile("|".join(stretches)) if stretches else None

    def _index(self, by_form: Mapping[Form, set[str]]) -> None:
        best: dict[tuple[tuple[str, ...], bool], FormKind] = {}
        for form in by_form:
            place = (form.words, form.unspaced)
            if place not in best or _RANK[form.kind] < _RANK[best[place]]:
                best[place] = form.kind
        for (spelt, unspaced), kind in best.items():
            tokens = frozenset(by_form[Form(spelt, kind, unspaced)])
            careful: Caution = "none" if unspaced else caution(spelt, kind, self._vocabulary)
            entry = _Entry(spelt, kind, careful, tokens)
            if unspaced:
                self._unspaced[spelt[0]] = entry
            elif kind != "last" or careful in {"none", "rare"}:
                self._entries[spelt[0]].append(entry)
        for entries in self._entries.values():
            entries.sort(key=lambda entry: (-len(entry.words), _RANK[entry.kind]))

    def replace(self, text: str) -> str:
        """The text with people's names as tokens."""
        text = self.replace_mentions(text)
        if not self.may_touch(fold(text)):
            return text
        folded = Folded(text)
        return cut(folded, self._outside_links(folded))

    def erase(self, text: str, is_theirs: Callable[[str], bool]) -> str:
        """The text with ``[name]`` or ``[phone]`` wherever one of these people is named.

        A link or an address that names one of them goes as a whole: what is left of it must not become another.

        Args:
            text: as sent.
            is_theirs: whether a marked mention (``@⁨…⁩``) of this name is theirs.
        """
        if "@" in text:
            text = _MENTION.sub(lambda match: "[name]" if is_theirs(match[1]) else match[0], text)
        if not self.may_touch(fold(text)):
            return text
        folded = Folded(text)
        found = [replace(finding, tokens=frozenset[str]()) for finding in self.find(folded)]
        addresses = [Finding(*span, "e-mail") for span in emails(folded.folded)]
        addresses += [Finding(*span, "link") for span in links(folded.folded)]
        whole = [one for one in addresses if any(one.start <= finding.start < one.end for finding in found)]
        return cut(folded, without_overlaps([*whole, *found], Occupied(len(folded.folded))))

    def people_in(self, text: str) -> set[str]:
        """The tokens of the people whose names `replace` would take out, all of them where a name is shared."""
        found: set[str] = set()
        if "@" in text:
            for match in _MENTION.finditer(text):
                found |= self._mentioned(match[1])
            text = self.replace_mentions(text)
        if self.may_touch(fold(text)):
            for finding in self._outside_links(Folded(text)):
                found |= finding.tokens
        return found

    def _outside_links(self, text: Folded) -> list[Finding]:
        folded = text.folded
        spans = protected(folded, self.tokens, self.hidden)
        if may_hold_link(folded):
            spans += links(folded)
        if "@" in folded:
            spans += emails(folded)
        return without_overlaps(self.find(text), Occupied(len(folded), spans))

    def replace_mentions(self, text: str) -> str:
        """The text with its marked mentions (``@⁨…⁩``) as tokens; those of strangers too."""
        if "@" not in text or not _MENTION.search(text):
            return text
        return _MENTION.sub(self._mention, text)

    def _mention(self, match: re.Match[str]) -> str:
        tokens = self._mentioned(match[1])
        if len(tokens) == 1 and not tokens & self.hidden:
            replacement = "@" + next(iter(tokens))
        elif number_of(match[1]):
            replacement = "[phone]"
        elif _printed_key(match[1]) in _EVERYBODY:
            replacement = "@" + clean_name(match[1])
        else:
            replacement = "[name]"
        before, after = match.string[: match.start()][-1:], match.string[match.end() :][:1]
        space_before = " " if before.isascii() and before.isalnum() else ""
        space_after = " " if after.isascii() and (after.isalnum() or after in "-_") and after else ""
        return f"{space_before}{replacement}{space_after}"

    def _mentioned(self, name: str) -> frozenset[str]:
        number = number_of(name)
        if number:
            return frozenset(self._numbers.get(number.removeprefix("+"), ()))
        spellings = self._printed.get(_printed_key(name), {})
        exact = spellings.get(clean_name(name))
        if exact:
            return frozenset({exact})
        if spellings:
            return frozenset(spellings.values())
        spelt: tuple[str, ...] = tuple(words(fold(clean_name(name))))
        for entry in self._entries.get("".join(spelt[:1]), ()):
            if entry.words == spelt:
                return entry.tokens
        unspaced = self._unspaced.get(fold(clean_name(name)))
        return unspaced.tokens if unspaced else frozenset()

    def of_number(self, digits: str) -> frozenset[str]:
        """Whose number this is, given in full international digits without ``+``."""
        return frozenset(self._numbers.get(digits, ()))

    def may_touch(self, folded: str) -> bool:
        """A quick test of a folded text: False means `find` finds nothing."""
        return (
            not self._first_words.isdisjoint(words(folded))
            or (self._unspaced_re is not None and self._unspaced_re.search(folded) is not None)
            or (bool(self._numbers) and MANY_DIGITS.search(folded) is not None)
            or (self._hidden_re is not None and self._hidden_re.search(folded) is not None)
        )

    def in_link(self, link: str) -> bool:
        """Whether a link (folded, percent signs undone) spells somebody's full name.

        In an address no capital tells "Rose Stone" from a rose and a stone: two words that stand in a row are the name.
        """
        found = list(WORD.finditer(link))
        for place, word in enumerate(found):
            for entry in self._entries.get(word[0], ()):
                alone = len(entry.words) == 1
                whole = entry.kind == "full" or (alone and entry.words[0] in self._single_names)
                if alone and entry.caution == "ordinary":
                    continue
                if whole and end_of_row(link, found, place, entry.words):
                    return True
        return any(
            self._unspaced[match[0]].kind == "full"
            for match in (self._unspaced_re.finditer(link) if self._unspaced_re else ())
        )

    def find(self, text: Folded) -> Iterator[Finding]:
        """Where people are named, wherever that is; several findings may overlap, the better ones come first."""
        yield from self._find_hidden(text)
        yield from self._find_numbers(text.folded)
        yield from self._find_unspaced(text.folded)
        yield from self._find_words(text)

    def _found(
        self, start: int, end: int, kind: Kind, tokens: frozenset[str], *, doubtful: bool = False
    ) -> Finding:
        return Finding(start, end, kind, tokens, not self.hidden.isdisjoint(tokens), doubtful)

    def _find_hidden(self, text: Folded) -> Iterator[Finding]:
        """Pseudonyms that must not be told any more, as stored or as pages showed them."""
        for match in self._hidden_re.finditer(text.folded) if self._hidden_re else ():
            # An otter that is calm is no Calm Otter.
            if "-" in match[0] or text.written(*match.span()).istitle():
                token = match[0].lstrip("@").replace(" ", "-")
                yield self._found(*match.span(), "name", frozenset({token}))

    def _find_numbers(self, folded: str) -> Iterator[Finding]:
        if not self._numbers:
            return
        for start, end, digits in numbers_in(folded):
            tokens = self.of_number(digits)
            if tokens:
                yield self._found(start, end, "phone", tokens)

    def _find_unspaced(self, folded: str) -> Iterator[Finding]:
        if self._unspaced_re is None or not _UNSPACED_CHARACTER.search(folded):
            return
        for match in self._unspaced_re.finditer(folded):
            start, end = match.span()
            if "\u1160" <= folded[end : end + 1] <= "\u11ff":
                continue  # in the middle of a Korean syllable
            if folded[start - 1 : start] == "@":
                start -= 1
            yield self._found(start, end, "name", self._unspaced[match[0]].tokens)

    def _find_words(self, text: Folded) -> Iterator[Finding]:
        folded = text.folded
        found = list(WORD.finditer(folded))
        place = 0
        while place < len(found):
            entries = self._entries.get(found[place][0])
            taken = 1
            for entry in entries or ():
                end = end_of_row(folded, found, place, entry.words)
                if end is not None:
                    finding = self._finding(text, found[place].start(), end, entry)
                    if finding:
                        yield finding
                        taken = len(entry.words)
                        break
            place += taken

    def _finding(self, text: Folded, start: int, end: int, entry: _Entry) -> Finding | None:
        folded = text.folded
        mention_start = _mention_start(folded, start)
        if mention_start is None:
            if _joined(folded, start, end) and entry.kind in {"first", "last"}:
                return None
            if not self._means_person(text, start, end, entry):
                return None
        elif (
            entry.caution != "none" and folded[end : end + 1] in "._-" and folded[end + 1 : end + 2].isalnum()
        ):
            return None  # a handle, "@rose.garden"
        doubtful = entry.caution != "none" and len(entry.words) == 1
        return self._found(
            start if mention_start is None else mention_start, end, "name", entry.tokens, doubtful=doubtful
        )

    def _means_person(self, text: Folded, start: int, end: int, entry: _Entry) -> bool:
        if entry.kind == "initial":
            initial = end - 1
            written = text.written(initial, end)
            point = text.folded[end : end + 1] == "."
            return written.isupper() and (point or written not in "AEIOUY")
        if len(entry.words) == 1:
            return means_person(text, start, end, entry.caution, self._vocabulary)
        if entry.caution == "none" or capitals_throughout(text, start, end):
            return True
        written = " ".join(unicodedata.normalize("NFC", text.written(start, end)).split())
        return written in self._printed.get(_printed_key(written), {})


def numbers_in(folded: str) -> Iterator[tuple[int, int, str]]:
    """What may be phone numbers in a folded text: start, end, and the digits without ``+`` or ``00``."""
    for match in _NUMBER.finditer(folded):
        start = match.start()
        if not folded[start - 1 : start].isalnum():
            digits = "".join(c for c in match[0].replace("(0)", "") if c.isdecimal())
            yield start, match.end(), digits.removeprefix("00")


def _printed_key(name: str) -> str:
    return " ".join(fold(clean_name(name)).split())


def _mention_start(folded: str, start: int) -> int | None:
    """Where the ``@`` before a name stands, if the name is mentioned by hand."""
    place = start
    while place and folded[place - 1] in "~ " and place > start - 3:
        place -= 1
    if place != start and "~" not in folded[place:start]:
        place = start
    if place and folded[place - 1] == "@" and not folded[max(0, place - 2) : place - 1].isalnum():
        return place - 1
    return None


def _joined(folded: str, start: int, end: int) -> bool:
    """Whether an underscore ties the word into a longer one ("laura_yoga", but not "_Laura_")."""
    return (folded[start - 1 : start] == "_" and folded[max(0, start - 2) : start - 1].isalnum()) or (
        folded[end : end + 1] == "_" and folded[end + 1 : end + 2].isalnum()
    )
