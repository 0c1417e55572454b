"""The `egregora` command. `app.py` declares it; every other module of this package does one part of it.

Nothing here is imported by the rest of the project, and nothing heavy is imported before a command runs,
so that `egregora --help` answers at once.
"""

from __future__ import annotations

import io
import os
import sys

STOPPED = 130


def main() -> None:
    """The entry point of the `egregora` command."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(
            stream, io.TextIOWrapper
        ):  # a console's or file's own encoding may lack ✓ and most names
            stream.reconfigure(encoding=stream.encoding if stream.isatty() else "utf-8", errors="replace")
    try:
        from egregora_assets.cli.app import app

        app()
    except KeyboardInterrupt:
        stop()


def stop() -> None:
    """Ends the process after Ctrl-C. At once: a worker thread may still wait for an answer nobody needs."""
    print("stopped; nothing lost, run again to continue", file=sys.stderr, flush=True)  # noqa: T201
    sys.stdout.flush()
    os._exit(STOPPED)
