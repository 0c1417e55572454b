"""A PDF is read before it is shown; one that can't be read, whatever the reason, is told from one that can."""

from __future__ import annotations

import io
import logging
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pypdf import PdfReader, PdfWriter
from pypdf.annotations import FreeText
from pypdf.generic import (
    ArrayObject,
    DecodedStreamObject,
    DictionaryObject,
    IndirectObject,
    NameObject,
    NumberObject,
    PdfObject,
    RectangleObject,
)

from egregora_resources.media.documents import text_of_document
from egregora_resources.media.unreadable import Unreadable
from egregora_tests.media.files import FONT, add_page, pdf, pdf_bytes


def read(content: bytes, folder: Path) -> str:
    path = folder / "a.pdf"
    path.write_bytes(content)
    return text_of_document(path, "pdf")


def written(content: bytes) -> PdfWriter:
    return PdfWriter(clone_from=PdfReader(io.BytesIO(content)))


def form(writer: PdfWriter, drawing: bytes, inner: dict[str, IndirectObject] | None = None) -> IndirectObject:
    """Something drawn that pages and other such things can draw by its name."""
    stream = DecodedStreamObject()
    stream.set_data(drawing)
    packed = stream.flate_encode()
    packed.update(
        {
            NameObject("/Type"): NameObject("/XObject"),
            NameObject("/Subtype"): NameObject("/Form"),
            NameObject("/BBox"): ArrayObject([NumberObject(0)] * 4),
            NameObject("/Resources"): DictionaryObject(
                {NameObject("/XObject"): named(inner or {}), NameObject("/Font"): named({"/F1": FONT})}
            ),
        }
    )
    return writer._add_object(packed)


def named(objects: Mapping[str, PdfObject]) -> DictionaryObject:
    return DictionaryObject({NameObject(name): value for name, value in objects.items()})


def test_pages_are_read_with_their_numbers_and_so_is_what_the_file_says_of_itself(tmp_path: Path) -> None:
    text = read(
        pdf("Called by Theodore", "", "Ring +44 20 7946 0958", author="Søren Baptiste 1971"), tmp_path
    )
    assert "Called by Theodore" in text
    assert "+44 20 7946 0958" in text
    assert "Søren Baptiste" in text
    assert "1971" not in text.split("Søren")[1]


def test_comments_links_and_fields_on_a_page_are_read(tmp_path: Path) -> None:
    writer = written(pdf("The plan"))
    writer.add_annotation(0, FreeText(text="Ask Theodore, +44 20 7946 0958", rect=(0, 0, 9, 9)))
    writer.add_uri(0, "tel:+442079460123", RectangleObject((0, 0, 9, 9)))
    text = read(pdf_bytes(writer), tmp_path)
    assert "Ask Theodore, +44 20 7946 0958" in text
    assert "tel:+442079460123" in text


def test_text_within_a_drawn_form_is_read(tmp_path: Path) -> None:
    writer = written(pdf("Minutes"))
    inner = form(writer, b"BT /F1 12 Tf 9 9 Td (Present: Theodore) Tj ET")
    add_page(writer, b"/X Do", {"/XObject": named({"/X": inner})})
    assert "Present: Theodore" in read(pdf_bytes(writer), tmp_path)


def scan() -> bytes:
    writer = written(pdf("A cover with text"))
    add_page(writer, b"q 595 0 0 842 0 0 cm /Im0 Do Q", {})
    return pdf_bytes(writer)


def locked() -> bytes:
    writer = written(pdf("The plan"))
    writer.encrypt("", "owner", algorithm="RC4-128")
    return pdf_bytes(writer)


def holding_a_file() -> bytes:
    writer = written(pdf("The plan"))
    writer.add_attachment("members.csv", b"Theodore")
    return pdf_bytes(writer)


def page_bomb() -> bytes:
    writer = PdfWriter()
    add_page(writer, b"q Q " * 8_000_000, {})
    return pdf_bytes(writer)


def form_bomb() -> bytes:
    writer = PdfWriter()
    inner = form(writer, b" " * 30_000_000)
    add_page(writer, b"BT (The plan) Tj ET /X Do", {"/XObject": named({"/X": inner})})
    return pdf_bytes(writer)


def forms_that_multiply() -> bytes:
    writer = written(pdf("The plan"))
    inner = form(writer, b"BT (la) Tj ET")
    for _ in range(20):
        inner = form(writer, b"/X Do " * 10, {"/X": inner})
    add_page(writer, b"/X Do", {"/XObject": named({"/X": inner})})
    return pdf_bytes(writer)


def pages_within_themselves() -> bytes:
    return (
        b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
        b"2 0 obj<</Type/Pages/Kids[2 0 R]/Count 1>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF"
    )


def very_deep() -> bytes:
    writer = PdfWriter()
    add_page(writer, b"[" * 100_000 + b"]" * 100_000 + b" TJ", {})
    return pdf_bytes(writer)


def letters_that_no_font_spells() -> bytes:
    writer = PdfWriter()
    add_page(
        writer, b"BT /F1 12 Tf 9 9 Td (" + bytes(range(1, 9)) + b") Tj ET", {"/Font": named({"/F1": FONT})}
    )
    return pdf_bytes(writer)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"%PDF-1.4 the plan", id="damaged"),
        pytest.param(b"%PDF-1.7\n", id="empty"),
        pytest.param(pdf("The plan")[:300], id="cut off"),
        pytest.param(scan(), id="a page that is a picture"),
        pytest.param(letters_that_no_font_spells(), id="letters that no font spells"),
        pytest.param(locked(), id="locked, though with an empty password"),
        pytest.param(holding_a_file(), id="another file within"),
        pytest.param(page_bomb(), id="a page that unpacks to 32 MB"),
        pytest.param(form_bomb(), id="a drawing that unpacks to 30 MB"),
        pytest.param(forms_that_multiply(), id="drawings that draw each other"),
        pytest.param(pages_within_themselves(), id="pages within themselves"),
        pytest.param(very_deep(), id="brackets within brackets"),
    ],
)
def test_what_cannot_be_read_says_so_and_no_log_quotes_it(
    content: bytes, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    logged = io.StringIO()
    handler = logging.StreamHandler(logged)
    logging.getLogger().addHandler(handler)
    try:
        with pytest.raises(Unreadable):
            read(content, tmp_path)
    finally:
        logging.getLogger().removeHandler(handler)
    assert logged.getvalue() == ""
    assert capfd.readouterr() == ("", "")


@given(data=st.data())
def test_a_file_with_any_byte_changed_is_read_or_not_but_never_breaks(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    content = bytearray(WHOLE)
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), min_size=1, max_size=8)):
        content[place] = data.draw(st.integers(0, 255))
    try:
        read(bytes(content), tmp_path_factory.getbasetemp())
    except Unreadable:
        return


WHOLE = pdf("Called by Theodore", "Ring him", author="Søren Baptiste")
