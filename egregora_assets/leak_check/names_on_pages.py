"""What pages call people and show of them, by the level of privacy: the one place where a token becomes a name.

Everything stored holds tokens, so that a level, an alias or a picture changes pages and never posts.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from egregora_resources.chat_log.persons import printed_name
from egregora_resources.people import Member, People, scrub_rules
from egregora_resources.privacy.names import index
from egregora_resources.privacy.pseudonyms import clean_name, display_name, number_of
from egregora_resources.privacy.scrubber import Scrubber
from egregora_resources.site.settings import Settings


def on_pages(member: Member) -> Member:
    """The member with what pages may show of them: on level ``strict`` nothing that they chose to show."""
    if member.level != "strict":
        return member
    return replace(member, alias=None, bio=None, avatar=None, interests=None, website=None, twitter=None)


def shown_name(member: Member, people: People, settings: Settings) -> str:
    """What pages call somebody.

    Their alias, which may be their own name but neither anybody else's nor a number or address; on level ``open``
    the name that exports print, unless that is one; else the pseudonym.
    """
    member = on_pages(member)
    if member.alias:
        others = [
            index.Person(m.token, m.names, m.opted_out) for m in people.members if m.token != member.token
        ]
        scrubber = Scrubber(scrub_rules(settings), index.NameIndex(others, people.language))
        if scrubber.scrub(member.alias) == member.alias:
            return member.alias
    if member.level == "open":
        name = clean_name(printed_name(member.names))
        rules = replace(scrub_rules(settings), emails=True, phones=True)
        if not number_of(name) and Scrubber(rules, index.NameIndex([])).scrub(name) == name:
            return name
    return display_name(member.token)


def shows_names(members: Iterable[Member]) -> list[str]:
    """Tokens of the people shown under their printed name; the owner is warned about them."""
    return [member.token for member in members if member.level == "open" and not member.opted_out]
