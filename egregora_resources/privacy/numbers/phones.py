"""Phone numbers in running text.

No single setting of the phonenumbers library is right: without a region ``(555) 123-4567`` stays, with
one ``R$ 1.234.567.890,00`` is taken. So what is surely something else (dates, amounts, IP addresses,
order numbers) is blanked first (`phone_evidence.py`), and what remains is judged by its layout, by the
words before it, and by the numbering plans of the countries that the site's people live in
(`phone_plans.py`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from egregora_resources.privacy.numbers.phone_evidence import ID_CUE, PHONE_CUE, blank_not_phones
from egregora_resources.privacy.numbers.phone_plans import Candidate, judge

_RUN = re.compile(
    r"(?:\+ ?|\( ?\+? ?)?\d(?:[ ()./\-~·]{0,4}\d){5,}(?P<extension>[ ,]{0,2}(?:ext|x|ramal|poste|durchwahl|ext\.)[. ]{0,2}\d{1,5})?"
)
_GROUP = re.compile(r"\d+")
_MOST_DIGITS = 17
_LONGEST_NUMBER = 15
_BREAK = re.compile(r"[ ()/~·+]*(?: -+ |\.+ )?[ (+]*")
"""Here, and not at a hyphen or dot within, one number may end and the next begin."""


@dataclass(frozen=True, slots=True)
class PhoneNumber:
    """A phone number found; `digits` are the full international ones where the country is known."""

    start: int
    end: int
    digits: str


def phone_numbers(folded: str, regions: Sequence[str]) -> Iterator[PhoneNumber]:
    """Phone numbers in a folded text; `regions` are tried in order for numbers without a country code."""
    text = blank_not_phones(folded)
    for match in _RUN.finditer(text):
        yield from _Run(text, match, tuple(regions)).numbers()


class _Run:
    """Groups of digits in a row, which may be one phone number, several, or none."""

    def __init__(self, text: str, match: re.Match[str], regions: tuple[str, ...]) -> None:
        self.text = text
        self.regions = regions
        self.start = match.start()
        self.end = match.end()
        digits_end = match.start("extension") if match["extension"] else match.end()
        self.groups = [(m.start(), m.end()) for m in _GROUP.finditer(text, match.start(), digits_end)]
        context = text[max(0, self.start - 60) : self.start]
        self.phone_cue = PHONE_CUE.search(context) is not None
        self.id_cue = not self.phone_cue and ID_CUE.search(context) is not None

    def numbers(self) -> Iterator[PhoneNumber]:
        """The phone numbers in the run: of all ways to read it, the one that leaves the fewest digits over."""
        # best[i]: digits covered from group i on, minus numbers used, and the first of those numbers.
        best: list[tuple[int, int, tuple[int, str] | None]] = [(0, 0, None)] * (len(self.groups) + 1)
        for first in reversed(range(len(self.groups))):
            best[first] = (best[first + 1][0], best[first + 1][1], None)
            for last, digits in self._from(first):
                covered = self._count(first, last) + best[last + 1][0]
                used = best[last + 1][1] - 1
                if (covered, used) > best[first][:2]:
                    best[first] = (covered, used, (last, digits))
        first = 0
        while first < len(self.groups):
            number = best[first][2]
            if number:
                last, digits = number
                yield PhoneNumber(self._opening(first), self._closing(first, last), digits)
                first = last
            first += 1

    def _count(self, first: int, last: int) -> int:
        return sum(end - start for start, end in self.groups[first : last + 1])

    def _from(self, first: int) -> Iterator[tuple[int, str]]:
        """The phone numbers that may begin at the group `first`: their last groups and digits."""
        before = self._before(first)
        plus = "+" in before
        if first and not plus and not _BREAK.fullmatch(before):
            return
        count, last = 0, first
        possible: list[tuple[int, str]] = []
        exists = False
        for last in range(first, len(self.groups)):
            count += self.groups[last][1] - self.groups[last][0]
            if count > _MOST_DIGITS:
                break
            if count < 7 or (last + 1 < len(self.groups) and not _BREAK.fullmatch(self._before(last + 1))):
                continue
            if digits := judge(self._candidate(first, last, plus, lenient=False), self.regions):
                exists = True
                yield last, digits
            elif plus and (digits := judge(self._candidate(first, last, plus, lenient=True), self.regions)):
                possible.append((last, digits))
        # With a plus it is a number in any case: if none exists, then one that could.
        if not exists:
            yield from possible
            if possible and first == 0 and count <= _LONGEST_NUMBER and last == len(self.groups) - 1:
                # Plans change, as Mexico's did for +52 1 55 1234 5678: no end of it is left standing.
                yield last, "".join(self.text[start:end] for start, end in self.groups)

    def _candidate(self, first: int, last: int, plus: bool, lenient: bool) -> Candidate:
        written = self.text[self._opening(first) : self.groups[last][1]]
        if written.startswith("(") and ")" not in written:
            written = written.lstrip("( ")  # opened for the sentence, not for an area code
        whole = first == 0 and last == len(self.groups) - 1
        before = self.text[self.start - 1 : self.start] if first == 0 else ""
        after = self.text[self.end : self.end + 1] if last == len(self.groups) - 1 else ""
        return Candidate(
            written=written,
            digits="".join(self.text[start:end] for start, end in self.groups[first : last + 1]),
            plus=plus,
            whole=whole or lenient,
            glued=(_is_letter(before) and not plus and not self.phone_cue) or _is_letter(after),
            phone_cue=self.phone_cue,
            id_cue=self.id_cue,
        )

    def _before(self, group: int) -> str:
        """What stands in the run before a group."""
        return self.text[self.groups[group - 1][1] if group else self.start : self.groups[group][0]]

    def _opening(self, first: int) -> int:
        """Where a number that begins with the group `first` really begins: its plus and parenthesis."""
        start = self.groups[first][0]
        earliest = self.groups[first - 1][1] if first else self.start
        while start > earliest and self.text[start - 1] in "+( ":
            start -= 1
        while self.text[start] == " ":
            start += 1
        return start

    def _closing(self, first: int, last: int) -> int:
        """Where it really ends: with its extension, or the parenthesis it opened."""
        if last == len(self.groups) - 1:
            return self.end
        end = self.groups[last][1]
        written = self.text[self._opening(first) : end]
        if written.count("(") > written.count(")"):
            end += self._before(last + 1).find(")") + 1
        return end


def _is_letter(character: str) -> bool:
    return character.isascii() and character.isalpha()
