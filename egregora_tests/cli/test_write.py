"""`egregora write` on a new site."""

from __future__ import annotations

from pathlib import Path

import pytest

from egregora_assets.cli.write import write
from egregora_resources.inputs.export import Export
from egregora_resources.inputs.registry import ADAPTERS, InputAdapter
from egregora_tests.weekly_chat import export, weeks


class Counting:
    """An adapter that says how often it read."""

    name = "counting"

    def __init__(self, adapter: InputAdapter) -> None:
        self.sniff, self._read, self.reads = adapter.sniff, adapter.read, 0

    def read(self, path: Path, *, chat: str | None, date_order: str) -> Export:
        self.reads += 1
        return self._read(path, chat=chat, date_order=date_order)


def test_the_first_write_of_an_export_reads_it_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    counting = Counting(ADAPTERS["whatsapp"])
    monkeypatch.setitem(ADAPTERS, "whatsapp", counting)
    chat = export(tmp_path, weeks(1), "chat")
    assert write(tmp_path / "blog", [chat], yes=True, provider="offline") == 0
    assert counting.reads == 1
