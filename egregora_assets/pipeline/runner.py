"""The PipelineRunner: takes windows through their stages, many at a time, and reports each result at once.

It knows neither Dagster nor a stage: stages, and what has to happen before them, are handed in. A window's failure
costs that window alone; what is fresh isn't made again; a run that is killed is continued by the next one. How one
stage of a window is made is in `stage_runner.py`.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Collection, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from itertools import zip_longest
from typing import Any

from egregora_assets.pipeline.context import PipelineContext, WindowWork
from egregora_assets.pipeline.result_writer import ResultWriter
from egregora_assets.pipeline.stage import FinalStage, Stage
from egregora_assets.pipeline.stage_runner import Outcome, StageRunner, WindowFailed
from egregora_assets.windowing.cutting import Window
from egregora_assets.windowing.splitting import FULL_CONTEXT_WINDOW_SIZE
from egregora_resources.document import Document
from egregora_resources.progress import Progress, Silent
from egregora_resources.warehouse.results import StageResult, load_results


class PipelineRunner:
    """Takes windows through the stages.

    Args:
        context: the site's settings, warehouse and provider.
        stages: in the order of the graph; `egregora_assets.stages` has the built-in ones.
        before: called with the context, in this order, before anything is made: what has to be withdrawn goes, and
            a prompt that names somebody stops the run.
        report: called for every stored result, from one writer thread, in the order of the graph.
        progress: shows windows as they finish.
        run_id: marks what this run stored.

    Example:
        >>> windows = create_windows(messages, window_size=7, window_unit="days")
        >>> results, last_timestamp = built_in_runner(context).process_windows(windows)
        >>> for label, made in results.items():
        ...     print(label, len(made.get("posts", [])))
    """

    FULL_CONTEXT_WINDOW_SIZE = FULL_CONTEXT_WINDOW_SIZE

    def __init__(
        self,
        context: PipelineContext,
        *,
        stages: Sequence[Stage],
        before: Sequence[Callable[[PipelineContext], object]],
        report: Callable[[StageResult], None] | None = None,
        progress: Progress | None = None,
        run_id: str | None = None,
    ) -> None:
        self.context = context
        self.stages = stages
        self.before = before
        self.report = report
        self.progress = progress or Silent()
        self.run_id = run_id or uuid.uuid4().hex

    def process_windows(
        self, windows: Iterable[Window]
    ) -> tuple[dict[str, dict[str, list[Document]]], datetime | None]:
        """Takes windows, as `create_windows` gives them, through all stages but the site.

        Returns:
            Documents by window and stage (``posts``, ``profiles``, ``enrichments``, ``media`` …), and the time of the
            last message. Windows that failed are missing.

        Raises:
            WindowSizeError, WindowSplitError: and whatever else the first window failed with, if none succeeded.
        """
        from egregora_assets.pipeline.table_windows import works_of_windows

        works = works_of_windows(self.context, list(windows))
        windowed = [stage for stage in self.stages if not isinstance(stage, FinalStage)]
        names = [stage.name for stage in windowed]
        outcome: Outcome = _run_anywhere(lambda: self.run(works, names))
        if outcome.errors and not outcome.done:
            raise outcome.errors[0]
        results = {
            work.key: {
                stage.name: list[Document](work.documents(stage.name, stage.documents))
                for stage in windowed
                if stage.name != "messages"
            }
            for work in works
            if work.key in outcome.done
        }
        last = max(
            (message.time for work in works if work.key in outcome.done for message in work.messages),
            default=None,
        )
        return results, last

    async def run(self, works: Sequence[WindowWork], selected: Collection[str] | None = None) -> Outcome:
        """Takes windows through the selected stages; returns when all are done or have failed."""
        stages = [stage for stage in self.stages if selected is None or stage.name in selected]
        windowed = [stage for stage in stages if not isinstance(stage, FinalStage)]
        for step in self.before:
            await asyncio.to_thread(step, self.context)
        stored = load_results(self.context.storage)
        known = {window for _, window in stored}
        for work in works:
            work.known = work.key in known
        self.context.begin(works)
        with ResultWriter(self.context.storage, self.report) as writer:
            stage_runner = StageRunner(self.context, writer, stored, self.run_id, self.progress)
            self.progress.start("windows", len(works))
            try:
                await self._windows(stage_runner, works, _phases(windowed))
                await stage_runner.conclude(windowed)
            finally:
                await self.context.llm.close()
            self.progress.finish("windows")
            for stage in stages:
                if isinstance(stage, FinalStage):
                    await asyncio.to_thread(writer.flush)
                    await asyncio.to_thread(stage_runner.finish, stage, works)
        outcome = stage_runner.outcome
        outcome.done = [work.key for work in works if work.key not in outcome.failed]
        return outcome

    async def _windows(
        self, stage_runner: StageRunner, works: Sequence[WindowWork], phases: Sequence[Sequence[Stage]]
    ) -> None:
        """Takes the windows through their stages, `max_workers` at a time; at a barrier they wait for each other."""
        config = self.context.config
        # A batch job takes as long for many windows as for one: all have to be in it.
        batch = config.model.mode == "batch" and self.context.llm.name != "offline"
        gate = asyncio.Semaphore(max(len(works), 1) if batch else config.pipeline.max_workers)
        # What waits at a barrier reads in the warehouse what all windows brought there.
        barriers = [
            _Barrier({name for s in phase for name in s.barrier}, len(works), stage_runner.writer.flush)
            for phase in phases[1:]
        ]

        async def one(work: WindowWork) -> None:
            for phase, barrier in zip_longest(phases, barriers):
                async with gate:
                    if work.key not in stage_runner.outcome.failed:
                        await _window(stage_runner, work, phase, barrier)
                    elif barrier:
                        await barrier.window_done()
                if barrier:
                    await barrier.wait()
            self.progress.advance("windows", detail=work.key)

        try:
            async with asyncio.TaskGroup() as group:
                for work in works:
                    group.create_task(one(work))
        except BaseExceptionGroup as failures:
            raise failures.exceptions[0] from None


def _phases(stages: Sequence[Stage]) -> list[list[Stage]]:
    """Groups stages so that a stage with a barrier is in a later group than what it waits for."""
    level: dict[str, int] = {}
    for stage in stages:
        level[stage.name] = max(
            [level.get(name, 0) for name in stage.after]
            + [level[name] + 1 for name in stage.barrier if name in level],
            default=0,
        )
    return [[s for s in stages if level[s.name] == n] for n in sorted(set(level.values()))]


class _Barrier:
    """Opens when the stages it is about are through, or have failed, for every window of the run."""

    def __init__(self, stages: Collection[str], windows: int, opening: Callable[[], None]) -> None:
        self.stages, self._opening = stages, opening
        self._missing = windows
        self._open = asyncio.Event()

    async def window_done(self) -> None:
        """A window is through."""
        self._missing -= 1
        if not self._missing:
            await asyncio.to_thread(self._opening)
            self._open.set()

    async def wait(self) -> None:
        """Returns when all windows are."""
        await self._open.wait()


async def _window(
    stage_runner: StageRunner, work: WindowWork, stages: Sequence[Stage], barrier: _Barrier | None
) -> None:
    """Stages of one window run as soon as what they read is there."""
    tasks: dict[str, asyncio.Task[None]] = {}

    async def one(stage: Stage) -> None:
        for name in stage.after:
            if name in tasks:
                await tasks[name]
        await stage_runner.make(work, stage)

    async def window_done(at: _Barrier) -> None:
        await asyncio.gather(
            *(task for name, task in tasks.items() if name in at.stages), return_exceptions=True
        )
        await at.window_done()

    for stage in stages:
        tasks[stage.name] = asyncio.ensure_future(one(stage))
    arriving = [window_done(barrier)] if barrier else []
    for failure in await asyncio.gather(*tasks.values(), *arriving, return_exceptions=True):
        if isinstance(failure, BaseException) and not isinstance(failure, WindowFailed):
            raise failure


def _run_anywhere(work: Callable[[], Any]) -> Any:
    """Runs a coroutine to its end, also from inside a running event loop."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work())
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(lambda: asyncio.run(work())).result()
