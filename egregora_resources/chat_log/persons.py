"""Who is who: the names that exports print, and the persons behind them.

A phone prints people as its owner saved them, so one person may be a number in one export and a name in
another. They are found to be one by what they said: the same texts in the same minutes, each said once in
either export, under names of which neither occurs in the other export. Evidence is kept in `common_texts`
and only ever grows, so the outcome doesn't depend on the order of imports. What can't be found is told in
the settings (`[people] same`).

The log prints a person under one name, chosen by `printed_name` from all their names; their `author_id` is
the first one given, and stays.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import duckdb

ENOUGH_TEXTS = 2
"""Different texts in common that tell two names are one person …"""
ENOUGH_LETTERS = 16
"""… if they have this many characters together, of each text at most `LETTERS_PER_TEXT`."""
LETTERS_PER_TEXT = 20


class Pseudonyms(Protocol):
    """What is needed of `privacy.pseudonyms` to give a new person an id and a pseudonym."""

    def author_id(self, name: str, /) -> str:
        """The id of a person first known under this name."""
        ...

    def token(self, author_id: str, taken: set[str], /) -> str:
        """A pseudonym that is none of `taken`."""
        ...


@dataclass(slots=True)
class Persons:
    """Names grouped by person."""

    parents: dict[str, str] = field(default_factory=dict[str, str])

    def add(self, name: str) -> None:
        """Makes a name known, as a person of its own."""
        self.parents.setdefault(name, name)

    def join(self, one: str, other: str) -> bool:
        """Makes two names one person; False if they were."""
        roots = self.root(one), self.root(other)
        if roots[0] == roots[1]:
            return False
        self.parents[max(roots)] = min(roots)
        return True

    def root(self, name: str) -> str:
        """One name that stands for the person."""
        while self.parents[name] != name:
            name = self.parents[name]
        return name

    def groups(self) -> list[list[str]]:
        """All persons with their names."""
        groups: dict[str, list[str]] = {}
        for name in sorted(self.parents):
            groups.setdefault(self.root(name), []).append(name)
        return list(groups.values())

    def printed(self, among: Collection[str] | None = None) -> dict[str, str]:
        """The name that the log prints, for every name.

        Args:
            among: choose it from these, where a person has one of them.
        """
        return {
            name: printed_name([one for one in group if among is None or one in among] or group)
            for group in self.groups()
            for name in group
        }


def printed_name(names: Iterable[str]) -> str:
    """The name of a person in the log: a saved name rather than one they gave themselves or a number."""
    return min(names, key=lambda name: (not any(map(str.isalpha, name)), name.startswith("~"), name))


def known_persons(con: duckdb.DuckDBPyConnection) -> Persons:
    """The persons known so far."""
    persons = Persons()
    by_author: dict[str, str] = {}
    for name, author_id in con.execute("SELECT name, author_id FROM author_names").fetchall():
        persons.add(name)
        persons.join(name, by_author.setdefault(author_id, name))
    return persons


def add_names(persons: Persons, names: Iterable[str], pseudonyms: Pseudonyms) -> None:
    """Makes new names known; those that are only spelled differently share a person at once."""
    by_author = {pseudonyms.author_id(name): name for name in persons.parents}
    for name in names:
        persons.add(name)
        persons.join(name, by_author.setdefault(pseudonyms.author_id(name), name))


def join_told(persons: Persons, same: Sequence[Sequence[str]]) -> None:
    """Joins the names that the owner says are one person; names not seen yet count from then on."""
    for group in same:
        known = [name for name in group if name in persons.parents]
        for name in known[1:]:
            persons.join(known[0], name)


def join_evident(con: duckdb.DuckDBPyConnection, persons: Persons) -> bool:
    """Joins persons with enough texts in common; False if there were none."""
    rows: list[tuple[str, str, str, int]] = con.execute(
        "SELECT DISTINCT name, other, text_hash, length FROM common_texts"
    ).fetchall()
    joined_any = False
    while True:
        texts: dict[tuple[str, str], dict[str, int]] = {}
        for name, other, text_hash, length in rows:
            one, two = sorted((persons.root(name), persons.root(other)))
            if one != two:
                texts.setdefault((one, two), {})[text_hash] = length
        joined = False
        for (one, two), lengths in sorted(texts.items()):
            letters = sum(min(length, LETTERS_PER_TEXT) for length in lengths.values())
            if len(lengths) >= ENOUGH_TEXTS and letters >= ENOUGH_LETTERS:
                joined |= persons.join(one, two)
        if not joined:
            return joined_any
        joined_any = True


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of the persons.

    Attributes:
        joined: author ids that turned out to be one: the one kept, the one given up.
        renamed: the log prints some people under other names now.
    """

    joined: tuple[tuple[str, str], ...]
    renamed: bool


def settle_persons(
    con: duckdb.DuckDBPyConnection, persons: Persons, new_names: Sequence[str], pseudonyms: Pseudonyms
) -> Settled:
    """Stores the persons: ids for new ones, one id where several turned out to be one.

    Args:
        persons: all names, known and new.
        new_names: in the order in which they were first seen.
    """
    known: dict[str, str] = dict(con.execute("SELECT name, author_id FROM author_names").fetchall())
    names_before: dict[str, list[str]] = {}
    for name, author_id in known.items():
        names_before.setdefault(author_id, []).append(name)
    age = _ages(con, names_before)
    taken = {str(row[0]) for row in con.execute("SELECT token FROM authors").fetchall()}
    first_seen = {name: index for index, name in enumerate(new_names)}
    joined: list[tuple[str, str]] = []
    renames: list[tuple[str, str]] = []
    for group in sorted(persons.groups(), key=lambda names: min(first_seen.get(n, -1) for n in names)):
        ids = sorted({known[name] for name in group if name in known}, key=age.__getitem__)
        if not ids:
            ids = [pseudonyms.author_id(min(group, key=first_seen.__getitem__))]
            token = pseudonyms.token(ids[0], taken)
            taken.add(token)
            con.execute("INSERT INTO authors (author_id, token) VALUES (?, ?)", [ids[0], token])
        for given_up in ids[1:]:
            _carry_decisions(con, ids[0], given_up)
            con.execute("DELETE FROM authors WHERE author_id = ?", [given_up])
            joined.append((ids[0], given_up))
        now = printed_name(group)
        before = {printed_name(names_before[one]) for one in ids if one in names_before}
        renames += [(name, now) for name in sorted(before - {now})]
        for name in group:
            if known.get(name) != ids[0]:
                con.execute(
                    "INSERT OR REPLACE INTO author_names (name, author_id) VALUES (?, ?)", [name, ids[0]]
                )
    for before, now in renames:
        con.execute("UPDATE raw_messages SET name = ? WHERE name = ?", [now, before])
    return Settled(tuple(joined), bool(renames))


def _ages(con: duckdb.DuckDBPyConnection, names: dict[str, list[str]]) -> dict[str, tuple[int, int, str]]:
    """By author id, what sorts persons by when they were first seen."""
    seen: dict[str, tuple[int, int]] = {
        name: (sequence, position)
        for name, sequence, position in con.execute(
            "SELECT n.name, e.sequence, n.position FROM export_names n JOIN export_files e USING (digest) "
            "ORDER BY e.sequence DESC"
        ).fetchall()
    }
    never = (2**31, 0)
    return {
        author_id: (*min(seen.get(name, never) for name in whose), author_id)
        for author_id, whose in names.items()
    }


def _carry_decisions(con: duckdb.DuckDBPyConnection, kept: str, given_up: str) -> None:
    """What was decided about one person holds for both; who opted out under any name is out."""
    con.execute(
        """
        INSERT OR REPLACE INTO decisions
               (author_id, source, alias, bio, avatar, interests, website, twitter, opted_out, opted_out_at, level)
        SELECT $kept, old.source, coalesce(mine.alias, old.alias), coalesce(mine.bio, old.bio),
               coalesce(mine.avatar, old.avatar), coalesce(mine.interests, old.interests),
               coalesce(mine.website, old.website), coalesce(mine.twitter, old.twitter),
               CASE WHEN mine.opted_out OR old.opted_out THEN TRUE
                    ELSE coalesce(mine.opted_out, old.opted_out) END,
               greatest(mine.opted_out_at, old.opted_out_at), coalesce(mine.level, old.level)
        FROM decisions old
        LEFT JOIN decisions mine ON mine.author_id = $kept AND mine.source = old.source
        WHERE old.author_id = $given_up
        """,
        {"kept": kept, "given_up": given_up},
    )
    con.execute("DELETE FROM decisions WHERE author_id = ?", [given_up])
