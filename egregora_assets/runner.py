"""The PipelineRunner: takes windows through their stages, many at a time, and reports each result at once.

It knows no Dagster. A window's failure costs that window alone; what is fresh isn't made again; a run that is
killed is continued by the next one, because every result is stored with what it was made from.
"""

from __future__ import annotations

import asyncio
import logging
import time
import traceback
import uuid
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import zip_longest
from pathlib import Path
from typing import Any

from egregora_assets.committer import Committer
from egregora_assets.plan import difference, due_again, wanted_parts
from egregora_assets.progress import Progress, Silent
from egregora_assets.stage import FinalStage, Made, PipelineContext, Stage, WindowWork
from egregora_assets.windows import FULL_CONTEXT_WINDOW_SIZE, Window
from egregora_assets.withdrawal import withdraw
from egregora_resources.document import Document, fingerprint
from egregora_resources.errors import UserError
from egregora_resources.llm.protocol import ProviderError, RunStopped
from egregora_resources.results import StageResult, load_results

log = logging.getLogger("egregora.runner")


class NotThereYet(UserError):
    """A stage of a window was asked for alone, before the stages that it reads."""


class WindowFailed(Exception):
    """A window's stage failed in this run; the stages behind it are not tried."""


@dataclass
class Outcome:
    """What a run came to."""

    done: list[str] = field(default_factory=list[str])
    """Windows of which something was made, or found fresh."""
    failed: dict[str, str] = field(default_factory=dict[str, str])
    """Window → stage and sentence."""
    stopped: str = ""
    """Why nothing more can be made until the owner acts; windows it kept back are failed, but not stored as such."""
    kept: dict[str, str] = field(default_factory=dict[str, str])
    """Window → stage and sentence, where what the owner wanted made anew couldn't be: what was there stays."""
    errors: list[Exception] = field(default_factory=list[Exception])
    fresh: list[StageResult] = field(default_factory=list[StageResult])
    """Results that were found fresh: nothing was made."""
    results: list[StageResult] = field(default_factory=list[StageResult])

    def add(self, other: Outcome) -> None:
        """Takes in what another run came to."""
        self.done += other.done
        self.failed |= other.failed
        self.kept |= other.kept
        self.errors += other.errors
        self.stopped = self.stopped or other.stopped
        self.fresh += other.fresh
        self.results += other.results


class PipelineRunner:
    """Takes windows through the stages.

    Args:
        context: the site's settings, warehouse and provider.
        stages: in the order of the graph; the built-in ones if left out.
        report: called for every stored result, from one writer thread, in the order of the graph.
        progress: shows windows as they finish.
        run_id: marks what this run stored.

    Example:
        >>> windows = create_windows(messages, window_size=7, window_unit="days")
        >>> results, last_timestamp = PipelineRunner(context).process_windows(windows)
        >>> for label, made in results.items():
        ...     print(label, len(made.get("posts", [])))
    """

    FULL_CONTEXT_WINDOW_SIZE = FULL_CONTEXT_WINDOW_SIZE

    def __init__(
        self,
        context: PipelineContext,
        *,
        stages: Sequence[Stage] | None = None,
        report: Callable[[StageResult], None] | None = None,
        progress: Progress | None = None,
        run_id: str | None = None,
    ) -> None:
        if stages is None:
            from egregora_assets.stages import STAGES

            stages = STAGES
        self.context = context
        self.stages = stages
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
        from egregora_assets.given_tables import works_of_windows

        works = works_of_windows(self.context, list(windows))
        names = [stage.name for stage in self.stages if not isinstance(stage, FinalStage)]
        outcome: Outcome = _run_anywhere(lambda: self.run(works, names))
        if outcome.errors and not outcome.done:
            raise outcome.errors[0]
        results = {
            work.key: {name: list(work.documents(name)) for name in names if name != "messages"}
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
        outcome = Outcome()
        await asyncio.to_thread(withdraw, self.context)
        stored = load_results(self.context.storage)
        known = {window for _, window in stored}
        for work in works:
            work.known = work.key in known
        self.context.begin(works)
        with Committer(self.context.storage, self.report) as committer:
            run = _Run(self, committer, stored, outcome)
            self.progress.start("windows", len(works))
            try:
                await run.windows(works, _phases(windowed))
                await run.conclude(windowed)
            finally:
                await self.context.llm.close()
            self.progress.finish("windows")
            for stage in stages:
                if isinstance(stage, FinalStage):
                    await asyncio.to_thread(committer.flush)
                    await asyncio.to_thread(run.finish, stage, works)
        outcome.done = [work.key for work in works if work.key not in outcome.failed]
        return outcome


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

    async def arrive(self) -> None:
        """A window is through."""
        self._missing -= 1
        if not self._missing:
            await asyncio.to_thread(self._opening)
            self._open.set()

    async def wait(self) -> None:
        """Returns when all windows are."""
        await self._open.wait()


class _Run:
    """One call of `PipelineRunner.run`."""

    def __init__(
        self,
        runner: PipelineRunner,
        committer: Committer,
        stored: Mapping[tuple[str, str], StageResult],
        outcome: Outcome,
    ) -> None:
        self.runner, self.committer, self.stored, self.outcome = runner, committer, stored, outcome
        self.versions: dict[tuple[str, str], str] = {key: r.data_version for key, r in stored.items()}

    async def windows(self, works: Sequence[WindowWork], phases: Sequence[Sequence[Stage]]) -> None:
        """Takes the windows through their stages, `max_workers` at a time; at a barrier they wait for each other."""
        config = self.runner.context.config
        # A batch job takes as long for many windows as for one: all have to be in it.
        batch = config.model.mode == "batch" and self.runner.context.llm.name != "offline"
        gate = asyncio.Semaphore(max(len(works), 1) if batch else config.pipeline.max_workers)
        # What waits at a barrier reads in the warehouse what all windows brought there.
        barriers = [
            _Barrier({name for s in phase for name in s.barrier}, len(works), self.committer.flush)
            for phase in phases[1:]
        ]

        async def one(work: WindowWork) -> None:
            for phase, barrier in zip_longest(phases, barriers):
                async with gate:
                    if work.key not in self.outcome.failed:
                        await self._window(work, phase, barrier)
                    elif barrier:
                        await barrier.arrive()
                if barrier:
                    await barrier.wait()
            self.runner.progress.advance("windows", detail=work.key)

        try:
            async with asyncio.TaskGroup() as group:
                for work in works:
                    group.create_task(one(work))
        except BaseExceptionGroup as failures:
            raise failures.exceptions[0] from None

    async def conclude(self, stages: Sequence[Stage]) -> None:
        """Lets stages do what is done once a run; what goes wrong in that fails no window."""
        made = {result.stage for result in self.outcome.results if result.status == "done"}
        await asyncio.to_thread(self.committer.flush)
        for stage in stages:
            if stage.name in made and not self.outcome.stopped:
                try:
                    await stage.conclude(self.runner.context)
                except Exception as error:
                    log.warning("%s: %s", stage.name, describe(error))

    async def _window(self, work: WindowWork, stages: Sequence[Stage], barrier: _Barrier | None) -> None:
        """Stages of one window run as soon as what they read is there."""
        tasks: dict[str, asyncio.Task[None]] = {}

        async def one(stage: Stage) -> None:
            for name in stage.after:
                if name in tasks:
                    await tasks[name]
            await self._stage(work, stage)

        async def arrive(at: _Barrier) -> None:
            await asyncio.gather(
                *(task for name, task in tasks.items() if name in at.stages), return_exceptions=True
            )
            await at.arrive()

        for stage in stages:
            tasks[stage.name] = asyncio.ensure_future(one(stage))
        arriving = [arrive(barrier)] if barrier else []
        for failure in await asyncio.gather(*tasks.values(), *arriving, return_exceptions=True):
            if isinstance(failure, BaseException) and not isinstance(failure, WindowFailed):
                raise failure

    async def _stage(self, work: WindowWork, stage: Stage) -> None:
        began = time.monotonic()
        upstream = {name: self.versions.get((name, work.key), "") for name in stage.after}
        stored = self.stored.get((stage.name, work.key))
        parts: dict[str, str] = {}
        reason = again = due_again(stage, work)
        try:
            self._need(work, stage)
            parts = wanted_parts(stage, work, upstream)
            reason = again or difference(stored, parts, keep=stage.keeps(work.context.config))
            if not reason and stored:
                self.outcome.fresh.append(stored)
                return
            if self.outcome.stopped:
                raise RunStopped(self.outcome.stopped)
            skipped = stage.skip(work)
            made = Made(skipped=skipped) if skipped else await stage.make(work)
            if again and made.degraded and stored and not stored.degraded:
                raise ProviderError(f"no model gave an answer, but for the fallback {made.degraded}")
            work.made[stage.name] = made
            # Anew, because a result may depend on what was chosen in making it, as posts do on their memory.
            parts = wanted_parts(stage, work, upstream)
        except RunStopped as stop:
            # Not the window's fault: what is stored of it stays as it is, and the next run takes it up.
            if not self.outcome.stopped:
                log.error("the run stops: %s", stop)
            self.outcome.stopped = self.outcome.stopped or str(stop)
            if again and self._stays(work, stored, "not tried, the run was stopped"):
                return
            self.outcome.failed.setdefault(work.key, f"{stage.name}: not tried, the run was stopped")
            self.outcome.errors.append(stop)
            raise WindowFailed(work.key) from stop
        except Exception as error:
            sentence = describe(error)
            log.warning("window %s failed in %s: %s", work.key, stage.name, sentence)
            if again and self._stays(work, stored, sentence):
                return
            self.outcome.failed.setdefault(work.key, f"{stage.name}: {sentence}")
            self.outcome.errors.append(error)
            failed = self._result(work, stage, parts, reason, began)
            self._submit(replace(failed, status="failed", error=sentence))
            raise WindowFailed(work.key) from error
        self._keep(work, stage, made, self._result(work, stage, parts, reason, began))

    def _stays(self, work: WindowWork, stored: StageResult | None, sentence: str) -> bool:
        """Whether there is something that stays as it is, though the owner wanted it made anew."""
        if stored is None or stored.status not in ("done", "skipped"):
            return False
        self.outcome.kept[work.key] = f"{stored.stage}: {sentence}; what was there is kept"
        self.outcome.fresh.append(stored)
        return True

    def finish(self, stage: FinalStage, works: Sequence[WindowWork]) -> None:
        """Makes the final stage once, for the windows that got there."""
        context, began = self.runner.context, time.monotonic()
        for work in works:
            try:
                self._need(work, stage)
            except NotThereYet as error:
                self.outcome.failed.setdefault(work.key, f"{stage.name}: {error}")
        ready = [work for work in works if work.key not in self.outcome.failed]
        wanted = {
            work.key: wanted_parts(
                stage, work, {name: self.versions.get((name, work.key), "") for name in stage.after}
            )
            for work in ready
        }
        reasons = {
            key: difference(self.stored.get((stage.name, key)), parts) for key, parts in wanted.items()
        }
        # Even with no window left the site may have to lose pages, so its state is compared too.
        state = stage.state(context)
        if not any(reasons.values()) and not stage.due(context):
            self.outcome.fresh += [self.stored[stage.name, work.key] for work in ready]
            return
        # Windows that ask for it carry the build; where none does, each of the run's does.
        asking = [work for work in ready if reasons[work.key]] or ready
        carried = {work.key for work in asking}
        self.outcome.fresh += [self.stored[stage.name, w.key] for w in ready if w.key not in carried]
        self.runner.progress.start(stage.name, None)
        try:
            made = stage.finish(context, [work.key for work in asking])
        except Exception as error:
            sentence = describe(error)
            log.warning("%s failed: %s", stage.name, sentence)
            for work in works:
                self.outcome.failed.setdefault(work.key, f"{stage.name}: {sentence}")
            for work in asking:
                failed = self._result(work, stage, wanted[work.key], reasons[work.key], began)
                self._submit(replace(failed, status="failed", error=sentence))
            return
        finally:
            self.runner.progress.finish(stage.name)
        for work in asking:
            result = self._result(
                work, stage, wanted[work.key], reasons[work.key] or "site built anew", began
            )
            self._keep(work, stage, made.get(work.key, Made()), result)
        context.storage.remember(f"state:{stage.name}", state)

    def _need(self, work: WindowWork, stage: Stage) -> None:
        absent = [name for name in stage.after if not self.versions.get((name, work.key))]
        if absent:
            raise NotThereYet(
                f"{' and '.join(absent)} of this window {'is' if len(absent) == 1 else 'are'} not there yet; "
                "materialize what comes before it, too"
            )

    def _result(
        self, work: WindowWork, stage: Stage, parts: Mapping[str, str], reason: str, began: float
    ) -> StageResult:
        return StageResult(
            stage=stage.name,
            window=work.key,
            status="done",
            fingerprint=fingerprint(dict(parts)),
            parts=dict(parts),
            reason=reason,
            seconds=round(time.monotonic() - began, 3),
            finished_at=datetime.now(),
            run_id=self.runner.run_id,
        )

    def _keep(self, work: WindowWork, stage: Stage, made: Made, result: StageResult) -> None:
        result = replace(
            result,
            status="skipped" if made.skipped else "done",
            data_version=made.version() if not isinstance(stage, FinalStage) else result.fingerprint,
            note=made.skipped or made.note,
            degraded=made.degraded,
            usage=made.usage,
            documents=len(made.documents),
        )
        self.versions[stage.name, work.key] = result.data_version
        self._submit(result, made)

    def _submit(self, result: StageResult, made: Made | None = None) -> None:
        self.outcome.results.append(result)
        self.committer.submit(result, made.documents if made else (), made.messages if made else None)


def describe(error: BaseException) -> str:
    """A sentence about a failure that is safe to log: an unforeseen exception's own text may hold words of the chat."""
    if isinstance(error, UserError | ProviderError):
        return str(error)
    ours = [frame for frame in traceback.extract_tb(error.__traceback__) if "egregora" in frame.filename]
    where = f" in {Path(ours[-1].filename).name}, line {ours[-1].lineno}" if ours else ""
    return f"unforeseen {type(error).__name__}{where}"


def _run_anywhere(work: Callable[[], Any]) -> Any:
    """Runs a coroutine to its end, also from inside a running event loop."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work())
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(lambda: asyncio.run(work())).result()
