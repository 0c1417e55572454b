"""A made-up chat for tests of the pipeline: every week four neighbours talk about another subject, in another place.

The same chat is to be had as a table for the Python API and as the zip that a phone would write.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import ibis
import pyarrow as pa

MONDAY = datetime(2025, 1, 13, 9, 0)
NAMES = ("Marisol Quintero", "Bertrand Okafor", "Ingrid Sandoval", "Theodore Baptiste")
SUBJECTS = (
    ("compost heap", "allotment"), ("greenhouse roof", "school yard"), ("rain barrel", "vicarage"),
    ("tool shed", "canal bank"), ("apple press", "village hall"), ("seed library", "old station"),
    ("bat boxes", "churchyard"), ("bread oven", "mill"), ("pond liner", "common"), ("hedge cutter", "orchard"),
    ("bicycle stand", "market square"), ("weather vane", "clock tower"),
)  # fmt: skip
LINES = (
    "Has anybody looked at the {thing} near the {place} since the storm?",
    "The {thing} is in a bad state, two boards are rotten and the hinge came off",
    "I measured the {thing} this morning, we need twelve boards and forty screws",
    "The timber yard sells larch boards at eighteen pounds each, the {place} kitty holds 240",
    "Then the kitty covers the {thing} and we still have money for paint",
    "Paint for the {place} should be dark green, like the gate",
    "I can bring a trailer to the {place} on Friday and fetch the boards",
    "On Saturday at ten we take the old {thing} apart, bring gloves and crowbars",
    "The council allows work at the {place} until six in the evening",
    "I asked my uncle, he repaired a {thing} like this with oak and it lasted thirty years",
    "Oak costs twice as much, but the {thing} will never rot again",
    "Let us vote about oak or larch for the {thing} at the {place} tonight",
)


@dataclass(frozen=True)
class Line:
    """A message as a phone shows it."""

    time: datetime
    author: str
    text: str


def week(number: int, names: Sequence[str] = NAMES) -> list[Line]:
    """The messages of one week, a few minutes apart, on its Monday."""
    thing, place = SUBJECTS[number % len(SUBJECTS)]
    start = MONDAY + timedelta(weeks=number)
    return [
        Line(start + timedelta(minutes=7 * n), names[n % len(names)], text.format(thing=thing, place=place))
        for n, text in enumerate(LINES)
    ]


def weeks(count: int, names: Sequence[str] = NAMES) -> list[Line]:
    """The messages of so many weeks."""
    return [line for number in range(count) for line in week(number, names)]


def said(lines: Iterable[Line], author: str, text: str, week: int, minute: int = 200) -> list[Line]:
    """The messages with one more in a week."""
    more = Line(MONDAY + timedelta(weeks=week, minutes=minute), author, text)
    return sorted([*lines, more], key=lambda line: line.time)


def reworded(lines: Sequence[Line], index: int, text: str) -> list[Line]:
    """The messages with another text of one of them."""
    return [replace(line, text=text) if n == index else line for n, line in enumerate(lines)]


def table(lines: Sequence[Line]) -> Any:
    """The messages as an Ibis table, as `create_windows` takes it."""
    return ibis.memtable(
        pa.table(
            {
                "timestamp": pa.array([line.time for line in lines], pa.timestamp("us")),
                "author": pa.array([line.author for line in lines], pa.string()),
                "text": pa.array([line.text for line in lines], pa.string()),
            }
        )
    )


def export(
    folder: Path, lines: Sequence[Line], name: str = "first", files: Mapping[str, bytes] | None = None
) -> Path:
    """The zip that an Android phone would write right after the last message."""
    folder.mkdir(parents=True, exist_ok=True)
    text = "".join(f"{line.time:%d/%m/%Y, %H:%M} - {line.author}: {line.text}\n" for line in lines)
    path = folder / f"{name}.zip"
    written = (lines[-1].time + timedelta(hours=1)).timetuple()[:6]
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(zipfile.ZipInfo("WhatsApp Chat with Neighbours.txt", written), text)
        for file, content in (files or {}).items():
            archive.writestr(zipfile.ZipInfo(file, written), content)
    return path
