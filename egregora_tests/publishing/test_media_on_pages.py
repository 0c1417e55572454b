"""From a zip with files of every kind to the pages of a built site: what stands there, and what must not."""

from __future__ import annotations

import io
import re
import struct
import zipfile
import zlib
from datetime import timedelta

import pytest
from PIL import Image

from egregora_assets.ingestion.imports import import_exports
from egregora_assets.stages import STAGES
from egregora_tests.media.files import pdf
from egregora_tests.small_site import SmallSite
from egregora_tests.weekly_chat import MONDAY, NAMES, Line, weeks

pytestmark = pytest.mark.slow

WHERE = "52.5200"
SCRIPT = b"<svg xmlns='http://www.w3.org/2000/svg'><script>window.X01=1</script></svg>"


def jpeg(colour: str, size: tuple[int, int] = (1200, 900)) -> bytes:
    buffer = io.BytesIO()
    picture = Image.new("RGB", size, colour)
    exif = picture.getexif()
    exif[0x010E] = WHERE
    picture.save(buffer, "JPEG", exif=exif)
    return buffer.getvalue()


def sticker() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGBA", (512, 512), (0, 200, 0, 90)).save(buffer, "WEBP")
    return buffer.getvalue()


def bomb() -> bytes:
    """A small PNG that claims 60,000 × 60,000 points."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(1_000_000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def film() -> bytes:
    def box(kind: bytes, *payload: bytes) -> bytes:
        body = b"".join(payload)
        return struct.pack(">I", 8 + len(body)) + kind + body

    handler = box(b"mdia", box(b"mdhd", bytes(24)), box(b"hdlr", bytes(8) + b"vide" + bytes(12)))
    moov = box(b"moov", box(b"mvhd", bytes(100)), box(b"trak", box(b"tkhd", bytes(84)), handler))
    return box(b"ftyp", b"isom", bytes(4)) + moov + box(b"mdat", b"pictures and sound" * 50)


def office(text: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("word/document.xml", f"<w:document><w:t>{text}</w:t></w:document>")
    return buffer.getvalue()


FILES: dict[str, bytes] = {
    "IMG-20250113-WA0001.jpg": jpeg("red"),
    "IMG-20250113-WA0002.jpg": jpeg("blue")[:400],
    "IMG-20250113-WA0003.jpg": jpeg("green"),
    "IMG-20250113-WA0005.svg": SCRIPT,
    "IMG-20250113-WA0006.png": bomb(),
    "IMG-20250113-WA0007.jpg": SCRIPT,
    "STK-20250113-WA0008.webp": sticker(),
    "PTT-20250113-WA0009.opus": b"OggS" + bytes(24) + b"OpusHead" + bytes(400),
    "VID-20250113-WA0010.mp4": film(),
    "plan of the shed.pdf": pdf("The larch boards go on the south side"),
    "members.csv": b"name;phone\nTheodore Baptiste;+44 20 7946 0958\n",
    "minutes.docx": office("Present: Theodore and the others"),
    "agenda.pdf": pdf("Boards, paint, money", author="Theodore Baptiste"),
    "notes.pdf": pdf("Boards", "Present: Theodore and the others"),
    "whom to ring.pdf": pdf("The timber yard: +44 20 7946 0958"),
    "scan.pdf": b"%PDF-1.4 a page that got lost",
    "shopping.csv": b"boards;12\nscrews;40\n",
    "page.html": b"<html><script>window.X02=1</script></html>",
    "Theodore Baptiste.vcf": b"BEGIN:VCARD\nFN:Theodore Baptiste\nTEL:+15551234567\nEND:VCARD",
    "DOC-20250113-WA0012.pdf": b"BEGIN:VCARD\nFN:Theodore Baptiste\nTEL:+15551234567\nEND:VCARD",
}
ABSENT = "IMG-20250113-WA0004.jpg"
DAMAGED = "IMG-20250113-WA0003.jpg"


def week_of(number: int) -> str:
    return f"{MONDAY + timedelta(weeks=number):%Y-%m-%d}"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> SmallSite:
    """A week for each file; the file is sent in the midst of the week's talk, with a caption."""
    site = SmallSite(tmp_path_factory.mktemp("site"))
    lines = weeks(len(FILES) + 2)
    for number, name in enumerate([*FILES, ABSENT]):
        sent = Line(
            MONDAY + timedelta(weeks=number, minutes=30),
            NAMES[number % 4],
            f"{name} (file attached)\nThe larch boards of the timber yard, eighteen pounds",
        )
        lines.append(sent)
    omitted = MONDAY + timedelta(weeks=len(FILES) + 1, minutes=30)
    lines.append(
        Line(omitted, NAMES[0], "<Media omitted>\nThe larch boards of the timber yard, eighteen pounds")
    )
    lines.sort(key=lambda line: line.time)
    path = site.folder.root / "exports" / "whole.zip"
    path.parent.mkdir()
    with zipfile.ZipFile(path, "w") as archive:
        text = "".join(f"{line.time:%d/%m/%Y, %H:%M} - {line.author}: {line.text}\n" for line in lines)
        archive.writestr("WhatsApp Chat with Neighbours.txt", text)
        for name, content in FILES.items():
            archive.writestr(name, content)
    content = path.read_bytes()
    at = content.index(FILES[DAMAGED])
    path.write_bytes(content[: at + 500] + b"XXXX" + content[at + 504 :])
    import_exports(site.opened, [path])
    site.run(stages=[stage.name for stage in STAGES])
    return site


def page(site: SmallSite, name: str) -> str:
    """The article of the week in which the file was sent."""
    week = week_of([*FILES, ABSENT].index(name))
    found = [path for path in site.folder.built.rglob("*.html") if week in str(path)]
    articles = [path.read_text() for path in found if "eg-quote" in path.read_text()]
    assert articles, week
    return articles[0]


def test_a_picture_is_shown_once_small_upright_and_without_its_particulars(built: SmallSite) -> None:
    html = page(built, "IMG-20250113-WA0001.jpg")
    shown = re.findall(r'<img class="eg-image" src="([^"]+)"', html)
    assert len(shown) == 1
    files = [path for path in (built.folder.built / "media").iterdir() if path.suffix == ".jpg"]
    assert files
    assert all(WHERE.encode() not in path.read_bytes() for path in files)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        (ABSENT, "not part of the export"),
        (DAMAGED, "damaged in the export"),
        ("IMG-20250113-WA0002.jpg", "damaged or incomplete"),
        ("IMG-20250113-WA0005.svg", "SVG"),
        ("IMG-20250113-WA0006.png", "too large to open safely"),
        ("IMG-20250113-WA0007.jpg", "isn’t shown"),
        ("page.html", "isn’t published"),
        ("members.csv", "names people, or holds numbers"),
        ("minutes.docx", "names people, or holds numbers"),
        ("agenda.pdf", "names people, or holds numbers"),
        ("notes.pdf", "names people, or holds numbers"),
        ("whom to ring.pdf", "names people, or holds numbers"),
        ("scan.pdf", "be read for names and numbers"),
    ],
)
def test_what_cannot_be_shown_has_a_placeholder_that_says_so(
    built: SmallSite, name: str, sentence: str
) -> None:
    html = page(built, name)
    assert html.count("eg-missing") == 1
    assert sentence in html


def test_voice_and_video_have_players_and_documents_a_link(built: SmallSite) -> None:
    assert re.search(r'<audio src="[^"]+\.opus" controls', page(built, "PTT-20250113-WA0009.opus"))
    assert re.search(r'<video src="[^"]+\.mp4" controls', page(built, "VID-20250113-WA0010.mp4"))
    document = re.search(
        r'<a href="[^"]*media/([0-9a-f]+\.pdf)" download', page(built, "plan of the shed.pdf")
    )
    assert document
    assert (built.folder.built / "media" / document[1]).read_bytes() == FILES["plan of the shed.pdf"]
    assert re.search(r'<a href="[^"]*media/[0-9a-f]+\.csv" download', page(built, "shopping.csv"))


def test_nothing_hostile_or_private_is_among_the_published_files(built: SmallSite) -> None:
    published = [path.read_bytes() for path in (built.folder.built / "media").iterdir()]
    assert {path.suffix for path in (built.folder.built / "media").iterdir()} <= {
        ".jpg", ".webp", ".opus", ".mp4", ".pdf", ".csv"
    }  # fmt: skip
    for content in published:
        assert b"<script" not in content
        assert b"VCARD" not in content
        assert b"Theodore" not in content
    assert not any("+15551234567" in path.read_text() for path in built.folder.built.rglob("*.html"))


def test_a_quote_whose_media_the_phone_left_out_says_so(built: SmallSite) -> None:
    week = week_of(len(FILES) + 1)
    pages = [path.read_text() for path in built.folder.built.rglob("*.html") if week in str(path)]
    assert any("not part of the export" in html for html in pages)


def test_stickers_stay_small(built: SmallSite) -> None:
    for path in (built.folder.built / "media").glob("*.webp"):
        assert max(Image.open(path).size) <= 192
