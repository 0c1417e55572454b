"""Claims about Dagster's own commands at the repository's root: they do what `egregora write` does, in its instance."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import dagster as dg
import duckdb
import pytest

from egregora_assets.cli.sites import is_new
from egregora_assets.graph.dagster_instance import site_instance
from egregora_resources.site.folder import SiteFolder
from egregora_tests import HANG

from .chat import WEEKS
from .conftest import egregora, pages
from .ui import CHAIN, ROOT

pytestmark = pytest.mark.slow

FIRST = WEEKS[:6]
MATERIALIZE = ("dagster", "asset", "materialize", "-m", "egregora_assets.definitions")


def dagster(root: Path, *command: str, site: Path | None = None) -> subprocess.CompletedProcess[str]:
    """A command of Dagster at a checkout's root, where only the site may be named in the environment."""
    plain = {key: value for key, value in os.environ.items() if not key.startswith(("DAGSTER", "EGREGORA"))}
    named = {"EGREGORA_SITE": str(site)} if site else {}
    return subprocess.run(
        [str(ROOT / ".venv" / "bin" / command[0]), *command[1:]],
        cwd=root, env={**plain, **named, "PYTHONPATH": str(root)},
        capture_output=True, text=True, timeout=HANG, check=False,
    )  # fmt: skip


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """The checkout as it is after cloning: no site, no instance."""
    root = tmp_path / "clone"
    root.mkdir()
    for name in ("pyproject.toml", "dagster.yaml", "workspace.yaml", ".env"):
        shutil.copy(ROOT / name, root / name)
    for name in ("egregora_assets", "egregora_resources"):
        (root / name).symlink_to(ROOT / name)
    return root


def test_dg_check_defs_passes_on_a_fresh_clone_and_leaves_room_for_a_site(clone: Path) -> None:
    done = dagster(clone, "dg", "check", "defs")
    assert done.returncode == 0, done.stdout + done.stderr
    site = clone / "my-blog"
    assert not SiteFolder(site).warehouse.exists()
    assert is_new(site)


def test_definitions_load_while_somebody_else_holds_the_warehouse(
    clone: Path, new_site: Callable[[str], Path]
) -> None:
    site = new_site("held")
    with duckdb.connect(str(SiteFolder(site).warehouse)):
        done = dagster(clone, "dg", "check", "defs", site=site)
    assert done.returncode == 0, done.stdout + done.stderr


def test_dagster_s_commands_build_the_site_that_write_builds_in_the_same_instance(
    clone: Path, new_site: Callable[[str], Path]
) -> None:
    site = new_site("commands")
    span = f"{FIRST[0]}...{FIRST[4]}"
    for command in (
        ("dg", "launch", "--assets", "exports"),
        (*MATERIALIZE, "--select", "*", "--partition-range", span),
        ("dg", "launch", "--assets", "*", "--partition", FIRST[5]),
    ):
        done = dagster(clone, *command, site=site)
        assert done.returncode == 0, done.stdout + done.stderr
    assert not (clone / "my-blog").exists()

    with site_instance(site) as instance:
        assert [run.status.value for run in instance.get_runs()] == ["SUCCESS"] * 3
        for asset in CHAIN:
            assert instance.get_materialized_partitions(dg.AssetKey(asset)) == set(FIRST)
    again = egregora(site, "write")
    assert "Nothing to do" in again.stdout, again

    written = new_site("written")
    assert egregora(written, "write").returncode == 0
    assert pages(site) == pages(written)
