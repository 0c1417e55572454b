"""What `egregora inspect` shows of an export."""

from __future__ import annotations

import json
from pathlib import Path

from egregora_resources.inputs.export import MESSAGE_SCHEMA
from egregora_resources.inputs.inspect import message_lines, summary
from egregora_resources.inputs.registry import read_export

CHAT = """from Ana's phone
24/03/2022, 13:00 - Ana created group "Trip"
24/03/2022, 14:00 - Ana: hello
24/03/2022, 14:01 - Luis: IMG-20220324-WA0000.jpg (file attached)
24/03/2022, 14:02 - Luis: location: https://maps.google.com/?q=38.7,-9.1
"""


def _export(folder: Path) -> Path:
    path = folder / "WhatsApp Chat with Trip.txt"
    path.write_text(CHAT)
    return path


def test_a_row_for_each_message(tmp_path: Path) -> None:
    path = _export(tmp_path)
    rows = [json.loads(line) for line in message_lines(read_export(path))]
    assert [row["kind"] for row in rows] == ["notice", "text", "media", "location"]
    assert rows[1] == {
        "file": str(path),
        "timestamp": "2022-03-24T14:00:00",
        "author": "Ana",
        "kind": "text",
        "text": "hello",
        "attachment": None,
        "edited": False,
        "deleted": False,
        "media_omitted": False,
        "is_system": False,
    }
    assert rows[3]["data"] == {"url": "https://maps.google.com/?q=38.7,-9.1", "lat": 38.7, "lon": -9.1}


def test_a_row_is_one_line_whatever_a_program_takes_for_its_end(tmp_path: Path) -> None:
    path = tmp_path / "chat.txt"
    path.write_text("24/03/2022, 14:00 - Ana: a\u2028b\u2029c\x85d\n", "utf-8")
    (line,) = message_lines(read_export(path))
    assert line.splitlines() == [line]
    assert json.loads(line)["text"] == "a\u2028b\u2029c\x85d"


def test_the_table_has_the_promised_columns(tmp_path: Path) -> None:
    assert read_export(_export(tmp_path)).messages.schema.equals(MESSAGE_SCHEMA)
    (tmp_path / "empty.txt").write_text("")
    assert read_export(tmp_path / "empty.txt").messages.schema.equals(MESSAGE_SCHEMA)


def test_the_summary_counts_and_names_what_is_odd(tmp_path: Path) -> None:
    found = summary(read_export(_export(tmp_path)))
    assert (found.messages, found.chat, found.date_order) == (4, "Trip", "dmy")
    assert found.authors == {"Luis": 2, "Ana": 1}
    assert found.kinds == {"notice": 1, "text": 1, "media": 1, "location": 1}
    assert (found.media, found.media_absent) == (0, 1)
    assert found.examples == ("from Ana's phone",)
    text = str(found)
    for part in (
        "Trip",
        "4 messages",
        "2022-03-24 13:00",
        "dmy",
        "1 line belongs to no message",
        "from Ana's phone",
    ):
        assert part in text
