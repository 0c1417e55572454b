"""What the owner sees while work is going on: bars on a terminal, now and then a line anywhere else."""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
import unicodedata
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from shutil import which

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as RichProgress

from egregora_resources.progress import Progress


def out() -> Console:
    """Where results go."""
    return Console(highlight=False, soft_wrap=True, markup=False, emoji=False)


def printable(text: str) -> str:
    """`text` without characters that would steer the terminal; for names and text of a chat."""
    return "".join(
        " " if unicodedata.category(c) in {"Cc", "Cf"} and c not in "\n\t\u200d" else c for c in text
    )


def command() -> str:
    """How the owner calls this program: by name, or by its path where the name alone wouldn't do."""
    program = Path(sys.argv[0])
    if program.name != "egregora" or which("egregora"):
        return "egregora"
    return os.path.relpath(program)


@contextmanager
def watched() -> Generator[Progress]:
    """Shows progress on standard error, and the warnings of Egregora's own log in between."""
    console = Console(stderr=True, highlight=False, soft_wrap=True, markup=False, emoji=False)
    handler = _LogLines(console)
    log = logging.getLogger("egregora")
    log.addHandler(handler)
    try:
        if console.is_terminal:
            bars = Bars(console)
            with bars.rich:
                yield bars
        else:
            yield Lines(console)
    finally:
        log.removeHandler(handler)


class Bars:
    """A bar for each task, with counts and the remaining time."""

    def __init__(self, console: Console) -> None:
        self.rich = RichProgress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[detail]}", markup=False, style="dim"),
            console=console,
        )
        self._tasks: dict[str, TaskID] = {}
        self._lock = threading.Lock()

    def say(self, text: str) -> None:
        self.rich.console.print(printable(text))

    def start(self, task: str, total: int | None) -> None:
        with self._lock:
            if task in self._tasks:
                self.rich.update(self._tasks[task], total=total)
            else:
                self._tasks[task] = self.rich.add_task(task, total=total, detail="")

    def advance(self, task: str, by: int = 1, detail: str = "") -> None:
        with self._lock:
            if task in self._tasks:
                self.rich.update(self._tasks[task], advance=by, detail=detail)

    def finish(self, task: str) -> None:
        with self._lock:
            if task in self._tasks:
                bar = self.rich.tasks[self.rich.task_ids.index(self._tasks[task])]
                counted = bar.completed or 1  # a task without a count is one
                self.rich.update(bar.id, total=counted, completed=counted, detail="")


@dataclass(slots=True)
class _Count:
    total: int | None
    started: float
    told: float
    done: int = 0


class Lines:
    """A line when a task begins and ends, and one every `every` seconds in between."""

    def __init__(self, console: Console, every: float = 10.0) -> None:
        self._console = console
        self._every = every
        self._tasks: dict[str, _Count] = {}
        self._lock = threading.Lock()

    def say(self, text: str) -> None:
        self._console.print(printable(text))

    def start(self, task: str, total: int | None) -> None:
        with self._lock:
            now = time.monotonic()
            if task in self._tasks:
                self._tasks[task].total = total
                return
            self._tasks[task] = _Count(total, now, now)
            self._console.print(task if total is None else f"{task}: {total}")

    def advance(self, task: str, by: int = 1, detail: str = "") -> None:
        with self._lock:
            count = self._tasks.get(task)
            if count is None:
                return
            count.done += by
            now = time.monotonic()
            if now - count.told < self._every:
                return
            count.told = now
            if count.total is None or not count.done:
                self._console.print(f"{task}: {count.done}")
            else:
                left = (now - count.started) / count.done * (count.total - count.done)
                self._console.print(f"{task}: {count.done} of {count.total}, about {left:.0f} s left")

    def finish(self, task: str) -> None:
        with self._lock:
            count = self._tasks.pop(task, None)
            if count:
                took = time.monotonic() - count.started
                self._console.print(f"{task}: {f'{count.done} ' if count.done else ''}done in {took:.1f} s")


class _LogLines(logging.Handler):
    """Warnings as lines above the bars."""

    def __init__(self, console: Console) -> None:
        super().__init__(logging.WARNING)
        self._console = console

    def emit(self, record: logging.LogRecord) -> None:
        self._console.print(printable(self.format(record)))
