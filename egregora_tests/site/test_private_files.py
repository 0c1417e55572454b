"""Nobody but their owner can read the files that hold what people wrote."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import dagster as dg
import pytest
from typer.testing import CliRunner

from egregora_assets.cli.app import app
from egregora_assets.definitions import build_definitions
from egregora_assets.graph.dagster_home import prepare
from egregora_resources.privacy.pseudonyms import load_secret
from egregora_resources.site.folder import SiteFolder
from egregora_tests.small_site import SmallSite
from egregora_tests.weekly_chat import weeks

pytestmark = pytest.mark.skipif(os.name != "posix", reason="rights are other there")


def readable_by_others(root: Path) -> list[Path]:
    """Files and folders below `root` that others can reach and read."""
    found: list[Path] = []
    for path in root.iterdir():
        mode = path.stat().st_mode
        if path.is_dir() and mode & (stat.S_IXGRP | stat.S_IXOTH):
            found += readable_by_others(path)
        if mode & (stat.S_IRGRP | stat.S_IROTH):
            found.append(path)
    return found


def test_a_new_sites_inbox_is_its_owners_alone(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        assert CliRunner().invoke(app, ["init", str(tmp_path / "blog")]).exit_code == 0
    finally:
        os.umask(before)
    (tmp_path / "blog" / "inbox" / "chat.zip").write_bytes(b"words")
    names = {path.name for path in readable_by_others(tmp_path / "blog")}
    assert names.isdisjoint({"inbox", "chat.zip"})


def test_what_an_import_stores_is_its_owners_alone(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        folder = SiteFolder(tmp_path / "site")
        load_secret(folder.state)
        assert stat.S_IMODE(folder.state.stat().st_mode) == 0o700
        site = SmallSite(tmp_path / "site")
        site.get(weeks(1), files={"IMG-1.jpg": b"\xff\xd8"})
        prepare(folder.root)
    finally:
        os.umask(before)
    assert all(path.is_relative_to(folder.root / "exports") for path in readable_by_others(folder.root))
    assert stat.S_IMODE((folder.state / "secret.key").stat().st_mode) == 0o600


def test_what_dagsters_own_commands_import_is_its_owners_alone(tmp_path: Path) -> None:
    folder = SiteFolder(tmp_path / "blog")
    folder.state.mkdir(parents=True)
    folder.state.chmod(0o755)
    with dg.DagsterInstance.ephemeral() as instance:
        job = build_definitions(folder.root).resolve_implicit_global_asset_job_def()
        assert job.execute_in_process(instance=instance, asset_selection=[dg.AssetKey("exports")]).success
    assert folder.warehouse.exists()
    assert readable_by_others(folder.root) == []
