"""The one place that assembles the graph of a site.

`build_definitions` is what tests and the command call, with resources and stages of their own choice; the
module's `defs` is what `dagster dev` and `dg` load, for the site named by ``EGREGORA_SITE`` (default ``my-blog``).
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Collection, Sequence
from pathlib import Path

import dagster as dg

from egregora_assets.chain import chain_asset, code_versions_of
from egregora_assets.checks import site_checks
from egregora_assets.exports import exports_assets
from egregora_assets.jobs import site_jobs
from egregora_assets.progress import Progress
from egregora_assets.sensors import inbox_sensor
from egregora_assets.stage import PipelineContext, Stage
from egregora_assets.stages import STAGES
from egregora_resources.configurable import LlmResource, WarehouseResource
from egregora_resources.settings import Settings, load_settings
from egregora_resources.site_folder import SiteFolder

# Dagster is pinned, and whether a part of it is still in beta is nothing that an owner can do anything about.
warnings.filterwarnings("ignore", category=dg.BetaWarning)


def build_definitions(
    site: Path,
    *,
    stages: Sequence[Stage] = STAGES,
    warehouse: WarehouseResource | None = None,
    llm: LlmResource | None = None,
    progress: Progress | None = None,
    redo: Collection[tuple[str, str]] = frozenset(),
) -> dg.Definitions:
    """Assets, resources, sensor, jobs and checks of a site. Opens nothing: neither warehouse nor network.

    Args:
        site: its folder; without an egregora.toml the default settings hold.
        stages: the columns of the graph, an extender's own among them.
        warehouse: another database than the site's.
        llm: another provider than the settings'.
        progress: shows windows as they finish.
        redo: (stage, window) that the owner wants made anew, without answers from the cache.
    """
    folder = SiteFolder(site)
    settings = load_settings(site) if folder.settings.exists() else Settings()
    warehouse = warehouse or WarehouseResource(database=str(folder.warehouse))
    llm = llm or LlmResource(site=str(site), fresh=bool(redo))
    context = PipelineContext(settings, site, warehouse.open(), provider=llm.provider(settings))
    versions = code_versions_of(settings, stages, context)
    jobs = site_jobs([stage.name for stage in stages])
    return dg.Definitions(
        assets=[
            *exports_assets(folder, settings, stages, versions),
            chain_asset(folder, settings, stages, versions, progress, redo),
        ],
        asset_checks=site_checks(folder, settings, stages),
        resources={"warehouse": warehouse, "llm": llm},
        jobs=jobs,
        sensors=[inbox_sensor(folder, settings, stages, jobs)],
        # One process a run: a process a step would cost seconds each, and a run's process is what its tags name.
        executor=dg.in_process_executor,
    )


@dg.definitions
def defs() -> dg.Definitions:
    """What `dagster dev` and `dg` load."""
    return build_definitions(Path(os.environ.get("EGREGORA_SITE", "my-blog")).absolute())
