"""The site's vocabulary of categories and tags: one spelling for what is one thing, stable as the site grows.

Posts keep the tags their writer chose; what readers see is settled here when the site is built, in the order of
the windows, so that the result doesn't depend on which window was written first. A term once published stays,
unless the posts that brought it are withdrawn and no other has it.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable, Sequence

import duckdb
from snowballstemmer import stemmer

from egregora_resources.document import Document
from egregora_resources.warehouse import Warehouse

_ALGORITHMS = {
    "de": "german",
    "en": "english",
    "es": "spanish",
    "fr": "french",
    "it": "italian",
    "nl": "dutch",
    "pt": "portuguese",
}


class Vocabulary:
    """Terms in use, by what they mean apart from case, accents, plural and punctuation."""

    def __init__(self, terms: Iterable[tuple[str, str]], language: str = "en") -> None:
        self._stem = stemmer(_ALGORITHMS.get(language, "english")).stemWord
        self._known = {(kind, self._key(term)): term for kind, term in terms}
        self.added: list[tuple[str, str, str]] = []
        """(kind, term, window) of terms settled for the first time."""

    def settle(self, kind: str, term: str, window: str) -> str:
        """The spelling to show for a term."""
        key = (kind, self._key(term))
        if key not in self._known:
            self._known[key] = term
            self.added.append((kind, term, window))
        return self._known[key]

    def _key(self, term: str) -> str:
        plain = "".join(
            c for c in unicodedata.normalize("NFKD", term.casefold()) if not unicodedata.combining(c)
        )
        words = "".join(c if c.isalnum() else " " for c in plain).split()
        # What is all signs means just itself, and so does what differs in its signs alone (C, C++, C#).
        signs = "".join(c for c in plain if not (c.isalnum() or c.isspace() or c in "-_.,'’&/"))
        return " ".join([*(self._stem(word) for word in words), *filter(None, [signs])]) or term


def settle_posts(
    warehouse: Warehouse, posts: Sequence[Document], language: str
) -> dict[str, tuple[str, list[str]]]:
    """Post id → (category, tags) in the vocabulary's spelling; new terms are stored."""
    known = [
        (row[0], row[1]) for row in warehouse.rows("SELECT kind, term FROM vocabulary ORDER BY kind, term")
    ]
    vocabulary = Vocabulary(known, language)
    settled: dict[str, tuple[str, list[str]]] = {}
    for post in posts:
        category = post.front_matter["category"]
        tags = [vocabulary.settle("tag", tag, post.window) for tag in post.front_matter["tags"]]
        settled[post.id] = (
            vocabulary.settle("category", category, post.window) if category else "",
            list(dict.fromkeys(tags)),
        )
    if vocabulary.added:
        with warehouse.transaction() as connection:
            connection.executemany("INSERT OR IGNORE INTO vocabulary VALUES (?, ?, ?)", vocabulary.added)
    return settled


def prune(connection: duckdb.DuckDBPyConnection, windows: Sequence[str]) -> None:
    """Forgets the terms that came from these windows and stand in no post any more."""
    rows = connection.execute("SELECT front_matter FROM documents WHERE stage = 'posts'").fetchall()
    posts = [json.loads(row[0]) for row in rows]
    used = {("tag", tag) for post in posts for tag in post["tags"]}
    used |= {("category", post["category"]) for post in posts}
    came = connection.execute(
        "SELECT kind, term FROM vocabulary WHERE list_contains(?, first_window)", [list(windows)]
    ).fetchall()
    for kind, term in came:
        if (kind, term) not in used:
            connection.execute("DELETE FROM vocabulary WHERE kind = ? AND term = ?", [kind, term])
