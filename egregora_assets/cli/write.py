"""`write` and `demo`: a run with progress, and a summary that says what came of it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from egregora_assets.cli import sites
from egregora_assets.cli.terminal import command, out, printable, watched
from egregora_resources.errors import UserError
from egregora_resources.site.folder import SiteFolder

if TYPE_CHECKING:
    from rich.console import Console

    from egregora_assets.commands.report import WriteReport
    from egregora_resources.inputs.export import Export
    from egregora_resources.progress import Progress


def write(
    site: Path,
    exports: Sequence[Path],
    *,
    chat: str | None = None,
    date_order: str | None = None,
    yes: bool = False,
    recut: bool = False,
    provider: str = "auto",
) -> int:
    """Writes `exports` into the site, making it with this `provider` if need be; the exit code."""
    for export in exports:
        if not export.exists():
            raise UserError(f"There is no file {export}.")
    new = sites.is_new(site)
    if not new:
        from egregora_resources.site.settings import load_settings

        load_settings(site)
        sites.check_writable(site)
    from egregora_assets.commands.write import write_site

    with watched() as progress:
        given: Sequence[Path | Export] = exports
        if new:
            given = _begin(site, exports, chat, date_order, provider, progress)
            progress.say(f"Made a new site in {site}; its settings are in {site / 'egregora.toml'}.")
        report = write_site(
            site.resolve(),
            given,
            chat=chat,
            date_order=date_order,
            yes=yes,
            recut=recut,
            confirm=None if yes else _asker(),
            progress=progress,
        )
    _summary(out(), site, report)
    return 1 if report.failed or report.unread or report.stopped else 0


def redo(site: Path, stages: Sequence[str], windows: Sequence[str], *, yes: bool) -> int:
    """Makes stages of windows anew; the exit code."""
    sites.check_writable(site)
    from egregora_assets.commands.redo import redo_windows

    with watched() as progress:
        report = redo_windows(
            site.resolve(), stages, windows, yes=yes, confirm=None if yes else _asker(), progress=progress
        )
    _summary(out(), site, report)
    return 1 if report.failed or report.stopped else 0


def try_out(site: Path, window: str, *, model: str | None, prompt: Path | None, yes: bool) -> None:
    """Prints what would be written about a window."""
    from egregora_assets.commands.try_window import try_window

    with watched() as progress:
        trial = try_window(
            site.resolve(), window, model=model, prompt=prompt, yes=yes, confirm=None if yes else _asker(),
            progress=progress,
        )  # fmt: skip
    out().print(printable(str(trial)))


def demo(site: Path) -> int:
    """Writes the bundled chat's blog; the exit code. A key in the environment is no reason to send it, or to pay."""
    from egregora_assets.demo import demo_export

    return write(site, [demo_export()], yes=sites.is_new(site), provider="offline")


def _begin(
    site: Path,
    exports: Sequence[Path],
    chat: str | None,
    date_order: str | None,
    provider: str,
    progress: Progress,
) -> list[Export]:
    """Makes the site, but only once the exports were read: bad input leaves nothing behind. Returns what was read."""
    if not exports:
        raise UserError(
            f"There is no site in {site} yet. Give it a chat: egregora write EXPORT --site {site}"
        )
    from egregora_resources.inputs.registry import read_nonempty_export

    read: list[Export] = []
    for path in exports:
        progress.say(f"Reading {path.name}")
        read.append(read_nonempty_export(path, chat=chat, date_order=date_order))
    sites.make(site, provider)
    return read


def _asker() -> Callable[[str], bool] | None:
    """Asks on the terminal; None where nobody could answer."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return None
    from rich.prompt import Confirm

    return lambda question: Confirm.ask(question, default=False)


def _summary(console: Console, site: Path, report: WriteReport) -> None:
    for sentence in [*report.imported, *report.unread]:
        console.print(sentence)
    for sentence, windows in _failures(report).items():
        console.print(f"failed: {', '.join(windows)}: {sentence}", style="red")
    if report.unwritten:
        console.print(f"not written: {', '.join(report.unwritten)}: {report.stopped}", style="red")
    elif report.stopped:
        console.print(f"Stopped: {report.stopped}", style="red")
    if report.nothing_to_do:
        console.print("Nothing to do: the blog is up to date.")
    else:
        console.print(_numbers(report))
        if report.degraded:
            kinds = [
                f"{stage} of {_counted(len(windows), 'window')}" for stage, windows in report.degraded.items()
            ]
            told = f"{command()} plan --site {site}"
            console.print(f"Made by a fallback, and marked so: {', '.join(kinds)}. To try again: {told}")
    if report.failed or report.stopped:
        console.print(f"What was finished is kept. Try again: {command()} write --site {site}")
    built = SiteFolder(site).built
    if report.site_index.exists():
        console.print(f"\nThe blog is in {built}.")
        console.print(
            f"Look at it: {command()} serve --site {site}, or open {built / 'index.html'} in a browser."
        )


def _failures(report: WriteReport) -> dict[str, list[str]]:
    """Windows by what went wrong with them."""
    failures: dict[str, list[str]] = {}
    for window, sentence in report.failed.items():
        failures.setdefault(sentence, []).append(window)
    return failures


def _numbers(report: WriteReport) -> str:
    from egregora_resources.llm.estimate import amounts
    from egregora_resources.llm.pricing import dollars

    parts = [_counted(len(report.windows_written), "window") + " done"]
    if report.skipped:
        parts.append(f"{len(report.skipped)} with too little to say")
    if report.failed:
        parts.append(f"{len(report.failed)} failed")
    parts += [_counted(report.posts, "post"), _counted(report.pages, "page")]
    took = f"{', '.join(parts)}, in {report.seconds:.0f} s."
    if not report.calls:
        return took
    cost = amounts(report.calls, report.input_tokens, report.output_tokens, report.usd)
    return f"{took} It took {cost}; this month has cost {dollars(report.month_usd)}."


def _counted(number: int, thing: str) -> str:
    return f"{number:,} {thing}{'' if number == 1 else 's'}"
