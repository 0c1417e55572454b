"""What a file is, judged by its first bytes, and whether it may stand on a site.

Magic bytes come first: a file's name only chooses among the things its bytes allow (a zip that is named
``.docx`` and looks like one). The extension given back is therefore ours, never the sender's, and a web
server that goes by extensions can't be talked into running what somebody sent to the chat.

Published as a link are only `LINKED` extensions. Left out on purpose: what a browser runs (html, svg, xml,
js, swf), what an office program may run (doc, xls, docm), and archives: one may hold contacts, or the
chat's own export with every name and number in it.
"""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

Kind = Literal["image", "sticker", "video", "audio", "document", "contact", "unsupported"]

HEAD = 4096
"""How many first bytes `recognise` wants."""

STICKER_SIDE = 512
"""WhatsApp's stickers are WebP of 512 × 512; its pictures are never WebP."""

FILMS = frozenset({"mp4", "mov", "3gp", "m4a"})
"""Extensions of the MP4 family, whose boxes `mp4` reads."""

_OFFICE = {
    "docx": b"[Content_Types].xml",
    "xlsx": b"[Content_Types].xml",
    "pptx": b"[Content_Types].xml",
    "odt": b"application/vnd.oasis.opendocument.text",
    "ods": b"application/vnd.oasis.opendocument.spreadsheet",
    "odp": b"application/vnd.oasis.opendocument.presentation",
}
_TEXT = frozenset({"txt", "csv"})
LINKED: dict[str, frozenset[str]] = {
    "video": frozenset({"mp4", "mov", "3gp", "webm", "mkv", "avi"}),
    "audio": frozenset({"opus", "ogg", "m4a", "mp3", "aac", "amr", "wav", "flac"}),
    "document": frozenset({"pdf", *_OFFICE, *_TEXT}),
}
"""By kind, the extensions under which an original is linked as it is. No picture is among them."""

_PICTURES = frozenset({"jpg", "jpeg", "png", "gif", "webp", "heic", "avif"})

_MAGIC: tuple[tuple[int, bytes, Kind, str], ...] = (
    (0, b"\xff\xd8\xff", "image", "jpg"),
    (0, b"\x89PNG\r\n\x1a\n", "image", "png"),
    (0, b"GIF87a", "image", "gif"),
    (0, b"GIF89a", "image", "gif"),
    (8, b"WAVE", "audio", "wav"),
    (8, b"AVI ", "video", "avi"),
    (0, b"fLaC", "audio", "flac"),
    (0, b"#!AMR", "audio", "amr"),
    (0, b"ID3", "audio", "mp3"),
    (0, b"%PDF-", "document", "pdf"),
)
_PICTURE_BRANDS = {b"avif": "avif", b"avis": "avif"} | dict.fromkeys(
    (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"), "heic"
)
_MARKUP = re.compile(rb"<\s*(!doctype|\?xml|html|head|body|script|svg|iframe|!--)", re.IGNORECASE)
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")


class Recognised(NamedTuple):
    kind: Kind
    extension: str


def recognise(head: bytes, extension: str) -> Recognised:
    """What a file with these first `HEAD` bytes is, if it came with this extension (without dot)."""
    extension = extension.lower()
    extension = extension if re.fullmatch(r"[a-z0-9]{1,8}", extension) else ""
    for offset, magic, kind, ours in _MAGIC:
        if head.startswith(magic, offset) and (offset == 0 or head.startswith(b"RIFF")):
            return Recognised(kind, ours)
    if head.startswith(b"RIFF") and head.startswith(b"WEBP", 8):
        return Recognised("sticker" if _is_sticker(head) else "image", "webp")
    if head.startswith(b"ftyp", 4):
        return _film(head[8:12], extension)
    if head.startswith(b"OggS"):
        return Recognised("audio", "opus" if b"OpusHead" in head[:256] else "ogg")
    if head.startswith(b"\x1a\x45\xdf\xa3"):
        return Recognised("video", "webm" if b"webm" in head[:64] else "mkv")
    if head[:1] == b"\xff" and len(head) > 1:
        if head[1] & 0xF6 == 0xF0:
            return Recognised("audio", "aac")
        if head[1] & 0xE6 == 0xE2 and head[1] & 0x18 != 0x08:
            return Recognised("audio", "mp3")
    if head.startswith(b"PK\x03\x04"):
        known = extension in _OFFICE and _OFFICE[extension] in head
        return Recognised("document" if known else "unsupported", extension if known else extension or "zip")
    return _text(head, extension)


def kind_by_name(name: str) -> Kind:
    """What a file that isn't there probably was; its name is all there is to go by."""
    stem, _, extension = name.lower().rpartition(".")
    if stem.startswith("stk-") or "-sticker-" in stem:
        return "sticker"
    if extension in _PICTURES:
        return "image"
    if extension in LINKED["video"]:
        return "video"
    return "audio" if extension in LINKED["audio"] else "document"


def _is_sticker(head: bytes) -> bool:
    """Whether a WebP is as small as a sticker, by the size in its first chunk."""
    chunk, body = head[12:16], head[20:30]
    if chunk == b"VP8X":
        width, height = (1 + int.from_bytes(body[at : at + 3], "little") for at in (4, 7))
    elif chunk == b"VP8L":
        bits = int.from_bytes(body[1:5], "little")
        width, height = 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    else:
        width, height = (int.from_bytes(body[at : at + 2], "little") & 0x3FFF for at in (6, 8))
    return width <= STICKER_SIDE and height <= STICKER_SIDE


def _film(brand: bytes, extension: str) -> Recognised:
    if brand in _PICTURE_BRANDS:
        return Recognised("unsupported", _PICTURE_BRANDS[brand])
    if brand.startswith(b"M4A") or extension == "m4a":
        return Recognised("audio", "m4a")
    if brand == b"qt  ":
        return Recognised("video", "mov")
    return Recognised("video", "3gp" if brand.startswith((b"3gp", b"3g2")) else "mp4")


def _text(head: bytes, extension: str) -> Recognised:
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if extension == "vcf" or text[:11].upper() == b"BEGIN:VCARD":
        return Recognised("contact", "vcf")
    if _MARKUP.search(head):
        return Recognised("unsupported", "svg" if b"<svg" in head.lower() else extension)
    if extension in _TEXT and text and not _CONTROL.search(head):
        return Recognised("document", extension)
    return Recognised("unsupported", extension)


def why_not(kind: str, extension: str) -> str:
    """The sentence that stands where a file of this kind is never shown."""
    if kind == "contact":
        return "A shared contact, kept private."
    if extension in {"heic", "avif"}:
        return f"A picture in {extension.upper()}, a format that can’t be shown here."
    if extension == "svg":
        return "A drawing in SVG, a format that can carry scripts and isn’t shown."
    if extension in {"jpg", "jpeg", "png", "gif", "webp", "pdf", "mp4", "opus"}:
        return "A file that isn’t what its name says."
    return "A file of a type that isn’t published."
