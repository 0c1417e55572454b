"""Whole chats full of planted secrets, through the whole pipeline with a provider that repeats all it is asked.

No secret is in any prompt, in any file of the site, in what was printed or logged, or in Dagster's databases; and the
proof raises no false alarm.
"""

from __future__ import annotations

import io
import logging
import re
import tempfile
import zipfile
from collections.abc import Callable, Generator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from PIL import Image

from egregora_assets.commands.write import write_site
from egregora_resources.llm import providers
from egregora_tests.leak_check.test_privacy_of_runs import texts as left_behind
from egregora_tests.privacy.test_scrubber_properties import (
    EMAILS,
    NAMES,
    NUMBERS,
    PHONES,
    letters_and_digits,
    seen_through,
    texts,
)
from egregora_tests.providers import EchoProvider
from egregora_tests.runs import new_site
from egregora_tests.weekly_chat import MONDAY, week

GONE = "my unspeakable zyqqorvian accordion collection lives under the stairs"
"""What only the one who opts out says."""
DISTINCTIVE = {
    "Laura Bennett": "laura",
    "Siobhán O'Brien": "siobhan",
    "~ Nadia Haddad": "nadia",
    "김민수": "김민수",
}


@dataclass(frozen=True)
class Chat:
    """An export, and what must not come out of it."""

    export: bytes
    names: tuple[str, ...]
    secrets: tuple[str, ...]


def picture() -> bytes:
    exif = Image.Exif()
    exif[0x013B], exif[0x010E] = "Laura Bennett", "call +44 7700 900123"
    file = io.BytesIO()
    Image.new("RGB", (320, 200), "olive").save(file, "JPEG", exif=exif, comment=b"laura.bennett@example.org")
    return file.getvalue()


@st.composite
def chats(draw: st.DrawFn) -> Chat:
    """Two weeks of neighbours' talk, with secrets wherever somebody can put one."""
    names = tuple(draw(st.lists(st.sampled_from(NAMES), min_size=5, max_size=8, unique=True)))
    numbers = tuple(draw(st.lists(st.sampled_from(("+44 7700 900123", "+55 11 98765-4321")), max_size=1)))
    people = names + numbers
    secrets: list[str] = [*numbers]

    def planted() -> str:
        kind = draw(st.sampled_from((names, PHONES, EMAILS, NUMBERS)))
        text, found = draw(texts(kind))
        secrets.extend(found)
        # A phone's line never begins like the next message's.
        return " ".join(text.split("\n")).strip() or "ok"

    # Only who has spoken can be known.
    lines: list[tuple[str | None, str]] = [(name, "good morning, neighbours") for name in people]
    for number in (0, 1):
        for n, line in enumerate(week(number, people[1:4])):
            lines.append((line.author, line.text))
            if n % 2:
                lines.append((draw(st.sampled_from(people)), planted()))
    attached = f"{names[1]} 020 7946 0958 {len(lines)}.jpg"
    secrets.append("020 7946 0958")
    lines += [
        (people[2], f"{attached} (file attached)\n{planted()}"),
        (people[1], f"{names[2]}.vcf (file attached)"),
        (people[3], f"POLL:\n{planted()}\nOPTION: {planted()} (2 votes)\nOPTION: {names[1]} (1 vote)"),
        (None, f"{names[1]} added {names[2]}"),
        (None, f'{names[1]} changed the group name from "{planted()}" to "{names[2]}"'),
        (people[2], f"/egregora set bio {planted()}"),
        (people[3], f"/egregora set alias {names[1]}"),
        (people[1], f"/egregora set website https://example.com/{names[2].replace(' ', '-')}"),
        (people[2], f"/egregora set interests {planted()}"),
        (people[1], f"location: https://maps.google.com/?q=51.5,-0.12 {planted()}"),
        (people[3], f"@\u2068{names[1]}\u2069 and @447700900123 look: https://wa.me/5511987654321"),
        (people[0], GONE),
        (people[0], "/egregora opt-out"),
    ]
    secrets += ["+44 7700 900123", "+55 11 98765-4321"]
    step = timedelta(minutes=14 * 24 * 60 / (len(lines) + 1))
    text = ""
    for n, (name, said) in enumerate(lines):
        head = f"{MONDAY + n * step:%d/%m/%Y, %H:%M} - "
        text += f"{head}{name}: {said}\n" if name else f"{head}{said}\n"
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(f"WhatsApp Chat with {names[2].lstrip('~ ')}.txt", text)
        archive.writestr(attached, picture())
        archive.writestr(f"{names[2]}.vcf", f"BEGIN:VCARD\nFN:{names[2]}\nTEL:+44 7700 900123\nEND:VCARD\n")
    return Chat(file.getvalue(), names, tuple(dict.fromkeys(secrets)))


def finder(chat: Chat) -> Callable[[str], list[str]]:
    """Finds the chat's secrets in a text, however they are written."""
    patterns: dict[str, re.Pattern[str]] = {}
    letters = {name: letters_and_digits(name) for name in chat.names}
    letters |= {name: letters_and_digits(DISTINCTIVE[name]) for name in chat.names if name in DISTINCTIVE}
    for secret in chat.secrets:
        if "@" in secret:
            local = seen_through(secret.removeprefix("mailto:")).split("@")[0]
            patterns[secret] = re.compile(rf"(?<!\w){re.escape(local)}@")
        elif secret not in chat.names:
            plain = letters_and_digits(secret)
            digits = "".join(c for c in plain if c.isdecimal())
            wanted = digits[-8:] if secret in PHONES or not plain.isalnum() else plain
            patterns[secret] = re.compile(r"[^\w\n]{0,3}".join(map(re.escape, wanted)))

    def find(text: str) -> list[str]:
        seen = seen_through(text)
        joined = "".join(c for c in seen if c.isalnum())
        found = [secret for secret, pattern in patterns.items() if pattern.search(seen)]
        found += [name for name, wanted in letters.items() if wanted in joined]
        return found + (["what was opted out"] if "zyqqorvian" in joined else [])

    return find


@contextmanager
def overheard() -> Generator[io.StringIO]:
    """Everything printed and logged meanwhile, however unimportant."""
    heard = io.StringIO()
    handler, root = logging.StreamHandler(heard), logging.getLogger()
    level = root.level
    root.addHandler(handler)
    logging.getLogger("egregora").setLevel(logging.DEBUG)
    try:
        with redirect_stdout(heard), redirect_stderr(heard):
            yield heard
    finally:
        root.removeHandler(handler)
        root.setLevel(level)


def check(chat: Chat) -> None:
    """Takes a chat through everything, and looks for its secrets in all that is left."""
    find = finder(chat)
    EchoProvider.prompts.clear()
    with (
        tempfile.TemporaryDirectory() as folder,
        pytest.MonkeyPatch.context() as patched,
        overheard() as heard,
    ):
        patched.setattr(providers, "OfflineProvider", EchoProvider)
        site = new_site(Path(folder) / "blog")
        export = Path(folder) / "export.zip"
        export.write_bytes(chat.export)
        report = write_site(site, [export], yes=True)
        places = {**left_behind(site), "names of files": "\n".join(_files(site))}
    places |= {"what was printed and logged": heard.getvalue(), "prompts": "\n".join(EchoProvider.prompts)}
    assert report.failed == {}
    assert report.posts
    assert EchoProvider.prompts
    leaks = {place: found for place, text in places.items() if (found := find(text))}
    assert not leaks


def _files(site: Path) -> list[str]:
    return [str(path.relative_to(site)) for folder in ("site", "docs", ".egregora/dagster") for path in (site / folder).rglob("*")]  # fmt: skip


QUIET = settings(
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
)


@pytest.mark.slow
@settings(QUIET, max_examples=10)
@given(chats())
def test_no_planted_secret_is_anywhere_but_in_the_raw_tables(chat: Chat) -> None:
    check(chat)


@pytest.mark.soak
@settings(QUIET, max_examples=150, derandomize=False)
@given(chats())
def test_no_planted_secret_of_many_chats_is_anywhere_but_in_the_raw_tables(chat: Chat) -> None:
    check(chat)


def test_the_search_finds_what_is_planted_however_it_is_written() -> None:
    chat = Chat(
        b"", ("Laura Bennett", "김민수"), ("+44 7700 900123", "user@example.com", "DE89370400440532013000")
    )
    find = finder(chat)
    for text in (
        "LAURA", "laura-bennett", "L\u200baura", "김민수", "+44 (7700) 900-123", "\uff0b44 7700\u00a0900123",
        "07700900123", "User@example.com", "DE89 3704 0044 0532 0130 00", "zyqqorvian",
    ):  # fmt: skip
        assert find(f"hi {text}!"), text
    assert not find("Amber Heron called [phone] at 10:30 on 2025-01-13")
