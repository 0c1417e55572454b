"""National numbers are known by their check digits: published examples are, mistyped ones are not."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from egregora_resources.privacy.numbers import check_digits as check
from egregora_resources.privacy.numbers.national_ids import national_ids
from egregora_resources.privacy.numbers.payments import cards, ibans, luhn

CHECKED: list[tuple[Callable[[str], bool], str]] = [
    (check.cpf, "52998224725"),
    (check.cnpj, "11222333000181"),
    (check.cnpj, "12abc34501de35"),
    (check.pis, "12056412545"),
    (check.sin, "123456782"),
    (check.nhs, "9434765919"),
    (check.pps, "6433435f"),
    (check.pps, "6433435oa"),
    (check.dni, "12345678z"),
    (check.dni, "x1234567l"),
    (check.nif, "123456789"),
    (check.codice_fiscale, "rssmra85t10a562s"),
    (check.nir, "255081416802538"),
    (check.steuer_id, "47036892816"),
    (check.bsn, "111222333"),
    (check.belgian, "85073003328"),
    (check.ahv, "7569217076985"),
    (check.pesel, "44051401359"),
    (check.personnummer, "8112289874"),
    (check.hetu, "131052308t"),
    (check.fodselsnummer, "15076500565"),
    (check.aadhaar, "234123412346"),
    (check.curp, "boxw310820hnerxn09"),
    (check.cuit, "20055361682"),
    (check.rut, "125319092"),
    (check.turkish, "17291716060"),
    (check.south_african, "7503305044089"),
    (check.chinese, "360426199101010071"),
    (check.snils, "11223344595"),
    (check.romanian, "1630615123457"),
    (check.czech, "7103192745"),
    (check.my_number, "123456789018"),
    (check.australian_tfn, "123456782"),
    (check.israeli, "039337423"),
    (check.partita_iva, "12345670017"),
    (check.nip, "1234563218"),
    (check.cif, "a58818501"),
    (check.inn, "500100732259"),
    (check.inn, "7707083893"),
    (check.nric, "s1234567d"),
    (check.hkid, "a123456(3)"),
    (check.taiwanese, "a123456789"),
    (check.oib, "33392005961"),
    (check.egn, "7523169263"),
    (check.baltic, "37605030299"),
    (check.ecuadorian, "1710034065"),
    (check.abn, "51824753556"),
    (check.austrian, "1237010180"),
    (luhn, "4111111111111111"),
]


@pytest.mark.parametrize(("valid", "number"), CHECKED, ids=lambda value: getattr(value, "__name__", value))
def test_a_published_example_is_valid_and_its_typos_are_not(
    valid: Callable[[str], bool], number: str
) -> None:
    assert valid(number)
    typos = [
        number[:place] + str((int(digit) + step) % 10) + number[place + 1 :]
        for place, digit in enumerate(number)
        if digit.isdecimal()
        for step in (1, 4)
    ]
    assert sum(map(valid, typos)) <= len(typos) * 0.35


@pytest.mark.parametrize(
    ("text", "regions"),
    [
        ("my cpf is 529.982.247-25", ()),
        ("cpf: 52998224725", ()),
        ("52998224725", ("BR",)),
        ("cnpj 12.abc.345/01de-35", ()),
        ("ssn 123-45-6789", ()),
        ("nhs number: 943 476 5919", ()),
        ("ni ab 12 34 56 c", ()),
        ("dni 12.345.678-z", ()),
        ("nif 123456789", ()),
        ("2 55 08 14 168 025 38", ()),
        ("steuer-id 47 036 892 816", ()),
        ("85.07.30-033.28", ()),
        ("756.9217.0769.85", ()),
        ("44051401359", ("PL",)),
        ("811228-9874", ()),
        ("131052-308t", ()),
        ("2341 2341 2346", ()),
        ("20-05536168-2", ()),
        ("12.531.909-2", ()),
        ("112-233-445 95", ()),
        ("passport no: c01234567", ()),
        ("my aadhaar number is 234123412346", ()),
        ("pan abcpe1234f", ()),
        ("siren 732 829 320", ()),
        ("n° siret : 732 829 320 00074", ()),
        ("p.iva it12345670017", ()),
        ("nip 123-456-32-18", ()),
        ("инн 500100732259", ()),
        ("снилс 11223344595", ()),
        ("nric s1234567d", ()),
        ("a123456(3)", ()),
    ],
)
def test_a_national_number_is_found_in_its_usual_shape(text: str, regions: tuple[str, ...]) -> None:
    assert len(set(national_ids(text, regions))) >= 1


@pytest.mark.parametrize(
    "text",
    [
        "52998224725",
        "44051401359",
        "123456789",
        "the 12345678901 th",
        "2025-10-28",
        "10.000.000",
        "call 123456789 ok",
    ],
)
def test_bare_digits_are_no_national_number_without_a_reason(text: str) -> None:
    assert list(national_ids(text, ())) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("4111 1111 1111 1111", 1),
        ("4111111111111111 5555555555554444", 2),
        ("a 3782 822463 10005, b", 1),
        ("6011-0000-0000-0004", 1),
        ("4111 1111 1111 1112", 0),
        ("1234 5678 9012 3452", 0),
        ("x4111111111111111", 0),
        ("0.4111111111111111", 0),
    ],
)
def test_cards_are_told_from_other_long_numbers(text: str, found: int) -> None:
    assert len(list(cards(text))) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("gb82 west 1234 5698 7654 32", 1),
        ("iban de89370400440532013000, thanks", 1),
        ("br1800360305000010009795493c1", 1),
        ("pt50 0002 0123 1234 5678 9015 4 nl91abna0417164300", 2),
        ("gb82 west 1234 5698 7654 33", 0),
        ("zz82 west 1234 5698 7654 32", 0),
        ("to be 12 or not", 0),
    ],
)
def test_ibans_are_told_by_length_and_check_digits(text: str, found: int) -> None:
    assert len(list(ibans(text))) == found
