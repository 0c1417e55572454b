"""A media store in a temporary folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from egregora_resources.media.store import MediaStore


@pytest.fixture
def store(tmp_path: Path) -> MediaStore:
    return MediaStore(tmp_path / "media")


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    return tmp_path / "docs"
