"""How national numbers are checked. Each function takes the number's characters without separators."""

from __future__ import annotations

from collections.abc import Sequence

from egregora_resources.privacy.numbers.payments import luhn

_VERHOEFF_D = (
    "0123456789",
    "1234067895",
    "2340178956",
    "3401289567",
    "4012395678",
    "5987604321",
    "6598710432",
    "7659821043",
    "8765932104",
    "9876543210",
)
_VERHOEFF_P = (
    "0123456789",
    "1576283094",
    "5803796142",
    "8916043527",
    "9453126870",
    "4286573901",
    "2793806415",
    "7046913258",
)


def _sum(digits: str, weights: Sequence[int]) -> int:
    return sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=False))


def _varied(digits: str) -> bool:
    return len(set(digits)) > 1


def _plausible_date(month: str, day: str) -> bool:
    return 1 <= int(month) <= 12 and 1 <= int(day) <= 31


def cpf(d: str) -> bool:
    """Brazil, persons."""
    first = _sum(d, range(10, 1, -1)) * 10 % 11 % 10
    second = _sum(d, range(11, 1, -1)) * 10 % 11 % 10
    return _varied(d) and d[9:] == f"{first}{second}"


def cnpj(d: str) -> bool:
    """Brazil, companies; letters are allowed since 2026."""
    values = [ord(c) - 48 for c in d.upper()]
    weights = (6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2)
    checks = []
    for length in (12, 13):
        rest = sum(v * w for v, w in zip(values[:length], weights[13 - length :], strict=True)) % 11
        checks.append(0 if rest < 2 else 11 - rest)
    return _varied(d) and d[12:] == "".join(map(str, checks))


def pis(d: str) -> bool:
    """Brazil, social security."""
    rest = 11 - _sum(d, (3, 2, 9, 8, 7, 6, 5, 4, 3, 2)) % 11
    return _varied(d) and int(d[10]) == (0 if rest > 9 else rest)


def rg(d: str) -> bool:
    """Brazil, identity card of São Paulo."""
    rest = 11 - _sum(d, range(2, 10)) % 11
    return _varied(d) and d[8] == {10: "x", 11: "0"}.get(rest, str(rest))


def ssn(d: str) -> bool:
    """United States; no check digit, but areas and groups that are never given out."""
    return d[:3] not in {"000", "666"} and d[0] != "9" and d[3:5] != "00" and d[5:] != "0000"


def sin(d: str) -> bool:
    """Canada."""
    return d[0] not in "08" and luhn(d)


def nhs(d: str) -> bool:
    """England, health service."""
    check = 11 - _sum(d, range(10, 1, -1)) % 11
    return _varied(d) and check != 10 and int(d[9]) == check % 11


def nino(d: str) -> bool:
    """United Kingdom; no check digit, but letters that are never used."""
    return (
        d[0] not in "dfiquv"
        and d[1] not in "dfioquv"
        and d[:2] not in {"bg", "gb", "nk", "kn", "tn", "nt", "zz"}
    )


def pps(d: str) -> bool:
    """Ireland."""
    second = ord(d[8]) - 96 if len(d) > 8 and d[8] != "w" else 0
    return (_sum(d, range(8, 1, -1)) + 9 * second) % 23 == (ord(d[7]) - 96) % 23


def dni(d: str) -> bool:
    """Spain, citizens and foreigners."""
    number = d[:-1].translate(str.maketrans("xyz", "012"))
    return "trwagmyfpdxbnjzsqvhlcke"[int(number) % 23] == d[-1]


def nif(d: str) -> bool:
    """Portugal, tax."""
    rest = _sum(d, range(9, 1, -1)) % 11
    return d[0] in "1235689" and int(d[8]) == (0 if rest < 2 else 11 - rest)


def codice_fiscale(d: str) -> bool:
    """Italy."""
    odd = (1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23)
    total = 0
    for place, c in enumerate(d[:15]):
        value = int(c) if c.isdecimal() else ord(c) - 97
        total += value if place % 2 else odd[value]
    return chr(total % 26 + 97) == d[15]


def nir(d: str) -> bool:
    """France, social security."""
    number = d[:13].replace("2a", "19").replace("2b", "18")
    return number.isdecimal() and int(d[13:]) == 97 - int(number) % 97


def steuer_id(d: str) -> bool:
    """Germany, tax."""
    product = 10
    for digit in d[:10]:
        total = (int(digit) + product) % 10 or 10
        product = total * 2 % 11
    return d[0] != "0" and len(set(d[:10])) in {8, 9} and (11 - product) % 10 == int(d[10])


def bsn(d: str) -> bool:
    """Netherlands."""
    return _varied(d) and _sum(d, (9, 8, 7, 6, 5, 4, 3, 2, -1)) % 11 == 0


def belgian(d: str) -> bool:
    """Belgium, national register."""
    return int(d[9:]) in {97 - int(d[:9]) % 97, 97 - int("2" + d[:9]) % 97} and _plausible_date(
        d[2:4], d[4:6]
    )


def ahv(d: str) -> bool:
    """Switzerland, social security (an EAN-13 that begins with 756)."""
    return (10 - _sum(d, (1, 3) * 6) % 10) % 10 == int(d[12])


def pesel(d: str) -> bool:
    """Poland."""
    month = int(d[2:4]) % 20
    check = (10 - _sum(d, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3)) % 10) % 10
    return _plausible_date(str(month), d[4:6]) and check == int(d[10])


def personnummer(d: str) -> bool:
    """Sweden."""
    short = d.replace("+", "")[-10:]
    return _plausible_date(short[2:4], str(int(short[4:6]) % 60)) and luhn(short)


def hetu(d: str) -> bool:
    """Finland."""
    digits = d[:6] + d[-4:-1]
    return _plausible_date(d[2:4], d[:2]) and "0123456789abcdefhjklmnprstuvwxy"[int(digits) % 31] == d[-1]


def fodselsnummer(d: str) -> bool:
    """Norway."""
    first = -_sum(d, (3, 7, 6, 1, 8, 9, 4, 5, 2)) % 11
    second = -(_sum(d, (5, 4, 3, 2, 7, 6, 5, 4, 3)) + 2 * first) % 11
    return _plausible_date(str(int(d[2:4]) % 40), str(int(d[:2]) % 40)) and d[9:] == f"{first}{second}"


def aadhaar(d: str) -> bool:
    """India."""
    check = 0
    for place, digit in enumerate(reversed(d)):
        check = int(_VERHOEFF_D[check][int(_VERHOEFF_P[place % 8][int(digit)])])
    return d[0] not in "01" and check == 0


def curp(d: str) -> bool:
    """Mexico."""
    alphabet = "0123456789abcdefghijklmnñopqrstuvwxyz"
    total = sum(alphabet.index(c) * (18 - place) for place, c in enumerate(d[:17]))
    return str((10 - total % 10) % 10) == d[17]


def cuit(d: str) -> bool:
    """Argentina."""
    check = 11 - _sum(d, (5, 4, 3, 2, 7, 6, 5, 4, 3, 2)) % 11
    return d[:2] in {"20", "23", "24", "25", "26", "27", "30", "33", "34"} and int(d[10]) == {
        11: 0,
        10: 9,
    }.get(check, check)


def rut(d: str) -> bool:
    """Chile."""
    total = sum(int(c) * (2 + place % 6) for place, c in enumerate(reversed(d[:-1])))
    return {10: "k", 11: "0"}.get(11 - total % 11, str(11 - total % 11)) == d[-1]


def turkish(d: str) -> bool:
    """Turkey."""
    tenth = (7 * sum(map(int, d[0:9:2])) - sum(map(int, d[1:8:2]))) % 10
    return d[0] != "0" and int(d[9]) == tenth and int(d[10]) == sum(map(int, d[:10])) % 10


def south_african(d: str) -> bool:
    """South Africa."""
    return _plausible_date(d[2:4], d[4:6]) and d[10] in "012" and luhn(d)


def chinese(d: str) -> bool:
    """China."""
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return _plausible_date(d[10:12], d[12:14]) and "10x98765432"[_sum(d[:17], weights) % 11] == d[17]


def korean(d: str) -> bool:
    """South Korea (no check since 2020: the date and the century digit)."""
    return _plausible_date(d[2:4], d[4:6]) and d[6] in "123456789"


def snils(d: str) -> bool:
    """Russia, social security."""
    return int(d[9:]) == _sum(d, range(9, 0, -1)) % 101 % 100


def romanian(d: str) -> bool:
    """Romania."""
    rest = _sum(d, (2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9)) % 11
    return (
        d[0] in "12345678" and _plausible_date(d[3:5], d[5:7]) and int(d[12]) == (1 if rest == 10 else rest)
    )


def czech(d: str) -> bool:
    """Czechia and Slovakia."""
    return _plausible_date(str(int(d[2:4]) % 50 % 20), d[4:6]) and int(d) % 11 in {0, 10}


def my_number(d: str) -> bool:
    """Japan."""
    rest = _sum(d, (6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2)) % 11
    return _varied(d) and int(d[11]) == (0 if rest < 2 else 11 - rest)


def australian_tfn(d: str) -> bool:
    """Australia, tax."""
    return _varied(d) and _sum(d, (1, 4, 3, 7, 5, 8, 6, 9, 10)) % 11 == 0


def israeli(d: str) -> bool:
    """Israel."""
    return _varied(d) and luhn(d)


def partita_iva(d: str) -> bool:
    """Italy, companies; France's SIREN and SIRET are checked in the same way."""
    return _varied(d) and luhn(d)


def nip(d: str) -> bool:
    """Poland, tax."""
    return _varied(d) and _sum(d, (6, 5, 7, 2, 3, 4, 5, 6, 7)) % 11 == int(d[9])


def cif(d: str) -> bool:
    """Spain, companies."""
    check = (
        -(int(d[2]) + int(d[4]) + int(d[6]) + sum(int(c) * 2 // 10 + int(c) * 2 % 10 for c in d[1:8:2])) % 10
    )
    return d[8] in {str(check), "jabcdefghi"[check]}


def inn(d: str) -> bool:
    """Russia, tax: 10 digits of a company, 12 of a person."""
    weights = (3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8)
    checks = [_sum(d, weights[-length:]) % 11 % 10 for length in ((9,) if len(d) == 10 else (10, 11))]
    return _varied(d) and d[-len(checks) :] == "".join(map(str, checks))


def nric(d: str) -> bool:
    """Singapore."""
    total = _sum(d[1:8], (2, 7, 6, 5, 4, 3, 2)) + {"t": 4, "g": 4, "m": 3}.get(d[0], 0)
    return (
        d[8]
        == {"s": "jzihgfedcba", "t": "jzihgfedcba", "m": "xwutrqpnjlk"}.get(d[0], "xwutrqpnmlk")[total % 11]
    )


def hkid(d: str) -> bool:
    """Hong Kong; the check character stands in parentheses."""
    number = d.replace("(", "").replace(")", "")
    values = [36 if c == " " else int(c, 36) for c in number[:-1].rjust(8)]
    return number[-1] == "0123456789a"[-_sum_of(values, range(9, 1, -1)) % 11]


def _sum_of(values: Sequence[int], weights: Sequence[int]) -> int:
    return sum(value * weight for value, weight in zip(values, weights, strict=True))


def taiwanese(d: str) -> bool:
    """Taiwan."""
    area = "abcdefghjklmnpqrstuvxywzio".index(d[0]) + 10
    return (area // 10 + area % 10 * 9 + _sum(d[1:], (8, 7, 6, 5, 4, 3, 2, 1, 1))) % 10 == 0


def oib(d: str) -> bool:
    """Croatia."""
    product = 10
    for digit in d[:10]:
        product = ((int(digit) + product) % 10 or 10) * 2 % 11
    return _varied(d) and (11 - product) % 10 == int(d[10])


def egn(d: str) -> bool:
    """Bulgaria."""
    return (
        _plausible_date(str(int(d[2:4]) % 20), d[4:6])
        and _sum(d, (2, 4, 8, 5, 10, 9, 7, 3, 6)) % 11 % 10 == int(d[9])
    )  # fmt: skip


def baltic(d: str) -> bool:
    """Estonia and Lithuania."""
    rest = _sum(d, (1, 2, 3, 4, 5, 6, 7, 8, 9, 1)) % 11
    if rest == 10:
        rest = _sum(d, (3, 4, 5, 6, 7, 8, 9, 1, 2, 3)) % 11 % 10
    return _plausible_date(d[3:5], d[5:7]) and rest == int(d[10])


def ecuadorian(d: str) -> bool:
    """Ecuador."""
    return d[2] in "0123456" and luhn(d)


def abn(d: str) -> bool:
    """Australia, businesses."""
    return (_sum(d, (10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19)) - 10) % 89 == 0


def austrian(d: str) -> bool:
    """Austria, social security."""
    return _plausible_date(d[6:8], d[4:6]) and _sum(d, (3, 7, 9, 0, 5, 8, 4, 2, 1, 6)) % 11 == int(d[3])
