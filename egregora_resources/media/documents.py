"""What a shared document says: texts, tables, office files, PDFs.

It is read to tell whether the document names somebody, and is never shown.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path

from egregora_resources.media.unreadable import Unreadable
from egregora_resources.privacy.page_text import BLOCK, text_of_page

MOST_BYTES = 8 * 1024 * 1024
"""Of what is read; a longer text isn't read to its end."""


def text_of_document(path: Path, extension: str) -> str:
    """The document's text, with whatever else it says of itself.

    Raises:
        Unreadable: it can't be told what it says.
    """
    if extension == "pdf":
        # Loaded only where there is a PDF.
        from egregora_resources.media.pdf import texts_of_pdf

        return BLOCK.join(texts_of_pdf(path))
    if extension in {"txt", "csv"}:
        if path.stat().st_size > MOST_BYTES:
            raise Unreadable
        data = path.read_bytes()
        return data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8", "replace")
    try:
        return BLOCK.join(_parts(path))
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, EOFError, ValueError):
        raise Unreadable from None


def _parts(path: Path) -> Iterator[str]:
    left = MOST_BYTES
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            if member.filename.endswith((".xml", ".rels")):
                with archive.open(member) as file:
                    data = file.read(left + 1)
                left -= len(data)
                if left < 0:
                    raise Unreadable
                yield text_of_page(data.decode("utf-8", "replace"))
