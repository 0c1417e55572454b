"""How fast exports are read and imported, beside other parsers: ``python benchmarks/import_speed.py [messages …]``.

Generates exports (see `chats`) and reads each with our importer, and with whatsapp-chat-parser (npm), whatstk and
chat-miner (PyPI), which are installed into ``bench/import`` when they are wanted for the first time. Then imports the
same exports whole, from zip to merged and windowed warehouse; and into the warehouse that has them the same file
again, an export with one more week, the same chat from another kind of phone, and with everybody renamed.

Every measurement is a process of its own; rounds go around the parsers, so that all see the same machine, and the
best of each counts. Exits with 1 if a target is missed; the targets are the constants below.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from chats import FOLDER, MESSAGES_A_WEEK, RENAMED, STYLES, text_file, zip_file
from measuring import Result, run, say

ROUNDS = 3
READ_FASTER = 3.0
"""Times the speed of the fastest other parser."""
READ_MEMORY = 0.5
"""Of its memory, from `LARGE` on."""
LARGE = 1_000_000
"""Messages from which memory and whole imports are compared: below, to load the libraries is most of both."""
IMPORT_SECONDS = 2.0
"""Times what the fastest other parser needs to read alone."""
IMPORT_MB = 1024
AGAIN_SECONDS = 1.0
CHILD = str(Path(__file__).with_name("child.py"))
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


def main() -> int:
    """Generates, measures, prints."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("messages", nargs="*", type=int, help="how many messages (default: 200000 1000000)")
    options.add_argument("--ours-only", action="store_true", help="install and measure no other parser")
    options.add_argument("--without", action="append", default=[], help="a parser that is not to be measured")
    options.add_argument("--without-imports", action="store_true", help="measure reading only")
    options.add_argument("--rounds", type=int, default=ROUNDS)
    given = options.parse_args()
    FOLDER.mkdir(parents=True, exist_ok=True)
    parsers = [Parser("egregora", [sys.executable, CHILD, "egregora"], sys.maxsize)]
    if not given.ours_only:
        parsers += [one for one in _others() if one.name not in given.without]
    missed: list[str] = []
    for count in given.messages or [200_000, LARGE]:
        for style in STYLES:
            text = text_file(style, count)
            say(f"\n{style}: {count:,} messages, {text.stat().st_size / 1e6:,.0f} MB")
            results = _read(parsers, text, text_file(style, 2_000), count, given.rounds)
            missed += _judge_reading(style, results)
            if not given.without_imports:
                others = [one for name, one in results.items() if name != "egregora"]
                fastest = min(others, key=lambda one: one.seconds, default=None)
                missed += _import(style, count, fastest, given.rounds)
    for line in missed:
        say(f"MISSED: {line}")
    return int(bool(missed))


def _read(parsers: Sequence[Parser], path: Path, small: Path, count: int, rounds: int) -> dict[str, Result]:
    best: dict[str, Result] = {}
    for _ in range(rounds):
        for parser in parsers:
            if count <= parser.largest:
                _keep_best(best, parser.name, run([*parser.command, str(path), str(small)]))
    for name, result in best.items():
        say(
            f"  {name:22} {result.rate / 1e6:6.3f} M messages/s ({result.count / result.cpu_seconds / 1e6:.3f} "
            f"a CPU second) {result.peak_mb:6,.0f} MB   ×{best['egregora'].rate / result.rate:,.1f}"
        )
    return best


def _judge_reading(style: str, results: dict[str, Result]) -> list[str]:
    ours, others = results["egregora"], [one for name, one in results.items() if name != "egregora"]
    if not others:
        return []
    fastest = max(others, key=lambda one: one.rate)
    missed: list[str] = []
    if ours.rate < READ_FASTER * fastest.rate:
        missed.append(
            f"{style} is read {ours.rate / fastest.rate:.1f} times as fast as by the best of the others."
        )
    if ours.count >= LARGE and ours.peak_mb > READ_MEMORY * fastest.peak_mb:
        missed.append(f"{style} takes {ours.peak_mb / fastest.peak_mb:.0%} of the memory to be read.")
    return missed


def _import(style: str, count: int, fastest: Result | None, rounds: int) -> list[str]:
    """Whole imports, timed from the start of the process to its end."""
    iphone = style.startswith("iphone")
    first, other = zip_file(style, count), zip_file("android en-GB" if iphone else "iphone en-GB", count)
    later = {
        "the same file again": first,
        "one week more": zip_file(style, count + MESSAGES_A_WEEK),
        "another phone's": other,
        "everybody renamed": zip_file(style, count, RENAMED),
    }
    best: dict[str, Result] = {}
    for _ in range(rounds):
        with tempfile.TemporaryDirectory(dir=FOLDER) as folder:
            base = Path(folder) / "first"
            _keep_best(best, "whole import", _into_site(first, base))
            for name, path in later.items():
                site = Path(folder) / "later"
                shutil.copytree(base, site)
                _keep_best(best, name, _into_site(path, site))
                shutil.rmtree(site)
    for name, result in best.items():
        ratio = (
            f"   {result.whole_seconds / fastest.seconds:.2f} × the fastest other's reading"
            if fastest
            else ""
        )
        say(
            f"  {name:22} {result.whole_seconds:6.2f} s ({result.cpu_seconds:.2f} CPU s), "
            f"{result.count:,} messages then {result.peak_mb:6,.0f} MB{ratio}"
        )
    whole, again, week = (
        best[name].whole_seconds for name in ("whole import", "the same file again", "one week more")
    )
    missed = [
        f"{style}, {name}: {result.peak_mb:,.0f} MB."
        for name, result in best.items()
        if result.peak_mb > IMPORT_MB
    ]
    if fastest and count >= LARGE and whole > IMPORT_SECONDS * fastest.seconds:
        missed.append(
            f"{style}: a whole import takes {whole / fastest.seconds:.2f} times the fastest other's reading."
        )
    if again > AGAIN_SECONDS:
        missed.append(f"{style}: to recognise a file takes {again:.2f} s.")
    if week > whole:
        missed.append(f"{style}: one week more takes longer than the whole.")
    return missed


def _into_site(export: Path, site: Path) -> Result:
    return run([sys.executable, CHILD, "import", str(export), str(site)])


def _keep_best(best: dict[str, Result], name: str, result: Result) -> None:
    if name not in best or result.seconds < best[name].seconds:
        best[name] = result


def _others() -> list[Parser]:
    python = FOLDER / "venv" / "bin" / "python"
    if not python.exists():
        say("Installing whatstk and chat-miner …")
        subprocess.run([sys.executable, "-m", "venv", str(FOLDER / "venv")], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", "whatstk", "chat-miner"], check=True)
    parsers = [
        Parser("whatstk", [str(python), CHILD, "whatstk"], 1_000_000),
        Parser("chat-miner", [str(python), CHILD, "chat-miner"], 200_000),
    ]
    node = shutil.which("node")
    if node is None:
        say("There is no node here: whatsapp-chat-parser is not measured.")
        return parsers
    if not (FOLDER / "node_modules" / "whatsapp-chat-parser").exists():
        say("Installing whatsapp-chat-parser …")
        subprocess.run(
            ["npm", "install", "--silent", "--prefix", str(FOLDER), "whatsapp-chat-parser"], check=True
        )
    script = FOLDER / "measure.cjs"
    script.write_text(NODE, "utf-8")
    return [Parser("whatsapp-chat-parser", [node, str(script)], 10_000_000), *parsers]


if __name__ == "__main__":
    sys.exit(main())
