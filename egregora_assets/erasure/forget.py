"""`forget`: takes a person out of everything the site has, for good, and keeps them out.

First what was made of their words is withdrawn, then everything stored goes in one transaction, then files, and in
the end the warehouse is rewritten, so that nothing can be read from its free pages. A `forget` that is killed in
between is finished by the next one, or before the next import (`unfinished`).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import duckdb

from egregora_assets.erasure.personal_data import PLACES, Erasure
from egregora_assets.erasure.unfinished import UNFINISHED, finish_forgetting
from egregora_assets.erasure.withdrawal import Withdrawal, withdraw
from egregora_assets.pipeline.context import PipelineContext
from egregora_assets.windowing.layout import lay_out_again
from egregora_resources.chat_log import persons as who
from egregora_resources.chat_log.erase import file_names
from egregora_resources.chat_log.versions import recombine_all
from egregora_resources.errors import UserError
from egregora_resources.people import Member, decide, load_forgotten, load_people, obey_commands
from egregora_resources.privacy.forgotten import hash_names
from egregora_resources.progress import Progress, Silent
from egregora_resources.site.site import Site
from egregora_resources.warehouse.facts import put_fact
from egregora_resources.warehouse.people import add_forgotten, printed_names
from egregora_resources.warehouse.raw_measures import files_only_of, messages_of
from egregora_resources.warehouse.windows import windows_with


class StillNamed(UserError):
    """The settings speak of somebody who is to be forgotten."""


@dataclass
class Forgetting:
    """Result of forgetting somebody."""

    token: str
    removed: dict[str, int] = field(default_factory=dict[str, int])
    """How much there was, by place."""
    zips: Sequence[Path] = ()
    """Imported files that still hold them; the owner's to delete. Those in the inbox with their folder."""
    named_in_settings: bool = False
    windows: int = 0
    """How many are written anew by the next write."""
    withdrawal: Withdrawal = field(default_factory=Withdrawal)


def forget_author(
    site: Site,
    member: Member,
    *,
    progress: Progress | None = None,
) -> Forgetting:
    """Forgets somebody. The caller holds the site's write lock.

    Raises:
        StillNamed: ``[privacy.authors]`` has a section for them; nothing was changed.
        SecretChanged: without the right secret they couldn't be kept out.
    """
    if member.token in site.settings.privacy.authors:
        raise StillNamed(
            f"{site.folder.settings} has a section [privacy.authors.{member.token}]. Take it out, then forget them."
        )
    progress = progress or Silent()
    with site.importing(progress):
        finish_forgetting(site)
        report = Forgetting(member.token)
        with site.warehouse.transaction() as connection:
            report.zips = _zips(connection, site, member)
            site.pseudonyms(connection)
            decide(connection, member.author_id, opted_out=True)
        report.named_in_settings = bool(
            set(member.names) & {name for group in site.settings.people.same for name in group}
        )
        progress.say("Taking what was made of their words off the site")
        counted = _count(site, member)
        report.withdrawal = withdraw(PipelineContext.of(site))
        progress.say("Removing what is stored")
        with site.warehouse.transaction() as connection:
            erasure = _erasure(connection, site, member)
            for place in PLACES:
                place.forget(connection, erasure)
            recombine_all(connection, who.known_persons(connection).printed())
            obey_commands(connection)
            report.windows = len(lay_out_again(connection, site.settings).changed)
            kept = {"token": member.token, "messages": erasure.messages, "media": erasure.media}
            put_fact(connection, UNFINISHED, json.dumps(kept))
        report.removed = counted | finish_forgetting(site)
    return report


def _count(site: Site, member: Member) -> dict[str, int]:
    with site.warehouse.connect() as connection:
        erasure = _erasure(connection, site, member, known_only=True)
        return {place.what: place.holds(connection, erasure) for place in PLACES}


def _erasure(
    connection: duckdb.DuckDBPyConnection, site: Site, member: Member, *, known_only: bool = False
) -> Erasure:
    """The person with everything that is found by their names; notes the hashes that keep them out."""
    pseudonyms = site.pseudonyms(connection)
    names = list(member.names)
    forgotten = load_forgotten(connection, pseudonyms)
    others = [name for name, author in printed_names(connection).items() if author != member.author_id]
    hashed = hash_names(names, others, pseudonyms.hashed, forgotten.language)
    forgotten = replace(forgotten, names=[*forgotten.names, *hashed])
    if not known_only:
        add_forgotten(connection, hashed)
    return Erasure(
        member.author_id,
        member.token,
        names,
        forgotten,
        [window for window, _ in windows_with(connection, [member.author_id])],
        messages_of(connection, names),
        files_only_of(connection, names),
    )


def _zips(connection: duckdb.DuckDBPyConnection, site: Site, member: Member) -> list[Path]:
    named = file_names(connection, member.names)
    return [site.folder.inbox / path if (site.folder.inbox / path).exists() else path for path in named]


def was_forgotten(site: Site, name: str) -> bool:
    """Whether a printed name is that of somebody forgotten."""
    with site.warehouse.connect() as connection:
        return bool(load_forgotten(connection, site.pseudonyms(connection)).person(name))


def find_member(site: Site, wanted: str) -> Member:
    """The person of a pseudonym, printed name or number; see `People.find`."""
    with site.warehouse.connect() as connection:
        return load_people(connection, site.settings).find(wanted)
