"""A site of any number of windows with nothing to do, made in seconds: its results are stored, not computed."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from types import FrameType
from typing import Any

from egregora_assets.pipeline.context import PipelineContext
from egregora_assets.pipeline.open_window import window_works
from egregora_assets.pipeline.plan import told_versions, wanted_parts
from egregora_assets.pipeline.stage import FinalStage, Stage
from egregora_resources.document import Document, fingerprint
from egregora_resources.document_kinds import PostMatter
from egregora_resources.warehouse.results import StageResult, commit_results
from egregora_resources.warehouse.windows import active_windows, mark_told
from egregora_tests.weekly_chat import MONDAY, NAMES, Line


def days(count: int) -> list[Line]:
    """A message or two on so many days in a row."""
    return [
        Line(
            MONDAY + timedelta(days=day, minutes=minute), NAMES[(day + minute) % 4], f"Day {day} at the mill"
        )
        for day in range(count)
        for minute in range(1 + day % 2)
    ]


def store_results(context: PipelineContext, stages: Sequence[Stage]) -> None:
    """Stores what a run of all windows and stages would leave, one post a window; a site's index page, too."""
    rows: list[tuple[StageResult, Sequence[Document], None]] = []
    for work in window_works(context, active_windows(context.storage)):
        versions: dict[str, str] = {}
        for stage in stages:
            parts = wanted_parts(stage, work, versions)
            versions[stage.name] = fingerprint(stage.name, work.key)
            result = StageResult(
                stage.name, work.key, "done", fingerprint(parts), versions[stage.name], parts,
                finished_at=datetime(2025, 1, 1), reported=True,
            )  # fmt: skip
            matter = PostMatter(title="A day", sources=[], start=work.start, end=work.end)
            post = Document("post", f"{work.key}-1", work.key, f"{work.key}-1", matter, "Prose.")
            rows.append((result, [post] if stage.name == "posts" else [], None))
    commit_results(context.storage, rows)
    mark_told(context.storage, told_versions(context.site))
    context.folder.built.mkdir(parents=True, exist_ok=True)
    (context.folder.built / "index.html").write_text("<!doctype html><title>A blog</title>", "utf-8")
    for stage in stages:
        if isinstance(stage, FinalStage):
            context.storage.remember(f"state:{stage.name}", stage.state(context))


def count_queries(work: Callable[[], object]) -> int:
    """How often `work` has DuckDB execute something."""
    seen = 0

    def watch(frame: FrameType, event: str, what: Any) -> None:
        nonlocal seen
        if event == "c_call" and what.__name__ in ("execute", "executemany"):
            seen += what.__module__ == "_duckdb"

    sys.setprofile(watch)
    try:
        work()
    finally:
        sys.setprofile(None)
    return seen
