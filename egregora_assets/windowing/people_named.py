"""Which people a window names: found by one sieve over all texts, then looked at closely."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cache

import duckdb

from egregora_assets.windowing.cutting import Cut
from egregora_assets.windowing.log import Log
from egregora_resources.document import fingerprint
from egregora_resources.privacy.folded_text import fold, words
from egregora_resources.privacy.names.forms import spellings, stretches
from egregora_resources.privacy.names.index import NameIndex
from egregora_resources.warehouse.facts import fact, put_fact
from egregora_resources.warehouse.people import printed_names
from egregora_resources.warehouse.raw_log import texts_matching
from egregora_resources.warehouse.windows import Presence, presences, replace_presences


def find_people(
    connection: duckdb.DuckDBPyConnection,
    log: Log,
    cuts: Sequence[Cut],
    index: NameIndex,
    people: Mapping[str, tuple[str, bool, str]],
    changed: Collection[str],
) -> None:
    """Notes who speaks and who is named in each window; names are looked for where text or names are new."""
    persons = printed_names(connection)
    state = fingerprint(list(persons.items()))
    everywhere = fact(connection, "names") != state
    put_fact(connection, "names", state)
    scope = [cut for cut in cuts if everywhere or cut.label in changed]
    if not scope:
        return
    spoken = {cut.label: log.speakers(cut.first, cut.last) for cut in scope}
    named = _named(connection, log, scope, index, people, list(persons))
    present = [
        Presence(key, author, spoken[key].get(author, 0), author in named[key])
        for key in spoken
        for author in {*spoken[key], *named[key]}
    ]
    replace_presences(connection, [cut.label for cut in scope], present)


def _named(
    connection: duckdb.DuckDBPyConnection,
    log: Log,
    scope: Sequence[Cut],
    index: NameIndex,
    people: Mapping[str, tuple[str, bool, str]],
    names: Sequence[str],
) -> dict[str, set[str]]:
    """Window → ids of the authors that its texts may name."""
    named: dict[str, set[str]] = {cut.label: set() for cut in scope}
    first, last = int(log.ids[scope[0].first]), int(log.ids[scope[-1].last])
    candidates = texts_matching(connection, first, last, name_sieve(names))
    firsts = [int(log.ids[cut.first]) for cut in scope]
    found: dict[str, set[str]] = {}  # the app's lines about people repeat
    for message, text in candidates:
        cut = scope[bisect_right(firsts, message) - 1]
        if message <= log.ids[cut.last]:
            if text not in found:
                found[text] = {people[token][0] for token in index.people_in(text) if token in people}
            named[cut.label] |= found[text]
    return named


_MOST_SIEVED = 60
"""Names in one pattern: with some more the engine takes minutes where the index takes seconds for every text."""


def name_sieve(names: Sequence[str]) -> str:
    """A pattern that finds every text which may name somebody, however accented: a sieve before the exact index."""
    if len(names) > _MOST_SIEVED:
        return ""
    patterns = {"@"}
    for name in names:
        for spelling in spellings(name):
            # What folding makes two letters of is one piece, as some alphabet writes it.
            pieces = [
                _PIECE.findall(word) for word in words(fold(spelling)) if word[1:] or not word.isascii()
            ]
            patterns |= {"".join(map(_ways_to_write, word)) for word in pieces}
        for stretch in stretches(name):
            for form in ("NFC", "NFD"):
                patterns.add("".join(map(_ways_to_write, unicodedata.normalize(form, stretch))))
    return "(?i)" + "|".join(sorted(patterns))


_ACCENTS = "[\u0300-\u036f]*"


_VOWEL_SIGNS = "[\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u3099\u309a]*"


_PIECE = re.compile(r"ss|ae|oe|th|.", re.DOTALL)


@cache
def _unfolded() -> dict[str, str]:
    """What folding makes of letters → the letters that become it."""
    found: defaultdict[str, str] = defaultdict(str)
    for letter in map(
        chr, [*range(0xC0, 0x530), *range(0x5D0, 0x6D4), *range(0x1E00, 0x2000), *range(0x3041, 0x3100)]
    ):
        folded = fold(letter)
        if folded and folded != letter:
            found[folded] += letter
    return found


def _ways_to_write(piece: str) -> str:
    single = "".join(
        (f"[{letter}{_unfolded()[letter]}]{_ACCENTS}" if letter in _unfolded() else letter)
        if letter.isascii()
        else f"[{letter}{_unfolded().get(letter, '')}]{_VOWEL_SIGNS}"
        for letter in piece
    )
    return f"(?:{single}|[{_unfolded()[piece]}])" if len(piece) > 1 and piece in _unfolded() else single


def windows_touched(
    connection: duckdb.DuckDBPyConnection, people: Iterable[tuple[str, bool, str]], keys: Iterable[str]
) -> dict[str, str]:
    """Window → hash of who speaks or is named in it, and of the names of those who are named.

    A name newly learnt of somebody changes exactly the windows whose texts may hold it.
    """
    known = {author: (opted_out, names) for author, opted_out, names in people}
    present: defaultdict[str, list[tuple[str, bool, str]]] = defaultdict(list)
    for key, author, _, named in presences(connection):
        opted_out, names = known.get(author, (False, ""))
        present[key].append((author, opted_out, names if named else ""))
    return {key: fingerprint(sorted(present[key])) for key in keys}
