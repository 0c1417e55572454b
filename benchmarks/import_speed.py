"""Messages a second and peak memory of reading exports, beside other parsers: ``python benchmarks/import_speed.py``.

Generates exports (en-GB and en-US as Android writes them, and an iPhone's; with notices, media, deleted and
edited messages, links, emoji and messages of several lines) and reads each with our importer, and with
whatsapp-chat-parser (npm), whatstk and chat-miner (PyPI), which are installed into ``bench/import`` when they are
wanted for the first time. Every measurement is a process of its own; rounds go around the parsers, so that all
see the same machine, and the best of each counts. Exits with 1 if ours is slower than three times the fastest
of the others, or takes more than half
of its memory for a million messages.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

ROOT = Path(__file__).parents[1]
BENCH = ROOT / "bench" / "import"
ROUNDS = 3
TARGET_RATIO = 3.0
TARGET_MEMORY = 0.5
LARGE = 1_000_000
"""Messages from which memory is compared: below, the libraries themselves are most of it."""
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

OURS = """
import json, sys, time
from pathlib import Path
from egregora_resources.inputs.registry import read_export
read_export(Path(sys.argv[2]))
start, cpu = time.perf_counter(), time.process_time()
export = read_export(Path(sys.argv[1]))
print(json.dumps([len(export.messages), time.perf_counter() - start, time.process_time() - cpu]))
"""
WHATSTK = """
import json, sys, time
from whatstk import WhatsAppChat
WhatsAppChat.from_source(sys.argv[2])
start, cpu = time.perf_counter(), time.process_time()
chat = WhatsAppChat.from_source(sys.argv[1])
print(json.dumps([len(chat.df), time.perf_counter() - start, time.process_time() - cpu]))
"""
CHAT_MINER = """
import json, logging, sys, time
logging.disable()
from chatminer.chatparsers import WhatsAppParser
def read(path):
    parser = WhatsAppParser(path)
    parser.parse_file()
    return parser.parsed_messages.get_df()
read(sys.argv[2])
start, cpu = time.perf_counter(), time.process_time()
frame = read(sys.argv[1])
print(json.dumps([len(frame), time.perf_counter() - start, time.process_time() - cpu]))
"""
NODE = """
const fs = require("fs"), parser = require("whatsapp-chat-parser");
parser.parseString(fs.readFileSync(process.argv[3], "utf8"));
const start = process.hrtime.bigint(), cpu = process.cpuUsage();
const messages = parser.parseString(fs.readFileSync(process.argv[2], "utf8"));
const used = process.cpuUsage(cpu);
console.log(JSON.stringify([messages.length, Number(process.hrtime.bigint() - start) / 1e9, (used.user + used.system) / 1e6]));
"""


@dataclass(frozen=True)
class Parser:
    """One that is measured: the command up to the two paths (an export, and a small one to warm up with)."""

    name: str
    command: list[str]
    largest: int
    """Messages beyond which it is not asked: it would take minutes."""


@dataclass(frozen=True)
class Result:
    """Of the best round."""

    messages: int
    seconds: float
    cpu_seconds: float
    peak_mb: float

    @property
    def rate(self) -> float:
        """Messages a second."""
        return self.messages / self.seconds


def main() -> int:
    """Generates, measures, prints."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("messages", nargs="*", type=int, help="how many messages (default: 200000 1000000)")
    options.add_argument("--ours-only", action="store_true", help="install and measure no other parser")
    options.add_argument("--without", action="append", default=[], help="a parser that is not to be measured")
    options.add_argument("--rounds", type=int, default=ROUNDS)
    given = options.parse_args()
    BENCH.mkdir(parents=True, exist_ok=True)
    parsers = [Parser("egregora", [sys.executable, "-c", OURS], sys.maxsize)]
    if not given.ours_only:
        parsers += [one for one in _others() if one.name not in given.without]
    good = True
    for count in given.messages or [200_000, 1_000_000]:
        for style, header in STYLES.items():
            path, small = (_export(style, header, size) for size in (count, 2_000))
            results = _measure(parsers, path, small, count, given.rounds)
            _say(f"\n{style}: {count:,} messages, {path.stat().st_size / 1e6:,.0f} MB")
            for name, result in results.items():
                _say(
                    f"  {name:22} {result.rate / 1e6:6.3f} M messages/s ({result.messages / result.cpu_seconds / 1e6:.3f} "
                    f"a CPU second) {result.peak_mb:6,.0f} MB   ×{results['egregora'].rate / result.rate:,.1f}"
                )
            good &= _meets_target(results)
    return 0 if good else 1


def _meets_target(results: dict[str, Result]) -> bool:
    ours, others = results["egregora"], [one for name, one in results.items() if name != "egregora"]
    if not others:
        return True
    fastest = max(others, key=lambda one: one.rate)
    small = ours.messages < LARGE or ours.peak_mb <= TARGET_MEMORY * fastest.peak_mb
    return ours.rate >= TARGET_RATIO * fastest.rate and small


def _others() -> list[Parser]:
    python = BENCH / "venv" / "bin" / "python"
    if not python.exists():
        _say("Installing whatstk and chat-miner …")
        subprocess.run([sys.executable, "-m", "venv", str(BENCH / "venv")], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", "whatstk", "chat-miner"], check=True)
    parsers = [
        Parser("whatstk", [str(python), "-c", WHATSTK], 1_000_000),
        Parser("chat-miner", [str(python), "-c", CHAT_MINER], 200_000),
    ]
    node = shutil.which("node")
    if node is None:
        _say("There is no node here: whatsapp-chat-parser is not measured.")
        return parsers
    if not (BENCH / "node_modules" / "whatsapp-chat-parser").exists():
        _say("Installing whatsapp-chat-parser …")
        subprocess.run(
            ["npm", "install", "--silent", "--prefix", str(BENCH), "whatsapp-chat-parser"], check=True
        )
    script = BENCH / "measure.cjs"
    script.write_text(NODE, "utf-8")
    return [Parser("whatsapp-chat-parser", [node, str(script)], 10_000_000), *parsers]


def _measure(parsers: list[Parser], path: Path, small: Path, count: int, rounds: int) -> dict[str, Result]:
    best: dict[str, Result] = {}
    for _ in range(rounds):
        for parser in parsers:
            if count > parser.largest:
                continue
            result = _run([*parser.command, str(path), str(small)])
            if parser.name not in best or result.seconds < best[parser.name].seconds:
                best[parser.name] = result
    return best


def _run(command: list[str]) -> Result:
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=ROOT)
    assert process.stdout is not None
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{command[0]} failed")
    messages, seconds, cpu_seconds = json.loads(output.decode().strip().splitlines()[-1])
    return Result(messages, seconds, cpu_seconds, usage.ru_maxrss / 1024)


Header = Callable[[datetime], str]
STYLES: dict[str, Header] = {
    "android en-GB": lambda at: f"{at:%d/%m/%Y, %H:%M} - ",
    "android en-US": lambda at: f"{at.month}/{at.day}/{at:%y}, {at.hour % 12 or 12}:{at:%M}\u202f{at:%p} - ",
    "iphone en-GB": lambda at: f"[{at:%d/%m/%Y, %H:%M:%S}] ",
}


def _export(style: str, header: Header, count: int) -> Path:
    path = BENCH / f"{style.replace(' ', '-')}-{count}.txt"
    if path.exists():
        return path
    dice = random.Random(count)
    at = datetime(2016, 1, 4, 8)
    iphone = style.startswith("iphone")
    end = "\r\n" if iphone else "\n"
    partial = path.with_suffix(".partial")
    with partial.open("w", encoding="utf-8", newline="") as file:
        for number in range(count):
            at += timedelta(seconds=dice.choice((5, 20, 40, 60, 90, 300, 900)))
            file.write(_message(dice, header(at), at, number, iphone).replace("\n", end) + end)
    partial.rename(path)
    return path


def _message(dice: random.Random, header: str, at: datetime, number: int, iphone: bool) -> str:
    kind, name = dice.random(), dice.choice(NAMES)
    mark = "\u200e" if iphone else ""
    if kind < 0.01:
        return f"{header}{'Trip: ' if iphone else ''}{mark}{name} added {dice.choice(NAMES)}"
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


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
