"""A chat's text as UTF-8 blocks of whole lines, whatever the file's encoding, line ends and size."""

from __future__ import annotations

import codecs
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import BinaryIO

import numpy as np
import pyarrow as pa

BLOCK = 4 << 20
_FOREIGN = "is neither UTF-8 nor UTF-16 text, as WhatsApp writes it"
_UTF16 = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}


LONGEST = 64 << 20
"""Bytes in which a message has to begin; each has at most some 65,000 characters."""


class NotText(Exception):
    """The bytes are no chat's text; the message says why, of the file."""


def check_length(length: int) -> None:
    """Raises `NotText` if no message begins in so many bytes: to go on would only fill the memory."""
    if length > LONGEST:
        raise NotText(f"has over {LONGEST >> 20} MB in which no message begins")


def blocks(stream: BinaryIO, warnings: list[str], size: int = BLOCK) -> Iterator[tuple[bytes, bool]]:
    """The text in blocks that end with a line's end (but for the last), and whether it is the last.

    Raises:
        NotText: it is in another encoding, or a line is far too long.
    """
    head = stream.read(size)
    encoding = _encoding(head)
    decoder = codecs.getincrementaldecoder(encoding)("strict") if encoding else None
    parts: list[bytes] = []
    raw, first, damaged = head, True, 0
    while True:
        following = stream.read(size) if raw else b""
        last = not following
        block = _decode(raw, decoder, last) if decoder else raw
        if first:
            block, first = block.removeprefix(codecs.BOM_UTF8), False
        if not last:
            cut = block.rfind(b"\n") + 1
            parts.append(block[:cut])
            rest = block[cut:]
            raw = following
            if not cut:
                parts[-1] = rest  # a line longer than a block: looked through once only
                check_length(sum(map(len, parts)))
                continue
            block, parts = b"".join(parts), [rest]
        else:
            block = b"".join((*parts, block))
        block, replaced = _valid(block)
        damaged += replaced
        block = _one_byte_breaks(block)
        if block or last:
            if last and damaged:
                warnings.append(f"{damaged:,} damaged characters were replaced by \ufffd.")
            yield block, last
        if last:
            return


def blocks_ahead(stream: BinaryIO, warnings: list[str]) -> Generator[tuple[bytes, bool]]:
    """As `blocks`; while one is worked on, the next is read, unpacked and checked in another thread."""
    coming = blocks(stream, warnings)
    with ThreadPoolExecutor(1) as reader:
        following = reader.submit(next, coming, None)
        while (block := following.result()) is not None:
            following = reader.submit(next, coming, None)
            yield block


def _one_byte_breaks(block: bytes) -> bytes:
    if b"\r" not in block:
        return block
    if b"\n" not in block:
        return block.replace(b"\r", b"\n")
    buffer = np.frombuffer(block, dtype=np.uint8)
    kept = buffer != 13
    if np.count_nonzero(~kept[:-1] & (buffer[1:] == 10)) == len(buffer) - np.count_nonzero(kept):
        return buffer[kept].tobytes()  # the usual case, and faster than replacing
    return block.replace(b"\r\n", b"\n")


def _encoding(head: bytes) -> str | None:
    if head[:2] in _UTF16:
        return _UTF16[head[:2]]
    sample = np.frombuffer(head[:4096], dtype=np.uint8)
    if len(sample) > 7:
        zeros = sample == 0
        if zeros[1::2].mean() > 0.3 and zeros[::2].mean() < 0.05:
            return "utf-16-le"
        if zeros[::2].mean() > 0.3 and zeros[1::2].mean() < 0.05:
            return "utf-16-be"
    return None


def _decode(raw: bytes, decoder: codecs.IncrementalDecoder, last: bool) -> bytes:
    try:
        return decoder.decode(raw, last).encode()
    except UnicodeError as error:
        raise NotText(_FOREIGN) from error


def _valid(block: bytes) -> tuple[bytes, int]:
    """The block as valid UTF-8, and how many characters had to be replaced."""
    offsets = np.array([0, len(block)], dtype=np.int32)
    try:
        pa.StringArray.from_buffers(1, pa.py_buffer(offsets), pa.py_buffer(block)).validate(full=True)
    except pa.ArrowInvalid:
        text = block.decode("utf-8", "replace")
        replaced = text.count("\ufffd") - block.count(b"\xef\xbf\xbd")
        sound = sum(1 for char in text if char > "\x7f") - text.count("\ufffd")
        if replaced > sound or "\x00" in text:
            raise NotText(_FOREIGN) from None
        return text.encode(), replaced
    return block, 0
