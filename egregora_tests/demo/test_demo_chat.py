"""The demo chat is what people see first, and what much of the rest is tried on. These are its promises."""

import io
import re
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from zipfile import ZipFile

import pytest
from PIL import Image

from demo_chat.build import PICTURES, build
from egregora_assets.demo import EXPORT_NAME, demo_export, later_demo_export

PEOPLE = {"Rose Whitfield", "Will Adeyemi", "Nisha Rao", "Tomasz Zielinski", "Callum Reid", "+44 7700 900461"}
DELETED = "This message was deleted"
EDITED_MARK = "<This message was edited>"
ATTACHED = re.compile(r"\u200e(\S+) \(file attached\)")
LINE = re.compile(r"(?ms)^(\d\d/\d\d/\d{4}, \d\d:\d\d) - (.*?)\n(?=\d\d/\d\d/\d{4}, \d\d:\d\d - |\Z)")


@dataclass(frozen=True)
class Message:
    time: datetime
    author: str | None
    text: str

    @property
    def week(self) -> int:
        return (self.time - datetime(2025, 1, 6)).days // 7 + 1


@cache
def everything(export: Path) -> list[Message]:
    with ZipFile(export) as archive:
        text = archive.read(f"{EXPORT_NAME}.txt").decode("utf-8")
    found: list[Message] = []
    for when, body in LINE.findall(text):
        author, colon, said = body.partition(": ")
        spoken = bool(colon) and author in PEOPLE
        found.append(
            Message(
                datetime.strptime(when, "%d/%m/%Y, %H:%M"),
                author if spoken else None,
                said if spoken else body,
            )
        )
    return found


def messages(export: Path) -> list[Message]:
    return [message for message in everything(export) if message.author]


def texts(export: Path) -> str:
    return "\n".join(message.text for message in messages(export))


@pytest.fixture(params=["first", "later"])
def export(request: pytest.FixtureRequest) -> Path:
    return demo_export() if request.param == "first" else later_demo_export()


def test_the_first_export_holds_eight_weeks_of_six_people() -> None:
    said = messages(demo_export())
    assert {message.author for message in said} == PEOPLE
    assert (said[0].time.date().isoformat(), said[-1].time.date().isoformat()) == ("2025-01-06", "2025-03-02")
    assert said[0].time.weekday() == 0
    assert 600 <= len(said) <= 750


def test_every_week_has_enough_to_write_about_and_no_two_are_equally_busy() -> None:
    said = messages(later_demo_export())
    per_week = Counter(message.week for message in said)
    telling = Counter(message.week for message in said if 60 <= len(message.text) <= 400)
    assert set(per_week) == set(range(1, 10))
    assert len(set(per_week.values())) == 9
    assert min(telling.values()) >= 20


def test_nobody_says_the_same_long_thing_twice() -> None:
    long = [message.text for message in messages(demo_export()) if len(message.text) > 30]
    assert len(long) == len(set(long))


def test_time_never_goes_backwards(export: Path) -> None:
    times = [message.time for message in everything(export)]
    assert times == sorted(times)


def test_every_attachment_is_in_the_zip_and_nothing_else_is(export: Path) -> None:
    with ZipFile(export) as archive:
        assert archive.testzip() is None
        names = archive.namelist()
    assert sorted(names) == sorted([f"{EXPORT_NAME}.txt", *ATTACHED.findall(texts(export))])


def test_pictures_are_small_jpegs_with_captions(export: Path) -> None:
    captioned = [message.text for message in messages(export) if ATTACHED.match(message.text)]
    assert all(len(text.partition("\n")[2]) > 20 for text in captioned)
    with ZipFile(export) as archive:
        pictures = [name for name in archive.namelist() if name.endswith(".jpg")]
        for name in pictures:
            with Image.open(io.BytesIO(archive.read(name))) as picture:
                assert picture.format == "JPEG"
                assert 500 <= picture.width <= 640
    assert 8 <= len(pictures) <= 14


def test_one_picture_says_where_it_was_taken() -> None:
    located: list[str] = []
    with ZipFile(demo_export()) as archive:
        for name in archive.namelist():
            if name.endswith(".jpg"):
                with Image.open(io.BytesIO(archive.read(name))) as picture:
                    if picture.getexif().get_ifd(0x8825):
                        located.append(name)
    assert located == ["IMG-20250107-WA0003.jpg"]


def test_both_exports_together_stay_under_a_megabyte() -> None:
    assert demo_export().stat().st_size + later_demo_export().stat().st_size < 1_000_000


def test_the_later_export_starts_with_the_first_but_for_one_edit_and_one_deletion() -> None:
    first, later = everything(demo_export()), everything(later_demo_export())
    changed = [(a, b) for a, b in zip(first, later, strict=False) if a != b]
    assert [(a.week, a.time, a.author) for a, _ in changed] == [
        (b.week, b.time, b.author) for _, b in changed
    ]
    (taken_back, gone), (counted, recounted) = changed
    assert (taken_back.week, gone.text) == (3, DELETED)
    assert counted.week == 8
    assert "143" in counted.text
    assert "151" in recounted.text
    assert recounted.text.endswith(EDITED_MARK)
    assert not counted.text.endswith(EDITED_MARK)


def test_the_later_export_adds_the_ninth_week_and_nothing_more() -> None:
    added = everything(later_demo_export())[len(everything(demo_export())) :]
    assert len(added) > 50
    assert {message.week for message in added} == {9}


def test_the_first_export_has_one_deleted_one_edited_and_one_omitted_message() -> None:
    said = messages(demo_export())
    assert sum(message.text == DELETED for message in said) == 1
    assert sum(message.text.endswith(EDITED_MARK) for message in said) == 1
    assert sum(message.text == "<Media omitted>" for message in said) == 1
    assert sum(message.text == "<View once voice message omitted>" for message in said) == 1


def test_one_minor_voice_opts_out_in_the_sixth_week() -> None:
    said = messages(demo_export())
    (opting_out,) = [message for message in said if message.text == "/egregora opt-out"]
    assert opting_out.week == 6
    assert opting_out.author == "Callum Reid"
    assert 25 <= sum(message.author == "Callum Reid" for message in said) <= 40
    others = " ".join(message.text for message in said if message.author != "Callum Reid")
    assert "Callum" not in others


def test_two_people_choose_an_alias_and_one_a_bio() -> None:
    commands = [(m.author, m.text) for m in messages(demo_export()) if m.text.startswith("/egregora set")]
    assert [(author, text.split()[2]) for author, text in commands] == [
        ("+44 7700 900461", "alias"),
        ("Tomasz Zielinski", "alias"),
        ("Tomasz Zielinski", "bio"),
    ]


def test_it_has_personal_data_to_scrub_and_all_of_it_is_fictional() -> None:
    said = texts(later_demo_export())
    numbers = set(re.findall(r"\+44 \d{4} \d{6}", said))
    assert "+44 7700 900118" in numbers
    assert all(number.startswith("+44 7700 900") for number in numbers)
    addresses = set(re.findall(r"[\w.]+@[\w.]+\w", said))
    assert addresses == {"pepperpot@example.org", "g.pargeter@example.com", "consignments@example.com"}


def test_it_has_polls_mentions_a_location_links_and_lists() -> None:
    said = messages(demo_export())
    polls = [message.text.splitlines() for message in said if message.text.startswith("POLL:\n")]
    assert [len(poll) for poll in polls] == [5, 5]
    assert all(re.fullmatch(r"OPTION: .+ \(\d votes?\)", option) for poll in polls for option in poll[2:])
    mentioned = set(re.findall(r"@\u2068(.+?)\u2069", texts(demo_export())))
    assert {"Will Adeyemi", "Nisha Rao", "Tomasz Zielinski", "+44 7700 900461"} == mentioned
    assert sum(message.text.startswith("location: https://maps.google.com/?q=") for message in said) == 1
    assert 14 <= sum(message.text.count("https://") for message in said) <= 20
    assert sum("\n" in message.text and not ATTACHED.match(message.text) for message in said) >= 4


def test_names_are_also_used_as_words() -> None:
    said = texts(demo_export())
    for word in (r"\brose\b", r"\bwill\b", r"\bivy\b"):
        assert re.search(word, said)


def test_whatsapp_notices_open_the_chat() -> None:
    notices = [message.text for message in everything(demo_export()) if message.author is None]
    assert notices[0].startswith("Messages and calls are end-to-end encrypted.")
    assert notices[1] == 'Rose Whitfield created group "Valve house?"'
    assert 'Rose Whitfield changed the subject from "Valve house?" to "The Pepperpot Observatory"' in notices
    assert "+44 7700 900461 joined using this group's invite link" in notices
    assert len(notices) == 8


def test_building_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    once, again = build(tmp_path / "once"), build(tmp_path / "again")
    assert [path.read_bytes() for path in once] == [path.read_bytes() for path in again]


def test_what_is_bundled_is_what_the_sources_say(tmp_path: Path) -> None:
    # Pictures are compared by name alone: another Pillow may compress the same drawing differently.
    for built, bundled in zip(build(tmp_path), (demo_export(), later_demo_export()), strict=True):
        with ZipFile(built) as fresh, ZipFile(bundled) as kept:
            assert fresh.namelist() == kept.namelist()
            assert fresh.read(f"{EXPORT_NAME}.txt") == kept.read(f"{EXPORT_NAME}.txt")
            assert [entry.date_time for entry in fresh.infolist()] == [
                entry.date_time for entry in kept.infolist()
            ]


def test_every_drawn_picture_was_sent() -> None:
    assert sorted(PICTURES) == sorted(ATTACHED.findall(texts(later_demo_export())))
