"""Claims about the chat's files: kept once and whole, published without what they tell, hostile ones not at all."""

from __future__ import annotations

import hashlib
import io
import os
import signal
import struct
import subprocess
import sys
import textwrap
import tracemalloc
import warnings
import zipfile
import zlib
from pathlib import Path

import pytest
from PIL import Image, ImageCms, ImageDraw, PngImagePlugin

from egregora_resources import media_store
from egregora_resources.media import kinds, pictures
from egregora_resources.media_store import MediaStore, Stored
from egregora_resources.publishing.content import MediaView

SECRET = b"secret-place-52.5200"


@pytest.fixture
def store(tmp_path: Path) -> MediaStore:
    return MediaStore(tmp_path / "media")


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    return tmp_path / "docs"


def add(store: MediaStore, name: str, data: bytes) -> Stored:
    return store.add(name, io.BytesIO(data))


def show(store: MediaStore, name: str, data: bytes) -> MediaView:
    stored = add(store, name, data)
    return store.view(stored.id, stored.kind, stored.extension)


def published(store: MediaStore, docs: Path, view: MediaView) -> bytes:
    assert view.path is not None
    store.publish([view], docs)
    return (docs / view.path).read_bytes()


def encoded(picture: Image.Image, format: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, format, **options)
    return buffer.getvalue()


def scene(width: int, height: int, mode: str = "RGB") -> Image.Image:
    """Grey, with a red block in the upper left corner and a green one in the upper right."""
    picture = Image.new(mode, (width, height), (128, 128, 128, 0)[: len(mode)])
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, 0, width // 4, height // 4), fill=(255, 0, 0, 255)[: len(mode)])
    draw.rectangle((width * 3 // 4, 0, width, height // 4), fill=(0, 255, 0, 255)[: len(mode)])
    return picture


def located_jpeg(width: int = 2000, height: int = 1000, orientation: int = 1) -> bytes:
    """A photo with a place, a camera, XMP, a comment, and a second picture hidden behind its end."""
    picture = scene(width, height)
    exif = picture.getexif()
    exif[0x0112] = orientation
    exif[0x010F] = SECRET.decode()
    exif.get_ifd(0x8825).update({1: "N", 2: (52.0, 31.0, 12.0), 3: "E", 4: (13.0, 24.0, 18.0)})
    xmp = b"<x:xmpmeta>" + SECRET + b"</x:xmpmeta>"
    return encoded(picture, "JPEG", exif=exif, xmp=xmp, comment=SECRET, quality=90) + SECRET


def png_of_size(width: int, height: int) -> bytes:
    """A tiny file that claims to be a picture of this size."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(10_000_000), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def box(kind: bytes, *payload: bytes) -> bytes:
    body = b"".join(payload)
    return struct.pack(">I", 8 + len(body)) + kind + body


def track(handler: bytes, width: int = 0, height: int = 0, *, turned: bool = False) -> bytes:
    one = struct.pack(">I", 0x10000)
    matrix = (bytes(4) + one + bytes(4) + one if turned else one + bytes(12) + one)[:20].ljust(36, b"\0")
    header = box(b"tkhd", bytes(40), matrix, struct.pack(">II", width << 16, height << 16))
    return box(
        b"trak", header, box(b"mdia", box(b"mdhd", bytes(24)), box(b"hdlr", bytes(8) + handler + bytes(12)))
    )


def film(*beside: bytes, tracks: bytes | None = None, brand: bytes = b"isom") -> bytes:
    tracks = track(b"vide", 640, 360) + track(b"soun") if tracks is None else tracks
    moov = box(b"moov", box(b"mvhd", bytes(100)), tracks, *beside)
    return box(b"ftyp", brand, bytes(4)) + moov + box(b"mdat", b"pictures and sound" * 50)


def office(extension: str, first: str = "[Content_Types].xml") -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(first, f"application/vnd.oasis.opendocument.text {extension}")
    return buffer.getvalue()


class Endless(io.RawIOBase):
    """A stream of so many bytes that never exist at once."""

    def __init__(self, size: int) -> None:
        self.left = size

    def read(self, size: int = -1) -> bytes:
        assert 0 < size <= 1 << 20, "the store must read in chunks"
        size = min(size, self.left)
        self.left -= size
        return bytes(size)


# --- Keeping -----------------------------------------------------------------------------------------


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
        import sys, time
        from pathlib import Path
        from egregora_resources.media_store import MediaStore

        class Slow:
            sent = 0
            def read(self, size):
                self.sent += 1
                if self.sent == 3:
                    print("half", flush=True)
                    time.sleep(60)
                return bytes(size)

        MediaStore(Path(sys.argv[1])).add("a.mp4", Slow())
    """)
    root = tmp_path / "media"
    with subprocess.Popen([sys.executable, "-c", script, str(root)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"half\n"
        others = MediaStore(root)
        assert list((root / "incoming").iterdir()), "a file that somebody is writing must be left alone"
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert not list(others.ids())
    MediaStore(root)
    assert not [path for path in root.rglob("*") if path.is_file()]


# --- What a file is ----------------------------------------------------------------------------------


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


# --- Pictures ----------------------------------------------------------------------------------------


def test_a_published_picture_tells_nothing_but_its_pixels(store: MediaStore, docs: Path) -> None:
    view = show(store, "a.jpg", located_jpeg())
    assert view.thumbnail is not None
    store.publish([view], docs)
    for path in (view.path, view.thumbnail):
        data = (docs / str(path)).read_bytes()
        picture = Image.open(io.BytesIO(data))
        assert SECRET not in data
        assert not picture.getexif()
        assert not set(picture.info) & {"exif", "xmp", "comment", "icc_profile", "photoshop"}
        assert b"Exif" not in data


@pytest.mark.parametrize("format", ["PNG", "WEBP", "GIF"])
def test_no_format_carries_its_words_over(store: MediaStore, docs: Path, format: str) -> None:
    exif = Image.Exif()
    exif[0x010F] = SECRET.decode()
    words = PngImagePlugin.PngInfo()
    words.add_text("Location", SECRET.decode())
    options = {"PNG": {"pnginfo": words}, "WEBP": {"xmp": SECRET}, "GIF": {"comment": SECRET}}[format]
    data = encoded(scene(700, 700), format, exif=exif, **options)
    assert SECRET in data
    view = show(store, "a", data)
    store.publish([view], docs)
    assert all(SECRET not in path.read_bytes() for path in (docs / "media").iterdir())


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_stands_upright(store: MediaStore, docs: Path, orientation: int) -> None:
    stored_as = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    picture = scene(2400, 1200)
    if orientation in stored_as:
        picture = picture.transpose(stored_as[orientation])
    exif = picture.getexif()
    exif[0x0112] = orientation
    view = show(store, "a.jpg", encoded(picture, "JPEG", exif=exif))
    seen = Image.open(io.BytesIO(published(store, docs, view))).convert("RGB")
    assert (view.width, view.height) == seen.size == (1600, 800)
    assert close(seen.getpixel((100, 50)), (255, 0, 0))
    assert close(seen.getpixel((1500, 50)), (0, 255, 0))


def close(pixel: object, wanted: tuple[int, ...], by: int = 12) -> bool:
    assert isinstance(pixel, tuple)
    return all(abs(a - b) <= by for a, b in zip(pixel, wanted, strict=True))


def test_sizes_are_sensible_and_small_pictures_are_not_blown_up(store: MediaStore, docs: Path) -> None:
    large = show(store, "a.jpg", located_jpeg(4000, 3000))
    assert (large.width, large.height) == (1600, 1200)
    published(store, docs, large)
    assert Image.open(docs / str(large.thumbnail)).size == (480, 360)
    small = show(store, "b.jpg", located_jpeg(320, 200))
    assert (small.width, small.height) == (320, 200)
    assert small.thumbnail == small.path
    portrait = show(store, "c.jpg", located_jpeg(3000, 4000, orientation=6))
    assert (portrait.width, portrait.height) == (1600, 1200)


def test_paths_are_named_by_id_and_by_nothing_the_sender_wrote(store: MediaStore) -> None:
    stored = add(store, "../../Ana Müller +49 170.jpg", located_jpeg())
    view = store.view(stored.id, stored.kind, stored.extension)
    assert view.path == f"media/{stored.id}.jpg"
    assert view.thumbnail == f"media/{stored.id}-480.jpg"


def test_transparency_stays_and_other_kinds_of_pixels_keep_their_look(store: MediaStore, docs: Path) -> None:
    clear = show(store, "a.png", encoded(scene(700, 700, "RGBA"), "PNG"))
    assert str(clear.path).endswith(".webp")
    pixel = Image.open(io.BytesIO(published(store, docs, clear))).convert("RGBA").getpixel((350, 600))
    assert isinstance(pixel, tuple)
    assert pixel[3] == 0
    deep = Image.new("I;16", (700, 700), 0x8000)
    grey = published(store, docs, show(store, "b.png", encoded(deep, "PNG")))
    assert close(Image.open(io.BytesIO(grey)).convert("RGB").getpixel((9, 9)), (128, 128, 128))
    for mode, format in (("L", "JPEG"), ("CMYK", "JPEG"), ("1", "PNG"), ("P", "PNG"), ("LA", "PNG")):
        data = encoded(scene(700, 700).convert(mode), format)
        assert published(store, docs, show(store, "c", data)), mode


def test_wide_colours_are_converted_before_their_profile_is_dropped(store: MediaStore, docs: Path) -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    # A profile under which red numbers mean green light, so that only converting shows the right picture.
    swapped = srgb.replace(b"rXYZ", b"????").replace(b"gXYZ", b"rXYZ").replace(b"????", b"gXYZ")
    view = show(store, "a.png", encoded(scene(700, 700), "PNG", icc_profile=swapped))
    picture = Image.open(io.BytesIO(published(store, docs, view)))
    assert "icc_profile" not in picture.info
    assert close(picture.getpixel((9, 9)), (0, 255, 0))
    broken = show(store, "b.png", encoded(scene(700, 700), "PNG", icc_profile=b"no profile"))
    assert broken.path is not None


def test_stickers_are_small_and_moving_ones_move(store: MediaStore, docs: Path) -> None:
    still = show(store, "STK.webp", encoded(scene(512, 512, "RGBA"), "WEBP"))
    assert (still.kind, still.width, still.height) == ("sticker", 192, 192)
    frames = [scene(512, 512, "RGBA").rotate(angle) for angle in (0, 90, 180)]
    data = encoded(frames[0], "WEBP", save_all=True, append_images=frames[1:], duration=120)
    moving = show(store, "STK.webp", data)
    store.publish([still, moving], docs)
    shown = Image.open(docs / str(moving.path))
    assert (getattr(shown, "n_frames", 1), shown.size) == (3, (192, 192))
    assert getattr(Image.open(docs / str(moving.thumbnail)), "n_frames", 1) == 1


def test_a_gif_moves_and_its_thumbnail_stands_still(store: MediaStore, docs: Path) -> None:
    frames = [scene(600, 300).rotate(angle) for angle in (0, 90, 180, 270)]
    view = show(
        store, "a.gif", encoded(frames[0], "GIF", save_all=True, append_images=frames[1:], duration=80)
    )
    store.publish([view], docs)
    assert getattr(Image.open(docs / str(view.path)), "n_frames", 1) == 4
    assert getattr(Image.open(docs / str(view.thumbnail)), "n_frames", 1) == 1


def test_a_gif_with_very_many_frames_is_shown_as_its_first(store: MediaStore, docs: Path) -> None:
    frames = [Image.effect_noise((20, 20), 90) for _ in range(500)]
    data = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert getattr(Image.open(io.BytesIO(data)), "n_frames", 1) == 500
    view = show(store, "a.gif", data)
    assert getattr(Image.open(io.BytesIO(published(store, docs, view))), "n_frames", 1) == 1


@pytest.mark.parametrize("size", [(1600, 1200), (600, 400)])
def test_the_same_picture_gives_the_same_bytes_in_every_store(tmp_path: Path, size: tuple[int, int]) -> None:
    made: list[dict[str, bytes]] = []
    for name in ("one", "two"):
        store, docs = MediaStore(tmp_path / name), tmp_path / f"{name}-docs"
        frames = [scene(512, 512, "RGBA").rotate(angle) for angle in (0, 90)]
        sticker = encoded(frames[0], "WEBP", save_all=True, append_images=frames[1:])
        store.publish([show(store, "a.jpg", located_jpeg(*size)), show(store, "s.webp", sticker)], docs)
        made.append({path.name: path.read_bytes() for path in (docs / "media").iterdir()})
    assert made[0] == made[1]


def test_a_derivative_is_made_once(store: MediaStore, monkeypatch: pytest.MonkeyPatch) -> None:
    first = show(store, "a.jpg", located_jpeg())
    monkeypatch.setattr(pictures, "render", None)
    assert show(store, "a.jpg", located_jpeg()) == first


def test_a_damaged_derivative_is_made_again(store: MediaStore, docs: Path, tmp_path: Path) -> None:
    view = show(store, "a.jpg", located_jpeg())
    whole = published(store, docs, view)
    derived = next((tmp_path / "media" / "derived").rglob(f"{view.id}.jpg"))
    derived.unlink()
    derived.write_bytes(whole[:100])
    assert published(store, docs, view) == whole


# --- Hostile and broken files ------------------------------------------------------------------------


def test_a_decompression_bomb_is_not_opened(store: MediaStore) -> None:
    tracemalloc.start()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for width, height in ((60_000, 60_000), (10_000, 10_000), (8_001, 8_001)):
            view = show(store, "a.png", png_of_size(width, height))
            assert (view.path, view.missing) == (None, "A picture too large to open safely.")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 60 << 20


def test_a_gif_whose_later_frame_outgrows_it_is_not_opened(store: MediaStore) -> None:
    frames = [Image.effect_noise((20, 20), 90) for _ in range(2)]
    data = bytearray(encoded(frames[0], "GIF", save_all=True, append_images=frames[1:]))
    second = data.rindex(b",\0\0\0\0")
    assert second > data.index(b",\0\0\0\0")
    data[second + 5 : second + 9] = struct.pack("<HH", 9_000, 9_000)
    assert show(store, "a.gif", bytes(data)).missing == "A picture too large to open safely."


def test_a_jpeg_of_very_many_scans_is_not_opened(store: MediaStore) -> None:
    data = encoded(scene(64, 64), "JPEG", progressive=True)
    view = show(store, "a.jpg", data[:-2] + b"\xff\xda\0\x08\1\1\0\0\x3f\0" * 1000 + data[-2:])
    assert view.missing == "A picture too large to open safely."


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "GIF"])
@pytest.mark.parametrize("part", [0.001, 0.3, 0.9])
def test_a_truncated_picture_gives_a_placeholder(store: MediaStore, format: str, part: float) -> None:
    data = encoded(Image.effect_noise((900, 700), 90).convert("RGB"), format)
    view = show(store, "a.jpg", data[: max(12, int(len(data) * part))])
    assert view.path is None
    assert view.missing in {
        "A picture that is damaged or incomplete.",
        "A file that isn’t what its name says.",
    }


def test_garbage_in_every_place_of_a_picture_never_breaks_the_run(store: MediaStore) -> None:
    for format in pictures.FORMATS:
        whole = encoded(scene(64, 48), format)
        for at in range(4, len(whole), max(1, len(whole) // 60)):
            view = show(store, "a", whole[:at] + b"\xff\x00\xff" + whole[at + 3 :])
            assert (view.path is None) == bool(view.missing)


@pytest.mark.parametrize(
    ("name", "data", "sentence"),
    [
        ("a.svg", b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>", "SVG"),
        ("a.jpg", b"<html><script>alert(1)</script></html>", "isn’t what its name says"),
        ("a.jpg", b"GIF89a/*<html>*/=1;alert(1)", "damaged"),
        ("a.heic", box(b"ftyp", b"heic", bytes(8)), "HEIC"),
        ("a.tif", b"II*\0" + bytes(60), "type that isn’t published"),
        ("a.ps", b"%!PS-Adobe-3.0 EPSF-3.0\n", "type that isn’t published"),
        ("Ana.vcf", b"BEGIN:VCARD\nFN:Ana", "kept private"),
        ("chat.zip", office("zip", first="WhatsApp Chat with Ana.txt"), "type that isn’t published"),
        ("a.txt", b"", "empty"),
    ],
)
def test_what_is_never_published_says_why(
    store: MediaStore, docs: Path, name: str, data: bytes, sentence: str
) -> None:
    view = show(store, name, data)
    assert (view.path, view.thumbnail) == (None, None)
    assert sentence in view.missing
    assert view.kind in {"image", "document"}
    assert store.publish([view], docs) == 0
    assert not docs.exists()


def test_html_hidden_in_a_real_picture_does_not_survive(store: MediaStore, docs: Path) -> None:
    data = encoded(scene(600, 400), "JPEG", comment=b"<script>alert(1)</script>") + b"<html><script>"
    assert b"<script" not in published(store, docs, show(store, "a.jpg", data))


def test_a_file_that_is_not_there_says_so(store: MediaStore) -> None:
    for id in ("0" * 24, "../../etc/passwd", "", "*" * 24):
        view = store.view(id, "image", "jpg")
        assert (view.path, view.missing) == (None, media_store.NOT_THERE)
        assert id not in store
        assert not store.delete(id)


def test_a_wrong_record_cannot_publish_a_picture_as_it_was_sent(store: MediaStore, docs: Path) -> None:
    stored = add(store, "a.jpg", located_jpeg())
    for kind, extension in (("document", "jpg"), ("document", "pdf"), ("video", "mp4"), ("audio", "../x")):
        assert store.view(stored.id, kind, extension).path is None
    forged = MediaView(stored.id, "document", f"media/{stored.id}.pdf")
    assert store.publish([forged], docs) == 0


# --- Voice, films, documents -------------------------------------------------------------------------


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


# --- Publishing and forgetting -----------------------------------------------------------------------


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
    assert store.view(view.id, "image", "jpg").missing == media_store.NOT_THERE
