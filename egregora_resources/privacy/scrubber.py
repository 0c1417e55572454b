"""The whole cleaning of a text: names become tokens, personal numbers and addresses placeholders.

It looks for everything in one folded copy of the text and cuts what it found out of the text as written.
Cleaning a clean text changes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote

from egregora_resources.privacy.addresses import emails, is_secret, links, may_hold_link
from egregora_resources.privacy.findings import Finding, Occupied, cut, protected, without_overlaps
from egregora_resources.privacy.folded_text import MANY_DIGITS, Folded, fold
from egregora_resources.privacy.names.index import NameIndex
from egregora_resources.privacy.numbers.national_ids import national_ids
from egregora_resources.privacy.numbers.payments import cards, ibans
from egregora_resources.privacy.numbers.phones import phone_numbers

VERSION = 7
"""Part of fingerprints: raise it when the same rules and text give another result."""

_ROUNDS = 6
_PHONE_LINK = re.compile(
    r"(?:tel|sms|smsto|callto|facetime|whatsapp|sip):|://(?:www\.)?(?:wa\.me|api\.whatsapp\.com|web\.whatsapp\.com|chat\.whatsapp\.com|signal\.me)\b|^(?:www\.)?(?:wa\.me|api\.whatsapp\.com)\b"
)
_NUMBER_IN_LINK = re.compile(r"\d(?:[^\d/?&=#]{0,3}\d){6,}")
_PHONE_PARAMETER = re.compile(
    r"[?&#/](?:phone|tel|telefone|telefono|mobile|msisdn|whatsapp|cel|celular|fone|fax)=?/?\+?[\d(]"
)
_NUMBER_MENTION = re.compile(r"(?<![\w.@/])@~?\d{9,15}(?![\w@])")
"""How an export prints the mention of somebody whom the phone's owner hasn't saved: no region is needed to tell."""
_PLUS_NUMBER = re.compile(r"\+\(?\d(?:[ .()\-]{0,3}\d){6,14}")


@dataclass(frozen=True)
class ScrubRules:
    """What to take out, and which countries' numbers to expect."""

    region: str | None = None
    """Default country of phone numbers written without one, e.g. ``BR``."""
    regions_seen: tuple[str, ...] = ()
    """Countries of the phone numbers that stand as authors in the export."""
    emails: bool = True
    phones: bool = True
    cards: bool = True
    ibans: bool = True
    national_ids: bool = True


class Scrubber:
    """Cleans texts by one set of rules and names. Built once a run; safe to share between threads."""

    def __init__(self, rules: ScrubRules, names: NameIndex) -> None:
        self.rules = rules
        self.names = names
        wanted = (rules.region, *rules.regions_seen)
        self._regions = tuple(dict.fromkeys(region.upper() for region in wanted if region))

    def scrub(self, text: str) -> str:
        """The text without personal data.

        >>> Scrubber(ScrubRules(), NameIndex([])).scrub("Write to ana@example.com or call (555) 123-4567.")
        'Write to [e-mail] or call [phone].'
        """
        if "@" not in text and not self._suspicious(fold(text)):
            return text
        for _ in range(_ROUNDS):
            cleaned = self._round(text)
            if cleaned == text:
                break
            # What was cut out may have hidden something: look again, until nothing is found.
            text = cleaned
        return text

    def _suspicious(self, folded: str) -> bool:
        """A quick test: False means there is nothing to find."""
        return (
            may_hold_link(folded)
            or "(" in folded
            or "[" in folded
            or MANY_DIGITS.search(folded) is not None
            or self.names.may_touch(folded)
        )

    def _round(self, text: str) -> str:
        text = self.names.replace_mentions(text)
        folded = Folded(text)
        findings = self.find(folded)
        return cut(folded, findings) if findings else text

    def find(self, text: Folded) -> list[Finding]:
        """What has to go, in order of place."""
        folded = text.folded
        named = self.names.may_touch(folded)
        linked = may_hold_link(folded)
        addressed = self.rules.emails and ("@" in folded or "(" in folded or "[" in folded)
        numbered = MANY_DIGITS.search(folded) is not None
        occupied = Occupied(len(folded), protected(folded, self.names.tokens, self.names.hidden))
        findings: list[Finding] = []
        addresses = [span for span in emails(folded) if occupied.free(*span)] if addressed else []
        if linked:
            for start, end in links(folded):
                if any(begin < start < stop for begin, stop in addresses):
                    continue  # the domain of an address
                finding = self._in_link(text, start, end)
                if finding:
                    findings += without_overlaps([finding], occupied)
                else:
                    occupied.add(start, end)
        findings += without_overlaps((Finding(*span, "e-mail") for span in addresses), occupied)
        if numbered:
            findings += without_overlaps(self._numbers(folded), occupied)
            if self.rules.phones:
                findings += without_overlaps(self._phones(folded, occupied), occupied)
        if named:
            findings += without_overlaps(self.names.find(text), occupied)
        return sorted(findings, key=lambda finding: finding.start)

    def _numbers(self, folded: str) -> Iterator[Finding]:
        if self.rules.ibans:
            yield from (Finding(*span, "iban") for span in ibans(folded))
        if self.rules.cards:
            yield from (Finding(*span, "card") for span in cards(folded))
        if self.rules.national_ids:
            yield from (Finding(*span, "id number") for span in national_ids(folded, self._regions))

    def _phones(self, folded: str, occupied: Occupied) -> Iterator[Finding]:
        for match in _NUMBER_MENTION.finditer(folded):
            whose = self.names.of_number(match[0].lstrip("@~"))
            if len(whose) != 1:
                yield Finding(match.start() + 1, match.end(), "phone")
        for number in phone_numbers(occupied.blank(folded), self._regions):
            tokens = self.names.of_number(number.digits)
            mentioned = bool(tokens) and folded[number.start - 1 : number.start] == "@"
            unnamed = not tokens.isdisjoint(self.names.hidden)
            whose = tokens if len(tokens) == 1 else frozenset[str]()
            yield Finding(number.start - mentioned, number.end, "phone", whose, unnamed)

    def _in_link(self, text: Folded, start: int, end: int) -> Finding | None:
        """What a link gives away, if anything: the link as a whole goes then."""
        link = fold(unquote(text.written(start, end)))
        if self.rules.emails and (link.startswith("mailto:") or emails(link)):
            return Finding(start, end, "e-mail")
        if self.rules.phones and self._link_holds_phone(link):
            return Finding(start, end, "phone")
        return Finding(start, end, "link") if is_secret(link) or self.names.in_link(link) else None

    def _link_holds_phone(self, link: str) -> bool:
        if not _NUMBER_IN_LINK.search(link):
            return False
        if _PHONE_LINK.search(link) or _PHONE_PARAMETER.search(link):
            return True
        if any(
            self.names.of_number("".join(c for c in m[0] if c.isdecimal()))
            for m in _NUMBER_IN_LINK.finditer(link)
        ):
            return True
        return any(True for m in _PLUS_NUMBER.finditer(link) for _ in phone_numbers(m[0], ()))
