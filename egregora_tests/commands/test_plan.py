"""What `plan` says comes first, and when the last window counts as over."""

from __future__ import annotations

import shutil
from pathlib import Path

from egregora_assets.commands.plan import plan_site
from egregora_assets.pipeline.open_window import window_works
from egregora_resources.site.settings import settings_template
from egregora_resources.warehouse.windows import active_windows
from egregora_tests.small_site import SmallSite
from egregora_tests.weekly_chat import weeks


def written(tmp_path: Path) -> SmallSite:
    site = SmallSite(tmp_path)
    (tmp_path / "egregora.toml").write_text(settings_template(timezone="UTC"), encoding="utf-8")
    site.get(weeks(2))
    return site


def test_plan_tells_of_a_file_in_the_inbox_that_was_not_imported(tmp_path: Path) -> None:
    site = written(tmp_path)
    assert plan_site(tmp_path).before == []
    site.folder.inbox.mkdir()
    shutil.copy(tmp_path / "exports" / "export-1.zip", site.folder.inbox / "same.zip")
    assert plan_site(tmp_path).before == []
    (site.folder.inbox / "more.zip").write_bytes(b"not yet looked at")
    assert "1 file not imported yet" in plan_site(tmp_path).before[0]
    assert not plan_site(tmp_path).nothing_to_do


def test_plan_tells_of_windows_that_the_settings_would_retire(tmp_path: Path) -> None:
    written(tmp_path)
    settings = tmp_path / "egregora.toml"
    settings.write_text(settings.read_text().replace('window_unit = "days"', 'window_unit = "hours"'))
    assert "2 would be retired" in plan_site(tmp_path).before[0]


def test_a_zip_dated_before_its_last_message_is_not_believed_to_be_unfinished(tmp_path: Path) -> None:
    site = written(tmp_path)
    with site.warehouse.transaction() as connection:
        connection.execute("UPDATE export_files SET modified = TIMESTAMP '2024-01-01'")
    works = window_works(site.context(), active_windows(site.warehouse))
    assert [work.so_far for work in works] == [False, False]
