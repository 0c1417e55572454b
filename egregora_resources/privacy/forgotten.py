"""People who were forgotten: told by keyed hashes of their names alone, and kept out of whatever is imported.

What this does to a text or a message depends on nothing but the text and the hashes: so the same export read
again, or a later one, comes to the same rows that forgetting left in the log, and the merge finds them equal.
"""

from __future__ import annotations

import json
import secrets
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from egregora_resources.privacy.folded_text import fold, words
from egregora_resources.privacy.names.forms import UNSPACED_RUN, Form, FormKind, forms
from egregora_resources.privacy.names.index import NameIndex, numbers_in
from egregora_resources.privacy.names.word_lists import vocabulary
from egregora_resources.privacy.pseudonyms import clean_name, number_of

_TRACE = 4
"""Hexadecimal digits kept of a message's keyed hash: enough to tell two messages of one minute apart in two
exports, and so few that every sixty-five-thousandth text has the same."""
_PERSON = 8
_TRACED, _END = "text\0", "\0"
_AUTHOR, _SPELLING, _NUMBER = "author", "spelling", "number"
_KINDS: tuple[FormKind, ...] = ("full", "initial", "first", "last")


class HashedName(NamedTuple):
    """A row of `forgotten`."""

    hash: str
    person: str
    form: str
    words: int


@dataclass(frozen=True)
class Forgotten:
    """Everybody who was forgotten, as keyed hashes.

    Args:
        names: the rows of `forgotten`.
        hashed: a keyed hash of a string.
        language: decides which words are names; the one the chat was first found to be in, whatever the settings say.
    """

    names: Sequence[HashedName]
    hashed: Callable[[str], str]
    language: str = "en"

    def __bool__(self) -> bool:
        return bool(self.names)

    def person(self, printed: str) -> str | None:
        """Which forgotten person a printed name or a mention is; None if none."""
        known = {(name.form, name.hash): name.person for name in self.names}
        for form, value in _printed(printed):
            if found := known.get((form, self.hashed(f"{form}\0{value}"))):
                return found
        return None

    def trace(self, person: str, text: str, attachment: str | None) -> str:
        """What stays of a message instead of its content, so that it is found again in another export."""
        return f"{person}.{self.hashed(f'{_TRACED}{text}{_END}{attachment}')[:_TRACE]}"

    def eraser(self, texts: Iterable[str]) -> Eraser:
        """Takes the names of forgotten people out of these texts, and of no others."""
        return Eraser(self, self._index(set(texts)))

    def _index(self, texts: set[str]) -> NameIndex:
        """Finds the forms that occur in the texts: only there are they known in clear."""
        wanted = {(name.form, name.hash) for name in self.names}
        lengths: defaultdict[bool, set[int]] = defaultdict(set)
        for name in self.names:
            if name.form not in (_AUTHOR, _SPELLING, _NUMBER):
                lengths[name.form.endswith("/unspaced")].add(name.words)
        rows: set[tuple[tuple[str, ...], bool]] = set()
        numbers: set[str] = set()
        for folded in {fold(text) for text in texts}:
            said = words(folded)
            for length in lengths[False]:
                rows.update((tuple(said[n : n + length]), False) for n in range(len(said) - length + 1))
            for run in UNSPACED_RUN.findall(folded) if lengths[True] and not folded.isascii() else ():
                for length in lengths[True]:
                    rows.update(((run[n : n + length],), True) for n in range(len(run) - length + 1))
            numbers.update(digits for *_, digits in numbers_in(folded))
        found = [
            Form(row, kind, unspaced)
            for row, unspaced in rows
            for kind in _KINDS
            if _searched(Form(row, kind, unspaced), self.hashed) in wanted
        ]
        theirs = [n for n in numbers if (_NUMBER, self.hashed(f"{_NUMBER}\0{n}")) in wanted]
        return NameIndex.of_forms(found, theirs, self.language)


class Eraser:
    """Takes the names of forgotten people out of texts, file names and particulars."""

    def __init__(self, forgotten: Forgotten, index: NameIndex) -> None:
        self._forgotten, self._index = forgotten, index
        self._mentioned: dict[str, bool] = {}

    def text(self, text: str) -> str:
        """The text with ``[name]`` for their names."""
        return self._index.erase(text, self._is_theirs)

    def data(self, data: str) -> str:
        """JSON with ``[name]`` for their names, otherwise to the letter as it was."""
        value: Any = json.loads(data)
        cleaned = self._inside(value)
        return data if cleaned == value else json.dumps(cleaned, ensure_ascii=False)

    def _inside(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {self.text(str(key)): self._inside(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [self._inside(inner) for inner in value]
        return value

    def _is_theirs(self, mentioned: str) -> bool:
        if mentioned not in self._mentioned:
            self._mentioned[mentioned] = self._forgotten.person(mentioned) is not None
        return self._mentioned[mentioned]


def texts_in(data: str) -> Iterator[str]:
    """Every text inside JSON."""
    values: list[Any] = [json.loads(data)]
    while values:
        value = values.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict):
            values += [*value.keys(), *value.values()]
        elif isinstance(value, list):
            values += value


def hash_names(
    names: Sequence[str], others: Iterable[str], hashed: Callable[[str], str], language: str
) -> list[HashedName]:
    """What is kept of a person who is to be forgotten.

    Args:
        names: all their printed names.
        others: the printed names of everybody else: what is theirs, too, stays theirs.
        hashed: a keyed hash of a string.
        language: see `Forgotten`.
    """
    others = list(others)
    person = secrets.token_hex(_PERSON // 2)
    shared = {pair for name in others for pair in _printed(name)}
    rows = {
        (form, hashed(f"{form}\0{value}")): 0
        for name in names
        for form, value in _printed(name)
        if (form, value) not in shared
    }
    known = vocabulary(language)
    taken = {(form.words, form.unspaced) for name in others for form in forms(name, known)}
    for one in {one for name in names for one in forms(name, known)}:
        if (one.words, one.unspaced) not in taken:
            rows[_searched(one, hashed)] = len(one.words[0]) if one.unspaced else len(one.words)
    return [HashedName(hashed_form, person, form, count) for (form, hashed_form), count in rows.items()]


def _printed(name: str) -> list[tuple[str, str]]:
    """The ways in which a printed name is recognised: as it is, by its letters, or by its number."""
    number = number_of(name)
    if number:
        return [(_NUMBER, number.removeprefix("+"))]
    clean = clean_name(name)
    return [(_AUTHOR, clean), (_SPELLING, " ".join(fold(clean).split()))]


def _searched(form: Form, hashed: Callable[[str], str]) -> tuple[str, str]:
    kind = f"{form.kind}{'/unspaced' if form.unspaced else ''}"
    return kind, hashed(f"{kind}\0{' '.join(form.words)}")
