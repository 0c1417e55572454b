"""Seconds and peak memory, of a call and of a process. Needs nothing but Python, so that any parser's child can use it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


def timed(work: Callable[[], T]) -> tuple[T, float, float]:
    """What a call returns, its seconds and its CPU seconds."""
    start, cpu = time.perf_counter(), time.process_time()
    result = work()
    return result, time.perf_counter() - start, time.process_time() - cpu


@dataclass(frozen=True)
class Result:
    """Of a child process.

    Attributes:
        count: what it says it read.
        seconds, cpu_seconds: of what it timed itself.
        whole_seconds: from its start to its end.
    """

    count: int
    seconds: float
    cpu_seconds: float
    whole_seconds: float
    peak_mb: float

    @property
    def rate(self) -> float:
        """Read in a second."""
        return self.count / self.seconds


def run(command: Sequence[str]) -> Result:
    """Runs a child, whose last line is a count, seconds and CPU seconds as JSON."""
    start = time.perf_counter()
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors)
        assert process.stdout is not None
        said = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        if status:
            errors.seek(0)
            raise SystemExit(f"{command[0]} failed:\n{errors.read().decode(errors='replace')[-2000:]}")
    count, timed_seconds, cpu_seconds = json.loads(said.decode().strip().splitlines()[-1])
    return Result(count, timed_seconds, cpu_seconds, seconds, usage.ru_maxrss / 1024)


def say(line: str) -> None:
    """Prints a line at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
