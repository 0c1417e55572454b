"""National numbers are known by their check digits: published examples are, mistyped ones are not."""

from __future__ import annotations

import string
from collections.abc import Callable
from importlib import import_module

import pytest
from hypothesis import example, given, reject, settings
from hypothesis import strategies as st

from egregora_resources.privacy.folded_text import fold
from egregora_resources.privacy.names.index import NameIndex
from egregora_resources.privacy.numbers import own_checks as own
from egregora_resources.privacy.numbers.national_ids import national_ids
from egregora_resources.privacy.numbers.payments import cards, ibans
from egregora_resources.privacy.scrubber import Scrubber, ScrubRules

# stdnum's module, the word before the number, and a valid number as people write it.
LISTED = [
    ("br.cpf", "", "529.982.247-25"),
    ("br.cpf", "CPF", "52998224725"),
    ("br.cnpj", "", "11.222.333/0001-81"),
    ("br.cnpj", "CNPJ:", "12ABC34501DE35"),
    ("us.ssn", "", "123-45-6789"),
    ("ca.sin", "SIN", "123-456-782"),
    ("gb.nhs", "NHS number", "943 476 5919"),
    ("ie.pps", "PPSN", "6433435F"),
    ("ie.pps", "PPS", "6433435OA"),
    ("es.dni", "", "12345678-Z"),
    ("es.nie", "", "X-1234567-L"),
    ("pt.nif", "NIF", "123 456 789"),
    ("pt.nif", "contribuinte", "451234561"),
    ("it.codicefiscale", "", "RSSMRA85T10A562S"),
    ("fr.nir", "", "2 55 08 14 168 025 38"),
    ("de.idnr", "Steuer-ID", "47 036 892 816"),
    ("nl.bsn", "BSN", "111222333"),
    ("be.ssn", "", "85.07.30-033.28"),
    ("ch.ssn", "", "756.9217.0769.85"),
    ("pl.pesel", "PESEL", "44051401359"),
    ("no.fodselsnummer", "fødselsnummer", "150765 00565"),
    ("in_.aadhaar", "", "2341 2341 2346"),
    ("ar.cuit", "", "20-05536168-2"),
    ("ar.cuit", "CUIT", "50123456782"),
    ("cl.rut", "RUT", "12531909-2"),
    ("tr.tckimlik", "TCKN", "17291716060"),
    ("ro.cnp", "CNP", "1630615123457"),
    ("cz.rc", "", "821217/3960"),
    ("cz.rc", "rodné číslo", "7103192745"),
    ("jp.in_", "My Number", "123456789018"),
    ("au.tfn", "TFN", "123 456 782"),
    ("il.idnr", "teudat zehut", "039337423"),
    ("fr.siren", "SIREN", "732 829 320"),
    ("fr.siret", "SIRET", "732 829 320 00074"),
    ("it.iva", "P.IVA", "IT12345670017"),
    ("pl.nip", "NIP", "123-456-32-18"),
    ("es.cif", "CIF", "A-58818501"),
    ("ru.inn", "ИНН", "500100732259"),
    ("ru.inn", "ИНН", "7707083893"),
    ("hr.oib", "OIB", "33392005961"),
    ("bg.egn", "ЕГН", "7523169263"),
    ("lt.asmens", "isikukood", "37605030299"),
    ("lt.asmens", "asmens kodas", "33309240064"),
    ("ec.ci", "cédula", "171003406-5"),
    ("au.abn", "ABN", "51 824 753 556"),
    ("at.vnr", "SVNR", "1237 010180"),
]
OWN: list[tuple[Callable[[str], bool], str]] = [
    (own.pis, "120.56412.54-5"),
    (own.rg, "39.479.506-4"),
    (own.snils, "112-233-445 95"),
    (own.nric, "S1234567D"),
    (own.hkid, "A123456(3)"),
    (own.taiwanese, "A123456789"),
    (own.hetu, "131052-308T"),
    (own.personnummer, "811228-9874"),
    (own.south_african, "7503305044089"),
    (own.chinese, "360426199101010071"),
    (own.curp, "BOXW310820HNERXN09"),
]
CHARACTERS = string.digits + string.ascii_uppercase
SCRUBBER = Scrubber(ScrubRules(), NameIndex([]))


def _valid(module: str, number: str) -> bool:
    if module == "fr.nir" and number[0] in "0569":
        return False  # no such sex
    return import_module(f"stdnum.{module}").is_valid(number.replace(".", "").replace("/", ""))


def _with(number: str, place: int, character: str) -> str:
    """The number with another digit for a digit, or another letter for a letter."""
    old = number[place]
    alike = old.isalnum() and old.isdecimal() == character.isdecimal()
    return number[:place] + character + number[place + 1 :] if alike else number


def _mended(module: str, number: str) -> str:
    """A valid number that differs in one character or in two check digits; empty if there is none."""
    *_, tens, units = (place for place, character in enumerate(number) if character.isalnum())
    ones = (_with(number, place, c) for place in reversed(range(len(number))) for c in CHARACTERS)
    twos = (_with(_with(number, tens, t), units, u) for t in string.digits for u in string.digits)
    return next((changed for changed in (number, *ones, *twos) if _valid(module, changed)), "")


CHANGES = st.lists(st.tuples(st.integers(0, 19), st.sampled_from(CHARACTERS)), max_size=6)


@pytest.mark.parametrize(("module", "cue", "number"), LISTED)
@settings(max_examples=25)
@given(changes=CHANGES, mend=st.booleans())
@example(changes=[], mend=False)
def test_what_stdnum_calls_valid_goes_and_what_it_calls_invalid_is_no_id(
    module: str, cue: str, number: str, changes: list[tuple[int, str]], mend: bool
) -> None:
    assert _valid(module, number)
    for place, character in changes:
        number = _with(number, place % len(number), character)
    if mend and not (number := _mended(module, number)):
        reject()
    assert ("[id number]" in SCRUBBER.scrub(f"{cue} {number}")) == _valid(module, number)


@pytest.mark.parametrize(("valid", "number"), OWN, ids=lambda value: getattr(value, "__name__", value))
def test_a_published_example_is_valid_and_its_typos_are_not(
    valid: Callable[[str], bool], number: str
) -> None:
    assert "[id number]" in SCRUBBER.scrub(f"ID {number}")
    plain = fold(number).translate({ord(separator): None for separator in " ./"})
    typos = [
        _with(plain, place, str((int(digit) + step) % 10))
        for place, digit in enumerate(plain)
        if digit.isdecimal()
        for step in (1, 4)
    ]
    assert valid(plain)
    assert sum(map(valid, typos)) <= len(typos) * 0.35


@pytest.mark.parametrize(
    ("module", "number"),
    [
        pytest.param("fi.hetu", "131052-950H", id="temporary code of a Finnish hospital"),
        pytest.param("se.personnummer", "701063-2391", id="Swedish coordination number"),
        pytest.param("se.personnummer", "19701063-2391", id="Swedish coordination number with the century"),
        pytest.param("za.idnr", "7503305044287", id="refugee in South Africa"),
        pytest.param("cn.ric", "110113197001010011", id="Chinese county that is younger than its citizen"),
        pytest.param("kr.rrn", "990101-1234567", id="Korean number of after 2020"),
        pytest.param("mx.curp", "BOXW310820XNERXN03", id="Mexican of neither sex"),
        pytest.param("dk.cpr", "CPR 320101-1234", id="mistyped behind its word"),
    ],
)
def test_numbers_that_people_have_go_though_stdnum_is_stricter(module: str, number: str) -> None:
    assert not _valid(module, number.removeprefix("CPR "))
    assert SCRUBBER.scrub(f"ID {number}").endswith("[id number]")


def test_a_korean_number_needs_a_birth_date_that_exists() -> None:
    assert SCRUBBER.scrub("991301-1234567") == "991301-1234567"


def test_an_austrian_number_without_its_word_needs_a_day_and_month_that_stdnum_does_not_read() -> None:
    assert _valid("at.vnr", "1230 991799")
    assert list(national_ids("1230 991799", ("AT",))) == []
    assert list(national_ids("1237 010180", ("AT",))) == [(0, 11)]


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
