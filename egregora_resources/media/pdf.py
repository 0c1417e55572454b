"""What a PDF says: its pages, what is noted on them, and what it says of itself. Hostile ones cost a bounded effort."""

from __future__ import annotations

import io
import logging
import time
from collections.abc import Iterator
from pathlib import Path
from typing import cast

from pypdf import Configuration, PageObject, PdfReader, apply_configuration
from pypdf.errors import PyPdfError
from pypdf.generic import IndirectObject, NameObject, StreamObject

from egregora_resources.media.unreadable import Unreadable
from egregora_resources.privacy.page_text import text_of_page

MOST_FILE_BYTES = 64 * 1024 * 1024
MOST_STREAM_BYTES = 8 * 1024 * 1024
"""Of one packed part, once it is unpacked."""
MOST_PAGES = 1_000
MOST_SECONDS = 20.0
"""Of the thread's own computing, so that a loaded machine reads what an idle one does."""

_LIMITS = Configuration(
    maximum_declared_stream_length=MOST_FILE_BYTES,
    array_based_stream_maximum_output_length=MOST_STREAM_BYTES,
    lzw_maximum_output_length=MOST_STREAM_BYTES,
    run_length_maximum_output_length=MOST_STREAM_BYTES,
    zlib_maximum_output_length=MOST_STREAM_BYTES,
    stream_decoding_work_maximum_length=4 * MOST_STREAM_BYTES,
    stream_parsing_work_maximum_count=1_000_000,
    page_tree_maximum_entries=2 * MOST_PAGES,
    xform_maximum_invocations_per_extraction=500,
    jbig2dec_binary=None,
)
_DRAWING = {b"Do", b"INLINE IMAGE", b"sh", *b"f F f* B B* b b* S s".split()}
_SKIPPED = ("Impossible to decode XFormObject", "Exceeded ", "Skipping broken line")
_WRITTEN = {"/Contents", "/URI", "/V", "/DV", "/TU", "/RC"}
"""Keys of comments, links and fields."""
_NO_DIGITS = str.maketrans("", "", "0123456789")


class _OnWarning(logging.Handler):
    """pypdf skips a part of a page that it can't unpack or spell, and warns: what stands there would be unread.

    Nothing of this goes to a log, as warnings quote the document.
    """

    def emit(self, record: logging.LogRecord) -> None:
        if str(record.msg).startswith(_SKIPPED):
            raise Unreadable


_log = logging.getLogger("pypdf")
_log.propagate = False
_log.addHandler(_OnWarning(logging.WARNING))


def texts_of_pdf(path: Path) -> list[str]:
    """What stands on each page, then what the file notes beside: its title and author, links, comments, fields.

    Raises:
        Unreadable: it is damaged, locked, too large, holds other files, or has a page that is nothing but a
            picture, as scans have.
    """
    if path.stat().st_size > MOST_FILE_BYTES:
        raise Unreadable
    data = path.read_bytes()
    until = time.thread_time() + MOST_SECONDS
    try:
        with apply_configuration(_LIMITS):
            reader = PdfReader(io.BytesIO(data))
            if reader.is_encrypted or not 0 < len(reader.pages) <= MOST_PAGES:
                raise Unreadable
            texts = [_text_of_page(page, until) for page in reader.pages]
            texts += _notes(reader, until)
    except Exception:  # a hostile file can make a parser raise anything
        raise Unreadable from None
    # What an editor took out may still be there, and not packed.
    return [*texts, _without_digits(data[:MOST_STREAM_BYTES].decode("latin-1").replace("\0", ""))]


def _text_of_page(page: PageObject, until: float) -> str:
    text = page.extract_text(visitor_operand_before=lambda *_: _check_time(until))
    strange = sum(c == "\ufffd" or not (c.isprintable() or c.isspace()) for c in text)
    if strange * 10 > len(text):
        raise Unreadable  # a font that keeps its letters to itself
    contents = None if text.strip() else page.get_contents()
    if contents is not None and any(operator in _DRAWING for _, operator in contents.operations):
        raise Unreadable  # a scan
    return text


def _notes(reader: PdfReader, until: float) -> Iterator[str]:
    for generation, numbers in [*reader.xref.items(), (0, reader.xref_objStm)]:
        for number in numbers:
            _check_time(until)
            try:
                value = IndirectObject(number, generation, reader).get_object()
            except PyPdfError:
                continue  # nothing that a page needs: that one couldn't have been read
            yield from _strings(value)
            if isinstance(value, StreamObject) and value.get("/Type") == "/Metadata":
                yield _without_digits(text_of_page(value.get_data().decode("utf-8", "replace")))


def _strings(value: object, key: str = "") -> Iterator[str]:
    """The strings within an object. Those that people write keep their digits; other digits are bookkeeping."""
    if isinstance(value, bytes):
        value = value.decode("latin-1")
    if isinstance(value, NameObject):
        return
    if isinstance(value, str):
        yield value if key in _WRITTEN else _without_digits(value)
    elif isinstance(value, list):
        for item in cast("list[object]", value):
            yield from _strings(item, key)
    elif isinstance(value, dict):
        for name, item in cast("dict[str, object]", value).items():
            if name in {"/EF", "/XFA"}:
                raise Unreadable  # a file within the file, a form of another language
            yield from _strings(item, name)


def _check_time(until: float) -> None:
    if time.thread_time() > until:
        raise Unreadable


def _without_digits(text: str) -> str:
    return text.translate(_NO_DIGITS)
