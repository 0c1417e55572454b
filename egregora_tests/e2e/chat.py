"""A small chat made for these tests, as WhatsApp on Android would export it: a window a week, a dozen messages each."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

MONDAY = datetime(2025, 1, 6, 9, 0)
PEOPLE = ("Wilhelmina Quackenbush", "Ottokar Zvěřina", "Perpetua Lindqvist")
WEEKS: Sequence[str] = (
    "2025-01-06",
    "2025-01-13",
    "2025-01-20",
    "2025-01-27",
    "2025-02-03",
    "2025-02-10",
    "2025-02-17",
)
"""Keys of the windows that the chat makes, week by week."""

SUBJECTS: Sequence[tuple[str, str, str]] = (
    ("marmalade", "kettle", "the oranges from the market are bitter enough this year"),
    ("rowboat", "varnish", "two planks of the hull are soft where the rope rubbed"),
    ("beehive", "smoker", "the eastern colony threw out its drones before the frost"),
    ("harmonium", "bellows", "the low reeds buzz whenever somebody pumps too fast"),
    ("greenhouse", "paraffin", "the tomato seedlings bent towards the cracked pane"),
    ("sledge", "runner", "the steep meadow behind the mill is frozen all the way down"),
    ("telescope", "tripod", "the mirror needs a day to cool before it shows anything"),
)
"""What each week is about: two things and an observation."""

LINES = (
    "I looked at the {a} again this morning and {c}",
    "Does anybody still have the {b} that we borrowed from the school?",
    "The {b} is in my shed, next to the old {a}, you can fetch it any evening",
    "If we want the {a} to be ready by Sunday we should start tonight, because {c}",
    "I can bring the {b} and a lamp, somebody else has to bring gloves",
    "The {a} cost us forty crowns last time, and the {b} another twelve",
    "My sister says that a {a} without a proper {b} is only good for firewood",
    "She is right, I tried it in November and the {b} broke in my hands",
    "Then let us buy a second {b} from the cooperative, they have three left",
    "I wrote the plan for the {a} on the blackboard, please read it before you come",
    "Plan read, and I agree about the {a}, but who pays for the new {b}?",
    "We share it between the three of us, and the {a} stays in the barn until spring",
)


def messages(weeks: int, changed: Mapping[int, str]) -> str:
    """The chat's text: `changed` puts other words into the fifth message of a week."""
    lines: list[str] = []
    for week in range(weeks):
        a, b, c = SUBJECTS[week]
        for number, line in enumerate(LINES):
            text = line.format(a=a, b=b, c=c)
            if number == 4 and week in changed:
                text = changed[week]
            at = MONDAY + timedelta(weeks=week, days=number // 3, minutes=17 * number)
            lines.append(f"{at:%d/%m/%Y, %H:%M} - {PEOPLE[number % 3]}: {text}")
    return "\n".join(lines) + "\n"


def write_export(path: Path, *, weeks: int = 6, changed: Mapping[int, str] | None = None) -> Path:
    """Writes an export, as the phone would have an hour after the last message."""
    text = messages(weeks, changed or {})
    at = MONDAY + timedelta(weeks=weeks)
    info = zipfile.ZipInfo("WhatsApp Chat with The Shed.txt", (at.year, at.month, at.day, at.hour, 0, 0))
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(info, text)
    return path
