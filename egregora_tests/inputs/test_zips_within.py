"""Zips within zips and folders, and the ways in which programs spell the names of files."""

from __future__ import annotations

import io
import struct
import unicodedata
import zipfile
from pathlib import Path

import pytest

from egregora_resources.inputs import container
from egregora_resources.inputs.export import InputError
from egregora_resources.inputs.registry import read_export
from egregora_tests.inputs.zips import zipped

TEXT = "24/03/2022, 21:41 - Ana: hello\n25/03/2022, 21:42 - Luis: Zoë.pdf (file attached)\n"
OTHER = TEXT.replace("hello", "another chat")


def _apart(name: str) -> str:
    return unicodedata.normalize("NFD", name)


def test_several_iphone_exports_in_one_zip_are_told_apart_by_their_own_zips(tmp_path: Path) -> None:
    path = tmp_path / "backup.zip"
    trip, family = zipped({"_chat.txt": TEXT, "Zoë.pdf": b"%PDF"}), zipped({"_chat.txt": OTHER})
    path.write_bytes(zipped({"WhatsApp Chat - Trip.zip": trip, "WhatsApp Chat - Family.zip": family}))
    with pytest.raises(InputError, match=r"2 chats: “Family”, “Trip”\. Say which one with --chat"):
        read_export(path)
    export = read_export(path, chat="Trip")
    assert export.messages["text"][0].as_py() == "hello"
    assert set(export.media) == {"Zoë.pdf"}
    other = read_export(path, chat="Family")
    assert other.messages["text"][0].as_py() == "another chat"
    assert not other.media


def test_two_exports_of_one_chat_in_one_zip_are_chosen_from_by_their_paths(tmp_path: Path) -> None:
    path = tmp_path / "backup.zip"
    old, new = zipped({"_chat.txt": TEXT}), zipped({"_chat.txt": OTHER})
    path.write_bytes(zipped({"WhatsApp Chat - Trip.zip": old, "WhatsApp Chat - Trip (1).zip": new}))
    with pytest.raises(InputError, match=r"several chats “Trip”: WhatsApp Chat - Trip\.zip/_chat\.txt, "):
        read_export(path)
    export = read_export(path, chat="WhatsApp Chat - Trip (1).zip/_chat.txt")
    assert export.messages["text"][0].as_py() == "another chat"


def test_chats_without_a_name_are_called_by_their_folders(tmp_path: Path) -> None:
    path = tmp_path / "backup.zip"
    path.write_bytes(zipped({"Trip/_chat.txt": TEXT, "Family/_chat.txt": OTHER}))
    with pytest.raises(InputError, match="“Family”, “Trip”"):
        read_export(path)
    assert read_export(path, chat="Family").messages["text"][0].as_py() == "another chat"


def test_a_folder_that_holds_only_the_zip_is_as_good_as_the_zip(tmp_path: Path) -> None:
    folder = tmp_path / "from the phone"
    folder.mkdir()
    (folder / "WhatsApp Chat - Trip.zip").write_bytes(zipped({"_chat.txt": TEXT, "Zoë.pdf": b"%PDF"}))
    export = read_export(folder)
    assert (export.chat, list(export.media)) == ("Trip", ["Zoë.pdf"])
    (folder / "_chat.txt").write_text(OTHER)
    assert read_export(folder).messages["text"][0].as_py() == "another chat"


def test_a_damaged_zip_that_somebody_sent_costs_nothing_but_itself(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    broken = zipped({"plan.txt": "x" * 1000})[:-30]
    path.write_bytes(zipped({"WhatsApp Chat with Trip.txt": TEXT, "plans.zip": broken}))
    export = read_export(path)
    assert set(export.media) == {"plans.zip"}
    assert "plans.zip" in export.warnings[0]


def test_where_the_only_zip_within_is_damaged_the_error_says_so(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    path.write_bytes(zipped({"WhatsApp Chat - Trip.zip": zipped({"_chat.txt": TEXT})[:-30]}))
    with pytest.raises(InputError, match=r"no chat.*WhatsApp Chat - Trip\.zip in .* is damaged"):
        read_export(path)


def test_zips_within_are_unpacked_to_so_many_bytes_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(container, "LARGEST_NESTED", 5_000_000)
    stored = io.BytesIO()
    with zipfile.ZipFile(stored, "w") as archive:
        archive.writestr("b", b"\0" * 1_000_000)
    files: dict[str, str | bytes] = {f"{number}.zip": stored.getvalue() for number in range(9)}
    path = tmp_path / "x.zip"
    path.write_bytes(zipped({"_chat.txt": TEXT, **files}))
    refused = [warning for warning in read_export(path).warnings if "was not read" in warning]
    assert len(refused) == 5  # four fit into five million bytes, with what a zip adds to its files


def test_the_list_of_a_zip_is_read_once_however_many_of_its_files_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"IMG-20220325-WA{number:04}.jpg" for number in range(50)]
    inner = zipped({"_chat.txt": TEXT, **dict.fromkeys(names, b"picture")})
    path = tmp_path / "x.zip"
    path.write_bytes(zipped({"WhatsApp Chat - Trip.zip": inner}))
    opened: list[object] = []
    genuine = zipfile.ZipFile.__init__

    def counting(self: zipfile.ZipFile, *args: object, **options: object) -> None:
        opened.append(self)
        genuine(self, *args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(zipfile.ZipFile, "__init__", counting)
    export = read_export(path)
    for member in export.media.values():
        with member.open() as stream:
            assert stream.read() == b"picture"
    assert (len(export.media), len(opened)) == (50, 2)


def _without_the_flag_of_utf8(data: bytes) -> bytes:
    changed = bytearray(data)
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = -1
        while (at := changed.find(signature, at + 1)) >= 0:
            flags = struct.unpack_from("<H", changed, at + offset)[0]
            struct.pack_into("<H", changed, at + offset, flags & ~0x800)
    return bytes(changed)


@pytest.mark.parametrize("spelled", [str, _apart])
def test_names_are_understood_as_apple_s_programs_write_them(tmp_path: Path, spelled: type[str]) -> None:
    path = tmp_path / "x.zip"
    files: dict[str, str | bytes] = {"WhatsApp Chat with Zoë’s.txt": TEXT, "Zoë.pdf": b"%PDF"}
    path.write_bytes(
        _without_the_flag_of_utf8(zipped({spelled(name): content for name, content in files.items()}))
    )
    export = read_export(path)
    assert export.chat == "Zoë’s"
    with export.media["Zoë.pdf"].open() as stream:
        assert stream.read() == b"%PDF"


def test_a_file_is_found_by_a_name_whose_accents_stand_apart_in_the_chat(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    text = TEXT.replace("Zoë.pdf (file attached)", _apart("Zoë.pdf (in a wording nobody knows)"))
    path.write_bytes(zipped({"_chat.txt": text, "Zoë.pdf": b"%PDF"}))
    export = read_export(path)
    assert export.messages["attachment"][1].as_py() == _apart("Zoë.pdf")
    assert export.media[_apart("Zoë.pdf")].name == _apart("Zoë.pdf")
