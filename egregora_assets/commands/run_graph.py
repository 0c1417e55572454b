"""Carrying a plan out on the site's graph, and what came of it.

Dagster is loaded here, when there is something to do, and not before: it takes a second.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from egregora_assets.commands.report import WriteReport
from egregora_assets.pipeline.context import PipelineContext
from egregora_assets.pipeline.plan import Plan
from egregora_assets.stages import STAGES
from egregora_resources.errors import UserError
from egregora_resources.llm.database import LlmStore
from egregora_resources.llm.spending import spent
from egregora_resources.progress import Progress
from egregora_resources.warehouse.database import Warehouse
from egregora_resources.warehouse.results import load_results
from egregora_resources.warehouse.windows import active_windows

if TYPE_CHECKING:
    from egregora_assets.graph.runs import RunEnd


def run_graph(context: PipelineContext, plan: Plan, progress: Progress, report: WriteReport) -> None:
    """Carries a plan out on the site's graph: exactly its windows, and none of what lies between them."""
    for sentence in [plan.cost.sentence(), *plan.warnings] if plan.cost and plan.cost.stages else ():
        progress.say(sentence)
    if not plan.nothing_to_do:
        progress.say(
            f"Starting: {_windows(len(plan.stale))}" if plan.stale else "Starting: the site is built anew"
        )

    from egregora_assets.definitions import build_definitions
    from egregora_assets.graph.dagster_instance import site_instance
    from egregora_assets.graph.materializations import report_missing
    from egregora_assets.graph.run_owners import stop_dead_runs
    from egregora_assets.graph.runs import materialize
    from egregora_assets.graph.window_chain import code_versions_of
    from egregora_assets.windows import untold_windows
    from egregora_resources.dagster_resources import LlmResource

    folder, warehouse = context.folder, context.storage
    with site_instance(folder.root) as instance:
        stop_dead_runs(instance)
        llm = LlmResource(site=str(folder.root), fresh=bool(context.redo), budget=uuid.uuid4().hex)
        definitions = build_definitions(folder.root, progress=progress, llm=llm, redo=context.redo)
        # Before the graph is told of changed windows: see `report_missing`.
        versions = code_versions_of(STAGES, context)
        report_missing(context.site, instance, STAGES, versions, progress)
        if untold_windows(context.site, instance):
            told = materialize(instance, definitions, ["exports"])
            if not told.success:
                raise _run_failed(told)
        if plan.nothing_to_do:
            report.nothing_to_do = True
            return
        # Where only the site is to be built anew, any one window carries the build.
        wanted = plan.stale or [window.key for window in active_windows(warehouse)][-1:]
        stages = [stage.name for stage in STAGES] if plan.stale else ["site"]
        before = spent(LlmStore(folder.llm))
        report.nothing_to_do = not wanted
        if wanted:
            _summarise(report, warehouse, plan, materialize(instance, definitions, stages, wanted))
        after = spent(LlmStore(folder.llm))
        if after.calls > before.calls:
            # With what failed calls and windows cost.
            report.calls, report.usd = after.calls - before.calls, after.usd - before.usd
            report.input_tokens = after.input_tokens - before.input_tokens
            report.output_tokens = after.output_tokens - before.output_tokens
        done = {*report.windows_written, *report.failed}
        report.unwritten = [window for window in plan.stale if report.stopped and window not in done]


def _summarise(report: WriteReport, warehouse: Warehouse, plan: Plan, ended: RunEnd) -> None:
    results = [r for r in load_results(warehouse).values() if r.run_id == ended.run_id]
    for r in results:
        if r.status == "failed":
            report.failed[r.window] = f"{r.stage}: {r.error}"
        if r.status == "skipped" and r.stage == "posts":
            report.skipped[r.window] = r.note
        if r.status == "done" and r.degraded:
            report.degraded.setdefault(r.stage, []).append(r.window)
    if ended.stopped:
        report.stopped = ended.stopped
    else:
        # Of what couldn't be made anew no failure is stored.
        for window in ended.told.keys() & {row.window for row in plan.rows}:
            report.failed.setdefault(window, ended.told[window])
    made = {r.window for r in results if r.stage == "posts" and r.status != "failed"}
    report.windows_written += [
        window
        for window in plan.stale
        if window not in report.failed and (window in made or not report.stopped)
    ]
    for r in results:
        report.usd += r.usage.usd
        report.calls += r.usage.calls
        report.input_tokens += r.usage.input_tokens
        report.output_tokens += r.usage.output_tokens
    if not ended.success and not report.failed and not report.stopped:
        raise _run_failed(ended)


def _windows(count: int) -> str:
    return f"{count:,} window{'' if count == 1 else 's'}"


def _run_failed(ended: RunEnd) -> UserError:
    return UserError(
        f"The run {ended.run_id[:8]} failed before any window did. Open the Dagster UI with `egregora dev` to see why; "
        "what was finished is kept, and the next write continues."
    )
