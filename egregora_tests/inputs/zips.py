"""Zips that are made in memory."""

from __future__ import annotations

import io
import zipfile


def zipped(files: dict[str, str | bytes]) -> bytes:
    """A zip of these files."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return stream.getvalue()
