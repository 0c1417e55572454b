"""The stored windows of a site: laid out over the merged log, fingerprinted, retired when the layout changes.

A stored window is a range of message ids. Called by the import, inside its transaction, after the log changed.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from itertools import pairwise

import duckdb
import numpy as np
import pyarrow as pa

from egregora_assets.log_content import Log
from egregora_assets.windows import Cut, check_window_settings, cut_log
from egregora_resources.document import fingerprint
from egregora_resources.privacy.folding import fold, words
from egregora_resources.privacy.name_forms import spellings, stretches
from egregora_resources.privacy.names import NameIndex
from egregora_resources.settings import Settings
from egregora_resources.warehouse import Warehouse

IDS_A_MINUTE = 1_000_000
"""A message's id is minute × this + position: see `egregora_resources.chat_log`."""


MANY_WINDOWS = 3
"""Settings that would retire or recompute more windows than this are asked about."""


@dataclass(frozen=True, slots=True)
class StoredWindow:
    """A row of `windows`."""

    key: str
    ordinal: int
    first_id: int
    last_id: int
    start: datetime
    end: datetime
    messages: int
    bytes: int
    content: str
    touched: str
    reported: str | None

    @property
    def version(self) -> str:
        """Data version of ``windows[w]``: of the raw content and of the people who speak or are named in it."""
        return fingerprint("window", self.content, self.touched)


@dataclass(frozen=True, slots=True)
class LayoutChange:
    """What laying out did: keys of windows that are new, changed and retired."""

    new: Sequence[str]
    changed: Sequence[str]
    retired: Sequence[str]

    @property
    def large(self) -> bool:
        """Whether the owner is asked before it is made."""
        return len(self.retired) + len(self.changed) > MANY_WINDOWS

    def __str__(self) -> str:
        return (
            f"The settings now ask for other windows: {len(self.retired)} would be retired (kept, but taken off the "
            f"site), {len(self.changed)} changed and {len(self.new)} new ones written."
        )


def active_windows(warehouse: Warehouse) -> list[StoredWindow]:
    """The windows of the current layout, in the order of the log."""
    return [
        StoredWindow(*row)
        for row in warehouse.rows(
            "SELECT key, ordinal, first_id, last_id, start_time, end_time, messages, bytes, content, touched, reported "
            "FROM windows WHERE NOT retired ORDER BY first_id"
        )
    ]


def lay_out(
    connection: duckdb.DuckDBPyConnection,
    settings: Settings,
    index: NameIndex,
    people: Mapping[str, tuple[str, bool, str]],
    *,
    recut: bool = False,
) -> LayoutChange:
    """Lays the windows out anew over the log, keeping stored cuts of count and byte windows.

    Args:
        connection: in a transaction.
        settings: window size and unit.
        index: finds the people named in a text.
        people: token → (author id, opted out, hash of the names).
        recut: cut count and byte windows anew.
    """
    unit, size = settings.pipeline.window_unit, settings.pipeline.window_size
    check_window_settings(size, unit)
    layout = layout_fingerprint(settings)
    known = connection.execute("SELECT value FROM facts WHERE key = 'layout'").fetchone()
    log = Log.read(connection)
    stored: list[tuple[str, int]] = []
    if unit in ("messages", "bytes") and known and known[0] == layout and not recut:
        stored = connection.execute(
            "SELECT key, first_id FROM windows WHERE NOT retired ORDER BY first_id"
        ).fetchall()
    cuts = _cuts(log.ids, log.sizes, size, unit, stored)
    connection.execute("INSERT OR REPLACE INTO facts VALUES ('layout', ?)", [layout])
    return _store(connection, log, cuts, index, people)


def layout_fingerprint(settings: Settings) -> str:
    """Of the settings that windows are laid out by; kept as the fact ``layout``."""
    return fingerprint(settings.pipeline.window_unit, settings.pipeline.window_size)


def _cuts(
    ids: np.ndarray, sizes: np.ndarray, size: int, unit: str, stored: Sequence[tuple[str, int]]
) -> list[Cut]:
    """New cuts; with stored ones, only what lies before the first and what the last can't hold is cut."""
    seconds = ids // IDS_A_MINUTE * 60
    if not stored:
        return cut_log(seconds, sizes, size, unit)
    taken = [key for key, _ in stored]
    starts = np.searchsorted(ids, [first for _, first in stored])
    cuts = cut_log(seconds[: starts[0]], sizes[: starts[0]], size, unit, taken)
    taken += [cut.label for cut in cuts]
    for (key, _), (first, after) in zip(stored[:-1], pairwise(starts.tolist()), strict=True):
        if after > first:
            cuts.append(_cut(key, first, after - 1, seconds))
    # The last window is filled up, and what it can't hold is cut further.
    last = int(starts[-1])
    tail = cut_log(seconds[last:], sizes[last:], size, unit, [*taken, stored[-1][0]])
    for i, cut in enumerate(tail):
        cuts.append(_cut(stored[-1][0] if i == 0 else cut.label, cut.first + last, cut.last + last, seconds))
    return cuts


def _cut(key: str, first: int, last: int, seconds: np.ndarray) -> Cut:
    start, end = (np.datetime64(int(seconds[i]), "s").item() for i in (first, last))
    return Cut(key, first, last, start, end)


def _store(
    connection: duckdb.DuckDBPyConnection,
    log: Log,
    cuts: Sequence[Cut],
    index: NameIndex,
    people: Mapping[str, tuple[str, bool, str]],
) -> LayoutChange:
    before: dict[str, tuple[str, str, str | None, bool]] = {
        key: (content, touched, reported, retired)
        for key, content, touched, reported, retired in connection.execute(
            "SELECT key, content, touched, reported, retired FROM windows"
        ).fetchall()
    }
    with ThreadPoolExecutor() as threads:  # to hash needs no lock of Python's
        hashes = threads.map(log.fingerprint, [cut.first for cut in cuts], [cut.last for cut in cuts])
        contents = dict(zip([cut.label for cut in cuts], hashes, strict=True))
    # A window that returns has missed the names learnt while it was retired.
    changed = {
        key
        for key, content in contents.items()
        if key not in before or before[key][0] != content or before[key][3]
    }
    _find_people(connection, log, cuts, index, people, changed)
    touched = _touched(connection, people.values(), contents)
    total = np.cumsum(np.append(0, log.sizes))
    laid = pa.table(
        {
            "key": pa.array(contents, pa.string()),
            "ordinal": pa.array(range(len(cuts)), pa.int32()),
            "first_id": pa.array([int(log.ids[cut.first]) for cut in cuts], pa.int64()),
            "last_id": pa.array([int(log.ids[cut.last]) for cut in cuts], pa.int64()),
            "start_time": pa.array([cut.start for cut in cuts], pa.timestamp("us")),
            "end_time": pa.array([cut.end for cut in cuts], pa.timestamp("us")),
            "messages": pa.array([cut.last - cut.first + 1 for cut in cuts], pa.int64()),
            "bytes": pa.array([int(total[cut.last + 1] - total[cut.first]) for cut in cuts], pa.int64()),
            "content": pa.array(contents.values(), pa.string()),
            "touched": pa.array([touched[key] for key in contents], pa.string()),
            "reported": pa.array(
                [before[key][2] if key in before else None for key in contents], pa.string()
            ),
            "retired": pa.array([False] * len(cuts), pa.bool_()),
        }
    )
    connection.execute("UPDATE windows SET retired = TRUE")
    connection.register("laid", laid)
    connection.execute("DELETE FROM windows WHERE key IN (SELECT key FROM laid)")
    connection.execute("INSERT INTO windows BY NAME SELECT * FROM laid")
    connection.unregister("laid")
    active = {key for key, (*_, retired) in before.items() if not retired}
    return LayoutChange(
        new=[key for key in contents if key not in active],
        changed=[
            key for key in contents if key in active and before[key][:2] != (contents[key], touched[key])
        ],
        retired=sorted(active - contents.keys()),
    )


def _find_people(
    connection: duckdb.DuckDBPyConnection,
    log: Log,
    cuts: Sequence[Cut],
    index: NameIndex,
    people: Mapping[str, tuple[str, bool, str]],
    changed: Collection[str],
) -> None:
    """Notes who speaks and who is named in each window; names are looked for where text or names are new."""
    persons = connection.execute("SELECT name, author_id FROM author_names ORDER BY name").fetchall()
    state = fingerprint(persons)
    known = connection.execute("SELECT value FROM facts WHERE key = 'names'").fetchone()
    connection.execute("INSERT OR REPLACE INTO facts VALUES ('names', ?)", [state])
    everywhere = known is None or known[0] != state
    scope = [cut for cut in cuts if everywhere or cut.label in changed]
    if not scope:
        return
    spoken = {cut.label: log.speakers(cut.first, cut.last) for cut in scope}
    named = _named(connection, log, scope, index, people, [name for name, _ in persons])
    rows = [
        (key, author, spoken[key].get(author, 0), author in named[key])
        for key in spoken
        for author in {*spoken[key], *named[key]}
    ]
    connection.execute(
        "DELETE FROM window_people WHERE list_contains(?, window_key)", [[c.label for c in scope]]
    )
    connection.register(
        "present",
        pa.table(
            {
                "window_key": pa.array([row[0] for row in rows], pa.string()),
                "author_id": pa.array([row[1] for row in rows], pa.string()),
                "messages": pa.array([row[2] for row in rows], pa.int64()),
                "named": pa.array([row[3] for row in rows], pa.bool_()),
            }
        ),
    )
    connection.execute("INSERT INTO window_people BY NAME SELECT * FROM present")
    connection.unregister("present")


def _named(
    connection: duckdb.DuckDBPyConnection,
    log: Log,
    scope: Sequence[Cut],
    index: NameIndex,
    people: Mapping[str, tuple[str, bool, str]],
    names: Sequence[str],
) -> dict[str, set[str]]:
    """Window → ids of the authors whom its texts may name."""
    named: dict[str, set[str]] = {cut.label: set() for cut in scope}
    candidates = connection.execute(
        "SELECT id, text FROM raw_messages WHERE id BETWEEN ? AND ? AND regexp_matches(text, ?)",
        [int(log.ids[scope[0].first]), int(log.ids[scope[-1].last]), name_sieve(names)],
    ).fetchall()
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


def _touched(
    connection: duckdb.DuckDBPyConnection, people: Iterable[tuple[str, bool, str]], keys: Iterable[str]
) -> dict[str, str]:
    """Window → hash of who speaks or is named in it, and of the names of those who are named.

    A name newly learnt of somebody changes exactly the windows whose texts may hold it.
    """
    known = {author: (opted_out, names) for author, opted_out, names in people}
    present: defaultdict[str, list[tuple[str, bool, str]]] = defaultdict(list)
    for key, author, named in connection.execute(
        "SELECT window_key, author_id, named FROM window_people"
    ).fetchall():
        opted_out, names = known.get(author, (False, ""))
        present[key].append((author, opted_out, names if named else ""))
    return {key: fingerprint(sorted(present[key])) for key in keys}
