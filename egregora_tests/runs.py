"""Running the command as its owner does, killing it, and comparing what is left."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import dagster as dg

from egregora_assets.commands.plan import plan_site
from egregora_assets.graph.dagster_instance import site_instance
from egregora_assets.graph.run_owners import IN_FLIGHT
from egregora_resources.privacy.pseudonyms import load_secret
from egregora_resources.site.folder import SiteFolder
from egregora_resources.site.settings import settings_template
from egregora_resources.warehouse.database import Warehouse
from egregora_resources.warehouse.results import load_results
from egregora_tests import HANG

REAL_CHAT = Path(__file__).parents[2] / "shared" / "exports" / "design-team.zip"
EGREGORA = Path(sys.executable).with_name("egregora")


def new_site(root: Path) -> Path:
    """A site with settings and a secret, and nothing in it: copies of it give people the same pseudonyms."""
    SiteFolder(root).state.mkdir(parents=True)
    (root / "egregora.toml").write_text(settings_template(title="A chat"), encoding="utf-8")
    load_secret(SiteFolder(root).state)
    return root


def start(site: Path, *exports: Path) -> subprocess.Popen[str]:
    """`egregora write` in a process group of its own."""
    return subprocess.Popen(
        [EGREGORA, "write", *exports, "--site", site, "--yes"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def write(site: Path, *exports: Path) -> str:
    """`egregora write` to its end; what it printed."""
    process = start(site, *exports)
    printed = process.communicate(timeout=HANG)[0]
    assert process.returncode == 0, printed
    return printed


def kill_after(seconds: float, site: Path, *exports: Path) -> bool:
    """Whether the run was still going when it was killed."""
    process = start(site, *exports)
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    return process.returncode != 0


def tree(folder: Path) -> dict[str, str]:
    """Path → checksum of every file below."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def finished(site: Path) -> dict[tuple[str, str], str]:
    """(stage, window) → run of what was finished, but for the site, which every run builds once."""
    path = SiteFolder(site).warehouse
    if not path.exists():
        return {}
    results = load_results(Warehouse(path))
    return {key: r.run_id for key, r in results.items() if r.status != "failed" and r.stage != "site"}


def check_in_order(site: Path) -> None:
    """Nothing to do, no run in progress, no claim, and the graph knows what the warehouse does."""
    assert plan_site(site).nothing_to_do
    warehouse = Warehouse(SiteFolder(site).warehouse)
    assert warehouse.rows("SELECT * FROM claims") == []
    assert warehouse.rows("SELECT count(*) FROM documents WHERE stage = 'posts'") == warehouse.rows(
        "SELECT count(DISTINCT slug) FROM documents WHERE stage = 'posts'"
    )
    with site_instance(site) as instance:
        assert instance.get_runs(dg.RunsFilter(statuses=IN_FLIGHT)) == []
        for (stage, window), result in load_results(warehouse).items():
            assert result.reported, (stage, window)
            records = instance.fetch_materializations(
                dg.AssetRecordsFilter(dg.AssetKey(stage), asset_partitions=[window]), limit=1
            ).records
            event = records[0].event_log_entry.asset_materialization
            assert event is not None
            assert (event.tags or {})["dagster/data_version"] == result.data_version, (stage, window)


def survive_kills(folder: Path, export: Path, moments: list[float]) -> None:
    """Writes undisturbed once; then for every moment (0 to 1 of that run's time) kills, continues and compares."""
    base = new_site(folder / "base")
    undisturbed = Path(shutil.copytree(base, folder / "undisturbed"))
    began = time.monotonic()
    write(undisturbed, export)
    seconds = time.monotonic() - began
    wanted = tree(undisturbed / "site")
    check_in_order(undisturbed)
    for number, moment in enumerate(moments):
        site = Path(shutil.copytree(base, folder / f"killed-{number}"))
        at = f"killed after {moment * seconds:.2f} of {seconds:.1f} s"
        kill_after(moment * seconds, site, export)
        before = finished(site)
        write(site, export)
        assert tree(site / "site") == wanted, at
        after = finished(site)
        assert {key: after[key] for key in before} == before, at
        check_in_order(site)
        shutil.rmtree(site)
