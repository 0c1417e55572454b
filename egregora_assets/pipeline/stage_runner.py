"""Making one stage of one window, or the final stage of all: is it fresh, what is made of it, what if that fails.

`runner.py` says which window is taken when; here is what happens to it. Every result is stored with what it was made
from, failures too.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from egregora_assets.pipeline.context import Made, PipelineContext, WindowWork
from egregora_assets.pipeline.plan import difference, due_again, wanted_parts
from egregora_assets.pipeline.result_writer import ResultWriter
from egregora_assets.pipeline.stage import FinalStage, Stage
from egregora_resources.document import fingerprint
from egregora_resources.errors import ProviderError, RunStopped, UserError, describe
from egregora_resources.progress import Progress
from egregora_resources.usage import Usage
from egregora_resources.warehouse.results import StageResult

log = logging.getLogger("egregora.runner")


class NotThereYet(UserError):
    """A stage of a window was asked for alone, before the stages that it reads."""


class WindowFailed(Exception):
    """A window's stage failed in this run; the stages behind it are not tried."""


@dataclass
class Outcome:
    """Result of a run."""

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
        """Adds the result of another run."""
        self.done += other.done
        self.failed |= other.failed
        self.kept |= other.kept
        self.errors += other.errors
        self.stopped = self.stopped or other.stopped
        self.fresh += other.fresh
        self.results += other.results


class StageRunner:
    """Makes what a run has to make, stage by stage; the outcome is noted as it goes.

    Args:
        context: the site's settings, warehouse and provider.
        writer: stores what was made.
        stored: all results as the run found them.
        run_id: marks what this run stores.
        progress: told when the final stage begins and ends.
    """

    def __init__(
        self,
        context: PipelineContext,
        writer: ResultWriter,
        stored: Mapping[tuple[str, str], StageResult],
        run_id: str,
        progress: Progress,
    ) -> None:
        self.context, self.writer, self.stored = context, writer, stored
        self.run_id, self.progress = run_id, progress
        self.outcome = Outcome()
        self.versions: dict[tuple[str, str], str] = {key: r.data_version for key, r in stored.items()}

    async def conclude(self, stages: Sequence[Stage]) -> None:
        """Lets stages do what is done once a run; what goes wrong in that fails no window."""
        made = {result.stage for result in self.outcome.results if result.status == "done"}
        await asyncio.to_thread(self.writer.flush)
        for stage in stages:
            if stage.name in made and not self.outcome.stopped:
                try:
                    await stage.conclude(self.context)
                except Exception as error:
                    log.warning("%s: %s", stage.name, describe(error))

    async def make(self, work: WindowWork, stage: Stage) -> None:
        """Makes a stage of a window, unless it is fresh.

        Raises:
            WindowFailed: it couldn't be made; why is noted.
        """
        began = time.monotonic()
        upstream = {name: self.versions.get((name, work.key), "") for name in stage.after}
        stored = self.stored.get((stage.name, work.key))
        parts: dict[str, str] = {}
        reason = again = due_again(stage, work)
        try:
            self._need(work, stage)
            parts = wanted_parts(stage, work, upstream)
            reason = again or difference(stored, parts, keep=stage.is_frozen(work.context.config))
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
            usage = getattr(error, "usage", Usage())
            self._submit(replace(failed, status="failed", error=sentence, usage=usage))
            raise WindowFailed(work.key) from error
        self._keep(work, stage, made, self._result(work, stage, parts, reason, began))

    def _stays(self, work: WindowWork, stored: StageResult | None, sentence: str) -> bool:
        """True if a failed redo keeps the stored result."""
        if stored is None or stored.status not in ("done", "skipped"):
            return False
        self.outcome.kept[work.key] = f"{stored.stage}: {sentence}; what was there is kept"
        self.outcome.fresh.append(stored)
        return True

    def finish(self, stage: FinalStage, works: Sequence[WindowWork]) -> None:
        """Makes the final stage once, for the windows that got there."""
        context, began = self.context, time.monotonic()
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
        self.progress.start(stage.name, None)
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
            self.progress.finish(stage.name)
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
            run_id=self.run_id,
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
        self.writer.submit(result, made.documents if made else (), made.messages if made else None)
