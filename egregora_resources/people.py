"""The people of a site: persons, the names exports print, their pseudonyms, and what was decided about them.

Reads the raw `author_names`; what leaves this room are tokens, and the index that takes names out of text.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import cached_property

import duckdb

from egregora_resources.chat_log.placement import POSITIONS
from egregora_resources.document import fingerprint
from egregora_resources.errors import UserError
from egregora_resources.privacy.commands import Command, fold, parse_command
from egregora_resources.privacy.forgotten import Forgotten
from egregora_resources.privacy.names.index import NameIndex, Person
from egregora_resources.privacy.numbers.phone_plans import region_of
from egregora_resources.privacy.pseudonyms import Pseudonyms, clean_name, display_name, number_of
from egregora_resources.privacy.scrubber import Scrubber, ScrubRules
from egregora_resources.site.settings import PrivacyLevel, Settings
from egregora_resources.warehouse.facts import fact
from egregora_resources.warehouse.people import (
    ChatDecision,
    add_author,
    add_name,
    chat_opt_outs,
    forgotten_names,
    printed_names,
    put_owner_decision,
    replace_chat_decisions,
    stored_people,
    tokens,
)
from egregora_resources.warehouse.raw_log import commands_in_versions, said_commands

DECIDABLE = ("alias", "bio", "interests", "website", "twitter", "level", "opted_out")
"""What the owner may decide for somebody."""


@dataclass(frozen=True, slots=True)
class Member:
    """A person of the chat, with the decisions that hold: of the settings, else the owner's, else their own.

    Nobody's opt-out can be overruled: who said so themselves, or for whom the owner or the settings say so, is out.
    """

    author_id: str
    token: str
    names: tuple[str, ...]
    opted_out: bool = False
    alias: str | None = None
    bio: str | None = None
    avatar: str | None = None
    interests: str | None = None
    website: str | None = None
    twitter: str | None = None
    level: PrivacyLevel = "standard"
    """What pages show of them."""


class UnknownPerson(UserError):
    """A pseudonym, name or number that is nobody's."""


@dataclass(frozen=True)
class People:
    """Everybody of a site, as of one moment."""

    members: Sequence[Member]
    language: str = "en"

    @cached_property
    def by_name(self) -> Mapping[str, Member]:
        return {name: member for member in self.members for name in member.names}

    @cached_property
    def by_token(self) -> Mapping[str, Member]:
        return {member.token: member for member in self.members}

    def find(self, wanted: str) -> Member:
        """The person meant by a pseudonym (``amber-heron``, Amber Heron), an alias, a printed name or a number.

        Raises:
            UnknownPerson: nobody is, or several are; the message names the nearest by their pseudonyms.
        """
        asked = clean_name(wanted).casefold()
        number = number_of(wanted)
        found = [
            member
            for member in self.members
            if asked.lstrip("@") in (member.token, display_name(member.token).casefold())
            or any(number and number_of(name) == number for name in member.names)
            or any(clean_name(name).casefold() == asked for name in member.names)
        ] or [member for member in self.members if (member.alias or "").casefold() == asked]
        if len(found) == 1:
            return found[0]
        if found:
            raise UnknownPerson(
                f"“{wanted}” may be any of these: {', '.join(member.token for member in found)}. Give the pseudonym."
            )
        called = {
            word: member.token
            for member in self.members
            for word in (
                member.token,
                display_name(member.token).casefold(),
                *map(str.casefold, member.names),
            )
        }
        near = list(dict.fromkeys(called[word] for word in get_close_matches(asked, called, 3, 0.6)))
        hint = f" The nearest: {', '.join(near)}." if near else ""
        raise UnknownPerson(f"Nobody is called “{wanted}” here.{hint} `egregora people` lists everybody.")

    @cached_property
    def index(self) -> NameIndex:
        """Finds people named in a text."""
        return NameIndex([Person(m.token, m.names, m.opted_out) for m in self.members], self.language)

    @cached_property
    def touching(self) -> Mapping[str, tuple[str, bool, str]]:
        """Token → (author id, opted out, hash of the names): what a window's fingerprint knows of a person."""
        return {m.token: (m.author_id, m.opted_out, fingerprint(m.author_id, m.names)) for m in self.members}

    def scrubber(self, settings: Settings) -> Scrubber:
        """Cleans texts of names, numbers and addresses."""
        regions = {region_of(name) for member in self.members for name in member.names}
        return Scrubber(scrub_rules(settings, sorted(filter(None, regions))), self.index)


def scrub_rules(settings: Settings, regions_seen: Sequence[str] = ()) -> ScrubRules:
    """The scrubbing that the settings ask for; `regions_seen` are the countries of numbers seen as authors."""
    privacy = settings.privacy
    return ScrubRules(
        region=privacy.region or None,
        regions_seen=tuple(regions_seen),
        emails=privacy.scrub_emails,
        phones=privacy.scrub_phones,
        cards=privacy.scrub_cards,
        ibans=privacy.scrub_ibans,
        national_ids=privacy.scrub_national_ids,
    )


def load_people(connection: duckdb.DuckDBPyConnection, settings: Settings) -> People:
    """Everybody known to the warehouse.

    Raises:
        UnknownPerson: the settings speak of a pseudonym that nobody has.
    """
    language = settings.site.language
    if language == "auto":
        language = fact(connection, "language") or "en"
    members = [
        Member(
            stored.author_id,
            stored.token,
            tuple(stored.names),
            opted_out=stored.opted_out,
            alias=stored.alias,
            bio=stored.bio,
            avatar=stored.avatar,
            interests=stored.interests,
            website=stored.website,
            twitter=stored.twitter,
            level=stored.level or settings.privacy.level,
        )
        for stored in stored_people(connection)
    ]
    return People(_overridden(members, settings), language)


def load_forgotten(connection: duckdb.DuckDBPyConnection, pseudonyms: Pseudonyms) -> Forgotten:
    """Everybody who was forgotten, as the warehouse knows them by the hashes of their names."""
    language = fact(connection, "language") or "en"
    return Forgotten(forgotten_names(connection), pseudonyms.hashed, language)


def _overridden(members: Sequence[Member], settings: Settings) -> Sequence[Member]:
    """With what `[privacy.authors]` says.

    Raises:
        UnknownPerson: it speaks of somebody who isn't there.
    """
    overrides = settings.privacy.authors
    tokens = {member.token for member in members}
    for token in overrides:
        if members and token not in tokens:
            near = get_close_matches(token.lower().replace(" ", "-"), tokens, 1, 0.6)
            hint = f" Did you mean {near[0]}?" if near else ""
            raise UnknownPerson(
                f"[privacy.authors.{token}] in the settings: nobody has the pseudonym {token}.{hint} "
                "`egregora people` lists everybody's."
            )
    return [
        replace(
            member,
            level=said.level or member.level,
            alias=said.alias or member.alias,
            opted_out=said.opted_out or member.opted_out,
        )
        if (said := overrides.get(member.token))
        else member
        for member in members
    ]


def decide(connection: duckdb.DuckDBPyConnection, author_id: str, **decided: str | bool | None) -> None:
    """Notes what the owner decided for somebody, in the caller's transaction.

    Args:
        connection: of the warehouse.
        author_id: the person the decision applies to.
        decided: `alias`, `bio`, `level`, `opted_out` …; None takes a decision back.
    """
    for what, value in decided.items():
        if what not in DECIDABLE:
            raise ValueError(f"{what} can't be decided; it must be one of {', '.join(DECIDABLE)}")
        put_owner_decision(connection, author_id, what, value)


def learn_names(connection: duckdb.DuckDBPyConnection, names: Iterable[str], pseudonyms: Pseudonyms) -> int:
    """Gives everybody not yet known an id and a pseudonym; returns how many there were."""
    fresh = sorted(set(names) - printed_names(connection).keys())
    known = tokens(connection)
    for name in fresh:
        author = pseudonyms.author_id(name)
        if author not in known:
            known[author] = pseudonyms.token(author, set(known.values()))
            add_author(connection, author, known[author])
        add_name(connection, name, author)
    return len(fresh)


def said_of(text: str, *, media_omitted: bool) -> str:
    """What somebody wrote: of media that the phone left out, the caption without the line that says so."""
    return text.partition("\n")[2] if media_omitted else text


def obey_commands(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Folds the commands of the whole log into `decisions`; returns whose had no effect, when and why.

    Who opted out stays so until a later opt-in, even if the message that said it is deleted: whichever export
    comes first, the one that has the message or the one that has its deletion.
    """
    said: dict[str, list[Command]] = {}
    opted_out: dict[str, int] = {}
    opted_in: dict[str, int] = {}
    errors: list[str] = []
    for author, text, omitted, message, picture, token, time in said_commands(connection):
        command = parse_command(said_of(text, media_omitted=omitted))
        if command is None:
            continue
        if command.name == "avatar" and command.value is not None:
            # Only a picture sent along with the command can be an avatar.
            error = "" if picture else "no picture was sent with it, or the export has none"
            command = Command("avatar", picture, error)
        said.setdefault(author, []).append(command)
        if command.name == "opt-out":
            opted_out[author] = message
        elif command.name == "opt-in":
            opted_in[author] = message
        if command.error or command.name == "unknown":
            errors.append(f"{display_name(token)} on {time:%Y-%m-%d at %H:%M} ({command.error})")
    for author, message in _taken_back_opt_outs(connection):
        said.setdefault(author, [])
        # The same message may have another place within its minute by now: what the log has is believed.
        if author not in opted_out or opted_out[author] // POSITIONS < message // POSITIONS:
            opted_out[author] = message
    folded: list[ChatDecision] = []
    for author, commands in said.items():
        decided = fold(commands)
        out_at = opted_out.get(author)
        if out_at is not None and author in opted_in and opted_in[author] > out_at:
            out_at = None
        folded.append(
            ChatDecision(
                author,
                decided.alias,
                decided.bio,
                decided.avatar,
                decided.interests,
                decided.website,
                decided.twitter,
                out_at is not None,
                out_at,
            )
        )
    replace_chat_decisions(connection, folded)
    return errors


def _taken_back_opt_outs(connection: duckdb.DuckDBPyConnection) -> list[tuple[str, int]]:
    """Author and message of opt-outs that the log may not show any more, the earlier ones first.

    Those that held before, and those that only some exports still have.
    """
    found = [
        (author, -1 if message is None else message) for author, message in chat_opt_outs(connection).items()
    ]
    for author, text, omitted, message in commands_in_versions(connection):
        command = parse_command(said_of(text, media_omitted=omitted))
        if command is not None and command.name == "opt-out":
            found.append((author, message))
    return sorted(found, key=lambda one: one[1])
