"""Whether digits are a phone number, by countries' numbering plans and by how they are written."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

import phonenumbers
from phonenumbers import PhoneNumberType

_GROUP = re.compile(r"\d+")
_WRITTEN_IN_PAIRS = frozenset({"DK", "NO", "FR", "BE", "LU", "CH", "IS", "SE", "FI", "NL", "CI", "SN"})
_ZERO_UNWRITTEN = frozenset({"BR", "CO"})
_ANY_LENGTH = frozenset({"DE", "AT"})
"""Almost any digits could be a landline there: groups of them, as in "pages 893-1060", tell nothing."""
_ZERO_OFTEN_UNWRITTEN = _ZERO_UNWRITTEN | {"AR", "TR", "IN"}
_TRUNK_REGIONS = (
    "GB",
    "FR",
    "DE",
    "IT",
    "NL",
    "BE",
    "CH",
    "AT",
    "SE",
    "IE",
    "AU",
    "NZ",
    "JP",
    "KR",
    "ZA",
    "TR",
    "IL",
    "RO",
    "FI",
    "UA",
    "TW",
    "ID",
    "TH",
    "MY",
    "AR",
    "BR",
    "EG",
    "IN",
    "PK",
    "VN",
)
_SURE_LAYOUTS = tuple(
    re.compile(pattern)
    for pattern in (
        r"\(0?\d{2,4}\)[ .\-]{0,2}\d{3,5}[ .\-]{0,3}\d{3,5}",
        r"\(0?\d{2,4}\)[ .\-]{0,2}9[ .\-]?\d{4}[ .\-]?\d{4}",
        r"(?:1[ .\-/]{0,3})?\(?[2-9]\d{2}\)?[ .\-/]{1,3}\d{3}[ .\-]{1,3}\d{4}",
        r"0?\d{2}[ .\-]{0,2}9?[ .]?\d{4}[ .]?-[ .]?\d{4}",
        r"0[1-9](?:[ .\-]\d{2}){4}",
        r"(?:8[ \-]?)?\(\d{3}\)[ \-]?\d{3}[ \-]\d{2}[ \-]\d{2}",
        r"[6-9]\d{4}[ \-]\d{5}",
        r"07\d{3}[ .\-]?\d{3}[ .\-]?\d{3}",
    )
)


def region_of(printed: str) -> str | None:
    """The country of an international number as an author's name, e.g. ``GB``; None if there is none.

    >>> region_of("+44 7700 900123")
    'GB'
    """
    try:
        number = phonenumbers.parse(printed, None)
    except phonenumbers.NumberParseException:
        return None
    code = number.country_code
    return phonenumbers.region_code_for_number(number) or (
        phonenumbers.region_code_for_country_code(code) if code else None
    )


@dataclass(frozen=True, slots=True)
class Candidate:
    """Digits that may be a phone number, with what speaks for and against it."""

    written: str
    digits: str
    plus: bool
    whole: bool
    """Nothing more stands in the same run of digits."""
    glued: bool
    """A letter touches it."""
    phone_cue: bool
    id_cue: bool

    @property
    def grouped(self) -> bool:
        return not self.written.lstrip("+( ").isdecimal()


@lru_cache(maxsize=16384)
def judge(candidate: Candidate, regions: tuple[str, ...]) -> str | None:
    """The digits of the phone number that a candidate is, in international form if possible; else None."""
    digits, plus = candidate.digits, candidate.plus
    if sum(c.isdecimal() for c in candidate.written.rpartition("(")[0]) > 4:
        return None  # a parenthesis that late opens the next number
    if re.fullmatch(r"(\d)\1+|\d0{6,}", digits):
        return None  # 99999999, 10000000000
    if plus:
        return _international(digits, candidate.whole or candidate.phone_cue) or (
            digits if candidate.phone_cue and candidate.whole else None
        )
    if digits.startswith("00") and len(digits) > 9 and (found := _international(digits[2:], candidate.whole)):
        return found
    if candidate.glued or _only_years(candidate.written) or len(digits) > 15:
        return None
    for region in regions:
        if found := _national(candidate, region):
            return found
    marked = candidate.whole or digits[0] == "0" or re.search("[-.(]", candidate.written)
    if marked and any(layout.fullmatch(candidate.written) for layout in _SURE_LAYOUTS):
        return None if candidate.id_cue and not candidate.grouped else digits
    with_trunk_zero = digits[0] == "0" and len(digits) > 8 and candidate.grouped
    listed = _pairs(candidate.written) and not candidate.whole
    if with_trunk_zero and candidate.written.count("/") < 2 and not listed:
        for region in _TRUNK_REGIONS:
            if found := _valid(digits, region) or (candidate.whole and _possible(digits, region)):
                return found
    if candidate.id_cue or _is_barcode(digits) or not candidate.whole:
        return None
    if candidate.phone_cue and not _thousands(candidate.written):
        return digits
    return digits if 10 < len(digits) < 14 and _mobile(digits) else None


def _national(candidate: Candidate, region: str) -> str | None:
    """A number of the country `region`, written as people there do."""
    digits, grouped = candidate.digits, candidate.grouped
    thousands = not candidate.phone_cue and _thousands(candidate.written, " " if digits[0] == "0" else ".")
    if thousands or candidate.written.count("/") > 1:
        return None
    if _is_barcode(digits) or (candidate.id_cue and not grouped) or _packed_date(digits):
        return None
    valid = _valid(digits, region)
    if _pairs(candidate.written) and digits[0] != "0":
        # Where numbers begin with 0, only those of mobiles are written without it.
        known = valid and (_trunk(region) != "0" or _mobile(valid))
        abroad = digits.startswith(str(phonenumbers.country_code_for_region(region)))
        if region not in _WRITTEN_IN_PAIRS or _counted(candidate.written) or not (known or abroad):
            return None
    told = grouped and (candidate.phone_cue or region not in _ANY_LENGTH)
    if valid and not told and digits[0] != "0" and _trunk(region) == "0" and not _mobile(valid):
        # People there don't write a landline without its 0; in Brazil and Colombia they never write it.
        valid = valid if region in _ZERO_UNWRITTEN else None
    if valid and (grouped or candidate.whole) and (not candidate.id_cue):
        return valid
    if candidate.id_cue or not candidate.whole:
        return None
    possible = _possible(digits, region)
    begun = (
        digits[0] == "0" or _trunk(region) != "0" or region in _ZERO_OFTEN_UNWRITTEN or candidate.phone_cue
    )
    if possible and begun and grouped and len(digits) > 8 and not _thousands(candidate.written):
        return possible
    if possible and len(digits) > 9 and digits[0] == "0" == _trunk(region):
        return possible
    if possible and region in {"US", "CA"} and len(digits) == 10 and digits[0] in "23456789":
        return possible
    if region in {"US", "CA"} and re.fullmatch(r"[2-9]\d{2}[-.]\d{4}", candidate.written):
        return digits
    if region == "BR" and re.fullmatch(r"(?:9[ .]?\d{4}|[2-5]\d{3})-\d{4}", candidate.written):
        return digits
    # Without its plus: 447700900123
    code = str(phonenumbers.country_code_for_region(region))
    return _international(digits, True) if digits.startswith(code) and len(digits) > 10 else None


@lru_cache(maxsize=4096)
def _international(digits: str, whole: bool) -> str | None:
    try:
        number = phonenumbers.parse("+" + digits, None)
    except phonenumbers.NumberParseException:
        return None
    good = phonenumbers.is_possible_number(number) if whole else phonenumbers.is_valid_number(number)
    return f"{number.country_code}{phonenumbers.national_significant_number(number)}" if good else None


def _parsed(digits: str, region: str) -> phonenumbers.PhoneNumber | None:
    try:
        return phonenumbers.parse(digits, region)
    except phonenumbers.NumberParseException:
        return None


@lru_cache(maxsize=4096)
def _valid(digits: str, region: str) -> str | None:
    number = _parsed(digits, region)
    if number is None or not phonenumbers.is_valid_number(number):
        return None
    return f"{number.country_code}{phonenumbers.national_significant_number(number)}"


def _possible(digits: str, region: str) -> str | None:
    number = _parsed(digits, region)
    if (
        number is None
        or phonenumbers.is_possible_number_with_reason(number) != phonenumbers.ValidationResult.IS_POSSIBLE
    ):
        return None
    return f"{number.country_code}{phonenumbers.national_significant_number(number)}"


@lru_cache(maxsize=4096)
def _mobile(digits: str) -> bool:
    """Whether this is a mobile number of some country with its code and without its plus."""
    try:
        number = phonenumbers.parse("+" + digits, None)
    except phonenumbers.NumberParseException:
        return False
    return phonenumbers.number_type(number) == PhoneNumberType.MOBILE


def _thousands(written: str, marks: str = ". ") -> bool:
    """Whether it reads as a large amount: 1.234.567.890 or 12 345 678."""
    return any(re.fullmatch(rf"[1-9]\d{{0,2}}(?:\{mark}\d{{3}}){{2,}}", written) for mark in marks)


def _pairs(written: str) -> bool:
    """Whether it reads as a list of small numbers: 10 20 30 40 50, 1 2 3 4 5 6 7."""
    groups = _GROUP.findall(written)
    return len(groups) > 3 and all(len(group) < 3 for group in groups)


def _counted(written: str) -> bool:
    """Whether it reads as counting: 1 2 3 4 5 6 7."""
    return sum(len(group) == 1 for group in _GROUP.findall(written)) > 1


@lru_cache(maxsize=512)
def _trunk(region: str) -> str | None:
    return phonenumbers.ndd_prefix_for_region(region, True)


def _only_years(written: str) -> bool:
    return all(re.fullmatch("(?:19|20)\\d\\d", group) for group in _GROUP.findall(written))


def _packed_date(digits: str) -> bool:
    return (
        re.fullmatch(
            r"(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:[01]\d[0-5]\d(?:[0-5]\d)?)?", digits
        )
        is not None
    )


def _is_barcode(digits: str) -> bool:
    """An EAN-13 of a book or with a Brazilian or German prefix, check digit included."""
    if len(digits) != 13 or digits[:3] not in {"978", "979", "789", "790", "400", "401", "402"}:
        return False
    total = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(digits[:12]))
    return (10 - total % 10) % 10 == int(digits[12])
