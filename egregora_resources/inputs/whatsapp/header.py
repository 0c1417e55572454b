"""What a message header can look like: reads one line's header without knowing the file.

`sight` understands any order of date and clock in any script and language. It is slow and generous, and
serves only to learn a file's own shape, which then decides alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

from egregora_resources.inputs.whatsapp.word_tables import (
    MARKS,
    SPACES,
    is_day_period,
    letters,
    month,
    plain_spaces,
    without_marks,
)

_LONGEST = 72
_WEEKDAY = re.compile(r"[^\W\d_]{2,}")
_CLOSE_BRACKET = re.compile(rf"\](?::(?=[{SPACES}]))?[{SPACES}{MARKS}]?(?:[-–—][{SPACES}])?")
_CLOSE = re.compile(rf"[{SPACES}{MARKS}]+[-–—](?:[{SPACES}]|$)|[:;][{SPACES}]|[:;]$")
_UNITS = frozenset(("uhr", "ч", "г", "h", "hs", "hrs", "s", "น", "秒", "초"))
"""What may stand behind the clock."""
_NUMBER = re.compile(r"\d+")
_WORDS = re.compile(rf"[^\W\d_](?:[^\d:,،;/\[\]()\-–—{MARKS}]*[^\d:,،;/\[\]()\-–—{MARKS}{SPACES}])?")
_CLOCK_GAPS = frozenset((":", ".", "：", "٫", "h", "h:", "時", "时", "點", "点", "시"))
_SECOND_GAPS = _CLOCK_GAPS | {"分", "분", "min", "m"}
_DATE_GAPS = re.compile(r"[/.\-–‐．,،]{0,2}[RH]?|[年月년월/.\-]|\.?(?:de|of|na|ta’|da|di|du|d’)\.?", re.I)


@dataclass(frozen=True, slots=True)
class Sighting:
    """A header as one line has it.

    Attributes:
        fields: a letter for each field in order: the date's numbers a, b, c (M for a month's name), h, m, s,
            and p for the part of the day.
        literals: what stands before, between and after the fields, as it stands there.
        values: the fields' texts.
    """

    fields: str
    literals: tuple[str, ...]
    values: tuple[str, ...]

    @property
    def style(self) -> tuple[str, tuple[str, ...]]:
        """What all headers of one file share: fields and literals, marks, kinds of space and days of the week apart."""
        plain = tuple(plain_spaces(without_marks(text)) for text in self.literals)
        opening = _WEEKDAY.sub("…", plain[0])
        return self.fields, (opening, *plain[1:-1], plain[-1].rstrip())

    @property
    def length(self) -> int:
        """Characters up to the sender."""
        return sum(map(len, self.literals)) + sum(map(len, self.values))


def sight(line: str) -> Sighting | None:
    """The header at the start of `line`, if there is one."""
    head = line[: _LONGEST + 1]
    lead = len(head) - len(head.lstrip(MARKS))
    if head[lead : lead + 1] == "[":
        close = _CLOSE_BRACKET.search(head, lead)
        if close is None:
            return None
        return _read(head, lead + 1, close.start(), close.end())
    for close in _CLOSE.finditer(head, lead):
        found = _read(head, lead, close.start(), close.end())
        if found is not None:
            return _without_sender(found, head, lead)
    return None


def _without_sender(found: Sighting, head: str, lead: int) -> Sighting | None:
    """The header alone, where nothing but a space parts it from the sender; that name was taken for its end."""
    ending = found.literals[-1]
    words = _WORDS.search(ending)
    if words is None or ending.rstrip()[-1] not in ":;" or letters(words.group()) in _UNITS:
        return found
    stop = found.length - len(ending)
    return _read(head, lead, stop, stop + len(ending) - len(ending.lstrip(SPACES)))


def _read(head: str, start: int, stop: int, end: int) -> Sighting | None:
    numbers = [(m.start(), m.end()) for m in _NUMBER.finditer(head, start, stop)]
    if not 3 <= len(numbers) <= 6:
        return None
    named = None
    split = _split(head, numbers, named=False)
    if split is None or len(split[0]) == 2:
        named = _month_name(head, start, stop, numbers)
        split = _split(head, numbers, named=True) if named else split
    if split is None:
        return None
    date, clock = split
    marks = dict(zip(clock, "hms", strict=False))
    if named is None:
        marks |= dict(zip(date, "abc", strict=False))
    else:
        marks |= dict(zip(sorted((*date, named)), "abc", strict=False))
        marks[named] = "M"
    parts = dict(marks)
    period = _day_period(head, start, stop, sorted(parts), clock)
    if period is not None:
        parts[period] = "p"
    spans = sorted(parts)
    if not _plausible(head, parts):
        return None
    literals: list[str] = []
    at = 0
    for left, right in spans:
        literals.append(head[at:left])
        at = right
    literals.append(head[at:end])
    fields = "".join(parts[span] for span in spans)
    return Sighting(fields, tuple(literals), tuple(head[left:right] for left, right in spans))


_Span = tuple[int, int]


def _month_name(head: str, start: int, stop: int, numbers: list[_Span]) -> _Span | None:
    if len(numbers) == 6:
        return None
    for word in re.finditer(rf"[^\W\d_][^\d{SPACES},،:/\[\]\-]*", head[start:stop]):
        text = word.group().rstrip(".")
        if len(text) > 1 and month(text) and not is_day_period(text):
            return start + word.start(), start + word.start() + len(text)
    return None


def _split(head: str, numbers: list[_Span], *, named: bool) -> tuple[list[_Span], list[_Span]] | None:
    gaps = [_core(head[left[1] : right[0]]) for left, right in pairwise(numbers)]
    wide = [head[left[1] : right[0]] for left, right in pairwise(numbers)]
    count = len(numbers)
    for clock_size in (3, 2):
        date_size = count - clock_size
        if date_size not in ((2, 1) if named else (3, 2)):
            continue
        if date_size == 2 and not named and (clock_size == 3 or count != 4):
            continue
        for clock_first in (False, True):
            border = clock_size - 1 if clock_first else date_size - 1
            clock_at = 0 if clock_first else date_size
            date_at = clock_size if clock_first else 0
            clock_gaps = gaps[clock_at : clock_at + clock_size - 1]
            date_gaps = gaps[date_at : date_at + date_size - 1]
            if clock_gaps[0] not in _CLOCK_GAPS or any(gap not in _SECOND_GAPS for gap in clock_gaps[1:]):
                continue
            if plain_spaces(wide[clock_at]).endswith(". "):
                continue  # a day of the month and its dot
            if not named and not all(_DATE_GAPS.fullmatch(gap) for gap in date_gaps):
                continue
            if not re.search(rf"[{SPACES},،T]|[^\W\d_]", wide[border]):
                continue
            clock = numbers[clock_at : clock_at + clock_size]
            if any(right - left > 2 for left, right in clock):
                continue
            return numbers[date_at : date_at + date_size], clock
    return None


def _core(gap: str) -> str:
    return without_marks(gap).strip(SPACES)


def _day_period(head: str, start: int, stop: int, spans: list[_Span], clock: list[_Span]) -> _Span | None:
    edges = [start, *(edge for span in spans for edge in span), stop]
    first, last = spans.index(clock[0]), spans.index(clock[-1])
    # After the clock first: that is where most languages put it.
    for gap in (last + 1, first, *range(len(spans) + 1)):
        left, right = edges[2 * gap], edges[2 * gap + 1]
        run = _WORDS.search(head, left, right)
        if run is None:
            continue
        words = [(m.start(), m.end()) for m in re.finditer(rf"[^{SPACES}]+", run.group())]
        for size in range(len(words), 0, -1):
            for at in range(len(words) - size + 1):
                begin, end = words[at][0], words[at + size - 1][1]
                text = run.group()[begin:end]
                single = len(text.strip(".")) == 1 and text.isascii()
                if is_day_period(text) and not (single and gap != last + 1):
                    return run.start() + begin, run.start() + end
    return None


def _plausible(head: str, parts: dict[_Span, str]) -> bool:
    by_name = {name: head[left:right] for (left, right), name in parts.items()}
    limits = {"h": 24, "m": 59, "s": 59}
    if any(name in by_name and int(by_name[name]) > limit for name, limit in limits.items()):
        return False
    if any(len(by_name.get(name, "")) > 4 for name in "abc"):
        return False
    dates = [int(by_name[name]) for name in "abc" if name in by_name]
    if "M" in by_name:
        return any(1 <= value <= 31 for value in dates)
    small = [value for value in dates if 1 <= value <= 31]
    return len(small) >= 2 and any(value <= 12 for value in small)
