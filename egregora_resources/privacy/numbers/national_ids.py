"""National identity, tax and social security numbers, known by their shape and check digits.

A shape that only such a number has is enough. One that any number could have ("nine digits") also needs
the word for it before ("CPF 123…"), or a site in that country. What makes a number valid, python-stdnum
says; `own_checks.py` has the few kinds that it doesn't know or takes too narrowly.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

from egregora_resources.privacy.findings import Span
from egregora_resources.privacy.numbers import own_checks as own
from egregora_resources.privacy.numbers.own_checks import stdnum_module

_SEPARATORS = re.compile(r"[ ./]")
"""A hyphen stays, as it means something in Finland. stdnum takes it out where it doesn't."""


@dataclass(frozen=True, slots=True)
class _Shape:
    """A kind of number. `always`: the shape is telling; else `cue` or a site in one of `regions` is needed."""

    pattern: re.Pattern[str]
    valid: Callable[[str], bool]
    always: bool = False
    cue: re.Pattern[str] | None = None
    regions: frozenset[str] = frozenset()


def _shape(
    pattern: str,
    valid: str | Callable[[str], bool],
    *,
    always: bool = False,
    cue: str = "",
    regions: str = "",
) -> _Shape:
    """`valid` is the name of stdnum's module, or a check of our own."""
    return _Shape(
        re.compile(rf"(?<![a-z0-9])(?<![0-9][.,])(?:{pattern})(?![a-z0-9])(?![.,\-][0-9])"),
        _listed(valid) if isinstance(valid, str) else valid,
        always,
        re.compile(
            rf"\b(?:{cue})\b[^\w\n]{{0,4}}(?:(?:number|numero|nummer|card|no|n|nr|e|o|es|est|is|ist|my|it's)\b[^\w\n]{{0,4}}){{0,3}}$"
        )
        if cue
        else None,
        frozenset(regions.split()),
    )


def _listed(module: str) -> Callable[[str], bool]:
    return lambda number: stdnum_module(module).is_valid(number)


def _anything(_: str) -> bool:
    """Looser than stdnum on purpose: behind its own word, a number that is mistyped gives somebody away, too."""
    return True


_SHAPES = (
    _shape(r"\d{3}\.\d{3}\.\d{3}[-/. ]\d{2}", "br.cpf", always=True),
    _shape(r"\d{3} \d{3} \d{3} \d{2}|\d{3}-\d{3}-\d{3}-\d{2}|\d{9}-\d{2}", "br.cpf", always=True),
    _shape(r"\d{11}", "br.cpf", cue=r"cpf|c\.p\.f|documento", regions="BR"),
    _shape(r"[a-z0-9]{2}\.[a-z0-9]{3}\.[a-z0-9]{3}/[a-z0-9]{4}-\d{2}", "br.cnpj", always=True),
    _shape(r"[a-z0-9]{8}/[a-z0-9]{4}-\d{2}", "br.cnpj", always=True),
    _shape(r"[a-z0-9]{12}\d{2}", "br.cnpj", cue="cnpj"),
    _shape(r"\d{14}", "br.cnpj", regions="BR"),
    _shape(r"\d{3}\.\d{5}\.\d{2}-\d", own.pis, always=True),
    _shape(r"\d{11}", own.pis, cue="pis|pasep|nis|nit"),
    _shape(r"\d{1,2}\.\d{3}\.\d{3}-[0-9x]", own.rg, always=True),
    _shape(
        r"[\d.\-]{6,12}[0-9x]",
        lambda number: 7 <= len(number.replace("-", "")) <= 10,
        cue=r"rg|r\.g|identidade",
    ),
    _shape(r"\d{3}-\d{2}-\d{4}", "us.ssn", always=True),
    _shape(r"\d{3} ?\d{2} ?\d{4}", "us.ssn", cue=r"ssn|social security"),
    _shape(r"\d{3}[ -]\d{3}[ -]\d{3}", "ca.sin", cue="sin|nas|social insurance", regions="CA"),
    _shape(r"\d{9}", "ca.sin", cue="sin|nas|social insurance"),
    _shape(r"\d{3}[ -]?\d{3}[ -]?\d{4}", "gb.nhs", cue="nhs"),
    _shape(r"[a-z]{2} ?\d{2} ?\d{2} ?\d{2} ?[a-d]", own.nino, always=True),
    _shape(r"\d{7}[a-w][abhtwx]?", "ie.pps", cue="pps|ppsn", regions="IE"),
    _shape(r"\d{8}[ -]?[a-hj-np-tv-z]|\d{2}\.\d{3}\.\d{3}[ -]?[a-hj-np-tv-z]", "es.dni", always=True),
    _shape(r"[xyz][ -]?\d{7}[ -]?[a-hj-np-tv-z]", "es.nie", always=True),
    _shape(r"\d{3} ?\d{3} ?\d{3}", "pt.nif", cue="nif|contribuinte"),
    _shape(r"[a-z]{6}\d{2}[a-ehlmprst]\d{2}[a-z]\d{3}[a-z]", "it.codicefiscale", always=True),
    # Narrower than stdnum: 1 and 2 tell the sex, 3, 4, 7 and 8 that of people who have no final number yet.
    _shape(r"[1-478] ?\d{2} ?[0-9]{2} ?(?:\d{2}|2[ab]) ?\d{3} ?\d{3} ?\d{2}", "fr.nir", always=True),
    _shape(
        r"\d{2} ?\d{3} ?\d{3} ?\d{3}",
        "de.idnr",
        cue=r"steuer-?id|idnr|steueridentifikationsnummer|tin",
        regions="DE",
    ),
    _shape(
        r"\d{9}|\d{4}\.\d{2}\.\d{3}|\d{3} \d{3} \d{3}", "nl.bsn", cue="bsn|burgerservicenummer|sofinummer"
    ),
    _shape(r"\d{2}\.\d{2}\.\d{2}-\d{3}\.\d{2}", "be.ssn", always=True),
    _shape(r"\d{11}", "be.ssn", cue="rijksregisternummer|registre national|nn", regions="BE"),
    _shape(r"756[. ]?\d{4}[. ]?\d{4}[. ]?\d{2}", "ch.ssn", always=True),
    _shape(r"\d{11}", "pl.pesel", cue="pesel", regions="PL"),
    _shape(r"(?:\d{2})?\d{6}[-+]\d{4}", own.personnummer, always=True),
    _shape(r"(?:\d{2})?\d{10}", own.personnummer, cue="personnummer|pnr|personnr", regions="SE"),
    _shape(r"\d{6}-?\d{4}", _anything, cue="cpr|cpr-nummer"),
    _shape(r"\d{6}[-+a-fu-y]\d{3}[0-9a-y]", own.hetu, always=True),
    _shape(r"\d{6} ?\d{5}", "no.fodselsnummer", cue="fodselsnummer|personnummer|fnr", regions="NO"),
    _shape(r"\d{4}[ -]\d{4}[ -]\d{4}", "in_.aadhaar", always=True),
    _shape(r"\d{12}", "in_.aadhaar", cue="aadhaar|aadhar|adhaar", regions="IN"),
    _shape(r"[a-z]{3}[abcfghljpt][a-z]\d{4}[a-z]", _anything, cue="pan|pan card", regions="IN"),
    _shape(r"[a-zñ]{4}\d{6}[hmx][a-z]{5}[a-z0-9]\d", own.curp, always=True),
    _shape(r"[a-zñ&]{3,4}\d{6}[a-z0-9]{3}", _anything, cue="rfc"),
    _shape(r"\d{2}-\d{8}-\d", "ar.cuit", always=True),
    _shape(r"\d{11}", "ar.cuit", cue="cuit|cuil", regions="AR"),
    _shape(r"\d{1,2}\.\d{3}\.\d{3}-[0-9k]", "cl.rut", always=True),
    _shape(r"\d{7,8}-[0-9k]", "cl.rut", cue="rut|run", regions="CL"),
    _shape(r"\d{11}", "tr.tckimlik", cue="tc|t\\.c|tckn|kimlik", regions="TR"),
    _shape(r"\d{6} ?\d{4} ?\d{3}", own.south_african, cue="id", regions="ZA"),
    _shape(r"[1-9]\d{5}(?:19|20)\d{9}[0-9x]", own.chinese, always=True),
    _shape(r"\d{6}-[1-8]\d{6}", own.korean, always=True),
    _shape(r"\d{3}-\d{3}-\d{3} \d{2}", own.snils, always=True),
    _shape(r"\d{13}", "ro.cnp", cue="cnp", regions="RO"),
    _shape(r"\d{6}/\d{4}", "cz.rc", always=True),
    _shape(r"\d{6}/?\d{3,4}", "cz.rc", cue=r"rodne cislo|rc|r\.c"),
    _shape(r"\d{4}[ -]?\d{4}[ -]?\d{4}", "jp.in_", cue="my ?number", regions="JP"),
    _shape(r"\d{3} ?\d{3} ?\d{3}", "au.tfn", cue="tfn|tax file"),
    _shape(r"\d{9}", "il.idnr", cue="teudat zehut|tz", regions="IL"),
    _shape(r"\d{3} ?\d{3} ?\d{3}", "fr.siren", cue="siren"),
    _shape(r"\d{3} ?\d{3} ?\d{3} ?\d{5}", "fr.siret", cue="siret"),
    _shape(r"(?:it ?)?\d{11}", "it.iva", cue=r"p\.? ?iva|partita iva"),
    _shape(r"\d{3}-?\d{3}-?\d{2}-?\d{2}|\d{3}-\d{2}-\d{2}-\d{3}", "pl.nip", cue="nip"),
    _shape(r"[a-hjnp-suvw]-?\d{7}[0-9a-j]", "es.cif", cue=r"cif|nif"),
    _shape(r"\d{10}|\d{12}", "ru.inn", cue="инн"),
    _shape(r"\d{3}[ -]?\d{3}[ -]?\d{3}[ -]?\d{2}", own.snils, cue="снилс"),
    _shape(r"[stfgm]\d{7}[a-z]", own.nric, always=True),
    _shape(r"[a-z]{1,2}\d{6}\([0-9a]\)", own.hkid, always=True),
    _shape(r"[a-z]{1,2}\d{6}[0-9a]", own.hkid, cue="hkid", regions="HK"),
    _shape(r"[a-z][1289]\d{8}", own.taiwanese, cue="id|身分證|身分證字號", regions="TW"),
    _shape(r"\d{11}", "hr.oib", cue="oib", regions="HR"),
    _shape(r"\d{10}", "bg.egn", cue="egn|егн", regions="BG"),
    _shape(r"\d{11}", "lt.asmens", cue="isikukood|asmens kodas", regions="EE LT"),
    _shape(r"\d{9}-?\d", "ec.ci", cue="cedula|ci", regions="EC"),
    _shape(r"\d{2} ?\d{3} ?\d{3} ?\d{3}", "au.abn", cue="abn"),
    _shape(r"\d{4} ?\d{6}", "at.vnr", cue="svnr|sozialversicherungsnummer|sv-nummer"),
    # stdnum doesn't read the birth date, which is all that tells it here. When a day's numbers are used up, months go to 15.
    _shape(r"\d{4} ?(?:0[1-9]|[12]\d|3[01])(?:0[1-9]|1[0-5])\d{2}", "at.vnr", regions="AT"),
    _shape(
        r"[a-z]{1,2} ?\d{6,8}|\d{8,9}",
        _anything,
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
