"""Sites made of a small generated chat, and what there is to see of them."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable, Generator
from pathlib import Path

import pytest

from egregora_assets.cli import sites
from egregora_resources.privacy.pseudonyms import SECRET_FILE
from egregora_resources.site.folder import SiteFolder
from egregora_tests import HANG

from .chat import write_export
from .ui import environment

SECRET = bytes(range(32))
"""The same in every site, so that people have the same pseudonyms and sites can be compared."""


@pytest.fixture(autouse=True)
def _environment_as_it_was() -> Generator[None]:
    """A write in this process names its site in the environment."""
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(scope="module")
def new_site(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Makes a site whose inbox holds the chat's first export; nothing is imported yet."""

    def make(name: str) -> Path:
        site = tmp_path_factory.mktemp(name) / "blog"
        sites.make(site)
        folder = SiteFolder(site)
        folder.state.mkdir()
        secret = folder.state / SECRET_FILE
        secret.write_text(SECRET.hex())
        secret.chmod(0o600)
        write_export(folder.inbox / "first.zip")
        return site

    return make


def run(site: Path, *command: str | Path) -> subprocess.CompletedProcess[str]:
    """A command on a site, in a process of its own."""
    return subprocess.run(
        [str(word) for word in command],
        cwd=site, env=environment(site), capture_output=True, text=True, timeout=HANG, check=False,
    )  # fmt: skip


def egregora(site: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """The `egregora` command on a site."""
    code = "from egregora_assets.cli import main; main()"
    return run(site, sys.executable, "-c", code, *arguments, "--site", site)


def pages(site: Path) -> dict[str, str]:
    """Hash of every file of the built site, by path."""
    built = SiteFolder(site).built
    return {
        str(path.relative_to(built)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(built.rglob("*"))
        if path.is_file()
    }
