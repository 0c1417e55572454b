"""Claims about the package as it is installed elsewhere: all of it is in the wheel, and nothing else is needed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path
from zipfile import ZipFile

import pytest

from .ui import ROOT

pytestmark = pytest.mark.slow

PACKAGES = ("egregora_assets", "egregora_resources")


def run(*command: str | Path, cwd: Path) -> str:
    plain = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "EGREGORA"))}
    done = subprocess.run(command, cwd=cwd, env=plain, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy, so that nothing is left in the checkout, nor taken from what lies there."""
    copy = tmp_path_factory.mktemp("checkout")
    for name in ("pyproject.toml", "README.md", "LICENSE", "NOTICE"):
        shutil.copy(ROOT / name, copy)
    for name in (*PACKAGES, "egregora_tests", "demo_chat"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    offline = ("--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check")
    run(
        sys.executable, "-m", "pip", "wheel", "--quiet", *offline, "--wheel-dir", copy / "dist", ".", cwd=copy
    )
    [built] = (copy / "dist").glob("*.whl")
    return built


def test_the_wheel_holds_the_packages_whole_and_nothing_else(wheel: Path) -> None:
    wanted = {
        str(path.relative_to(ROOT))
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    held = {name for name in ZipFile(wheel).namelist() if not name.startswith("egregora-")}
    assert held == wanted
    assert {f"{package}/py.typed" for package in PACKAGES} <= held


def test_the_demo_is_written_from_the_wheel_alone(wheel: Path, tmp_path: Path) -> None:
    """In an environment whose other packages are this one's, and whose egregora is the wheel's."""
    venv.create(tmp_path / "venv", symlinks=True)
    python = tmp_path / "venv" / "bin" / "python"
    install = ("install", "--quiet", "--no-deps", "--no-index", "--disable-pip-version-check")
    run(sys.executable, "-m", "pip", "--python", python, *install, wheel, cwd=tmp_path)
    [packages] = (tmp_path / "venv").glob("lib/python3*/site-packages")
    # A path alone: what is installed there as editable, this checkout among it, isn't followed.
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    empty = tmp_path / "empty"
    empty.mkdir()
    for package in PACKAGES:
        where = run(python, "-c", f"import {package}; print({package}.__file__)", cwd=empty)
        assert Path(where).is_relative_to(packages), where
    egregora = python.with_name("egregora")
    printed = run(egregora, "demo", cwd=empty)
    assert "8 windows done" in printed
    assert (empty / "demo-blog" / "site" / "index.html").stat().st_size
