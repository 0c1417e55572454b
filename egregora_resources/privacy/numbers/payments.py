"""Payment card numbers and IBANs, told from other numbers by their check digits."""

from __future__ import annotations

import re
from collections.abc import Iterator

from stdnum import luhn

from egregora_resources.privacy.findings import Span

# Digits in groups, one separator between: long enough for a card, whatever else stands around.
_CARD_RUN = re.compile(r"(?<![a-z0-9])(?<!\d[.,])\d(?:[ \-.]{0,2}\d){11,40}(?![a-z0-9])")
_GROUP = re.compile(r"\d+")
_GROUPINGS = {
    14: {(14,), (4, 6, 4), (4, 4, 4, 2)},
    15: {(15,), (4, 6, 5), (4, 4, 4, 3)},
    16: {(16,), (4, 4, 4, 4), (8, 8), (4, 6, 6), (6, 10), (4, 12)},
    17: {(17,), (4, 4, 4, 4, 1)},
    18: {(18,), (4, 4, 4, 4, 2)},
    19: {(19,), (4, 4, 4, 4, 3), (6, 13)},
}

_IBAN_START = re.compile(r"(?<![a-z0-9])([a-z]{2})[ \-]{0,2}(\d)[ \-]{0,2}(\d)(?=[ \-.]{0,2}[a-z0-9])")
_IBAN_LENGTHS = {
    country: length
    for length, countries in {
        15: "no",
        16: "be",
        18: "dk fk fi fo gl nl sd",
        19: "mk si",
        20: "at ba ee kz lt lu mn xk",
        21: "ch hr li lv",
        22: "bg bh cr de gb ge ie me rs va",
        23: "ae gi il iq om so tl",
        24: "ad cz es md pk ro sa se sk tn vg",
        25: "ly pt st",
        26: "is tr",
        27: "bi dj fr gr it mc mr sm",
        28: "al az by cy do gt hn hu lb ni pl sv",
        29: "br eg ps qa ua",
        30: "jo kw mu ye",
        31: "mt sc",
        32: "lc",
        33: "ru",
    }.items()
    for country in countries.split()
}


def _card_network(digits: str) -> bool:
    """Whether a card network issues numbers that begin so and are that long."""
    length, first2, first3, first4 = len(digits), int(digits[:2]), int(digits[:3]), int(digits[:4])
    if digits[0] == "4":
        return length in {16, 19}
    if 51 <= first2 <= 55 or 2221 <= first4 <= 2720 or 2200 <= first4 <= 2205:
        return length == 16
    if first2 in {34, 37}:
        return length == 15
    if first2 in {36, 38, 39} or 300 <= first3 <= 305:
        return length in {14, 16}
    if 3528 <= first4 <= 3589 or first2 in {60, 62, 64, 65, 81, 82}:
        return 16 <= length <= 19
    if first2 in {50, 56, 57, 58, 59, 61, 63, 66, 67, 68, 69}:
        return 15 <= length <= 19
    return False


def cards(folded: str) -> Iterator[Span]:
    """Payment card numbers: a known network's prefix, a usual grouping, the right check digit."""
    for match in _CARD_RUN.finditer(folded):
        groups = [(m.start(), m.end()) for m in _GROUP.finditer(folded, *match.span())]
        place = 0
        while place < len(groups):
            decimals = place == 1 and folded[groups[1][0] - 1] == "."
            stop = None if decimals else _card_from(folded, groups, place)
            if stop is None:
                place += 1
                continue
            yield groups[place][0], groups[stop][1]
            place = stop + 1


def _card_from(folded: str, groups: list[Span], place: int) -> int | None:
    """The last group of the card number that begins at group `place`."""
    digits, shape = "", ()
    best: int | None = None
    for stop in range(place, len(groups)):
        start, end = groups[stop]
        digits += folded[start:end]
        shape = (*shape, end - start)
        if len(digits) > 19:
            break
        if shape in _GROUPINGS.get(len(digits), ()) and _card_network(digits) and luhn.is_valid(digits):
            best = stop
    return best


def ibans(folded: str) -> Iterator[Span]:
    """International bank account numbers with the right length and check digits."""
    done = 0
    for match in _IBAN_START.finditer(folded):
        length = _IBAN_LENGTHS.get(match[1])
        if length is None or match.start() < done:
            continue
        place, letters = match.start(), ""
        while place < len(folded) and len(letters) < length:
            character = folded[place]
            if character.isascii() and character.isalnum():
                letters += character
            elif character not in " -." or folded[place - 2] in " -.":
                break
            place += 1
        following = folded[place : place + 1]
        if len(letters) != length or (following.isascii() and following.isalnum()):
            continue
        if int("".join(str(int(c, 36)) for c in letters[4:] + letters[:4])) % 97 == 1:
            done = place
            yield match.start(), place
