"""The Dagster instance of one site, kept inside its `.egregora` folder.

The same configuration stands in `dagster.yaml` at the repository's root, where `.env` names the folder, so
that a plain `dagster dev` there, `egregora dev` and `egregora write` share the instance; a test holds the
two together.
"""

from __future__ import annotations

import os
from pathlib import Path
from shutil import rmtree

from filelock import FileLock

from egregora_resources.site.folder import SiteFolder

CONFIGURATION = """\
# One Dagster instance per site, inside the site's folder, so that copying the folder moves it.
# EGREGORA_DAGSTER is <site>/.egregora/dagster: set by `egregora dev` and `egregora write`, and by .env at
# the repository's root. Three sections rather than `storage:`, or Dagster keeps a database for each run.
run_storage:
  module: dagster._core.storage.runs
  class: SqliteRunStorage
  config:
    base_dir: {env: EGREGORA_DAGSTER}
event_log_storage:
  module: dagster._core.storage.event_log
  class: ConsolidatedSqliteEventLogStorage
  config:
    base_dir: {env: EGREGORA_DAGSTER}
schedule_storage:
  module: dagster._core.storage.schedules
  class: SqliteScheduleStorage
  config:
    base_dir: {env: EGREGORA_DAGSTER}
local_artifact_storage:
  module: dagster._core.storage.root
  class: LocalArtifactStorage
  config:
    base_dir: {env: EGREGORA_DAGSTER}
compute_logs:
  module: dagster._core.storage.local_compute_log_manager
  class: LocalComputeLogManager
  config:
    base_dir: {env: EGREGORA_DAGSTER}
telemetry:
  enabled: false
"""


def prepare(site: Path) -> dict[str, str]:
    """Makes the site's Dagster home; the environment variables that lead every process to it."""
    folder = SiteFolder(site.resolve())
    home = folder.dagster
    if not home.exists():
        folder.make_state()
        with FileLock(home.with_suffix(".lock")):
            if not home.exists():
                _create(home)
    configuration = home / "dagster.yaml"
    if not configuration.exists() or configuration.read_text(encoding="utf-8") != CONFIGURATION:
        configuration.write_text(CONFIGURATION, encoding="utf-8")
    return {"DAGSTER_HOME": str(home), "EGREGORA_DAGSTER": str(home), "EGREGORA_SITE": str(folder.root)}


def _create(home: Path) -> None:
    """Makes the instance's databases beside `home` and moves them there whole.

    Dagster stamps a database as complete after making its tables. Killed in between, it would take the database for
    one of an old version ever after ("Run `dagster instance migrate`").
    """
    from dagster import DagsterInstance

    new = home.with_suffix(".new")
    rmtree(new, ignore_errors=True)
    new.mkdir()
    (new / "dagster.yaml").write_text(CONFIGURATION, encoding="utf-8")
    before = os.environ.get("EGREGORA_DAGSTER")
    os.environ["EGREGORA_DAGSTER"] = str(new)
    try:
        DagsterInstance.from_config(str(new)).dispose()
    finally:
        del os.environ["EGREGORA_DAGSTER"]
        if before is not None:
            os.environ["EGREGORA_DAGSTER"] = before
    new.rename(home)
