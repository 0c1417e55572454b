"""The asset `messages` … `site`: one step that takes the windows of a run through all their stages.

One step, because Dagster skips or fails whatever comes behind a step in which only one window failed: see
`PipelineRunner`. Every finished window is reported at once as its own materialization; at the end the step fails
naming the windows that did.
"""

import asyncio
import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from typing import Any

import dagster as dg
from pydantic import Field

from egregora_assets.graph.checks import PersonalData, Staleness
from egregora_assets.graph.dagster_internals import of_backfill, plan_materialization
from egregora_assets.graph.materializations import WINDOWS, Reporter, report_missing
from egregora_assets.graph.partitions import WINDOW
from egregora_assets.graph.run_owners import enter_run
from egregora_assets.graph.safe_failures import redacted_failures
from egregora_assets.graph.specs import asset_spec
from egregora_assets.pipeline.context import PipelineContext
from egregora_assets.pipeline.open_window import window_works
from egregora_assets.pipeline.plan import code_version, told_versions
from egregora_assets.pipeline.stage import Stage
from egregora_assets.pipeline.stage_runner import Outcome
from egregora_assets.stages import built_in_runner
from egregora_resources.dagster_resources import LlmResource, WarehouseResource
from egregora_resources.progress import Progress
from egregora_resources.site.site import Site
from egregora_resources.warehouse.claims import claim, release
from egregora_resources.warehouse.database import Warehouse
from egregora_resources.warehouse.migrations import remove_backups
from egregora_resources.warehouse.results import load_results
from egregora_resources.warehouse.windows import active_windows

CHAIN = "window_chain"
"""Name of the step."""
STOPPED = "stopped"
"""Key of a failure's metadata: why nothing more can be made until the owner acts."""
CLAIM_POLL = 1.0
"""Seconds between two looks at windows that another run holds."""


class ChainConfig(dg.Config):
    """Launch options of `window_chain`."""

    windows: list[str] = Field(default_factory=list[str])
    """Keys of the windows to take through the stages, and of no others; empty: those of the run's partitions."""


def chain_asset(
    site: Site,
    stages: Sequence[Stage],
    code_versions: dict[str, str],
    progress: Progress | None,
    writer: str,
    redo: Collection[tuple[str, str]] = frozenset(),
) -> dg.AssetsDefinition:
    """The multi-asset of a site's stages; its warehouse is the one that the resource names.

    Args:
        writer: name of the provider.
        redo: (stage, window) that are made anew whatever is stored.
    """

    @dg.multi_asset(
        name=CHAIN,
        specs=[
            asset_spec(
                stage.name,
                deps=[*stage.after, WINDOWS],
                skippable=True,
                code_version=code_versions[stage.name],
                group="magazine",
                kinds=stage.kinds | ({"gemini"} if stage.task and writer == "gemini" else set()),
                text="pseudonymised",
                description=stage.description,
            )
            for stage in stages
        ],
        partitions_def=WINDOW,
        backfill_policy=dg.BackfillPolicy.single_run(),
        can_subset=True,
    )
    def window_chain(
        context: dg.AssetExecutionContext,
        config: ChainConfig,
        warehouse: WarehouseResource,
        llm: LlmResource,
    ) -> Iterator[dg.MaterializeResult[Any]]:
        with redacted_failures():
            here = replace(site, warehouse=warehouse.open())
            windows = _windows_of(context, config, here.warehouse)
            enter_run(context.instance, context.run.run_id)
            report_missing(here, context.instance, stages, code_versions)
            pipeline = PipelineContext.of(here, provider=llm.provider(site.settings), redo=redo)
            selected = [stage for stage in stages if dg.AssetKey(stage.name) in context.selected_asset_keys]
            reporter = Reporter(
                context.instance, here, stages, code_versions,
                log=context.log_event, selected=[stage.name for stage in selected],
            )  # fmt: skip
            run = WindowChainRun(context, pipeline, stages, selected, reporter, progress)
            outcome = run.take(windows)
            run.report_fresh(outcome)
            run.plan_failed(outcome)
            Staleness(here, stages, llm).tell(context.instance)
            if outcome.results:
                PersonalData(here, llm).tell(context.instance)
            raise_failed(outcome, windows)
            remove_backups(here.warehouse.path)
        # A generator without an item: everything was logged, there are no outputs.
        yield from ()

    return window_chain


def _windows_of(context: dg.AssetExecutionContext, config: ChainConfig, store: Warehouse) -> Sequence[str]:
    if config.windows:
        active = {window.key for window in active_windows(store)}
        if unknown := [key for key in config.windows if key not in active]:
            raise dg.Failure(
                f"There are no windows {', '.join(unknown)}. Name windows as the partitions of the assets are named.",
                allow_retries=False,
            )
        return config.windows
    if context.has_partition_key or context.has_partition_key_range:
        return context.partition_keys
    raise dg.Failure(
        f"Which windows? Choose partitions, or name them in the config: ops: {CHAIN}: config: windows: [...].",
        allow_retries=False,
    )


class WindowChainRun:
    """One execution of the step."""

    def __init__(
        self,
        context: dg.AssetExecutionContext,
        pipeline: PipelineContext,
        stages: Sequence[Stage],
        selected: Sequence[Stage],
        reporter: Reporter,
        progress: Progress | None,
    ) -> None:
        self.context, self.pipeline, self.reporter = context, pipeline, reporter
        self.stages, self.selected, self.progress = stages, selected, progress

    def take(self, keys: Sequence[str]) -> Outcome:
        """Takes the windows through their stages; those that another run holds come last, when it let go."""
        total = Outcome()
        waiting, told = list(keys), ""
        while waiting:
            held = claim(self.pipeline.storage, waiting, self.context.run.run_id)
            mine = [key for key in waiting if key not in held]
            if mine:
                try:
                    total.add(self._run(mine))
                finally:
                    release(self.pipeline.storage, mine, self.context.run.run_id)
            waiting = list(held)
            if waiting:
                holder = held[waiting[0]]
                if holder != told:
                    text = f"Waiting for {len(waiting)} windows: {waiting[0]}: {holder}."
                    self.context.log.info(text)
                    if self.progress:
                        self.progress.say(text)
                    told = holder
                time.sleep(CLAIM_POLL)
        return total

    def _run(self, keys: Sequence[str]) -> Outcome:
        # What was known before another run was waited for may not hold any more.
        pipeline = replace(self.pipeline)
        storage, wanted = pipeline.storage, set(keys)
        self.reporter.snapshot_inputs(load_results(storage).values(), told_versions(pipeline.site))
        works = [work for work in window_works(pipeline, active_windows(storage)) if work.key in wanted]
        runner = built_in_runner(
            pipeline,
            self.stages,
            report=self.reporter.report,
            progress=self.progress,
            run_id=self.context.run.run_id,
        )
        return asyncio.run(runner.run(works, [stage.name for stage in self.selected]))

    def report_fresh(self, outcome: Outcome) -> None:
        """Tells the graph of what was found fresh, where it would show something untrue otherwise.

        A window of which something was made is told of whole: what stayed as it was is now up to date with what
        changed. Wholly fresh windows of a range keep their status if the step succeeds; in a backfill of the UI, or
        when the step fails, what was planned and isn't reported counts as failed.
        """
        order = [stage.name for stage in self.stages]
        told = {result.window for result in outcome.results}
        planned = set(self.context.partition_keys)
        if of_backfill(self.context.run) or outcome.failed or len(planned) == 1:
            told |= planned
        for result in sorted(outcome.fresh, key=lambda r: order.index(r.stage)):
            if result.window in told:
                self.reporter.report_again(result)

    def plan_failed(self, outcome: Outcome) -> None:
        """Tells the graph that this run meant to make what it couldn't.

        A partition shows as failed if a run that planned it has failed and nothing was materialized since. Dagster has
        planned those of the run's partitions, and not the windows of its config. What a stopped run didn't try hasn't
        failed; told one by one, ten years of days would take minutes.
        """
        planned = set(self.context.partition_keys)
        made = {(r.stage, r.window) for r in (*outcome.results, *outcome.fresh) if r.status != "failed"}
        failed = {result.window for result in outcome.results if result.status == "failed"}
        for window in sorted(failed - planned):
            for stage in self.selected:
                if (stage.name, window) not in made:
                    plan_materialization(self.context, stage.name, window)


def raise_failed(outcome: Outcome, keys: Sequence[str]) -> None:
    """Fails the step if a window failed."""
    if outcome.stopped:
        raise dg.Failure(
            f"{outcome.stopped} {len(keys) - len(outcome.failed)} of {len(keys)} windows are done.",
            metadata={STOPPED: outcome.stopped, **dict(sorted(outcome.failed.items()))},
            allow_retries=False,
        )
    if outcome.kept and not outcome.failed:
        raise dg.Failure(
            f"{len(outcome.kept)} windows could not be made anew; what was there is kept.",
            metadata=dict(sorted(outcome.kept.items())),
            allow_retries=False,
        )
    if outcome.failed:
        names = ", ".join(sorted(outcome.failed))
        raise dg.Failure(
            f"{len(outcome.failed)} of {len(keys)} windows failed: {names}. The others are done; "
            "retry from failure repeats just these.",
            metadata=dict(sorted((outcome.kept | outcome.failed).items())),
            allow_retries=False,
        )


def code_versions_of(stages: Sequence[Stage], context: PipelineContext) -> dict[str, str]:
    """Code version of each stage's asset."""
    return {stage.name: code_version(stage, context) for stage in stages}
