"""Claims about what the owner sees while work is going on."""

from __future__ import annotations

import io
import logging

import pytest
from rich.console import Console

from egregora_assets.cli.terminal import Bars, Lines, printable, watched
from egregora_resources.progress import Progress, Silent
from egregora_tests import HANG


def screen(*, terminal: bool) -> Console:
    return Console(
        file=io.StringIO(), force_terminal=terminal, width=120, highlight=False, markup=False, soft_wrap=True
    )


def text_of(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def work(progress: Progress) -> None:
    progress.start("windows", None)
    progress.start("windows", 12)
    progress.say("imported [all] of it")
    for number in range(5):
        progress.advance("windows", detail=f"2025-01-{number + 1:02}")
    progress.advance("unheard of")
    progress.finish("unheard of")


def test_a_terminal_shows_counts_and_the_remaining_time() -> None:
    console = screen(terminal=True)
    bars = Bars(console)
    with bars.rich:
        work(bars)
        bars.rich.refresh()
    shown = text_of(console)
    assert "windows" in shown
    assert "5/12" in shown
    assert "left" in shown
    assert "2025-01-05" in shown
    assert "imported [all] of it" in shown


def test_a_finished_task_is_full_even_if_there_was_less_to_do() -> None:
    console = screen(terminal=True)
    bars = Bars(console)
    with bars.rich:
        work(bars)
        bars.finish("windows")
        bars.rich.refresh()
    assert "5/5" in text_of(console)


def test_a_finished_task_that_was_not_counted_is_one_of_one() -> None:
    console = screen(terminal=True)
    bars = Bars(console)
    with bars.rich:
        bars.start("site", None)
        bars.finish("site")
        bars.rich.refresh()
    assert "1/1" in text_of(console)


def test_a_log_file_gets_lines_with_counts_and_remaining_time_and_no_bars() -> None:
    console = screen(terminal=False)
    lines = Lines(console, every=0.0)
    work(lines)
    lines.finish("windows")
    shown = text_of(console).splitlines()
    assert shown[0] == "windows"
    assert "imported [all] of it" in shown
    assert any(line.startswith("windows: 5 of 12, about ") and line.endswith(" s left") for line in shown)
    assert shown[-1].startswith("windows: 5 done in ")


def test_a_log_file_is_not_flooded() -> None:
    console = screen(terminal=False)
    lines = Lines(console, every=HANG)
    lines.start("windows", 1000)
    for _ in range(1000):
        lines.advance("windows")
    lines.finish("windows")
    assert len(text_of(console).splitlines()) == 2


def test_nobody_watching_is_fine() -> None:
    work(Silent())


def test_warnings_of_the_log_are_seen(capsys: pytest.CaptureFixture[str]) -> None:
    with watched():
        logging.getLogger("egregora.warehouse").warning("waiting for %s", "the other run")
    assert "waiting for the other run" in capsys.readouterr().err


def test_a_chats_text_cannot_steer_the_terminal() -> None:
    assert printable("a\x1b[2Jb\x07\x9b31m\u202ec\r\n") == "a [2Jb  31m c \n"
