"""Whatever stands around it and however it is written, no secret survives scrubbing.

Secrets are planted in generated texts, disguised the ways that phones, keyboards and copy-and-paste
disguise them; the scrubbed text is then searched for them by a reader that sees through the disguise.
"""

from __future__ import annotations

import re
import unicodedata

from hypothesis import example, given, settings
from hypothesis import strategies as st

from egregora_resources.privacy.names.index import NameIndex, Person
from egregora_resources.privacy.scrubber import Scrubber, ScrubRules

NAMES = (
    "Laura Bennett",
    "David Okafor",
    "José da Silva",
    "Jean-Luc Moreau",
    "Will Hargreaves",
    "Rose Stone",
    "Ana Clara Figueiredo",
    "Müller Groß",
    "Siobhán O'Brien",
    "Анна Каренина",
    "محمد علي",
    "李小明",
    "김민수",
    "田中 太郎",
    "Andrew Reyes 🎨",
    "~ Nadia Haddad",
)
ADJECTIVES = ("amber", "calm", "bright", "kind", "bold", "glad", "warm", "quick")
TOKENS = [f"{adjective}-{animal}" for animal in ("heron", "otter") for adjective in ADJECTIVES]
PEOPLE = [Person(token, (name,)) for token, name in zip(TOKENS, NAMES, strict=True)]
PEOPLE.append(Person("gentle-otter", ("+44 7700 900123",)))

PHONES = (
    "+55 (11) 98765-4321",
    "+55 11 98765-4321",
    "+5511987654321",
    "(11) 98765-4321",
    "11 98765-4321",
    "+1 555 123 4567",
    "(555) 123-4567",
    "555-123-4567",
    "555.123.4567",
    "+1-555-123-4567",
    "+44 20 7946 0958",
    "+44 (0)20 7946 0958",
    "020 7946 0958",
    "0044 20 7946 0958",
    "00442079460958",
    "+44 7700 900123",
    "07700 900123",
    "07700900123",
    "+49 (030) 1234567",
    "+49 151 23456789",
    "+33 6 12 34 56 78",
    "06.12.34.56.78",
    "+91 98765 43210",
    "+86 138 1234 5678",
    "+971-50-123-4567",
    "tel:+442079460958",
    "tel:02079460958",
    "https://wa.me/447700900123",
    "wa.me/5511987654321",
)
EMAILS = (
    "user@example.com",
    "user.name+tag@example.co.uk",
    "laura.bennett@example.org",
    "o'neil_99@sub.example.com",
    "mailto:someone@example.net",
    "joão@exemplo.com.br",
    "UPPER@EXAMPLE.COM",
)
NUMBERS = (
    "4111 1111 1111 1111",
    "4111-1111-1111-1111",
    "5555555555554444",
    "3782 822463 10005",
    "GB82 WEST 1234 5698 7654 32",
    "DE89370400440532013000",
    "529.982.247-25",
    "11.222.333/0001-81",
    "123-45-6789",
    "12345678Z",
    "RSSMRA85T10A562S",
)

BREAKS = st.sampled_from([" ", ", ", ". ", "\n", "\t", "\r\n", "\u00a0", "\u202f", "\u2003", "\u3000", " (", ") ", "! ", ": ", " «", "» ", ' "', '" ', " *", "* ", " _", "_ ", " — ", "; ", "… ", " 😀 ", "\u200e ", " \u200f", " \u2068", "\u2069 ", "\u2028", " ~", "> "])  # fmt: skip
ORDINARY = """
    hello call me at the see you Monday party um okay tomorrow about this number please ask and with for
    então você muito 12 3 € % ok? são über naïve привет 好的 안녕 مرحبا
"""
WORDS = st.sampled_from(ORDINARY.split())
INVISIBLE = "\u200b\u200e\u200f\u2060\ufeff\u00ad"
SCRUBBERS = [
    Scrubber(rules, NameIndex(PEOPLE, language))
    for rules, language in (
        (ScrubRules(), "en"),
        (ScrubRules("BR"), "pt"),
        (ScrubRules("US", ("GB", "BR")), "en"),
        (ScrubRules("DE", ("FR",)), "de"),
    )
]


@st.composite
def disguised(draw: st.DrawFn, secrets: tuple[str, ...]) -> tuple[str, str]:
    """A secret as it is, and as somebody's phone wrote it."""
    secret = draw(st.sampled_from(secrets))
    written = secret
    if draw(st.booleans()):
        written = unicodedata.normalize(draw(st.sampled_from(["NFC", "NFD"])), written)
    if not secret.startswith(("http", "wa.me")):
        match draw(st.integers(0, 5)):
            case 0:
                place = draw(st.integers(1, len(written) - 1))
                written = written[:place] + draw(st.sampled_from(INVISIBLE)) + written[place:]
            case 1:
                written = written.translate({ord("0") + i: chr(0xFF10 + i) for i in range(10)})
            case 2:
                written = written.replace(" ", draw(st.sampled_from(["\u00a0", "\u202f", "\u2009", "  "])))
            case 3:
                written = written.replace(
                    "-", draw(st.sampled_from(["\u2010", "\u2011", "\u2013", "\u2212"]))
                )
            case 4:
                written = (
                    draw(st.sampled_from(["\u2066", "\u202a", "\u200e"]))
                    + written
                    + draw(st.sampled_from(["\u2069", "\u202c", ""]))
                )
            case _:
                pass
    return secret, written


@st.composite
def texts(draw: st.DrawFn, secrets: tuple[str, ...]) -> tuple[str, list[str]]:
    """A text with planted secrets, and the secrets."""
    pieces: list[str] = []
    planted: list[str] = []
    for _ in range(draw(st.integers(1, 3))):
        pieces += draw(st.lists(WORDS, max_size=4))
        secret, written = draw(disguised(secrets))
        planted.append(secret)
        pieces.append(written)
    pieces += draw(st.lists(WORDS, max_size=3))
    text = draw(st.sampled_from(["", " ", "\n", "("]))
    for piece in pieces:
        text += piece + draw(BREAKS)
    return text, planted


def seen_through(text: str) -> str:
    """What a reader makes of a text: no accents, marks or invisible characters, ASCII digits, lower case."""
    plain = unicodedata.normalize("NFKD", text)
    return "".join(c for c in plain if unicodedata.category(c) not in {"Mn", "Cf"}).casefold()


def letters_and_digits(text: str) -> str:
    return "".join(c for c in seen_through(text) if c.isalnum())


@settings(max_examples=300, deadline=None)
@given(texts(NAMES), st.sampled_from(SCRUBBERS))
def test_no_full_name_survives(planted: tuple[str, list[str]], scrubber: Scrubber) -> None:
    text, names = planted
    scrubbed = letters_and_digits(scrubber.scrub(text))
    for name in names:
        assert letters_and_digits(name) not in scrubbed


@settings(max_examples=300, deadline=None)
@given(texts(PHONES), st.sampled_from(SCRUBBERS))
def test_no_phone_number_survives(planted: tuple[str, list[str]], scrubber: Scrubber) -> None:
    text, phones = planted
    left = "".join(c for c in seen_through(scrubber.scrub(text)) if c.isdecimal())
    for phone in phones:
        digits = "".join(c for c in phone if c.isdecimal())
        assert digits not in left
        assert digits[-7:] not in left


@settings(max_examples=300, deadline=None)
@given(texts(EMAILS), st.sampled_from(SCRUBBERS))
@example(("write to laura.bennett@example.org.", ["laura.bennett@example.org"]), SCRUBBERS[0])
def test_no_email_address_survives(planted: tuple[str, list[str]], scrubber: Scrubber) -> None:
    text, addresses = planted
    scrubbed = seen_through(scrubber.scrub(text))
    for address in addresses:
        local, domain = seen_through(address.removeprefix("mailto:")).split("@")
        assert f"{local}@" not in scrubbed
        assert domain not in scrubbed


@settings(max_examples=300, deadline=None)
@given(texts(NUMBERS), st.sampled_from(SCRUBBERS))
def test_no_card_account_or_national_number_survives(
    planted: tuple[str, list[str]], scrubber: Scrubber
) -> None:
    text, numbers = planted
    scrubbed = letters_and_digits(scrubber.scrub(text))
    for number in numbers:
        assert letters_and_digits(number) not in scrubbed


@settings(max_examples=300, deadline=None)
@given(
    st.one_of(texts(NAMES + PHONES + EMAILS + NUMBERS).map(lambda planted: planted[0]), st.text()),
    st.sampled_from(SCRUBBERS),
)
def test_scrubbing_a_scrubbed_text_changes_nothing(text: str, scrubber: Scrubber) -> None:
    once = scrubber.scrub(text)
    assert scrubber.scrub(once) == once


@settings(max_examples=300, deadline=None)
@given(st.lists(st.one_of(WORDS, BREAKS)).map("".join), st.sampled_from(SCRUBBERS))
def test_text_without_secrets_stays_as_written(text: str, scrubber: Scrubber) -> None:
    if not re.search(r"\d", text):
        assert scrubber.scrub(text) == text
