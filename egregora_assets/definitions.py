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

from egregora_assets.exports import exports_asset
from egregora_assets.graph.checks import site_checks
from egregora_assets.graph.jobs import site_jobs
from egregora_assets.graph.sensors import inbox_sensor
from egregora_assets.graph.window_chain import chain_asset, code_versions_of
from egregora_assets.pipeline.context import PipelineContext
from egregora_assets.pipeline.stage import Stage
from egregora_assets.stages import STAGES
from egregora_assets.windows import windows_asset
from egregora_resources.dagster_resources import LlmResource, WarehouseResource
from egregora_resources.progress import Progress
from egregora_resources.site.folder import SiteFolder
from egregora_resources.site.settings import Settings, load_settings

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
            exports_asset(folder, settings, stages, versions, progress),
            windows_asset(folder, settings),
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
