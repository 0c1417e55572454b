"""Every wording of the tables is recognised where a phone prints it, and nothing like it where a person does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from egregora_resources.inputs.registry import read_export
from egregora_resources.inputs.whatsapp.word_tables import rows


def _wordings(meaning: str) -> list[str]:
    return [wording for kind, wording in rows("phrases.tsv") if kind == meaning]


def _read(folder: Path, bodies: list[str], header: str = "24/03/2022, 21:41 - ") -> list[dict[str, Any]]:
    path = folder / "chat.txt"
    path.write_text("".join(f"{header}Ana: {body}\n" for body in bodies), "utf-8")
    messages = read_export(path).messages.to_pylist()
    assert len(messages) == len(bodies)
    assert {message["author"] for message in messages} == {"Ana"}
    return messages


IPHONE = "\u200e[24/03/2022, 21:41:55] "


@pytest.mark.parametrize("ending", ["", "."])
def test_deleted_messages_in_every_language(tmp_path: Path, ending: str) -> None:
    for message in _read(tmp_path, [wording + ending for wording in _wordings("deleted")]):
        assert message["deleted"], message["text"]
        assert message["kind"] == "deleted"


def test_media_left_out_on_android_in_every_language(tmp_path: Path) -> None:
    for message in _read(tmp_path, [f"<{wording}>" for wording in _wordings("omitted")]):
        assert message["media_omitted"], message["text"]
        assert message["attachment"] is None


@pytest.mark.parametrize("mark", ["", "\u200e"])
def test_media_left_out_on_iphones_in_every_language(tmp_path: Path, mark: str) -> None:
    for message in _read(tmp_path, [mark + wording for wording in _wordings("omitted")], IPHONE):
        assert message["media_omitted"], message["text"]
        assert not message["is_system"]


def test_edited_mark_is_taken_off_in_every_language(tmp_path: Path) -> None:
    for message in _read(tmp_path, [f"moin <{wording}>" for wording in _wordings("edited")]):
        assert message["edited"]
        assert message["text"] == "moin"


def test_attached_files_on_android_in_every_language(tmp_path: Path) -> None:
    for message in _read(tmp_path, [f"\u200eMy report.pdf ({wording})" for wording in _wordings("attached")]):
        assert message["attachment"] == "My report.pdf"
        assert message["text"] == ""


def test_attached_files_on_iphones_in_every_language(tmp_path: Path) -> None:
    bodies = [f"\u200e<{wording}: 00000002-My report.pdf>" for wording in _wordings("attached")]
    for message in _read(tmp_path, bodies, IPHONE):
        assert message["attachment"] == "00000002-My report.pdf"


def test_live_locations_and_calls_in_every_language(tmp_path: Path) -> None:
    for meaning in ("location", "call", "contact"):
        for message in _read(tmp_path, _wordings(meaning)):
            assert message["kind"] == meaning, message["text"]


@pytest.mark.parametrize(
    "body",
    [
        "<Media ontbreken hier>",
        "<Медиафайл исключён>",
        "<ऑडियो मीडिया नहीं>",
    ],
)
def test_media_left_out_in_words_that_no_table_has(tmp_path: Path, body: str) -> None:
    assert _read(tmp_path, [body])[0]["media_omitted"]


@pytest.mark.parametrize(
    "body",
    [
        "<b>bold</b>",
        "<3",
        "a <- b ->",
        "<T extends object>",
        "I said: image omitted",
        "why was this message deleted?",
        "This message was deleted by who?",
        "see notes.txt (the second one)",
        "<https://example.com/media>",
        "x <y: z>",
        "5 > 3",
        "look (file attached)",
        "the poll: \nyes",
        "Voice call me",
        "https://www.google.com/search?q=1,2",
    ],
)
def test_what_a_person_typed_stays_text(tmp_path: Path, body: str) -> None:
    message = _read(tmp_path, [body])[0]
    assert (message["kind"], message["text"].strip(), message["attachment"]) == ("text", body.strip(), None)
    assert (message["edited"], message["media_omitted"]) == (False, False)


def test_polls_are_known_by_their_look_in_words_that_no_table_has(tmp_path: Path) -> None:
    (poll,) = _read(tmp_path, ["ZAPYTANKA:\nWhere to?\nWYBÓRKA: Rome (1 głosek)\nWYBÓRKA: Oslo (0 głosek)"])
    assert poll["kind"] == "poll"
    assert '"question": "Where to?"' in poll["data"]


def test_a_file_beside_the_app_s_mark_is_attached_whatever_the_words(tmp_path: Path) -> None:
    marked, typed = _read(tmp_path, ["\u200eMy report.pdf (blah blah)", "My report.pdf (blah blah)"])
    assert (marked["attachment"], typed["attachment"]) == ("My report.pdf", None)


def test_brackets_that_the_app_put_behind_a_text_say_that_it_was_edited_whatever_the_words(
    tmp_path: Path,
) -> None:
    marked, typed = _read(tmp_path, ["moin \u200e<blah blah>", "moin <blah blah>"], IPHONE)
    assert (marked["edited"], marked["text"]) == (True, "moin")
    assert (typed["edited"], typed["text"]) == (False, "moin <blah blah>")


@pytest.mark.parametrize("mark", ["'", "’"])
def test_apostrophes_of_either_kind_are_the_same(tmp_path: Path, mark: str) -> None:
    bodies = [
        f"S{mark}ha eliminat aquest missatge",
        f"Ce message a été supprimé par l{mark}admin Luis",
        f"S{mark}ha eliminat aquest missatge.",
    ]
    assert all(message["deleted"] for message in _read(tmp_path, bodies))


def test_a_call_and_how_it_ended_on_iphones_in_every_language(tmp_path: Path) -> None:
    bodies = [f"\u200e{wording}. \u200e10 s" for wording in _wordings("call")]
    for message in _read(tmp_path, bodies, IPHONE):
        assert message["kind"] == "call", message["text"]


@pytest.mark.parametrize(
    "notice",
    [
        "Ana changed the subject from “A: b” to “C: d”",
        "Ana将群组名称从“A: b”改为“C: d”",
        "Ana hat den Betreff von „A: b“ zu „C: d“ geändert",
        "Ana님이 그룹 이름을 'A: b'에서 'C: d'로 변경했습니다",
        "Ana изменил(-а) тему группы с «A: b» на «C: d»",
        "Anaが件名を「A: b」から「C: d」に変更しました",
    ],
)
def test_a_notice_that_quotes_a_colon_has_no_author(tmp_path: Path, notice: str) -> None:
    path = tmp_path / "chat.txt"
    path.write_text(f"24/03/2022, 13:00 - {notice}\n24/03/2022, 13:01 - Max „Mo“ O'Neil: ok\n", "utf-8")
    messages = read_export(path).messages.to_pylist()
    assert [message["author"] for message in messages] == [None, "Max „Mo“ O'Neil"]
    assert messages[0]["text"] == notice


@pytest.mark.parametrize("body", ["missed voice call", "<video>", "<attached: nothing>", "hi <edited by me>"])
def test_what_only_resembles_a_wording_stays_text(tmp_path: Path, body: str) -> None:
    message = _read(tmp_path, [body])[0]
    assert (message["kind"], message["text"], message["edited"]) == ("text", body, False)


def test_a_file_without_an_extension_is_attached_if_the_app_s_mark_says_so(tmp_path: Path) -> None:
    marked, typed = _read(tmp_path, ["\u200eREADME (file attached)", "my reasons (file attached)"])
    assert (marked["attachment"], typed["attachment"]) == ("README", None)


def test_who_writes_from_right_to_left_is_not_taken_for_the_app(tmp_path: Path) -> None:
    path = tmp_path / "_chat.txt"
    path.write_text(
        "[24/03/2022, 13:00:00] טיול: \u200fההודעות והשיחות מוצפנות מקצה-לקצה.\n"
        "[24/03/2022, 13:01:00] טיול: \u200fלואיס הצטרף\n"
        "[24/03/2022, 13:02:00] דנה: \u200fשלום לכולם\n"
        "[24/03/2022, 13:03:00] דנה: \u200fדנה שינתה את התמונה\n",
        "utf-8",
    )
    messages = read_export(path).messages.to_pylist()
    assert [message["author"] for message in messages] == [None, None, "דנה", "דנה"]
    assert [message["is_system"] for message in messages] == [True, True, False, True]


def test_a_group_with_a_colon_in_its_name_is_no_author(tmp_path: Path) -> None:
    path = tmp_path / "_chat.txt"
    path.write_text(
        "[24/03/2022, 13:00:00] Ana: Trip: \u200eMessages and calls are end-to-end encrypted.\n"
        "[24/03/2022, 13:01:00] Ana: Trip: \u200eLuis joined\n"
        "[24/03/2022, 13:02:00] Ana: Trip: yes or no?\n",
        "utf-8",
    )
    messages = read_export(path).messages.to_pylist()
    assert [(message["author"], message["text"]) for message in messages] == [
        (None, "Messages and calls are end-to-end encrypted."),
        (None, "Luis joined"),
        ("Ana", "Trip: yes or no?"),
    ]
