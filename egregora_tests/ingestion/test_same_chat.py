"""Which chat an export belongs to is decided, shown, and never another than the site's."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

import pytest

from egregora_assets.ingestion.imports import import_exports
from egregora_assets.ingestion.report import DifferentChat, ImportReport
from egregora_tests.small_site import SmallSite

MARCH = ["who brings the boat?", "I do, on Sunday", "the lake is frozen", "then skates it is"]
BOOKS = ["chapter four was long", "I liked the lighthouse", "the ending is sad", "next one is shorter"]


def chat(*texts: str, month: int = 3, names: tuple[str, str] = ("Ana", "Bo")) -> str:
    return "".join(
        f"13/{month:02}/2025, 09:{place:02} - {names[place % 2]}: {text}\n"
        for place, text in enumerate(texts)
    )


def phone(label: str, *texts: str) -> str:
    """An iPhone's export, which opens under the chat's own name."""
    lines = [f"[13/03/2025, 09:00:00] {label}: \u200eMessages and calls are end-to-end encrypted."]
    lines += [f"[13/03/2025, 09:{place:02}:07] Ana: {text}" for place, text in enumerate(texts)]
    return "\r\n".join(lines)


class Inbox:
    def __init__(self, root: Path) -> None:
        self.root = root
        self.site = SmallSite(root / "site")

    def file(self, name: str, content: str) -> Path:
        path = self.root / name
        if path.suffix == ".zip":
            with zipfile.ZipFile(path, "w") as archive:
                archive.writestr("_chat.txt", content)
        else:
            path.write_text(content, "utf-8")
        return path

    def get(self, *paths: Path, chat: str | None = None) -> ImportReport:
        site = self.site
        return import_exports(site.opened, list(paths), chat=chat)

    def texts(self) -> list[str]:
        return [
            text
            for (text,) in self.site.warehouse.rows(
                "SELECT text FROM raw_messages WHERE kind = 'text' ORDER BY id"
            )
        ]


@pytest.fixture
def inbox(tmp_path: Path) -> Inbox:
    return Inbox(tmp_path)


def test_a_nameless_export_that_says_nothing_known_in_the_same_hour_is_refused(inbox: Inbox) -> None:
    inbox.get(inbox.file("WhatsApp Chat with Trip.txt", chat(*MARCH)))
    other = inbox.file("chat.txt", chat(*BOOKS))
    with pytest.raises(DifferentChat, match=r"chat\.txt says nothing .*“Trip”"):
        inbox.get(other)
    assert inbox.texts() == MARCH
    inbox.get(other, chat="Trip")
    assert set(BOOKS) <= set(inbox.texts())


def test_a_site_of_a_nameless_export_takes_no_other_chat_in(inbox: Inbox) -> None:
    inbox.get(inbox.file("chat.txt", chat(*MARCH)))
    with pytest.raises(DifferentChat):
        inbox.get(inbox.file("WhatsApp Chat with Books.txt", chat(*BOOKS)))
    report = inbox.get(inbox.file("WhatsApp Chat with Trip.txt", chat(*MARCH, "and tea")))
    assert report.files[0].chat == "Trip"


def test_two_nameless_chats_that_come_together_are_told_apart(inbox: Inbox) -> None:
    with pytest.raises(DifferentChat):
        inbox.get(inbox.file("a.txt", chat(*MARCH)), inbox.file("b.txt", chat(*BOOKS)))
    assert inbox.texts() == []


def test_a_nameless_export_of_another_time_or_with_something_known_is_taken_in(inbox: Inbox) -> None:
    inbox.get(inbox.file("WhatsApp Chat with Trip.txt", chat(*MARCH)))
    report = inbox.get(inbox.file("april.txt", chat(*BOOKS, month=4)))
    assert "april.txt (“Trip”)" in report.files[0].sentence()
    inbox.get(inbox.file("more.txt", chat(*MARCH, *BOOKS)))
    assert inbox.texts() == [*MARCH, *BOOKS, *BOOKS]


def test_an_iphone_s_text_tells_its_chat_by_the_label_that_it_opens_with(inbox: Inbox) -> None:
    inbox.get(inbox.file("WhatsApp Chat - Trip.zip", phone("Trip", *MARCH)))
    with pytest.raises(DifferentChat, match=r"_chat\.txt is an export of “Books”"):
        inbox.get(inbox.file("_chat.txt", phone("Books", "later")))
    opened_by_a_person = phone("Bo", *MARCH).replace(
        "Messages and calls are end-to-end encrypted.", "Bo added Ana"
    )
    inbox.get(inbox.file("_chat.txt", opened_by_a_person))


@pytest.mark.parametrize("name", ["Sun & Sea_ 2025", "sun & sea- 2025"])
def test_signs_that_no_file_s_name_can_hold_make_no_other_chat(inbox: Inbox, name: str) -> None:
    inbox.get(inbox.file("_chat.txt", phone("Sun & Sea: 2025", *MARCH)))
    inbox.get(inbox.file(f"WhatsApp Chat with {name}.txt", chat("hello again", month=5)))
    with pytest.raises(DifferentChat, match=re.escape("Sun & Sea 2026")):
        inbox.get(inbox.file("WhatsApp Chat with Sun & Sea 2026.txt", chat("another year", month=5)))
