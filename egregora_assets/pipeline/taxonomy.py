"""The site's vocabulary of categories and tags: one spelling for what is one thing, stable as the site grows.

Posts keep the tags their writer chose; what readers see is settled here when the site is built, in the order of
the windows, so that the result doesn't depend on which window was written first. What a model finds to mean the same as
another term gives way to it, asked once a run about the run's new terms alone. A term once published stays,
unless the posts that brought it are withdrawn and no other has it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence

import duckdb
from snowballstemmer import stemmer

from egregora_resources.document import Document
from egregora_resources.document_kinds import PostMatter
from egregora_resources.llm.protocol import Provider
from egregora_resources.llm.tasks import Terms
from egregora_resources.warehouse.database import Warehouse
from egregora_resources.warehouse.documents import stored_posts
from egregora_resources.warehouse.results import load_documents
from egregora_resources.warehouse.vocabulary import (
    Synonym,
    add_terms,
    drop_synonyms,
    drop_terms,
    put_synonyms,
    synonyms,
    terms,
)

_ALGORITHMS = {
    "de": "german",
    "en": "english",
    "es": "spanish",
    "fr": "french",
    "it": "italian",
    "nl": "dutch",
    "pt": "portuguese",
}
_OTHER = {"category": "tag", "tag": "category"}


class Vocabulary:
    """Terms in use, by what they mean apart from case, accents, plural and punctuation."""

    def __init__(
        self,
        terms: Iterable[tuple[str, str]],
        language: str = "en",
        synonyms: Iterable[tuple[str, str, str]] = (),
    ) -> None:
        self._stem = stemmer(_ALGORITHMS.get(language, "english")).stemWord
        self._known = {(kind, self._key(term)): term for kind, term in terms}
        self._synonyms = {(kind, self._key(term)): stays for kind, term, stays in synonyms}
        self.added: list[tuple[str, str, str]] = []
        """(kind, term, window) of terms settled for the first time."""

    def settle(self, kind: str, term: str, window: str) -> str:
        """The spelling to show for a term."""
        key = (kind, self._key(term))
        if key not in self._known:
            stays = self._synonyms.get(key)
            if stays is not None and (kind, self._key(stays)) not in self._synonyms:
                return self.settle(kind, stays, window)
            # A category and a tag that are one thing have one page.
            self._known[key] = self._known.get((_OTHER[kind], key[1]), term)
            self.added.append((kind, self._known[key], window))
        return self._known[key]

    def settled(self, kind: str, term: str) -> bool:
        """Whether the term, or one that it means, is in use."""
        key = (kind, self._key(term))
        return key in self._known or key in self._synonyms

    def _key(self, term: str) -> str:
        plain = "".join(
            c for c in unicodedata.normalize("NFKD", term.casefold()) if not unicodedata.combining(c)
        )
        words = "".join(c if c.isalnum() else " " for c in plain).split()
        # What is all signs means just itself, and so does what differs in its signs alone (C, C++, C#).
        signs = "".join(c for c in plain if not (c.isalnum() or c.isspace() or c in "-_.,'’&/"))
        return " ".join([*(self._stem(word) for word in words), *filter(None, [signs])]) or term


def settle_posts(
    warehouse: Warehouse, posts: Sequence[Document[PostMatter]], language: str
) -> dict[str, tuple[str, list[str]]]:
    """Post id → (category, tags) in the vocabulary's spelling; new terms are stored."""
    vocabulary = _stored(warehouse, language)
    settled: dict[str, tuple[str, list[str]]] = {}
    for post in posts:
        category = post.front_matter.category
        tags = [vocabulary.settle("tag", tag, post.window) for tag in post.front_matter.tags]
        settled[post.id] = (
            vocabulary.settle("category", category, post.window) if category else "",
            list(dict.fromkeys(tags)),
        )
    add_terms(warehouse, vocabulary.added)
    return settled


def _stored(warehouse: Warehouse, language: str) -> Vocabulary:
    known = [(term.kind, term.term) for term in terms(warehouse)]
    return Vocabulary(known, language, synonyms(warehouse))


async def merge_new_terms(warehouse: Warehouse, provider: Provider, language: str) -> None:
    """Has the terms that no page shows yet compared with those in use: one call, or none if there is nothing new.

    Raises:
        ProviderError: there was no answer; every new term then stands for itself.
    """
    vocabulary = _stored(warehouse, language)
    new: dict[tuple[str, str], None] = {}
    people: dict[str, None] = {}
    messages: set[int] = set()
    for post in load_documents(warehouse, "posts", PostMatter):
        said = [("tag", tag) for tag in post.front_matter.tags]
        said += [("category", post.front_matter.category)] if post.front_matter.category else []
        found = [pair for pair in said if not vocabulary.settled(*pair)]
        if found:
            new |= dict.fromkeys(found)
            people |= dict.fromkeys(post.front_matter.people)
            messages |= set(post.front_matter.sources)
    if not new:
        return
    known = [(term.kind, term.term) for term in terms(warehouse)]
    request = Terms(
        known=list(dict.fromkeys(term for _, term in known)),
        new=list(dict.fromkeys(term for _, term in new)),
        people=list(people),
        messages=sorted(messages),
    )
    answer = (await provider.merge(request)).output
    stays = {term: other for term, other in answer.stays.items() if term in request.new}
    possible = {*known, *new}
    found = [
        Synonym(kind, term, other)
        for kind, term in new
        # What gives way itself takes nobody's place.
        if (other := stays.get(term)) and other not in stays and (kind, other) in possible
    ]
    put_synonyms(warehouse, found)


def prune(connection: duckdb.DuckDBPyConnection, windows: Sequence[str]) -> None:
    """Forgets the terms that came from these windows and stand in no post any more."""
    posts = stored_posts(connection)
    used = {("tag", tag) for post in posts for tag in post.tags}
    used |= {("category", post.category) for post in posts if post.category}
    came = {(term.kind, term.term) for term in terms(connection) if term.first_window in windows}
    drop_terms(connection, came - used)
    drop_synonyms(
        connection,
        {
            (s.kind, s.term)
            for s in synonyms(connection)
            if not used.issuperset({(s.kind, s.term), (s.kind, s.stays)})
        },
    )
