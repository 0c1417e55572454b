"""Claims about the chat's files: kept once and whole, known by their bytes, published without what they tell."""

from __future__ import annotations

import hashlib
import os
import signal
import struct
import subprocess
import sys
import textwrap
import time
import tracemalloc
import zipfile
from pathlib import Path

import pytest

from egregora_resources.media import kinds
from egregora_resources.media.store import NOT_THERE, MediaStore, Stored
from egregora_resources.process_owner import FOREIGN_HOURS
from egregora_tests.media.files import (
    SECRET,
    Endless,
    add,
    box,
    encoded,
    film,
    located_jpeg,
    office,
    published,
    scene,
    show,
    track,
)


def test_an_original_is_byte_identical_to_the_member_of_the_zip(store: MediaStore, tmp_path: Path) -> None:
    data = located_jpeg()
    with zipfile.ZipFile(tmp_path / "export.zip", "w") as archive:
        archive.writestr("IMG-20250113-WA0001.jpg", data)
    with (
        zipfile.ZipFile(tmp_path / "export.zip") as archive,
        archive.open("IMG-20250113-WA0001.jpg") as stream,
    ):
        stored = store.add("IMG-20250113-WA0001.jpg", stream)  # pyright: ignore[reportArgumentType]
    original = store.original(stored.id)
    assert original is not None
    assert original.read_bytes() == data
    assert stored == Stored(hashlib.sha256(data).hexdigest()[:24], "image", len(data), "jpg")


def test_the_same_bytes_under_two_names_are_kept_once(store: MediaStore, tmp_path: Path) -> None:
    first, second = (add(store, name, located_jpeg()) for name in ("a.jpg", "00000012-PHOTO.JPEG"))
    assert first == second
    assert list(store.ids()) == [first.id]
    assert len([path for path in (tmp_path / "media").rglob("*") if path.is_file()]) == 1


def test_an_original_cannot_be_written_to_by_accident(store: MediaStore) -> None:
    original = store.original(add(store, "a.jpg", located_jpeg()).id)
    assert original is not None
    assert original.stat().st_mode & 0o222 == 0


def test_a_large_file_is_kept_in_little_memory(store: MediaStore) -> None:
    size = 200 << 20
    tracemalloc.start()
    try:
        stored = store.add("talk.mp4", Endless(size))  # pyright: ignore[reportArgumentType]
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert stored.size == size
    assert peak < 8 << 20


def test_a_stream_that_fails_leaves_nothing(store: MediaStore, tmp_path: Path) -> None:
    class Failing(Endless):
        def read(self, size: int = -1) -> bytes:
            if self.left < 3 << 20:
                raise zipfile.BadZipFile("Bad CRC-32")
            return super().read(size)

    with pytest.raises(zipfile.BadZipFile):
        store.add("a.jpg", Failing(5 << 20))  # pyright: ignore[reportArgumentType]
    assert not [path for path in (tmp_path / "media").rglob("*") if path.is_file()]


def test_a_kill_while_writing_leaves_no_partial_file_and_the_next_start_cleans_up(tmp_path: Path) -> None:
    script = textwrap.dedent("""
        import sys
        from pathlib import Path
        from egregora_resources.media.store import MediaStore

        class Slow:
            sent = 0
            def read(self, size):
                self.sent += 1
                if self.sent == 3:
                    print("half", flush=True)
                    sys.stdin.read()
                return bytes(size)

        MediaStore(Path(sys.argv[1])).add("a.mp4", Slow())
    """)
    root = tmp_path / "media"
    with subprocess.Popen(
        [sys.executable, "-c", script, str(root)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"half\n"
        others = MediaStore(root)
        assert list((root / "incoming").iterdir()), "a file that somebody is writing must be left alone"
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert not list(others.ids())
    MediaStore(root)
    assert not [path for path in root.rglob("*") if path.is_file()]


def test_what_another_machine_writes_is_left_alone_for_hours(tmp_path: Path) -> None:
    MediaStore(tmp_path / "media")
    for name in ("elsewhere~1~1.00~ab", "0a1b2c3d-1-1-ab"):  # the second one as earlier code named them
        path = tmp_path / "media" / "incoming" / name
        path.write_bytes(b"half")
        MediaStore(tmp_path / "media")
        assert path.exists()
        hours = time.time() - 3600 * (FOREIGN_HOURS + 1)
        os.utime(path, (hours, hours))
        MediaStore(tmp_path / "media")
        assert not path.exists()


@pytest.mark.parametrize(
    ("name", "data", "kind", "extension"),
    [
        ("photo.pdf", b"\xff\xd8\xff\xe0rest", "image", "jpg"),
        ("STK-1.webp", encoded(scene(512, 512), "WEBP"), "sticker", "webp"),
        ("STK-2.webp", encoded(scene(512, 512, "RGBA"), "WEBP", lossless=True), "sticker", "webp"),
        ("STK-3.webp", encoded(scene(512, 512, "RGBA"), "WEBP"), "sticker", "webp"),
        ("picture.webp", encoded(scene(800, 512), "WEBP"), "image", "webp"),
        ("picture.webp", encoded(scene(800, 512, "RGBA"), "WEBP", lossless=True), "image", "webp"),
        ("PTT-1.opus", b"OggS" + bytes(24) + b"OpusHead", "audio", "opus"),
        ("a.mp3", b"\xff\xfb\x90\x00", "audio", "mp3"),
        ("a.aac", b"\xff\xf1\x50\x80", "audio", "aac"),
        ("a.m4a", film(brand=b"M4A "), "audio", "m4a"),
        ("a.html", film(), "video", "mp4"),
        ("a.MOV", film(brand=b"qt  "), "video", "mov"),
        ("a.heic", box(b"ftyp", b"heic", bytes(8)), "unsupported", "heic"),
        ("minutes.pdf", b"%PDF-1.7\n", "document", "pdf"),
        ("minutes.docx", office("docx"), "document", "docx"),
        ("minutes.odt", office("odt", first="mimetype"), "document", "odt"),
        ("chat.docx", office("docx", first="WhatsApp Chat.txt"), "unsupported", "docx"),
        ("chat.zip", office("docx"), "unsupported", "zip"),
        ("list.csv", "Käse;3\n".encode(), "document", "csv"),
        ("Ana.vcf", b"BEGIN:VCARD\nTEL:+49", "contact", "vcf"),
        ("Ana.txt", b"\xef\xbb\xbf\r\nbegin:vcard\nTEL:+49", "contact", "vcf"),
        ("broken.vcf", b"TEL:+49", "contact", "vcf"),
        ("page.txt", b"  <!DOCTYPE html><script>", "unsupported", "txt"),
        ("drawing.svg", b"<?xml version='1.0'?><svg onload='alert(1)'/>", "unsupported", "svg"),
        ("run.js", b"alert(1)", "unsupported", "js"),
        ("movie.swf", b"CWS\x09", "unsupported", "swf"),
        ("a.<b>", b"\x00\x01", "unsupported", ""),
        ("empty.txt", b"", "unsupported", "txt"),
    ],
)
def test_a_file_is_known_by_its_bytes_before_its_name(
    store: MediaStore, name: str, data: bytes, kind: str, extension: str
) -> None:
    stored = add(store, name, data)
    assert (stored.kind, stored.extension) == (kind, extension)
    assert kinds.recognise(data[: kinds.HEAD], stored.extension) == (kind, extension), "and stays what it is"


def test_voice_and_documents_are_linked_as_they_are(store: MediaStore, docs: Path) -> None:
    for name, data in (
        ("PTT.opus", b"OggS" + bytes(24) + b"OpusHead"),
        ("a.pdf", b"%PDF-1.7\n"),
        ("a.csv", b"1;2"),
    ):
        view = show(store, name, data)
        assert view.size == len(data)
        assert published(store, docs, view) == data


TOOL = box(b"udta", box(b"meta", bytes(4), box(b"hdlr", bytes(25)), box(b"ilst", box(b"\xa9too", b"Lavf"))))
ANDROID = box(
    b"meta",
    box(b"hdlr", bytes(25)),
    box(b"keys", bytes(4), struct.pack(">I", 1), box(b"mdta", b"com.android.version")),
    box(b"ilst", box(b"\0\0\0\1", b"13")),
)


@pytest.mark.parametrize("beside", [TOOL, ANDROID, box(b"free", bytes(40)), bytes(4)])
def test_a_film_that_tells_nothing_is_linked_as_it_is(store: MediaStore, docs: Path, beside: bytes) -> None:
    data = film(beside)
    view = show(store, "a.mp4", data)
    assert (view.width, view.height) == (640, 360)
    assert published(store, docs, view) == data
    assert (docs / str(view.path)).stat().st_nlink == 2


@pytest.mark.parametrize(
    "telling",
    [
        box(b"udta", box(b"\xa9xyz", b"\0\x14\x15\xc7", SECRET)),
        box(b"udta", box(b"loci", SECRET)),
        box(b"udta", SECRET),
        box(b"meta", box(b"hdlr", bytes(25)), box(b"keys", SECRET), box(b"ilst", SECRET)),
        box(b"uuid", bytes(16), SECRET),
        box(b"free", SECRET),
        box(b"Xtra", SECRET),
    ],
)
@pytest.mark.parametrize("where", ["film", "track", "file"])
def test_a_film_that_tells_a_place_is_published_blanked_and_equally_long(
    store: MediaStore, docs: Path, telling: bytes, where: str
) -> None:
    data = {
        "film": film(telling),
        "track": film(tracks=box(b"trak", track(b"vide", 9, 9)[8:], telling)),
        "file": film() + telling,
    }[where]
    seen = published(store, docs, show(store, "a.mp4", data))
    assert SECRET not in seen
    assert len(seen) == len(data)
    assert seen.count(b"pictures and sound") == 50
    assert seen.index(b"mdat") == data.index(b"mdat")
    original = store.original(hashlib.sha256(data).hexdigest()[:24])
    assert original is not None
    assert original.read_bytes() == data


def test_a_film_held_upright_has_the_size_it_is_shown_in(store: MediaStore) -> None:
    view = show(store, "a.mp4", film(tracks=track(b"vide", 1920, 1080, turned=True)))
    assert (view.width, view.height) == (1080, 1920)


def test_a_film_with_a_track_of_positions_is_left_out(store: MediaStore) -> None:
    view = show(store, "a.mp4", film(tracks=track(b"vide", 9, 9) + track(b"meta")))
    assert view.path is None
    assert "beside picture and sound" in view.missing


def test_a_film_whose_boxes_make_no_sense_is_left_out(store: MediaStore) -> None:
    whole = film()
    for data in (
        whole[:40],
        film(tracks=b""),
        whole[:24] + b"\0\0\0\3moov" + whole[32:],
        whole[:20] + bytes(80),
    ):
        assert "damaged" in show(store, "a.mp4", data).missing
    assert show(store, "a.mp4", whole[:-100]).path is not None, "cut in its last pictures it still plays"


def test_an_old_view_cannot_publish_a_film_that_has_to_be_blanked(
    store: MediaStore, docs: Path, tmp_path: Path
) -> None:
    view = show(store, "a.mp4", film(box(b"udta", SECRET)))
    for path in (tmp_path / "media" / "derived").rglob("*.*"):
        path.unlink()
    assert SECRET not in published(store, docs, view)


def test_published_files_take_no_space_a_second_time(store: MediaStore, docs: Path) -> None:
    views = [
        show(store, "a.jpg", located_jpeg()),
        show(store, "a.pdf", b"%PDF-1.7\n"),
        show(store, "a.mp4", film()),
    ]
    assert store.publish(views, docs) == 4
    assert all(path.stat().st_nlink == 2 for path in (docs / "media").iterdir())
    original = store.original(views[1].id)
    assert original is not None
    assert original.samefile(docs / str(views[1].path))


def test_publishing_again_changes_nothing_and_takes_away_what_is_not_wanted(
    store: MediaStore, docs: Path
) -> None:
    picture, document = show(store, "a.jpg", located_jpeg()), show(store, "a.pdf", b"%PDF-1.7\n")
    store.publish([picture, document], docs)
    before = {path: path.stat().st_mtime_ns for path in (docs / "media").iterdir()}
    assert store.publish([picture, document, picture], docs) == 0
    assert before == {path: path.stat().st_mtime_ns for path in (docs / "media").iterdir()}
    (docs / "media" / ".a.jpg.part").write_bytes(b"left by a kill")
    assert store.publish([document], docs) == 3
    assert [path.name for path in (docs / "media").iterdir()] == [Path(str(document.path)).name]


def test_without_hard_links_files_are_copied_once(
    store: MediaStore, docs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", refuse)
    data = b"%PDF-1.7\n" + bytes(3 << 20)
    view = show(store, "a.pdf", data)
    assert store.publish([view], docs) == 1
    assert (docs / str(view.path)).read_bytes() == data
    assert store.publish([view], docs) == 0
    monkeypatch.delattr(os, "copy_file_range", raising=False)
    (docs / str(view.path)).unlink()
    assert store.publish([view], docs) == 1
    assert (docs / str(view.path)).read_bytes() == data


def test_a_published_file_that_was_tampered_with_is_put_right(store: MediaStore, docs: Path) -> None:
    view = show(store, "a.pdf", b"%PDF-1.7\n")
    target = docs / str(view.path)
    target.parent.mkdir(parents=True)
    target.symlink_to("/etc/hostname")
    assert published(store, docs, view) == b"%PDF-1.7\n"
    assert not target.is_symlink()


def test_forgetting_a_file_removes_it_and_all_that_was_made_of_it(
    store: MediaStore, docs: Path, tmp_path: Path
) -> None:
    view, other = show(store, "a.jpg", located_jpeg()), show(store, "b.jpg", located_jpeg(700, 500))
    store.publish([view, other], docs)
    assert view.id in store
    assert store.delete(view.id)
    assert view.id not in store
    assert not store.delete(view.id)
    assert list(store.ids()) == [other.id]
    assert not [path for path in (tmp_path / "media").rglob("*") if view.id in path.name]
    store.publish([view, other], docs)
    assert not [path for path in (docs / "media").iterdir() if view.id in path.name]
    assert store.view(view.id, "image", "jpg").missing == NOT_THERE
