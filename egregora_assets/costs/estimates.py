"""What a plan would cost: calls, tokens and US dollars of each stage, before anything is sent.

Sizes are guessed from what the windows hold, as numbers only: bytes, messages, people, links, files. Where the site
has recorded usage of a stage, the guess is corrected by how far it was off there. It stays a guess, and is called one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from math import ceil

from egregora_assets.costs.window_sizes import WindowSize, window_sizes
from egregora_assets.pipeline.context import PipelineContext
from egregora_assets.pipeline.plan import Plan, PlanRow
from egregora_resources.llm.cache import ResponseCache
from egregora_resources.llm.database import LlmStore
from egregora_resources.llm.estimate import Estimate, StageEstimate
from egregora_resources.llm.offline import OfflineProvider
from egregora_resources.llm.pricing import IMAGE_TOKENS, price
from egregora_resources.llm.spending import Spent, spent
from egregora_resources.llm.tasks import NOTES_A_REQUEST, Task
from egregora_resources.site.settings import ModelSettings, PipelineSettings
from egregora_resources.usage import Usage
from egregora_resources.warehouse.documents import posts_of_written
from egregora_resources.warehouse.results import StageResult, load_results

LINE_BYTES = 30
"""Of a message as a model reads it, beside its text: number, time and who."""
INSTRUCTIONS: Mapping[Task, int] = {"digests": 350, "profiles": 400, "posts": 1_500}
"""Tokens that a prompt has beside the conversation; the writer's with what it remembers and the vocabulary."""
PAGE_TOKENS, LINK_ANSWER = 8_000, 400
FILE_TOKENS, FILE_ANSWER, FILES_A_CALL = 1_100, 150, 8
BANNER_PROMPT = 150
POSTS_A_PART = 2.0
"""Where no window of the site has posts yet."""


@dataclass(frozen=True, slots=True)
class Figures:
    """Calls and tokens; thoughts count as output."""

    calls: float = 0.0
    input_tokens: float = 0.0
    output_tokens: float = 0.0

    def __add__(self, other: Figures) -> Figures:
        return Figures(
            self.calls + other.calls,
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
        )

    def scaled(self, by: Figures) -> Figures:
        """Corrected by three factors."""
        return Figures(
            self.calls * by.calls,
            self.input_tokens * by.input_tokens,
            self.output_tokens * by.output_tokens,
        )


def this_month(context: PipelineContext) -> Spent:
    """What the site has cost in this calendar month (UTC)."""
    return spent(LlmStore(context.folder.llm), "month", f"{datetime.now(UTC):%Y-%m}")


def priced(context: PipelineContext, plan: Plan, *, whole: bool = True) -> Plan:
    """The plan with what it would cost; `whole` as for `estimate`."""
    cost = estimate(context, plan, whole=whole) if plan.stale else None
    return replace(plan, cost=cost, warnings=cost.warnings(context.config.model) if cost else ())


def estimate(context: PipelineContext, plan: Plan, *, whole: bool = True) -> Estimate | None:
    """What carrying out a plan would cost, about; None where nothing is sent to anybody.

    Args:
        whole: a run also has new tags and categories compared with those in use; a trial doesn't.
    """
    if context.llm.name == "offline":
        return None
    store = LlmStore(context.folder.llm)
    sizes = window_sizes(context.storage, context.config.pipeline)
    results = load_results(context.storage)
    asked = ResponseCache(store).messages_answered("enrichments", context.config.model.names.enrichments)
    guesser = _Guesser(context.config.pipeline, sizes, posts_of_written(context.storage), plan, asked)
    due: dict[str, list[PlanRow]] = {}
    for row in plan.rows:
        if row.action == "run" and row.window in sizes:
            due.setdefault(row.stage, []).append(row)
    stages: list[StageEstimate] = []
    for task, guess in guesser.tasks.items():
        guesses = [figures for row in due.get(task, ()) if (figures := guess(row.window)).calls]
        if guesses:
            factors, learnt = _learnt(task, guesser, results, context.llm.model(task), sizes)
            figures = sum(guesses, Figures()).scaled(factors)
            stages.append(_priced(task, context.config.model, len(guesses), figures, learnt))
    posts = next((stage.windows for stage in stages if stage.stage == "posts"), 0)
    if posts and whole:
        stages.append(_priced("vocabulary", context.config.model, posts, *_vocabulary(store)))
    return Estimate(stages, this_month(context).usd)


def _vocabulary(store: LlmStore) -> tuple[Figures, int]:
    """Once a run, the new tags and categories are compared with those in use; and how often that was recorded."""
    before = spent(store, "task", "vocabulary")
    if not before.calls:
        return Figures(1, 2_000, 1_500), 0
    return Figures(1, before.input_tokens / before.calls, before.output_tokens / before.calls), before.calls


def _priced(task: str, settings: ModelSettings, windows: int, figures: Figures, learnt: int) -> StageEstimate:
    calls = max(ceil(figures.calls), 1)
    # Call by call, because some models cost more for long questions.
    given, made = round(figures.input_tokens / calls), round(figures.output_tokens / calls)
    # Links, files and banners don't wait for batch jobs.
    waits = task in INSTRUCTIONS or settings.mode != "batch"
    one = price(
        getattr(settings.names, task), given, made,
        image_tokens=made if task == "banners" else 0, mode=settings.mode if waits else "sync",
    )  # fmt: skip
    return StageEstimate(
        stage=task,
        model=getattr(settings.names, task),
        windows=windows,
        calls=calls,
        input_tokens=round(figures.input_tokens),
        output_tokens=round(figures.output_tokens),
        usd=one * calls,
        learnt_from=learnt,
    )


class _Guesser:
    """Guesses of what each task takes for a window."""

    def __init__(
        self,
        pipeline: PipelineSettings,
        sizes: Mapping[str, WindowSize],
        posts: Mapping[str, int],
        plan: Plan,
        described: Collection[int],
    ) -> None:
        self._pipeline, self._sizes, self._posts, self._described = pipeline, sizes, posts, described
        # What is asked otherwise, or because the owner wants it anew, isn't answered from the cache.
        self._anew = {
            row.window
            for row in plan.rows
            if row.stage == "enrichments" and re.search(r"asked for|(prompt|settings) changed", row.reason)
        }
        self._rewritten = {row.window for row in plan.rows if row.stage == "posts" and row.action == "run"}
        self._average = sum(posts.values()) / len(posts) if posts else 0.0
        self.tasks: Mapping[Task, Callable[[str], Figures]] = {
            "enrichments": self._enrichments,
            "digests": lambda window: self._written("digests", window, 1_000),
            "profiles": self._profiles,
            "posts": lambda window: self._written("posts", window, 4_000),
            "banners": self._banners,
        }

    def _written(self, task: Task, window: str, answer: int) -> Figures:
        """`answer`: tokens of one answer, thoughts included."""
        size, pipeline = self._sizes[window], self._pipeline
        if size.messages < pipeline.min_messages or not size.parts:
            return Figures()
        tokens = (size.bytes + LINE_BYTES * size.messages) / 4
        return Figures(size.parts, tokens + size.parts * INSTRUCTIONS[task], size.parts * answer)

    def _profiles(self, window: str) -> Figures:
        if not self._pipeline.profiles.enabled:
            return Figures()
        return self._written("profiles", window, 600 + 150 * self._sizes[window].people)

    def _enrichments(self, window: str) -> Figures:
        return self.enrichments(window, () if window in self._anew else self._described)

    def enrichments(self, window: str, described: Collection[int] = ()) -> Figures:
        """`described`: messages whose links and files were described already."""
        rules, size = self._pipeline.enrichment, self._sizes[window]
        if not rules.enabled:
            return Figures()
        links = sum(message not in described for message in size.linking)
        # Files are described together: with a new one among them they are another question.
        files = len(size.files) if any(message not in described for message in size.files) else 0
        # The stage hands over so many links and files at a time, links first.
        first = min(files, NOTES_A_REQUEST - size.links % NOTES_A_REQUEST)
        calls = ceil(first / FILES_A_CALL) + (files - first) // NOTES_A_REQUEST * ceil(
            NOTES_A_REQUEST / FILES_A_CALL
        )
        calls += ceil((files - first) % NOTES_A_REQUEST / FILES_A_CALL)
        return Figures(
            links + calls,
            links * PAGE_TOKENS + files * FILE_TOKENS,
            links * LINK_ANSWER + files * FILE_ANSWER,
        )

    def _banners(self, window: str) -> Figures:
        if not self._pipeline.banners.enabled or self._sizes[window].messages < self._pipeline.min_messages:
            return Figures()
        known = None if window in self._rewritten else self._posts.get(window)
        posts = (self._average or POSTS_A_PART * self._sizes[window].parts) if known is None else known
        return Figures(posts, posts * BANNER_PROMPT, posts * IMAGE_TOKENS)


def _learnt(
    stage: Task,
    guesser: _Guesser,
    results: Mapping[tuple[str, str], StageResult],
    model: str,
    sizes: Mapping[str, WindowSize],
) -> tuple[Figures, int]:
    """By how much guesses of this stage were off where usage is recorded, and in how many windows it is.

    What was answered from the cache took no call, and where no model wrote, there was no answer: neither teaches anything.
    Usage of the wanted model counts before others'.
    """
    told = [r for (name, key), r in results.items() if name == stage and key in sizes]
    paid = [r for r in told if r.usage.calls and r.status == "done" and r.degraded != OfflineProvider.name]
    paid = [r for r in paid if r.parts.get("model") == model] or paid
    guess = guesser.enrichments if stage == "enrichments" else guesser.tasks[stage]
    guessed = sum((guess(r.window) for r in paid), Figures())
    if not guessed.calls:
        return Figures(1, 1, 1), 0
    took = sum((r.usage for r in paid), Usage())
    calls = took.calls / guessed.calls
    # Of a window that grew only the new links and files are recorded: their number teaches nothing, but their size does.
    kept = 1.0 if stage == "enrichments" else calls
    return Figures(
        kept,
        kept / calls * took.input_tokens / guessed.input_tokens,
        kept / calls * took.output_tokens / guessed.output_tokens,
    ), len(paid)
