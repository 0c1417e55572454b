"""Every case of what a careful person would call right, read as a file."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from egregora_resources.inputs.registry import read_export

CASES = sorted((Path(__file__).parents[2] / "cases").glob("whatsapp*.jsonl"))
_MARKS = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]")


def _cases() -> list[dict[str, Any]]:
    return [json.loads(line) for path in CASES for line in path.read_text("utf-8").split("\n") if line]


def _comparable(field: str, value: Any) -> Any:
    if field == "timestamp" and not isinstance(value, str):
        return value.isoformat()
    if isinstance(value, str):
        value = _MARKS.sub("", value).replace("\r\n", "\n").rstrip()
        return value.replace("\u00a0", " ").replace("\u202f", " ") if field == "author" else value
    return value


@pytest.mark.parametrize("case", _cases(), ids=lambda case: case["id"])
def test_case_is_read_as_a_careful_person_would(case: dict[str, Any], tmp_path: Path) -> None:
    ambiguous = set(case.get("ambiguous_fields", []))
    if "count" in ambiguous:
        pytest.skip("nobody could tell how many messages it is")
    path = tmp_path / "chat.txt"
    path.write_bytes(case["input"].encode())
    messages = read_export(path).messages.to_pylist()
    assert len(messages) == len(case["expected"])
    for message, expected in zip(messages, case["expected"], strict=True):
        wanted = {"edited": False, "deleted": False, "media_omitted": False} | expected
        for field in sorted(wanted.keys() - ambiguous - {"header_name"}):
            assert _comparable(field, message[field]) == _comparable(field, wanted[field]), field
