"""Claims about pictures: shown as they look, stripped of what they tell, hostile and broken ones not at all."""

from __future__ import annotations

import io
import struct
import tracemalloc
import warnings
from pathlib import Path

import pytest
from PIL import Image, ImageCms, PngImagePlugin

from egregora_resources.media import pictures
from egregora_resources.media.store import NOT_THERE, MediaStore
from egregora_resources.publishing.content import MediaView
from egregora_tests.media.files import (
    SECRET,
    add,
    box,
    encoded,
    located_jpeg,
    office,
    png_of_size,
    published,
    scene,
    show,
)


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
        assert (view.path, view.missing) == (None, NOT_THERE)
        assert id not in store
        assert not store.delete(id)


def test_a_wrong_record_cannot_publish_a_picture_as_it_was_sent(store: MediaStore, docs: Path) -> None:
    stored = add(store, "a.jpg", located_jpeg())
    for kind, extension in (("document", "jpg"), ("document", "pdf"), ("video", "mp4"), ("audio", "../x")):
        assert store.view(stored.id, kind, extension).path is None
    forged = MediaView(stored.id, "document", f"media/{stored.id}.pdf")
    assert store.publish([forged], docs) == 0
