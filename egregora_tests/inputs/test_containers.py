"""What an export comes in: every honest container is read, every hostile one ends in a sentence for the owner."""

from __future__ import annotations

import os
import re
import struct
import zipfile
from pathlib import Path

import pytest

from egregora_resources.inputs.export import Export, InputError
from egregora_resources.inputs.registry import export_digest, read_export
from egregora_tests.inputs.zips import zipped

TEXT = "24/03/2022, 21:41 - Ana: hello\n25/03/2022, 21:42 - Luis: IMG-20220325-WA0000.jpg (file attached)\n"
IPHONE = "[24/03/2022, 21:41:55] Trip: \u200eMessages and calls are end-to-end encrypted.\r\n[24/03/2022, 21:42:00] Ana: hi\r\n"


def _zip(path: Path, files: dict[str, str | bytes], *, compress: bool = True) -> Path:
    method = zipfile.ZIP_DEFLATED if compress else zipfile.ZIP_STORED
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def _texts(export: Export) -> list[str]:
    return export.messages["text"].to_pylist()


def _refused(path: Path, *parts: str) -> None:
    with pytest.raises(InputError) as caught:
        read_export(path)
    sentence = str(caught.value)
    assert str(path.name) in sentence
    for part in parts:
        assert part in sentence
    assert "Traceback" not in sentence


@pytest.mark.parametrize(
    ("container", "text", "chat"),
    [
        ("x.zip", "WhatsApp Chat with My Group.txt", "My Group"),
        ("x.zip", "Conversa do WhatsApp com Teste.txt", "Teste"),
        ("WhatsApp Chat - Trip.zip", "_chat.txt", "Trip"),
        ("WhatsApp Chat - Trip (2).zip", "_chat.txt", "Trip"),
        ("x.zip", "WhatsApp_Chat_with_My_Group.txt", "My Group"),
        ("x.zip", "Chat de WhatsApp con Viaje 🏖.txt", "Viaje 🏖"),
        ("x.zip", "WhatsApp-Chat mit Müllers.txt", "Müllers"),
        ("x.zip", "Discussion WhatsApp avec Équipe.txt", "Équipe"),
        ("x.zip", "Чат WhatsApp с контактом Оля.txt", "Оля"),
        ("x.zip", "Ali ile WhatsApp Sohbeti.txt", "Ali"),
        ("x.zip", "与小王的 WhatsApp 聊天.txt", "小王"),
        ("x.zip", "chat.txt", ""),
    ],
)
def test_zip_with_media_and_its_name(tmp_path: Path, container: str, text: str, chat: str) -> None:
    path = _zip(tmp_path / container, {text: TEXT, "IMG-20220325-WA0000.jpg": b"picture"})
    export = read_export(path)
    assert export.chat == chat
    assert _texts(export) == ["hello", ""]
    assert list(export.media) == ["IMG-20220325-WA0000.jpg"]
    member = export.media["IMG-20220325-WA0000.jpg"]
    assert member.size == 7
    with member.open() as stream:
        assert stream.read() == b"picture"


def test_text_file_folder_and_nested_zip_say_the_same(tmp_path: Path) -> None:
    name = "WhatsApp Chat with Trip.txt"
    (tmp_path / name).write_text(TEXT)
    folder = tmp_path / "folder"
    (folder / "media").mkdir(parents=True)
    (folder / name).write_text(TEXT)
    (folder / "media" / "IMG-20220325-WA0000.jpg").write_bytes(b"picture")
    nested = _zip(
        tmp_path / "nested.zip",
        {"inner/Trip.zip": zipped({name: TEXT, "IMG-20220325-WA0000.jpg": b"picture"})},
    )
    exports = [read_export(path) for path in (tmp_path / name, folder, nested)]
    assert {export.chat for export in exports} == {"Trip"}
    assert [_texts(export) for export in exports] == [["hello", ""]] * 3
    assert [list(export.media) for export in exports] == [[], *[["IMG-20220325-WA0000.jpg"]] * 2]
    with exports[2].media["IMG-20220325-WA0000.jpg"].open() as stream:
        assert stream.read() == b"picture"


def test_iphone_names_the_chat_by_its_zip_and_its_label_is_no_author(tmp_path: Path) -> None:
    export = read_export(_zip(tmp_path / "WhatsApp Chat - Trip.zip", {"_chat.txt": IPHONE}))
    assert export.chat == "Trip"
    assert export.messages["author"].to_pylist() == [None, "Ana"]


def test_several_chats_have_to_be_chosen_from(tmp_path: Path) -> None:
    path = _zip(
        tmp_path / "all.zip",
        {
            "a.zip": zipped({"WhatsApp Chat with A.txt": TEXT}),
            "WhatsApp Chat with B.txt": TEXT.replace("hello", "from b"),
        },
    )
    _refused(path, "2 chats", "“A”", "“B”", "--chat")
    assert _texts(read_export(path, chat="B"))[0] == "from b"
    assert read_export(path, chat="a").chat == "A"
    with pytest.raises(InputError, match="no chat “C”"):
        read_export(path, chat="C")


def test_a_text_document_among_the_media_is_no_second_chat(tmp_path: Path) -> None:
    path = _zip(
        tmp_path / "x.zip", {"WhatsApp Chat with A.txt": TEXT, "notes.txt": "shopping", "LICENSE.txt": TEXT}
    )
    export = read_export(path)
    assert export.chat == "A"
    assert set(export.media) == {"notes.txt", "LICENSE.txt"}


def test_digest_is_the_container_s(tmp_path: Path) -> None:
    path = _zip(tmp_path / "x.zip", {"_chat.txt": IPHONE})
    copy = tmp_path / "copy.zip"
    copy.write_bytes(path.read_bytes())
    assert read_export(path).digest == export_digest(path) == export_digest(copy)
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "_chat.txt").write_text(TEXT)
    before = export_digest(folder)
    (folder / "a.jpg").write_bytes(b"1")
    assert before != export_digest(folder)
    assert read_export(folder).digest == export_digest(folder)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_encodings(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "chat.txt"
    path.write_bytes("24/03/2022, 21:41 - Zoë: grüße 🌻\n25/03/2022, 21:42 - Ana: so\n".encode(encoding))
    export = read_export(path)
    assert export.messages["author"].to_pylist() == ["Zoë", "Ana"]
    assert _texts(export) == ["grüße 🌻", "so"]


def test_some_damaged_characters_don_t_stop_the_import(tmp_path: Path) -> None:
    path = tmp_path / "chat.txt"
    path.write_bytes("24/03/2022, 21:41 - Zoë: grüße 🌻 ".encode() + b"\xf0\x9f\x8c\n")
    export = read_export(path)
    assert _texts(export) == ["grüße 🌻 \ufffd"]
    assert any("damaged" in warning for warning in export.warnings)


def test_lines_before_the_first_message_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "chat.txt"
    path.write_text("exported for Ana\n\nby hand\n" + TEXT)
    export = read_export(path)
    assert export.not_understood == ("exported for Ana", "by hand")
    assert len(export.messages) == 2


@pytest.mark.parametrize("count", [39_990, 10_000])
def test_a_chat_that_whatsapp_cut_is_pointed_out(tmp_path: Path, count: int) -> None:
    path = tmp_path / "chat.txt"
    path.write_text("24/03/2022, 21:41 - Ana: hello\n" * count)
    assert any("cuts exports" in warning for warning in read_export(path).warnings)


def test_thousands_of_media(tmp_path: Path) -> None:
    names = [f"IMG-20220325-WA{number:04}.jpg" for number in range(3000)]
    text = "".join(f"25/03/2022, 21:42 - Ana: {name} (file attached)\n" for name in names)
    export = read_export(
        _zip(tmp_path / "x.zip", {"_chat.txt": text, **dict.fromkeys(names, b"x")}, compress=False)
    )
    assert export.messages["attachment"].to_pylist() == names
    assert len(export.media) == 3000


def test_a_huge_video_is_never_read(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("_chat.txt", TEXT)
        with archive.open("VID.mp4", "w", force_zip64=True) as stream:
            for _ in range(300):
                stream.write(bytes(1 << 20))
    export = read_export(path)
    assert export.media["VID.mp4"].size == 300 << 20
    with export.media["VID.mp4"].open() as stream:
        assert stream.read(10) == bytes(10)


def test_a_name_in_the_chat_is_a_file_only_if_it_is_one(tmp_path: Path) -> None:
    text = "24/03/2022, 21:41 - Ana: plan.pdf (das war's)\n25/03/2022, 21:42 - Ana: list.pdf (das war's)\n"
    export = read_export(_zip(tmp_path / "x.zip", {"_chat.txt": text, "plan.pdf": b"x"}))
    assert export.messages["attachment"].to_pylist() == ["plan.pdf", None]


# --- hostile and broken ---------------------------------------------------------------------------------


def test_paths_that_lead_out_are_only_names(tmp_path: Path) -> None:
    path = _zip(tmp_path / "x.zip", {"../../_chat.txt": TEXT, "/etc/passwd": b"x", "..\\..\\boot.ini": b"y"})
    before = sorted(tmp_path.iterdir())
    export = read_export(path)
    assert sorted(export.media) == ["boot.ini", "passwd"]
    assert sorted(tmp_path.iterdir()) == before


def test_links_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("_chat.txt", TEXT)
        link = zipfile.ZipInfo("IMG-20220325-WA0000.jpg")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    export = read_export(path)
    assert dict(export.media) == {}
    assert any("link" in warning for warning in export.warnings)
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "_chat.txt").write_text(TEXT)
    (folder / "secret.jpg").symlink_to("/etc/passwd")
    os.mkfifo(folder / "pipe.jpg")
    assert dict(read_export(folder).media) == {}


def test_duplicate_names_keep_the_first(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("_chat.txt", TEXT)
        archive.writestr("a/x.jpg", "first")
        archive.writestr("b/x.jpg", "second")
    export = read_export(path)
    with export.media["x.jpg"].open() as stream:
        assert stream.read() == b"first"
    assert any("name of another" in warning for warning in export.warnings)


def test_an_honest_text_may_compress_well(tmp_path: Path) -> None:
    text = "24/03/2022, 21:41 - Ana: hello\n" * 200_000
    path = _zip(tmp_path / "x.zip", {"_chat.txt": text})
    assert len(text) / path.stat().st_size > 200
    assert len(read_export(path).messages) == 200_000


def test_a_bomb_is_measured_by_what_comes_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("egregora_resources.inputs.whatsapp.read.LARGEST_TEXT", 1 << 20)
    _refused(_zip(tmp_path / "x.zip", {"_chat.txt": TEXT + "a" * (2 << 20)}), "_chat.txt")
    monkeypatch.setattr("egregora_resources.inputs.container.LARGEST_NESTED", 1 << 20)
    inner = zipped({"WhatsApp Chat with A.txt": TEXT}) + bytes(3 << 20)
    _refused(_zip(tmp_path / "y.zip", {"inner.zip": inner}), "inner.zip")


def test_a_zip_that_lies_about_sizes_is_refused(tmp_path: Path) -> None:
    path = _zip(tmp_path / "x.zip", {"_chat.txt": TEXT * 1000})
    data = bytearray(path.read_bytes())
    central = data.rfind(b"PK\x01\x02")
    struct.pack_into("<I", data, central + 24, 100)  # the uncompressed size
    path.write_bytes(data)
    _refused(path)


def test_encrypted(tmp_path: Path) -> None:
    path = _zip(tmp_path / "x.zip", {"_chat.txt": TEXT})
    data = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.rfind(signature) + offset] |= 1
    path.write_bytes(data)
    _refused(path, "encrypted", "password")


def test_zip_within_zip_within_zip_ends_somewhere(tmp_path: Path) -> None:
    inner = zipped({"deep.zip": b"PK\x03\x04"})
    for _ in range(6):
        inner = zipped({"deep.zip": inner})
    (tmp_path / "x.zip").write_bytes(inner)
    _refused(tmp_path / "x.zip", "no chat")


@pytest.mark.parametrize("keep", [0.3, 0.6, 0.9])
def test_truncated_zip(tmp_path: Path, keep: float) -> None:
    path = _zip(tmp_path / "x.zip", {"_chat.txt": TEXT, "a.jpg": os.urandom(10_000)})
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * keep)])
    _refused(path, "zip")


def test_damaged_text_in_a_zip(tmp_path: Path) -> None:
    path = _zip(tmp_path / "x.zip", {"_chat.txt": "".join(f"{TEXT}{number}" for number in range(10_000))})
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 400] = os.urandom(400)
    path.write_bytes(data)
    _refused(path, "damaged")


@pytest.mark.parametrize(
    ("content", "part"),
    [
        (b"\x89PNG\r\n\x1a\n\x00\x00\xff\xfe\x80\x81", "UTF-8"),
        ("24/03/2022, 21:41 - Zoë: grüße\n".encode("latin-1"), "UTF-8"),
        ("24/03/2022, 21:41 - Оля: привет\n".encode("cp1251"), "UTF-8"),
    ],
)
def test_wrong_encoding(tmp_path: Path, content: bytes, part: str) -> None:
    path = tmp_path / "chat.txt"
    path.write_bytes(content)
    _refused(path, part)


def test_nothing_to_read(tmp_path: Path) -> None:
    _refused(tmp_path / "missing.zip", "no file")
    (tmp_path / "empty").mkdir()
    _refused(tmp_path / "empty", "empty folder")
    _refused(_zip(tmp_path / "empty.zip", {}), "empty zip")
    _refused(
        _zip(tmp_path / "media.zip", {"a.jpg": b"x", "b.mp4": b"y"}), "no chat", "none of its files is a .txt"
    )
    (tmp_path / "not.zip").write_bytes(b"hello \xff\xfe")
    _refused(tmp_path / "not.zip", "not a complete zip")


@pytest.mark.parametrize(
    ("head", "kind"),
    [(b"Rar!\x1a\x07\x01\x00", "RAR"), (b"7z\xbc\xaf\x27\x1c", "7z"), (b"\x1f\x8b\x08", "gzip")],
)
def test_another_kind_of_archive_is_named(tmp_path: Path, head: bytes, kind: str) -> None:
    path = tmp_path / "chat"
    path.write_bytes(head + b"24/03/2022, 21:41 - Ana: hi")
    _refused(path, f"{kind} archive", "Unpack it")


def test_unreadable(tmp_path: Path) -> None:
    path = tmp_path / "chat.txt"
    path.write_text(TEXT)
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("nothing is unreadable to this user")
    _refused(path, "can't be read")


def test_unknown_date_order_names_what_is_allowed(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="day-first"):
        read_export(tmp_path, date_order="mdy")


def test_errors_are_sentences() -> None:
    with pytest.raises(InputError) as caught:
        read_export(Path("nowhere.zip"))
    assert re.fullmatch(r"[A-Z].+\.", str(caught.value))


def test_a_text_that_a_zip_holds_twice_is_read_once(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("WhatsApp Chat with A.txt", TEXT)
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("WhatsApp Chat with A.txt", TEXT + TEXT)
    export = read_export(path)
    assert len(export.messages) == 2
    assert "twice" in export.warnings[0]


def test_what_apple_s_zips_add_and_a_folder_named_like_a_text_do_no_harm(tmp_path: Path) -> None:
    path = _zip(
        tmp_path / "x.zip",
        {"__MACOSX/._WhatsApp Chat with A.txt": b"\0\5", "chat.txt/WhatsApp Chat with A.txt": TEXT},
    )
    export = read_export(path)
    assert (export.chat, len(export.messages), dict(export.media)) == ("A", 2, {})
