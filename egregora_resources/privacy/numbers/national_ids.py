"""National identity, tax and social security numbers, known by their shape and check digits.

A shape that only such a number has is enough. One that any number could have ("nine digits") also needs
the word for it before ("CPF 123…"), or a site in that country.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

from egregora_resources.privacy.findings import Span
from egregora_resources.privacy.numbers import check_digits as check

_SEPARATORS = re.compile(r"[ .\-/]")


@dataclass(frozen=True, slots=True)
class _Shape:
    """A kind of number. `always`: the shape is telling; else `cue` or a site in one of `regions` is needed."""

    pattern: re.Pattern[str]
    valid: Callable[[str], bool]
    always: bool = False
    cue: re.Pattern[str] | None = None
    regions: frozenset[str] = frozenset()


def _shape(
    pattern: str, valid: Callable[[str], bool], *, always: bool = False, cue: str = "", regions: str = ""
) -> _Shape:
    return _Shape(
        re.compile(rf"(?<![a-z0-9])(?<![0-9][.,])(?:{pattern})(?![a-z0-9])(?![.,\-][0-9])"),
        valid,
        always,
        re.compile(
            rf"\b(?:{cue})\b[^\w\n]{{0,4}}(?:(?:number|numero|nummer|card|no|n|nr|e|o|es|est|is|ist|my|it's)\b[^\w\n]{{0,4}}){{0,3}}$"
        )
        if cue
        else None,
        frozenset(regions.split()),
    )


_SHAPES = (
    _shape(r"\d{3}\.\d{3}\.\d{3}[-/. ]\d{2}", check.cpf, always=True),
    _shape(r"\d{3} \d{3} \d{3} \d{2}|\d{3}-\d{3}-\d{3}-\d{2}|\d{9}-\d{2}", check.cpf, always=True),
    _shape(r"\d{11}", check.cpf, cue=r"cpf|c\.p\.f|documento", regions="BR"),
    _shape(r"[a-z0-9]{2}\.[a-z0-9]{3}\.[a-z0-9]{3}/[a-z0-9]{4}-\d{2}", check.cnpj, always=True),
    _shape(r"[a-z0-9]{8}/[a-z0-9]{4}-\d{2}", check.cnpj, always=True),
    _shape(r"[a-z0-9]{12}\d{2}", check.cnpj, cue="cnpj"),
    _shape(r"\d{14}", check.cnpj, regions="BR"),
    _shape(r"\d{3}\.\d{5}\.\d{2}-\d", check.pis, always=True),
    _shape(r"\d{11}", check.pis, cue="pis|pasep|nis|nit"),
    _shape(r"\d{1,2}\.\d{3}\.\d{3}-[0-9x]", lambda d: len(d) == 9 and check.rg(d), always=True),
    _shape(r"[\d.\-]{6,12}[0-9x]", lambda d: 7 <= len(d) <= 10, cue=r"rg|r\.g|identidade"),
    _shape(r"\d{3}-\d{2}-\d{4}", check.ssn, always=True),
    _shape(r"\d{3} ?\d{2} ?\d{4}", check.ssn, cue=r"ssn|social security"),
    _shape(r"\d{3}[ -]\d{3}[ -]\d{3}", check.sin, cue="sin|nas|social insurance", regions="CA"),
    _shape(r"\d{9}", check.sin, cue="sin|nas|social insurance"),
    _shape(r"\d{3}[ -]?\d{3}[ -]?\d{4}", check.nhs, cue="nhs"),
    _shape(r"[a-z]{2} ?\d{2} ?\d{2} ?\d{2} ?[a-d]", check.nino, always=True),
    _shape(r"\d{7}[a-w][a-iw]?", check.pps, cue="pps|ppsn", regions="IE"),
    _shape(r"\d{8}[ -]?[a-hj-np-tv-z]|\d{2}\.\d{3}\.\d{3}[ -]?[a-hj-np-tv-z]", check.dni, always=True),
    _shape(r"[xyz][ -]?\d{7}[ -]?[a-hj-np-tv-z]", check.dni, always=True),
    _shape(r"\d{3} ?\d{3} ?\d{3}", check.nif, cue="nif|contribuinte"),
    _shape(r"[a-z]{6}\d{2}[a-ehlmprst]\d{2}[a-z]\d{3}[a-z]", check.codice_fiscale, always=True),
    _shape(r"[12] ?\d{2} ?[0-9]{2} ?(?:\d{2}|2[ab]) ?\d{3} ?\d{3} ?\d{2}", check.nir, always=True),
    _shape(
        r"\d{2} ?\d{3} ?\d{3} ?\d{3}",
        check.steuer_id,
        cue=r"steuer-?id|idnr|steueridentifikationsnummer|tin",
        regions="DE",
    ),
    _shape(
        r"\d{9}|\d{4}\.\d{2}\.\d{3}|\d{3} \d{3} \d{3}", check.bsn, cue="bsn|burgerservicenummer|sofinummer"
    ),
    _shape(r"\d{2}\.\d{2}\.\d{2}-\d{3}\.\d{2}", check.belgian, always=True),
    _shape(r"\d{11}", check.belgian, cue="rijksregisternummer|registre national|nn", regions="BE"),
    _shape(r"756[. ]?\d{4}[. ]?\d{4}[. ]?\d{2}", check.ahv, always=True),
    _shape(r"\d{11}", check.pesel, cue="pesel", regions="PL"),
    _shape(r"(?:\d{2})?\d{6}[-+]\d{4}", check.personnummer, always=True),
    _shape(r"(?:\d{2})?\d{10}", check.personnummer, cue="personnummer|pnr|personnr", regions="SE"),
    _shape(r"\d{6}-?\d{4}", lambda _: True, cue="cpr|cpr-nummer"),
    _shape(r"\d{6}[-+a-fu-y]\d{3}[0-9a-y]", check.hetu, always=True),
    _shape(r"\d{6} ?\d{5}", check.fodselsnummer, cue="fodselsnummer|personnummer|fnr", regions="NO"),
    _shape(r"\d{4}[ -]\d{4}[ -]\d{4}", check.aadhaar, always=True),
    _shape(r"\d{12}", check.aadhaar, cue="aadhaar|aadhar|adhaar", regions="IN"),
    _shape(r"[a-z]{3}[abcfghljpt][a-z]\d{4}[a-z]", lambda _: True, cue="pan|pan card", regions="IN"),
    _shape(r"[a-zñ]{4}\d{6}[hmx][a-z]{5}[a-z0-9]\d", check.curp, always=True),
    _shape(r"[a-zñ&]{3,4}\d{6}[a-z0-9]{3}", lambda _: True, cue="rfc"),
    _shape(r"\d{2}-\d{8}-\d", check.cuit, always=True),
    _shape(r"\d{11}", check.cuit, cue="cuit|cuil", regions="AR"),
    _shape(r"\d{1,2}\.\d{3}\.\d{3}-[0-9k]", check.rut, always=True),
    _shape(r"\d{7,8}-[0-9k]", check.rut, cue="rut|run", regions="CL"),
    _shape(r"\d{11}", check.turkish, cue="tc|t\\.c|tckn|kimlik", regions="TR"),
    _shape(r"\d{6} ?\d{4} ?\d{3}", check.south_african, cue="id", regions="ZA"),
    _shape(r"[1-9]\d{5}(?:19|20)\d{9}[0-9x]", check.chinese, always=True),
    _shape(r"\d{6}-[1-8]\d{6}", check.korean, always=True),
    _shape(r"\d{3}-\d{3}-\d{3} \d{2}", check.snils, always=True),
    _shape(r"\d{13}", check.romanian, cue="cnp", regions="RO"),
    _shape(r"\d{6}/\d{4}", check.czech, always=True),
    _shape(r"\d{4}[ -]?\d{4}[ -]?\d{4}", check.my_number, cue="my ?number", regions="JP"),
    _shape(r"\d{3} ?\d{3} ?\d{3}", check.australian_tfn, cue="tfn|tax file"),
    _shape(r"\d{9}", check.israeli, cue="teudat zehut|tz", regions="IL"),
    _shape(r"\d{3} ?\d{3} ?\d{3}", check.partita_iva, cue="siren"),
    _shape(r"\d{3} ?\d{3} ?\d{3} ?\d{5}", check.partita_iva, cue="siret"),
    _shape(r"(?:it ?)?\d{11}", lambda d: check.partita_iva(d[-11:]), cue=r"p\.? ?iva|partita iva"),
    _shape(r"\d{3}-?\d{3}-?\d{2}-?\d{2}|\d{3}-\d{2}-\d{2}-\d{3}", check.nip, cue="nip"),
    _shape(r"[a-hjnp-suvw]-?\d{7}[0-9a-j]", check.cif, cue=r"cif|nif"),
    _shape(r"\d{10}|\d{12}", check.inn, cue="инн"),
    _shape(r"\d{3}[ -]?\d{3}[ -]?\d{3}[ -]?\d{2}", check.snils, cue="снилс"),
    _shape(r"[stfgm]\d{7}[a-z]", check.nric, always=True),
    _shape(r"[a-z]{1,2}\d{6}\([0-9a]\)", check.hkid, always=True),
    _shape(r"[a-z]{1,2}\d{6}[0-9a]", check.hkid, cue="hkid", regions="HK"),
    _shape(r"[a-z][1289]\d{8}", check.taiwanese, cue="id|身分證|身分證字號", regions="TW"),
    _shape(r"\d{11}", check.oib, cue="oib", regions="HR"),
    _shape(r"\d{10}", check.egn, cue="egn|егн", regions="BG"),
    _shape(r"\d{11}", check.baltic, cue="isikukood|asmens kodas", regions="EE LT"),
    _shape(r"\d{9}-?\d", check.ecuadorian, cue="cedula|ci", regions="EC"),
    _shape(r"\d{2} ?\d{3} ?\d{3} ?\d{3}", check.abn, cue="abn"),
    _shape(r"\d{4} ?\d{6}", check.austrian, cue="svnr|sozialversicherungsnummer|sv-nummer", regions="AT"),
    _shape(
        r"[a-z]{1,2} ?\d{6,8}|\d{8,9}",
        lambda _: True,
        cue="passport|passaporte|pasaporte|passeport|reisepass|passaporto",
    ),
)


def national_ids(folded: str, regions: Collection[str]) -> Iterator[Span]:
    """National numbers; `regions` are the countries the site's people are known to live in."""
    for shape in _SHAPES:
        for match in shape.pattern.finditer(folded):
            if not (
                shape.always or not shape.regions.isdisjoint(regions) or _cued(shape, folded, match.start())
            ):
                continue
            if shape.valid(_SEPARATORS.sub("", match[0])):
                yield match.span()


def _cued(shape: _Shape, folded: str, start: int) -> bool:
    return shape.cue is not None and shape.cue.search(folded[max(0, start - 40) : start]) is not None
