"""Chats to measure with: the same conversation as several phones export it.

Notices, media, deleted and edited messages, links, emoji and messages of several lines. A longer chat begins as a
shorter one does, and an iPhone's export holds the same messages as Android's.
"""

from __future__ import annotations

import random
import zipfile
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "bench" / "import"
MESSAGES_A_WEEK = 3_000
WORDS = [
    "tea",
    "river",
    "bicycle",
    "garden",
    "lamp",
    "winter",
    "market",
    "bread",
    "song",
    "window",
    "train",
    "letter",
    "harbour",
    "kite",
    "stone",
    "the",
    "of",
    "and",
    "to",
    "in",
    "is",
    "you",
    "that",
    "it",
    "was",
    "for",
    "on",
    "are",
    "with",
    "they",
    "at",
    "be",
    "this",
    "have",
    "from",
    "or",
    "one",
    "had",
    "by",
    "but",
    "not",
    "what",
    "all",
    "were",
    "we",
    "when",
    "can",
]
NAMES = [
    "Ana",
    "Luis Paz",
    "+44 7700 900123",
    "Bea 🌻",
    "Zoë Müller",
    "Carlos",
    "Jürgen",
    "अमित",
    "Olga",
    "Kim",
]

RENAMED = [f"{name.split()[0]} (work)" for name in NAMES]
"""The same people, as another phone has saved them."""

Header = Callable[[datetime], str]
STYLES: dict[str, Header] = {
    "android en-GB": lambda at: f"{at:%d/%m/%Y, %H:%M} - ",
    "android en-US": lambda at: f"{at.month}/{at.day}/{at:%y}, {at.hour % 12 or 12}:{at:%M}\u202f{at:%p} - ",
    "iphone en-GB": lambda at: f"[{at:%d/%m/%Y, %H:%M:%S}] ",
}


def text_file(style: str, count: int, names: Sequence[str] = NAMES) -> Path:
    """A chat of so many messages, written when it is wanted for the first time."""
    renamed = "" if names is NAMES else "-renamed"
    path = FOLDER / f"{style.replace(' ', '-')}-{count}{renamed}.txt"
    if path.exists():
        return path
    FOLDER.mkdir(parents=True, exist_ok=True)
    header = STYLES[style]
    dice = random.Random(2016)
    at = datetime(2016, 1, 4, 8)
    iphone = style.startswith("iphone")
    end = "\r\n" if iphone else "\n"
    partial = path.with_suffix(".partial")
    with partial.open("w", encoding="utf-8", newline="") as file:
        for number in range(count):
            at += timedelta(seconds=dice.choice((5, 20, 40, 60, 90, 300, 900)))
            message = _message(dice, header(at), at, number, names, iphone=iphone)
            file.write(message.replace("\n", end) + end)
    partial.rename(path)
    return path


def zip_file(style: str, count: int, names: Sequence[str] = NAMES) -> Path:
    """The zip that the phone makes of it."""
    text = text_file(style, count, names)
    path = text.with_suffix(".zip")
    if not path.exists():
        partial = path.with_suffix(".partial")
        inner = "_chat.txt" if style.startswith("iphone") else "WhatsApp Chat with Trip.txt"
        with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.write(text, inner)
        partial.rename(path)
    return path


def _message(
    dice: random.Random, header: str, at: datetime, number: int, names: Sequence[str], *, iphone: bool
) -> str:
    kind, name = dice.random(), dice.choice(names)
    mark = "\u200e" if iphone else ""
    if kind < 0.01:
        return f"{header}{'Trip: ' if iphone else ''}{mark}{name} added {dice.choice(names)}"
    if kind < 0.05:
        return f"{mark}{header}{name}: {mark}image omitted" if iphone else f"{header}{name}: <Media omitted>"
    if kind < 0.07:
        if iphone:
            return f"{mark}{header}{name}: {mark}<attached: {number:08}-PHOTO-{at:%Y-%m-%d-%H-%M-%S}.jpg>"
        return f"{header}{name}: IMG-{at:%Y%m%d}-WA{number % 10_000:04}.jpg (file attached)"
    if kind < 0.075:
        return f"{mark}{header}{name}: {mark}This message was deleted{'.' if iphone else ''}"
    text = " ".join(dice.choices(WORDS, k=dice.choice((1, 2, 3, 5, 8, 12, 20))))
    if kind < 0.08:
        return f"{mark}{header}{name}: {text} {mark}<This message was edited>"
    if kind < 0.16:
        text += "\n" + " ".join(dice.choices(WORDS, k=6)) + "\n- 1. " + dice.choice(WORDS)
    elif kind < 0.25:
        text += " 😂😂 ça va"
    elif kind < 0.27:
        text += " https://example.com/a/b?c=1"
    return f"{header}{name}: {text}"
