"""The one place that assembles the graph of a site.

`build_definitions` is what tests and the command call, with resources and stages of their own choice; the
module's `defs` is what `dagster dev` and `dg` load, for the site named by ``EGREGORA_SITE`` (default ``my-blog``).
"""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
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
from egregora_resources.errors import UserError
from egregora_resources.progress import Progress
from egregora_resources.site.folder import SiteFolder
from egregora_resources.site.settings import Settings, load_settings
from egregora_resources.site.site import Site
from egregora_resources.warehouse.database import Warehouse

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

    Settings or prompts that can't be read don't take the location down, and what the daemon has in hand with it. The
    assets keep the code versions that they had, so that nothing becomes stale; every step, check and tick says what is wrong.

    Args:
        site: its folder; without an egregora.toml the default settings hold.
        stages: the columns of the graph, an extender's own among them.
        warehouse: another database than the site's.
        llm: another provider than the settings'.
        progress: shows windows as they finish.
        redo: (stage, window) that the owner wants made anew, without answers from the cache.
    """
    folder = SiteFolder(site)
    warehouse = warehouse or WarehouseResource(database=str(folder.warehouse))
    llm = llm or LlmResource(site=str(site), fresh=bool(redo))
    try:
        settings = load_settings(site) if folder.settings.exists() else Settings()
        context = PipelineContext(settings, site, warehouse.open(), provider=llm.provider(settings))
        versions, writer = code_versions_of(stages, context), context.llm.name
    except UserError as error:
        settings, versions, writer = Settings(), _remembered(folder, stages), ""
        refused = f"{error.outline} Nothing is done until that is put right and the definitions are reloaded."
        warehouse = WarehouseResource(database=warehouse.database, refused=refused)
    else:
        _remember(folder, versions)
    opened = Site(folder, settings, Warehouse(Path(warehouse.database)))
    jobs = site_jobs([stage.name for stage in stages])
    return dg.Definitions(
        assets=[
            exports_asset(opened, stages, versions, progress),
            windows_asset(opened),
            chain_asset(opened, stages, versions, progress, writer, redo),
        ],
        asset_checks=site_checks(opened, stages),
        resources={"warehouse": warehouse, "llm": llm},
        jobs=jobs,
        sensors=[inbox_sensor(opened, stages, jobs)],
        # One process a run: a process a step would cost seconds each, and a run's process is what its tags name.
        executor=dg.in_process_executor,
    )


def _remember(folder: SiteFolder, versions: Mapping[str, str]) -> None:
    """Keeps code versions, for when settings or prompts can't be read; where there is no site yet nothing is written."""
    text = json.dumps(versions, indent=1)
    with suppress(OSError):  # a copy that can only be read still shows
        if folder.state.exists() and _text(folder.code_versions) != text:
            new = folder.code_versions.with_suffix(f".{os.getpid()}")
            new.write_text(text, encoding="utf-8")
            new.replace(folder.code_versions)


def _remembered(folder: SiteFolder, stages: Sequence[Stage]) -> dict[str, str]:
    known: dict[str, str] = {}
    with suppress(ValueError):
        known = json.loads(_text(folder.code_versions))
    return {stage.name: known.get(stage.name, "") for stage in stages}


def _text(path: Path) -> str:
    with suppress(OSError):
        return path.read_text(encoding="utf-8")
    return ""


@dg.definitions
def defs() -> dg.Definitions:
    """What `dagster dev` and `dg` load."""
    return build_definitions(Path(os.environ.get("EGREGORA_SITE", "my-blog")).absolute())
