"""Calls the service until there is an answer to work with, or says honestly that there is none.

The policies, by what `outcomes` tells apart: what is busy, lost or garbled is tried again, after as long as the server
asked for; a refused key is never used again; who is out of quota rests; what a model cut off gets more room, then is
split by whoever asked; what isn't as asked for is asked again with the remark, and in the end taken without what doesn't
fit; what a model won't do goes to the next. How one call is sent is the business of `sending`; what is known of models
beforehand, that of `experience`.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Mapping, Sequence
from typing import Any, Protocol, TypeVar

from google.genai import types

from egregora_resources.errors import ProviderError, RunStopped
from egregora_resources.llm.cache import ResponseCache
from egregora_resources.llm.gemini.batches import Batches, NotInBatch, NotSubmitted
from egregora_resources.llm.gemini.capabilities import Experience
from egregora_resources.llm.gemini.outcomes import (
    LONG_REST,
    CallFailure,
    KeyRefused,
    Malformed,
    OutOfQuota,
    Reply,
    TooMuch,
    TryAgain,
    UnsupportedRequest,
)
from egregora_resources.llm.gemini.request import PLAIN, SPELLED, USUAL, Ask, Cost, RequestStyle, Unanswered
from egregora_resources.llm.gemini.sender import Sender
from egregora_resources.llm.limits import Keys
from egregora_resources.llm.protocol import Answer
from egregora_resources.llm.spending import Ledger
from egregora_resources.site.settings import ModelSettings
from egregora_resources.usage import Usage

log = logging.getLogger("egregora.llm")
Output = TypeVar("Output")
Made = TypeVar("Made", covariant=True)

TRIES = 6
"""Calls of one request to one model that may be lost before the model is given up for it."""
EMPTY_TRIES = 3
"""The same, of calls that come back with nothing in them."""
REASKS = 2
"""Times that a model is asked again whose answer isn't as asked for."""
PATIENCE = 900.0
"""Seconds that a request waits in all because the server says it is busy."""
MOST_OUTPUT = 65_536
"""Output tokens that a cut off answer is given at most, the second time."""
LEAST_OUTPUT = 1_024
"""Output tokens that are wanted at least of a model whose server has no room for more."""
DOWN = 5
"""Requests in a row that got no answer at all: then the service is taken to be down."""
MOST_REPEATED = 20_000
"""Letters of an answer that a model is shown again, to correct."""


class Check(Protocol[Made]):
    """What an answer means, and what of it is kept in the cache (which it must accept, too, as a `Reply`'s text)."""

    def __call__(self, reply: Reply, *, salvage: bool) -> tuple[Made, str]:
        """
        Args:
            reply: the answer.
            salvage: it won't be asked again: leave out what doesn't fit.

        Raises:
            Malformed: it isn't as asked for.
        """
        ...


class Caller:
    """The one way to the service, for all windows of a process.

    Args:
        settings: ``[model]``.
        keys: environment variable → key.
        cache: of answers; None to keep none.
        ledger: of what calls cost.
        batches: sends what can wait, where ``[model] mode`` says so.
        fresh: don't take answers from the cache (they are still put there).
        pause: seconds that the first wait before another try takes, about; then twice that, and so on.
    """

    def __init__(
        self,
        settings: ModelSettings,
        keys: Mapping[str, str],
        cache: ResponseCache | None,
        ledger: Ledger,
        *,
        batches: Batches | None = None,
        fresh: bool = False,
        pause: float = 1.0,
    ) -> None:
        self._settings, self._cache = settings, cache
        self._fresh, self._pause = fresh, pause
        self._batches = batches
        self._keys = Keys(list(keys))
        self._sender = Sender(settings, keys, lambda key: key in self._keys.usable, ledger, self._go_on)
        self._asked: dict[str, asyncio.Task[tuple[Any, str]]] = {}
        self._stopped: RunStopped | None = None
        self._unreached = 0
        self._experience = Experience()

    async def close(self) -> None:
        """Closes the connections of the running event loop."""
        for task in list(self._asked.values()):
            task.cancel()
        await asyncio.gather(*self._asked.values(), return_exceptions=True)
        if self._batches:
            await self._batches.close()
        self._asked = {}
        await self._sender.close()

    @property
    def peak(self) -> int:
        """Most calls that were in flight at the same time."""
        return self._sender.peak

    async def ask(
        self, ask: Ask, models: Sequence[str], check: Check[Output], *, vital: bool = True
    ) -> Answer[Output]:
        """The checked answer of the first of these models that gives one.

        Args:
            models: in order of preference; an answer of any but the first is marked as degraded.
            check: what an answer means.
            vital: whether the run ends when nothing of the quota is left for it, or there is no model for its words.

        Raises:
            Unanswered: no model gave an answer to work with.
            ProviderError: the service couldn't be reached.
            RunStopped: no call makes sense any more.
        """
        request = ask.hash(models[0])
        if request in self._asked:
            # The same is being asked already, e.g. about a link shared in two windows.
            output, degraded = await asyncio.shield(self._asked[request])
            return Answer(output, Usage(), degraded)
        bill = Cost()
        task = asyncio.ensure_future(self._first_answer(ask, models, check, bill, vital))
        self._asked[request] = task
        task.add_done_callback(lambda done: self._forget(request, done))
        output, degraded = await asyncio.shield(task)
        return Answer(output, bill.usage, degraded)

    def _forget(self, request: str, task: asyncio.Task[tuple[Any, str]]) -> None:
        self._asked.pop(request, None)
        if not task.cancelled():
            task.exception()

    async def _first_answer(
        self, ask: Ask, models: Sequence[str], check: Check[Output], bill: Cost, vital: bool
    ) -> tuple[Output, str]:
        troubles: dict[str, CallFailure] = {}
        for model in dict.fromkeys(models):
            degraded = "" if model == models[0] else model
            request = ask.hash(model)
            kept = await self._kept(request)
            if kept is not None:
                try:
                    return check(kept, salvage=True)[0], degraded
                except Malformed:
                    log.debug("an answer in the cache isn't as asked for any more")
            try:
                self._experience.foresee(ask, model)
                output, text = await self._mannered(ask, model, check, bill)
            except CallFailure as trouble:
                troubles[model] = trouble
                self._experience.failed(ask, model, trouble)
                await self._settled(request)
                continue
            self._unreached = 0
            self._experience.succeeded(ask, model)
            if self._cache is not None:
                await asyncio.to_thread(
                    self._cache.put, request, ask.task, model, text, bill.usage, ask.subjects
                )
            await self._settled(request)
            return output, degraded
        raise self._failure(ask, troubles, bill, vital)

    async def _settled(self, request: str) -> None:
        if self._batches:
            await self._batches.forget(request)

    async def _kept(self, request: str) -> Reply | None:
        if self._cache is None or self._fresh:
            return None
        text = await asyncio.to_thread(self._cache.get, request)
        return Reply(text) if text is not None else None

    def _failure(self, ask: Ask, troubles: Mapping[str, CallFailure], bill: Cost, vital: bool) -> Exception:
        told = "; ".join(f"{model}: {trouble}" for model, trouble in troubles.items())
        # Models that aren't there say nothing about those that are.
        found = [trouble for model, trouble in troubles.items() if model not in self._experience.missing]
        nowhere = all(isinstance(trouble, UnsupportedRequest) and trouble.nowhere for trouble in found)
        # Without pages or pictures a site can be written; without words it's the settings that are wrong.
        if vital and not ask.needs and (not found or (nowhere and not self._experience.answered)):
            where = self._settings.base_url or "Google's Gemini service"
            return self._stop(
                f"There is no such model at {where} ({told}). Look at [model.names] and [model] fallback_models, and at "
                "[model] base_url and api_version, and write again; nothing is lost."
            )
        if vital and all(isinstance(trouble, OutOfQuota) for trouble in found):
            wait = min(trouble.delay for trouble in found if isinstance(trouble, OutOfQuota))
            return self._stop(
                f"The service's quota is used up ({told}). What was written is kept; write again in {_about(wait)}, "
                "or add a key ([model] api_key_env) or a model ([model] fallback_models)."
            )
        lost = [t for t in found if isinstance(t, OutOfQuota) or (isinstance(t, TryAgain) and not t.answered)]
        if len(lost) < max(len(found), 1):
            cut = [trouble for trouble in found if isinstance(trouble, TooMuch)]
            return Unanswered(
                f"no model gave an answer ({told})",
                bill.usage,
                too_long=any(trouble.question for trouble in cut),
                cut_off=any(not trouble.question for trouble in cut),
            )
        self._unreached += 1
        if self._unreached >= DOWN:
            return self._stop(
                f"The service doesn't answer ({told}). What was written is kept; write again later, or see whether "
                "[model] base_url and the network are right."
            )
        return ProviderError(f"the service gave no answer for {ask.task} ({told})")

    def _stop(self, sentence: str) -> RunStopped:
        self._stopped = self._stopped or RunStopped(sentence)
        return self._stopped

    def _go_on(self) -> None:
        if self._stopped:
            raise self._stopped

    async def _mannered(self, ask: Ask, model: str, check: Check[Output], bill: Cost) -> tuple[Output, str]:
        """An answer of one model, asked in words alone if its server refuses what stands beside them."""
        manner = self._experience.manners.get(model)
        try:
            return await self._checked(ask, model, check, bill, manner or USUAL)
        except UnsupportedRequest as trouble:
            if not trouble.form or manner is not None:
                raise
        answer = await self._checked(ask, model, check, bill, PLAIN)
        self._experience.manners[model] = PLAIN
        return answer

    async def _checked(
        self, ask: Ask, model: str, check: Check[Output], bill: Cost, manner: RequestStyle
    ) -> tuple[Output, str]:
        """An answer of one model that passed the check; it is asked again with what is wrong, a few times."""
        contents = ask.contents(manner)
        # What is tried again or asked again isn't kept waiting for another job, nor is a run for its one last call.
        waits = ask.schema is not None and not (ask.media or manner.plain or ask.task == "vocabulary")
        batch = ask.hash(model) if self._batches and waits else ""
        reply, formless = Reply(""), False
        for attempt in range(REASKS + 1):
            try:
                reply = await self._with_room(ask, model, contents, manner, bill, batch)
            except (TooMuch, UnsupportedRequest):
                if not attempt:
                    raise
                # It can't be asked again: what it said before has to do.
                return check(reply, salvage=True)
            batch = ""
            try:
                answer = check(reply, salvage=attempt == REASKS)
            except Malformed as trouble:
                log.info("%s of %s: %s", ask.task, ask.subjects.window, trouble)
                if attempt == REASKS:
                    raise
                formless = formless or (trouble.form and ask.schema is not None)
                remark = (
                    f"That answer can't be used: {trouble.remark} Give the whole answer again, corrected."
                )
                said = reply.text[:MOST_REPEATED] or "{}"
                contents = [
                    *ask.contents(manner),
                    types.Content(role="model", parts=[types.Part(text=said)]),
                    types.Content(
                        role="user",
                        parts=[types.Part(text=f"{remark} {ask.form()}" if formless else remark)],
                    ),
                ]
                continue
            if ask.schema is not None:
                # Whoever got it right only once told of the form is told of it at once from now on.
                self._experience.manners.setdefault(model, SPELLED if formless else manner)
            return answer
        raise AssertionError("unreachable")

    async def _with_room(
        self,
        ask: Ask,
        model: str,
        contents: Sequence[types.Content],
        manner: RequestStyle,
        bill: Cost,
        batch: str,
    ) -> Reply:
        """An answer that wasn't cut off: with more room if it takes that, or less if the server has no more."""
        limit, grown = self._experience.rooms.get(model, self._settings.max_output_tokens), False
        shrunk = False
        while True:
            try:
                reply = await self._patiently(ask, model, contents, limit, manner, bill, batch)
            except TooMuch as trouble:
                batch = ""
                most = self._experience.rooms.get(model, MOST_OUTPUT)
                if trouble.room and limit > LEAST_OUTPUT:
                    limit, shrunk = max(limit // (2 if grown else 4), LEAST_OUTPUT), True
                elif not trouble.question and not grown and limit < most:
                    limit, grown = min(2 * limit, most), True
                else:
                    raise
            else:
                if shrunk:
                    self._experience.rooms[model] = limit
                return reply

    async def _patiently(
        self,
        ask: Ask,
        model: str,
        contents: Sequence[types.Content],
        limit: int,
        manner: RequestStyle,
        bill: Cost,
        batch: str = "",
    ) -> Reply:
        """An answer of one model, after as many tries as it takes."""
        lost, empty, busy, waited = 0, 0, 0, 0.0
        while True:
            key = await self._rested_key(model)
            began = time.monotonic()
            try:
                if batch and self._batches:
                    return await self._sender.in_batch(
                        self._batches, ask, model, key, limit, manner, bill, batch
                    )
                return await self._sender.once(ask, model, key, contents, limit, manner, bill)
            except NotInBatch:
                batch = ""
            except KeyRefused as trouble:
                self._keys.reject(key, str(trouble))
            except OutOfQuota as trouble:
                self._keys.cool_down(key, model, trouble.delay)
            except RunStopped as stop:
                raise self._stop(str(stop)) from None
            except TryAgain as trouble:
                # What came of a job is asked for by itself; what no job took waits for the next one.
                batch = batch if isinstance(trouble, NotSubmitted) else ""
                pause = self._pause * 2 ** min(lost + busy, 6) * random.uniform(0.5, 1.0)
                if trouble.busy:
                    # Not lost: everybody leaves this key and model alone for a while.
                    busy += 1
                    wait = max(trouble.delay, pause)
                    self._keys.cool_down(key, model, wait)
                    waited += wait + time.monotonic() - began
                    if waited > PATIENCE:
                        raise
                    continue
                lost, empty = lost + 1, empty + trouble.answered
                if lost >= TRIES or empty >= EMPTY_TRIES:
                    if not batch:
                        raise
                    batch, lost = "", 0
                await asyncio.sleep(pause)

    async def _rested_key(self, model: str) -> str:
        """A key that may be used for a model now.

        Raises:
            RunStopped: no key is valid.
            OutOfQuota: every key has to rest for long.
        """
        while True:
            self._go_on()
            if not self._keys.usable:
                why = ", ".join(f"{name}: {what}" for name, what in self._keys.refused.items())
                raise self._stop(
                    f"The service refused the key{'s' if len(self._keys.refused) > 1 else ''} ({why}). Put a valid one "
                    "into the environment variable, and write again; nothing is lost."
                )
            key, wait = self._keys.choose(model)
            if not wait:
                return key
            if wait > LONG_REST:
                raise OutOfQuota(f"out of quota for {_about(wait)}", wait)
            await asyncio.sleep(wait + random.uniform(0, min(wait, 1.0)) / 10)


def _about(seconds: float) -> str:
    return f"{seconds / 3600:.0f} h" if seconds > 5400 else f"{max(seconds / 60, 1):.0f} min"
