"""A real browser on a built site. Where there is none, tests that need one skip, naming what is missing; in CI they fail."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Generator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from egregora_tests import HANG

ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def chromium() -> str:
    """The browser's path: ``EGREGORA_CHROMIUM``, or Debian's ``chromium``."""
    path = os.environ.get("EGREGORA_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if not path:
        missing = "no browser: install Debian's chromium or set EGREGORA_CHROMIUM to one"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    return path


@contextmanager
def launched() -> Generator[Browser]:
    path = chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()


def opened(browser: Browser, **options: Any) -> Page:
    """A page in a context of its own; `options` are the context's."""
    page = browser.new_context(**options).new_page()
    page.set_default_timeout(HANG * 1000)
    return page


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def served(folder: Path) -> Generator[str]:
    """The site on a port of this machine; its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
