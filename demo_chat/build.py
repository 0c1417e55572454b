"""Writes the two exports of the demo chat: `python -m demo_chat.build`.

`chat.txt` is the whole chat as it was first written. The first export holds it up to the end of the eighth
week; the later one holds all of it, with what happened in between: one message edited, one deleted. The
same source gives the same bytes: the zips carry fixed times.
"""

import re
from collections.abc import Callable
from datetime import date, datetime
from importlib.resources import files
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

from demo_chat import papers, scenes
from egregora_assets.demo import EXPORT_NAME

NINTH_WEEK = date(2025, 3, 3)

# What changed before the later export: where a message starts, and what it says from then on.
CHANGES: dict[str, str] = {
    "02/03/2025, 21:50 - Nisha Rao: ": (
        "Final head count: 143 visitors on the Scouts' clicker, plus eight who climbed over the wall and bought "
        "pies without being clicked, so 151 on opening night. <This message was edited>"
    ),
    "24/01/2025, 12:20 - Nisha Rao: ": "This message was deleted",
}

PICTURES: dict[str, Callable[[], bytes]] = {
    "IMG-20250107-WA0003.jpg": scenes.tower_at_dusk,
    "IMG-20250111-WA0007.jpg": papers.way_up,
    "IMG-20250116-WA0001.jpg": papers.mars_drawing,
    "IMG-20250118-WA0004.jpg": scenes.lens_in_its_box,
    "IMG-20250124-WA0009.jpg": scenes.after_the_storm,
    "IMG-20250126-WA0002.jpg": papers.logbook_page,
    "IMG-20250129-WA0005.jpg": papers.roof_plan,
    "IMG-20250131-WA0003.jpg": papers.money_chart,
    "IMG-20250208-WA0006.jpg": scenes.lid_up_the_hill,
    "IMG-20250221-WA0004.jpg": papers.jupiter_drawing,
    "IMG-20250222-WA0001.jpg": papers.poster,
    "IMG-20250301-WA0011.jpg": scenes.above_the_fog,
    "IMG-20250305-WA0002.jpg": scenes.the_lamb,
    "IMG-20250307-WA0003.jpg": papers.rest_of_march,
}

_STARTS_MESSAGE = re.compile(r"(?m)^(?=\d\d/\d\d/\d{4}, \d\d:\d\d - )")
_ATTACHED = re.compile(r"\u200e(\S+) \(file attached\)")


def first_text(chat: str) -> str:
    """The chat as it stood at the end of its eighth week."""
    return "".join(message for message in _messages(chat) if _day(message) < NINTH_WEEK)


def later_text(chat: str) -> str:
    """The whole chat as it stood a week later."""
    changes = dict(CHANGES)
    kept: list[str] = []
    for message in _messages(chat):
        start = next((start for start in changes if message.startswith(start)), None)
        kept.append(f"{start}{changes.pop(start)}\n" if start else message)
    if changes:
        raise ValueError(f"chat.txt has no message to change at: {', '.join(changes)}")
    return "".join(kept)


def build(target: Path) -> list[Path]:
    """Write `first/` and `later/` below `target`, and return the two zips."""
    chat = Path(__file__).with_name("chat.txt").read_text(encoding="utf-8")
    drawn = {name: draw() for name, draw in PICTURES.items()}
    exports = {"first": first_text(chat), "later": later_text(chat)}
    return [_write(target / folder, text, drawn) for folder, text in exports.items()]


def _write(folder: Path, text: str, drawn: dict[str, bytes]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{EXPORT_NAME}.zip"
    exported = max(_day(message) for message in _messages(text))
    with ZipFile(path, "w") as archive:
        _add(archive, f"{EXPORT_NAME}.txt", text.encode(), exported)
        for name in _ATTACHED.findall(text):
            _add(archive, name, drawn[name], exported)
    return path


def _add(archive: ZipFile, name: str, content: bytes, exported: date) -> None:
    entry = ZipInfo(name, (exported.year, exported.month, exported.day, 23, 50, 0))
    entry.compress_type = ZIP_STORED if name.endswith(".jpg") else ZIP_DEFLATED
    entry.create_system = 3  # else it would say which system the build ran on
    entry.external_attr = 0o644 << 16
    archive.writestr(entry, content)


def _messages(chat: str) -> list[str]:
    return [part for part in _STARTS_MESSAGE.split(chat) if part]


def _day(message: str) -> date:
    return datetime.strptime(message[:10], "%d/%m/%Y").date()


def main() -> None:
    build(Path(str(files("egregora_assets.demo"))))


if __name__ == "__main__":
    main()
