"""The proof of `no_personal_data`: what is stored and what is about to be published, read by one who knows all names.

By provenance first: no message of somebody who opted out, and none that was retracted, is among the sources of
anything. Then by text. A hit tells kind, window and file; never the thing itself.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from egregora_assets.leak_check.names_on_pages import shown_name
from egregora_assets.leak_check.sources import MESSAGE_ID, SOURCES
from egregora_assets.pipeline.context import PipelineContext
from egregora_resources.cldr import calendar_words
from egregora_resources.llm.offline.wording import wording
from egregora_resources.people import scrub_rules
from egregora_resources.privacy.leak_detector import LeakDetector
from egregora_resources.privacy.names.index import Person
from egregora_resources.privacy.numbers.phone_plans import region_of
from egregora_resources.privacy.page_text import (
    strings_of,
    tells_of_its_maker,
    texts_of_folder,
)
from egregora_resources.publishing.atomic_swap import remove
from egregora_resources.publishing.content import PublishError
from egregora_resources.publishing.locale import strings_for
from egregora_resources.publishing.post_page import post_url
from egregora_resources.warehouse.database import Warehouse
from egregora_resources.warehouse.documents import message_texts, windows_of_pages
from egregora_resources.warehouse.erasure import distrust
from egregora_resources.warehouse.raw_log import texts_of, texts_of_others
from egregora_resources.warehouse.raw_measures import files_of_messages, unusable_messages

_NOT_WRITTEN = ("messages", "media", "site")
"""Stages that a leak doesn't come from: no other wording would come of making them again."""


@dataclass(frozen=True, slots=True)
class Hit:
    """Something personal where it must not be."""

    kind: str
    """source (made of a message that may not be used), metadata (in a picture), or as `Leak.kind`."""
    window: str
    """Key; empty where a page belongs to no single window."""
    file: str
    """Path within the site, or stage and window; never a name that is itself the leak."""

    def __str__(self) -> str:
        what = _WHAT.get(self.kind, self.kind)
        return f"{what} in {self.file}" + (f" (window {self.window})" if self.window else "")


_WHAT = {
    "name": "a name",
    "phone": "a phone number",
    "e-mail": "an e-mail address",
    "card": "the number of a payment card",
    "iban": "the number of a bank account",
    "id number": "a personal number",
    "link": "a link that gives somebody away",
    "verbatim": "words of somebody who opted out",
    "source": "what was made of a message that may not be used",
    "metadata": "a picture with its camera's notes",
}


class LeakFound(PublishError):
    """The newly built site holds something personal, and was not published."""

    def __init__(self, hits: Sequence[Hit], withdrawn: int) -> None:
        self.hits = sorted(hits, key=lambda hit: hit.window == "")
        more = f", and {len(hits) - 1} more" if len(hits) > 1 else ""
        held = "1 page" if withdrawn == 1 else f"{withdrawn} pages"
        gone = f" Withdrawn from the site that is online, for the same reason: {held}." if withdrawn else ""
        super().__init__(
            f"The new site was not published: the check found {self.hits[0]}{more}.{gone} {ADVICE}"
        )


ADVICE = (
    "Run `egregora write` again, which writes these windows anew; if it is found again and is a "
    "name, give the person an alias with `egregora people set`; report it as a fault in any case."
)


class LeakCheck:
    """Reads everything for personal data, as of the moment it is made."""

    def __init__(self, context: PipelineContext) -> None:
        self._context = context
        self._storage = context.storage

    @cached_property
    def hidden(self) -> tuple[list[str], list[str]]:
        """Tokens and printed names of those who opted out."""
        out = [member for member in self._context.people.members if member.opted_out]
        return [member.token for member in out], [name for member in out for name in member.names]

    @cached_property
    def detector(self) -> LeakDetector:
        """What finds names, numbers, addresses, and words of those who opted out."""
        people, settings = self._context.people, self._context.config
        regions = {region_of(name) for member in people.members for name in member.names}
        return LeakDetector(
            [Person(m.token, m.names, m.opted_out) for m in people.members],
            scrub_rules(settings, sorted(filter(None, regions))),
            self._their_texts(),
            self._other_texts(),
            allowed=[shown_name(m, people, settings) for m in people.members if not m.opted_out],
            own_words=list(self._own_words()),
            cleaned=lambda: message_texts(self._storage, particulars=True),
            language=people.language,
        )

    def _own_words(self) -> Iterator[str]:
        site, language = self._context.config.site, self._context.people.language
        yield from (site.title, site.description)
        strings, writer = strings_for(language), wording(language)
        for words, locale in ((strings.words, strings.locale), (writer.phrases, writer.locale)):
            yield from strings_of(words)
            yield from calendar_words(locale)

    def _their_texts(self) -> list[tuple[str, str]]:
        tokens = {name: m.token for m in self._context.people.members for name in m.names if m.opted_out}
        return [(tokens[name], text) for name, text in texts_of(self._storage, list(tokens))]

    def _other_texts(self) -> Iterator[str]:
        yield from texts_of_others(self._storage, self.hidden[1])
        yield from message_texts(self._storage)

    @cached_property
    def forbidden(self) -> frozenset[int]:
        """Ids of messages that may not be used or shown: of people who opted out, and those that were retracted."""
        return unusable_messages(self._storage, self.hidden[1])

    @cached_property
    def forbidden_media(self) -> frozenset[str]:
        """Ids of files that only such messages brought."""
        rows = files_of_messages(self._storage)
        shared = {media for message, media in rows if message not in self.forbidden}
        return frozenset(media for _, media in rows if media not in shared)

    def stored(self) -> list[Hit]:
        """What is found in the warehouse and in whatever else keeps texts: by source, then by text."""
        hits: dict[Hit, None] = {}
        for source in SOURCES:
            for window, where, text in source(self._context):
                ids = {int(number) for number in MESSAGE_ID.findall(text)}
                if not self.forbidden.isdisjoint(ids):
                    hits[Hit("source", window, where)] = None
                for leak in self.detector.find(text):
                    hits[Hit(leak.kind, window, where)] = None
        return list(hits)

    def published(self, folder: Path) -> list[Hit]:
        """What is found in a built site, its file names and pictures included."""
        windows = self._windows_of_pages()
        hits: dict[Hit, None] = {}
        for name, text in texts_of_folder(folder):
            leaks = self.detector.find(text)
            if leaks and self.detector.find(name):
                file = f"a file ({Path(name).suffix or 'without suffix'}) whose name gives somebody away"
            else:
                file = name
            hits.update(dict.fromkeys(Hit(leak.kind, windows.get(name, ""), file) for leak in leaks))
            if tells_of_its_maker(folder / name):
                hits[Hit("metadata", "", file)] = None
            if name.startswith("media/") and any(media in name for media in self.forbidden_media):
                hits[Hit("source", "", file)] = None
        return list(hits)

    def _windows_of_pages(self) -> Mapping[str, str]:
        return {post_url(slug): window for slug, window in windows_of_pages(self._storage).items()}

    def gate(self, new: Path) -> None:
        """Lets a newly built site pass, or has the pages of the current one that hold such withdrawn.

        Raises:
            LeakFound: naming window and file.
        """
        hits = self.published(new)
        remember_proof(self._storage, hits)
        if hits:
            withdrawn = withdraw_pages(self._context.folder.built, self)
            distrust(self._storage, {hit.window for hit in hits if hit.window}, kept=_NOT_WRITTEN)
            raise LeakFound(hits, len(withdrawn))

    def words_of_nobody(self) -> str:
        """What stands on a page that was withdrawn."""
        return strings_for(self._context.people.language)["unrenderable"]


PROOF = "proof"


def remember_proof(storage: Warehouse, hits: Iterable[Hit]) -> None:
    """Stores the hits of the last check of the built site."""
    storage.remember(PROOF, json.dumps([[hit.kind, hit.window, hit.file] for hit in hits]))


def last_proof(storage: Warehouse) -> list[Hit]:
    """Hits of the last check of the built site."""
    return [Hit(*hit) for hit in json.loads(storage.fact(PROOF) or "[]")]


def withdraw_pages(folder: Path, check: LeakCheck) -> list[str]:
    """Takes out of a site that is online whatever holds personal data; returns the files' paths."""
    if not folder.exists():
        return []
    gone: list[str] = []
    notice = check.words_of_nobody()
    for name, text in texts_of_folder(folder):
        path = folder / name
        if not check.detector.find(text) and not tells_of_its_maker(path):
            continue
        gone.append(name)
        # By a new file: the old one may be linked elsewhere.
        remove_file(path)
        if path.suffix == ".html" and not check.detector.find(name):
            path.write_text(f"<!doctype html><meta charset=utf-8><title>…</title><p>{notice}</p>\n", "utf-8")
    return gone


def remove_file(path: Path) -> None:
    """Removes a file, and its folder if nothing else is in it."""
    path.unlink()
    if not any(path.parent.iterdir()):
        remove(path.parent)
        path.parent.mkdir()
