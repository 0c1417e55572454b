"""A site that an earlier version wrote is opened by this one: nothing is lost, nothing is paid for again."""

from __future__ import annotations

from pathlib import Path

import pytest

from egregora_assets.commands.plan import plan_site
from egregora_assets.commands.write import write_site
from egregora_assets.demo import later_demo_export
from egregora_resources.site.folder import SiteFolder
from egregora_resources.warehouse.migrations import backups
from egregora_tests.frozen import SITES, thaw
from egregora_tests.runs import check_in_order, finished, tree


@pytest.mark.parametrize("frozen", SITES, ids=lambda path: path.stem)
def test_an_earlier_site_is_only_built_anew_and_comes_out_the_same(frozen: Path, tmp_path: Path) -> None:
    site = thaw(frozen, tmp_path)
    before = tree(site / "site")
    plan = plan_site(site)
    # The theme's code is part of what pages depend on, and what counts as a national number is of what messages do.
    due = {(row.stage, row.reason) for row in plan.rows if row.action == "run"}
    assert {stage for stage, reason in due if not reason.startswith("upstream changed")} == {
        "messages",
        "site",
    }
    (copy,) = backups(SiteFolder(site).warehouse)
    assert copy.name == f"warehouse.duckdb.v{frozen.name.split('-')[1].split('.')[0]}-backup"
    report = write_site(site, [])
    assert report.calls == 0
    assert backups(SiteFolder(site).warehouse) == []
    assert tree(site / "site") == before
    check_in_order(site)


@pytest.mark.parametrize("frozen", SITES, ids=lambda path: path.stem)
def test_an_earlier_site_goes_on_with_a_later_export(frozen: Path, tmp_path: Path) -> None:
    site = thaw(frozen, tmp_path)
    write_site(site, [])
    before = finished(site)
    write_site(site, [later_demo_export()])
    after = finished(site)
    # A message of January was deleted, one of March edited, and a week is new.
    anew = {window for (stage, window), run in after.items() if before.get((stage, window)) != run}
    assert anew == {"2025-01-20", "2025-02-24", "2025-03-03"}
    check_in_order(site)
