"""Texts that are no chats, and so long that to read on would fill the memory."""

from __future__ import annotations

from pathlib import Path

import pytest

from egregora_resources.inputs.export import InputError
from egregora_resources.inputs.registry import read_export
from egregora_resources.inputs.whatsapp import text

HEADER = b"24/03/2022, 21:41 - Ana: hello\n"


@pytest.mark.parametrize(
    "content",
    [HEADER + b"\0" * 20_000_000, HEADER + b"a\n" * 12_000_000, b"a\n" * 12_000_000],
    ids=["one line", "many lines after a message", "many lines without any"],
)
def test_a_text_in_which_no_message_begins_for_very_long_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    monkeypatch.setattr(text, "LONGEST", 8 << 20)
    path = tmp_path / "chat.txt"
    path.write_bytes(content)
    with pytest.raises(
        InputError, match=r"chat\.txt has over 8 MB in which no message begins\. Give the export"
    ):
        read_export(path)
    path.write_bytes(HEADER + b"a\n" * 3_000_000 + HEADER)
    assert len(read_export(path).messages) == 2
