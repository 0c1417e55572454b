"""Checks of national numbers that python-stdnum lacks, or that it makes more narrowly than people's numbers are.

Each takes the number in small letters, without spaces, dots and slashes.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib import import_module
from types import ModuleType

from stdnum import luhn
from stdnum.exceptions import ValidationError


@cache
def stdnum_module(name: str) -> ModuleType:
    """A module of stdnum, loaded with the first number that looks like one of its kind: most texts need none."""
    return import_module(f"stdnum.{name}")


def _sum(values: Sequence[int], weights: Sequence[int]) -> int:
    return sum(value * weight for value, weight in zip(values, weights, strict=True))


def _digits(number: str) -> list[int]:
    return [int(character) for character in number if character.isdecimal()]


def pis(number: str) -> bool:
    """Brazil, social security."""
    *rest, check = _digits(number)
    return len(set(rest)) > 1 and check == -_sum(rest, (3, 2, 9, 8, 7, 6, 5, 4, 3, 2)) % 11 % 10


def rg(number: str) -> bool:
    """Brazil, identity card of São Paulo."""
    rest, check = _digits(number[:-1]), number[-1]
    return len(rest) == 8 and len(set(rest)) > 1 and check == "0123456789x"[-_sum(rest, range(2, 10)) % 11]


def nino(number: str) -> bool:
    """United Kingdom, national insurance; no check digit, but letters that are never used."""
    return (
        number[0] not in "dfiquv"
        and number[1] not in "dfioquv"
        and number[:2] not in {"bg", "gb", "nk", "kn", "tn", "nt", "zz"}
    )


def snils(number: str) -> bool:
    """Russia, social security."""
    digits = _digits(number)
    return digits[9] * 10 + digits[10] == _sum(digits[:9], range(9, 0, -1)) % 101 % 100


def nric(number: str) -> bool:
    """Singapore, citizens (S, T) and foreigners (F, G, M)."""
    letters = {"s": "jzihgfedcba", "t": "jzihgfedcba", "m": "xwutrqpnjlk"}.get(number[0], "xwutrqpnmlk")
    more = {"t": 4, "g": 4, "m": 3}.get(number[0], 0)
    return number[8] == letters[(_sum(_digits(number), (2, 7, 6, 5, 4, 3, 2)) + more) % 11]


def hkid(number: str) -> bool:
    """Hong Kong; the check character may stand in parentheses."""
    *rest, check = number.replace("(", "").replace(")", "")
    # One letter counts as if a space stood before it.
    values = [36] * (8 - len(rest)) + [int(character, 36) for character in rest]
    return check == "0123456789a"[-_sum(values, range(9, 1, -1)) % 11]


def taiwanese(number: str) -> bool:
    """Taiwan, citizens and residents."""
    area = "abcdefghjklmnpqrstuvxywzio".index(number[0]) + 10
    values = [area // 10, area % 10, *_digits(number)]
    return _sum(values, (1, 9, 8, 7, 6, 5, 4, 3, 2, 1, 1)) % 10 == 0


# From here on: looser than stdnum on purpose, because people have such numbers.


def _born(module: str, number: str) -> bool:
    """Whether the birth date in a number exists."""
    try:
        stdnum_module(module).get_birth_date(number)
    except ValidationError:
        return False
    return True


def hetu(number: str) -> bool:
    """Finland, with the temporary codes that hospitals give."""
    return stdnum_module("fi.hetu").is_valid(number, allow_temporary=True)


def personnummer(number: str) -> bool:
    """Sweden, with the coordination numbers of people who aren't registered: their day is 60 higher."""
    number = stdnum_module("se.personnummer").compact(number)
    day = int(number[-7:-5])
    born = f"{number[:-7]}{day - 60:02}{number[-5:]}" if day > 60 else number
    return _born("se.personnummer", born) and luhn.is_valid((number[:-5] + number[-4:])[-10:])


def south_african(number: str) -> bool:
    """South Africa, with refugees: 2 in the place that tells citizens (0) from residents (1)."""
    return number[10] in "012" and _born("za.idnr", number) and luhn.is_valid(number)


def chinese(number: str) -> bool:
    """China, whatever the place: stdnum wants one that had its number already when its owner was born."""
    return number[17].upper() == stdnum_module("cn.ric").calc_check_digit(number) and _born("cn.ric", number)


def korean(number: str) -> bool:
    """South Korea: since October 2020 the last digits are chance, and only the birth date can be checked."""
    return _born("kr.rrn", number)


def curp(number: str) -> bool:
    """Mexico, with X for a sex that is neither, and whatever the state."""
    checked = stdnum_module("mx.curp").calc_check_digit(number.upper()) == number[17]
    return checked and _born("mx.curp", number)
