"""Claims about the first ten minutes with Egregora: the demo, another look, the same again, one week more."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from egregora_assets.demo import demo_export, later_demo_export
from egregora_resources.site.settings import load_settings
from egregora_tests import HANG

pytestmark = pytest.mark.slow


def egregora(*arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from egregora_assets.cli import main; main()", *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=cwd,
        # Whoever has a key must not pay for a demo, nor have it sent.
        env={
            **os.environ,
            "PYTHONPATH": str(Path(__file__).parents[2]),
            "COLUMNS": "80",
            "GOOGLE_API_KEY": "nobody's",
        },
        timeout=HANG,
        check=False,
    )


def files(site: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(site)): path.read_bytes() for path in sorted(site.rglob("*")) if path.is_file()
    }


def test_the_demo_is_written_looked_at_and_continued(tmp_path: Path) -> None:
    done = egregora("demo", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert "Warning" not in done.stderr
    assert "8 windows done" in done.stdout
    assert "windows: 8 done in" in done.stderr
    assert done.stdout.splitlines()[-1].startswith("Look at it: ")
    assert "serve --site demo-blog, or open demo-blog/site/index.html" in done.stdout
    site = tmp_path / "demo-blog"
    assert load_settings(site).model.provider == "offline"
    pages = files(site / "site")

    again = egregora("write", demo_export(), "--site", "demo-blog", cwd=tmp_path)
    assert again.returncode == 0, again.stderr
    assert "Nothing to do" in again.stdout
    assert files(site / "site") == pages

    status = egregora("status", "--site", "demo-blog", cwd=tmp_path)
    assert status.returncode == 0, status.stderr
    assert "2025-01-06" in status.stdout
    assert "✓ done" in status.stdout
    assert all(len(line) <= 80 for line in status.stdout.splitlines())
    rows = json.loads(egregora("status", "--json", cwd=site).stdout)["windows"]
    assert len(rows) == 8
    assert all(stage["state"] in ("done", "skipped") for row in rows for stage in row["stages"].values())

    plan = egregora("plan", cwd=site)
    assert plan.stdout == "Nothing to do: all 8 windows are up to date.\n"

    more = egregora("write", later_demo_export(), "--site", "demo-blog", cwd=tmp_path)
    assert more.returncode == 0, more.stdout + more.stderr
    assert len(json.loads(egregora("status", "--json", cwd=site).stdout)["windows"]) == 9
    assert json.loads(egregora("plan", "--json", cwd=site).stdout)["nothing_to_do"]
