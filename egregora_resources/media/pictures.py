"""Pictures made fit to publish: decoded within limits, turned upright, made smaller, written anew.

What leaves this room was encoded here from pixels alone: no EXIF, GPS, XMP, comment, colour profile
(colours are converted to sRGB first) or trailing bytes survive. The same bytes in give the same bytes out.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

from PIL import Image, ImageCms, ImageFile

FORMATS = ("JPEG", "PNG", "WEBP", "GIF")

MOST_BYTES = 100 << 20
MOST_PIXELS = 64_000_000
"""Above what phones take (50 megapixels); as RGBA 256 MB."""
_MOST_SCANS = 200
"""A progressive JPEG has about ten; thousands of empty ones cost minutes each decode."""
_MOST_FRAMES = 300
_MOST_FRAME_PIXELS = 100_000_000
_MOST_MADE_PIXELS = 40_000_000

_FULL = (1600, 6400)
_ANIMATED = (480, 960)
_THUMBNAIL = (480, 960)
_STICKER = (192, 192)
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_ON_ITS_SIDE = {_TURNS[value] for value in (5, 6, 7, 8)}
_ORIENTATION = 0x0112

TOO_LARGE = "A picture too large to open safely."
DAMAGED = "A picture that is damaged or incomplete."


class PictureError(Exception):
    """The picture can't be published; the message is a sentence for the reader."""


@dataclass(frozen=True, slots=True)
class Rendition:
    """A picture made here. `role` tells a picture's renditions apart in their file names."""

    role: str
    extension: str
    data: bytes
    width: int
    height: int


def render(data: bytes, *, sticker: bool) -> tuple[Rendition, Rendition]:
    """The picture to show and its thumbnail, which stands still even if the picture moves.

    A picture as small as its thumbnail is both.

    Raises:
        PictureError: a bomb, a broken or truncated file, or a format not in `FORMATS`.
    """
    if len(data) > MOST_BYTES or (data.startswith(b"\xff\xd8") and data.count(b"\xff\xda") > _MOST_SCANS):
        raise PictureError(TOO_LARGE)
    try:
        return _render(data, sticker)
    except (PictureError, MemoryError):
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise PictureError(TOO_LARGE) from error
    except Exception as error:
        # Pillow's decoders meet broken files with whatever the broken field leads to: SyntaxError,
        # struct.error, ValueError, KeyError, OSError without a number. None of it is ours to tell apart.
        raise PictureError(DAMAGED) from error


def _render(data: bytes, sticker: bool) -> tuple[Rendition, Rendition]:
    still = _still(_open(data), _STICKER if sticker else _FULL)
    moving = _moving(_open(data), _STICKER if sticker else _ANIMATED)
    if sticker:
        if moving is None:
            picture = _webp([still], [])
            return picture, picture
        return moving, _webp([still], [], role="-still")
    small = still.copy()
    small.thumbnail(_THUMBNAIL, Image.Resampling.LANCZOS)
    if moving is not None:
        return moving, _encode(small, "-480")
    picture = _encode(still, "")
    return (picture, picture) if small.size == still.size else (picture, _encode(small, "-480"))


def _open(data: bytes) -> ImageFile.ImageFile:
    """Reads the header only, and refuses what would be too much to decode."""
    picture = Image.open(io.BytesIO(data), formats=FORMATS)
    if picture.width * picture.height > MOST_PIXELS:
        raise PictureError(TOO_LARGE)
    return picture


def _still(picture: ImageFile.ImageFile, box: tuple[int, int]) -> Image.Image:
    """The first frame upright, within the box, as RGB or (where something shows through) RGBA in sRGB."""
    turn = _turn(picture)
    if turn in _ON_ITS_SIDE:
        box = (box[1], box[0])
    profile = picture.info.get("icc_profile")
    # A JPEG is decoded straight to about twice the wanted size; other modes must not be resized by palette.
    made: Image.Image = picture if picture.mode in {"L", "RGB", "CMYK"} else _colours(picture)
    if made.has_transparency_data:
        made = _colours(made)
    made.thumbnail(box, Image.Resampling.LANCZOS, reducing_gap=2.0)
    made = _colours(made)
    if isinstance(profile, bytes) and picture.mode in {"RGB", "RGBA"}:
        made = _srgb(made, profile)
    made = made if turn is None else made.transpose(turn)
    return _bare(made)


def _turn(picture: ImageFile.ImageFile) -> Image.Transpose | None:
    try:
        return _TURNS.get(cast(int, picture.getexif().get(_ORIENTATION)))
    except Exception:
        # Broken EXIF beside a sound picture. If the picture is broken too, decoding it will tell.
        return None


def _colours(picture: Image.Image) -> Image.Image:
    """As RGB, or RGBA if the picture has any transparency."""
    if picture.mode.startswith("I"):
        # Sixteen bits a pixel; converting directly would cut off at 255 instead of scaling.
        return picture.convert("I").point(lambda value: value / 256).convert("L").convert("RGB")
    if not picture.has_transparency_data:
        return picture.convert("RGB")
    made = picture.convert("RGBA")
    return made.convert("RGB") if made.getchannel("A").getextrema()[0] == 255 else made


def _srgb(picture: Image.Image, profile: bytes) -> Image.Image:
    """Colours as the profile means them (iPhones: Display P3), so that it can be dropped."""
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        made = ImageCms.profileToProfile(picture, source, ImageCms.createProfile("sRGB"))
    except (ImageCms.PyCMSError, OSError, ValueError):
        return picture
    return made or picture


def _bare(picture: Image.Image) -> Image.Image:
    """A copy of the pixels that has nothing else: Pillow's encoders write `info` such as comments back."""
    made = Image.new(picture.mode, picture.size)
    made.paste(picture)
    return made


def _moving(picture: ImageFile.ImageFile, box: tuple[int, int]) -> Rendition | None:
    """The animation, or None if it has one frame or more than is reasonable."""
    if picture.format not in {"GIF", "WEBP"} or not getattr(picture, "is_animated", False):
        return None
    frames: list[Image.Image] = []
    durations: list[int] = []
    for frame in _frames(picture):
        small = frame.convert("RGBA")
        durations.append(min(max(int(picture.info.get("duration") or 100), 20), 10_000))
        small.thumbnail(box, Image.Resampling.LANCZOS, reducing_gap=2.0)
        frames.append(_bare(small))
        made = small.width * small.height * len(frames)
        decoded = picture.width * picture.height * len(frames)
        if len(frames) > _MOST_FRAMES or made > _MOST_MADE_PIXELS or decoded > _MOST_FRAME_PIXELS:
            return None
    return _webp(frames, durations) if len(frames) > 1 else None


def _frames(picture: ImageFile.ImageFile) -> Iterator[ImageFile.ImageFile]:
    """One frame at a time: asking a GIF for their number would walk the whole file."""
    for number in range(_MOST_FRAMES + 1):
        try:
            picture.seek(number)
        except EOFError:
            return
        # A frame may reach beyond the size that the header gave.
        if picture.width * picture.height > MOST_PIXELS:
            raise PictureError(TOO_LARGE)
        picture.load()
        yield picture


def _encode(picture: Image.Image, role: str) -> Rendition:
    if picture.mode == "RGBA":
        return _webp([picture], [], role)
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=82, optimize=True, progressive=True)
    return Rendition(role, "jpg", buffer.getvalue(), picture.width, picture.height)


def _webp(frames: list[Image.Image], durations: list[int], role: str = "") -> Rendition:
    buffer = io.BytesIO()
    if durations:
        frames[0].save(
            buffer,
            "WEBP",
            save_all=True,
            append_images=frames[1:],
            duration=durations,
            loop=0,
            quality=75,
            method=4,
        )
    else:
        frames[0].save(buffer, "WEBP", quality=82, method=4)
    return Rendition(role, "webp", buffer.getvalue(), frames[0].width, frames[0].height)
