"""A site in a temporary folder, driven without Dagster: import, plan, run."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from egregora_assets.ingestion.imports import import_exports
from egregora_assets.ingestion.report import ImportReport
from egregora_assets.pipeline.context import PipelineContext
from egregora_assets.pipeline.open_window import window_works
from egregora_assets.pipeline.plan import Plan, make_plan
from egregora_assets.pipeline.stage import Stage
from egregora_assets.pipeline.stage_runner import Outcome
from egregora_assets.stages import STAGES, built_in_runner
from egregora_assets.windowing.layout import LayoutChange, relayout
from egregora_resources.document_kinds import PostMatter
from egregora_resources.site.folder import SiteFolder
from egregora_resources.site.settings import Settings
from egregora_resources.site.site import Site
from egregora_resources.warehouse.database import Warehouse
from egregora_resources.warehouse.results import load_documents
from egregora_resources.warehouse.windows import active_windows
from egregora_tests.providers import WatchedProvider
from egregora_tests.weekly_chat import Line, export

WITHOUT_SITE = [stage.name for stage in STAGES if stage.name != "site"]


class SmallSite:
    """One site; `settings` are as in egregora.toml, `provider` is replaced at every run."""

    def __init__(self, root: Path, **settings: Any) -> None:
        self.folder = SiteFolder(root)
        self.folder.state.mkdir(parents=True, exist_ok=True)
        self.warehouse = Warehouse(self.folder.warehouse)
        self.settings = Settings.model_validate(settings)
        self.provider = WatchedProvider()
        self.exports = 0

    @property
    def opened(self) -> Site:
        """The site as it stands now."""
        return Site(self.folder, self.settings, self.warehouse)

    def context(self) -> PipelineContext:
        return PipelineContext(self.settings, self.folder.root, self.warehouse, provider=self.provider)

    def get(self, lines: Sequence[Line], **files: Any) -> ImportReport:
        """Imports an export of these messages."""
        self.exports += 1
        path = export(self.folder.root / "exports", lines, f"export-{self.exports}", **files)
        return import_exports(self.opened, [path])

    def lay_out(self, *, recut: bool = False, **pipeline: Any) -> LayoutChange | None:
        """Changes [pipeline] and lays the windows out."""
        if pipeline:
            self.set(pipeline=pipeline)
        return relayout(self.opened, recut=recut)

    def set(self, **sections: dict[str, Any]) -> None:
        """Changes settings."""
        values = self.settings.model_dump(exclude_unset=True)
        for section, keys in sections.items():
            values[section] = {**values.get(section, {}), **keys}
        self.settings = Settings.model_validate(values)

    def plan(self) -> Plan:
        return make_plan(self.context(), [stage for stage in STAGES if stage.name != "site"])

    def stale(self) -> dict[str, dict[str, str]]:
        """Window → stage → reason of what the plan would run."""
        rows = [row for row in self.plan().rows if row.action == "run"]
        return {
            window: {row.stage: row.reason for row in rows if row.window == window}
            for window in dict.fromkeys(row.window for row in rows)
        }

    def run(
        self, provider: WatchedProvider | None = None, stages: Collection[str] = WITHOUT_SITE,
        graph: Sequence[Stage] = STAGES,
    ) -> Outcome:  # fmt: skip
        """Takes all windows through the stages."""
        self.provider = provider or WatchedProvider()
        context = self.context()
        runner = built_in_runner(context, graph)
        return asyncio.run(runner.run(window_works(context, active_windows(self.warehouse)), stages))

    def windows(self) -> list[tuple[str, int]]:
        """(key, messages) of the active windows, in the order of the log."""
        return [(window.key, window.messages) for window in active_windows(self.warehouse)]

    def posts(self) -> dict[str, str]:
        """Post id → hash of everything it says."""
        return {post.id: post.digest() for post in load_documents(self.warehouse, "posts", PostMatter)}

    def made(self) -> dict[str, set[str]]:
        """Stage → windows of what the last runs made: cleared by `forget_runs`."""
        rows = self.warehouse.rows("SELECT stage, window_key FROM stage_results WHERE run_id <> 'before'")
        return {stage: {key for name, key in rows if name == stage} for stage, _ in rows}

    def forget_runs(self) -> None:
        """Marks everything made so far as made before."""
        with self.warehouse.transaction() as connection:
            connection.execute("UPDATE stage_results SET run_id = 'before'")
