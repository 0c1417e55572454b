"""Files as phones send them, made up, and the few steps of every test with them."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

from PIL import Image, ImageDraw
from pypdf import PageObject, PdfWriter
from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject, PdfObject

from egregora_resources.media.store import MediaStore, Stored
from egregora_resources.publishing.content import MediaView

SECRET = b"secret-place-52.5200"


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


FONT = DictionaryObject(
    {
        NameObject("/Type"): NameObject("/Font"),
        NameObject("/Subtype"): NameObject("/Type1"),
        NameObject("/BaseFont"): NameObject("/Helvetica"),
        NameObject("/Encoding"): NameObject("/WinAnsiEncoding"),
    }
)


def pdf(*pages: str, author: str = "") -> bytes:
    """A PDF with a line of text on each page, packed as usual; an empty text makes an empty page."""
    writer = PdfWriter()
    for text in pages:
        drawing = f"BT /F1 12 Tf 72 720 Td ({text}) Tj ET".encode("cp1252") if text else b""
        add_page(writer, drawing, {"/Font": DictionaryObject({NameObject("/F1"): FONT})})
    if author:
        writer.add_metadata({"/Author": author})
    return pdf_bytes(writer)


def add_page(writer: PdfWriter, drawing: bytes, resources: Mapping[str, PdfObject]) -> PageObject:
    page = writer.add_blank_page(595, 842)
    content = DecodedStreamObject()
    content.set_data(drawing)
    page[NameObject("/Contents")] = writer._add_object(content.flate_encode())
    page[NameObject("/Resources")] = DictionaryObject(
        {NameObject(name): value for name, value in resources.items()}
    )
    return page


def pdf_bytes(writer: PdfWriter) -> bytes:
    buffer = io.BytesIO()
    writer.write(buffer)
    return buffer.getvalue()
