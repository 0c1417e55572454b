"""Calls the service until there is an answer to work with, or says honestly that there is none.

The policies, by what `outcomes` tells apart: what is busy, lost or garbled is tried again, after as long as the server
asked for; a refused key is never used again; who is out of quota rests; what a model cut off gets more room, then is
split by whoever asked; what isn't as asked for is asked again with the remark; what a model won't do goes to the next.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar

import httpx2
from google import genai
from google.genai import types

from egregora_resources.llm.cache import ResponseCache
from egregora_resources.llm.gemini.asking import Ask, Bill, Unanswered
from egregora_resources.llm.gemini.batches import Batches, NotInBatch
from egregora_resources.llm.gemini.outcomes import (
    LONG_REST,
    KeyRefused,
    Malformed,
    OutOfQuota,
    Reply,
    TooMuch,
    Trouble,
    TryAgain,
    read,
    tokens_of,
    trouble_of,
)
from egregora_resources.llm.limits import Keys, Limits
from egregora_resources.llm.pricing import IMAGE_TOKENS, price
from egregora_resources.llm.protocol import Answer, ProviderError, RunStopped, Usage
from egregora_resources.llm.spending import Ledger
from egregora_resources.settings import ModelSettings

log = logging.getLogger("egregora.llm")
Output = TypeVar("Output")

TRIES = 6
"""Calls of one request to one model that may be lost before the model is given up for it."""
REASKS = 2
"""Times that a model is asked again whose answer isn't as asked for."""
PATIENCE = 900.0
"""Seconds that a request waits in all because the server says it is busy."""
MOST_OUTPUT = 65_536
"""Output tokens that a cut off answer is given at most, the second time."""
DOWN = 5
"""Requests in a row that got no answer at all: then the service is taken to be down."""


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
        self._settings, self._secrets, self._cache, self._ledger = settings, dict(keys), cache, ledger
        self._fresh, self._pause = fresh, pause
        self._batches = batches
        self._keys = Keys(list(self._secrets))
        self._clients: dict[str, genai.Client] = {}
        self._limits: Limits | None = None
        self._asked: dict[str, asyncio.Task[tuple[Any, str]]] = {}
        self._stopped: RunStopped | None = None
        self._unreached = 0
        self.peak = 0
        """Most calls that were in flight at the same time."""

    async def close(self) -> None:
        """Closes the connections of the running event loop."""
        for task in list(self._asked.values()):
            task.cancel()
        await asyncio.gather(*self._asked.values(), return_exceptions=True)
        if self._batches:
            await self._batches.close()
        clients, self._clients, self._limits = self._clients, {}, None
        self._asked = {}
        for client in clients.values():
            await client.aio.aclose()
            client.close()

    async def ask(
        self,
        ask: Ask,
        models: Sequence[str],
        check: Callable[[Reply], tuple[Output, str]],
        *,
        vital: bool = True,
    ) -> Answer[Output]:
        """The checked answer of the first of these models that gives one.

        Args:
            models: in order of preference; an answer of any but the first is marked as degraded.
            check: what an answer means, and what of it is kept in the cache (which it must accept, too, as
                a `Reply`'s text); raises `Malformed` if it isn't as asked for.
            vital: whether the run ends when nothing of the quota is left for it.

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
        bill = Bill()
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
        self,
        ask: Ask,
        models: Sequence[str],
        check: Callable[[Reply], tuple[Output, str]],
        bill: Bill,
        vital: bool,
    ) -> tuple[Output, str]:
        troubles: dict[str, Trouble] = {}
        for model in dict.fromkeys(models):
            degraded = "" if model == models[0] else model
            request = ask.hash(model)
            kept = await self._kept(request)
            if kept is not None:
                try:
                    return check(kept)[0], degraded
                except Malformed:
                    log.debug("an answer in the cache isn't as asked for any more")
            try:
                output, text = await self._checked(ask, model, check, bill)
            except Trouble as trouble:
                troubles[model] = trouble
                await self._settled(request)
                continue
            self._unreached = 0
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

    def _failure(self, ask: Ask, troubles: Mapping[str, Trouble], bill: Bill, vital: bool) -> Exception:
        told = "; ".join(f"{model}: {trouble}" for model, trouble in troubles.items())
        if vital and all(isinstance(trouble, OutOfQuota) for trouble in troubles.values()):
            wait = min(trouble.delay for trouble in troubles.values() if isinstance(trouble, OutOfQuota))
            return self._stop(
                f"The service's quota is used up ({told}). What was written is kept; write again in {_about(wait)}, "
                "or add a key ([model] api_key_env) or a model ([model] fallback_models)."
            )
        if any(not isinstance(trouble, TryAgain | OutOfQuota) for trouble in troubles.values()):
            too_much = any(isinstance(trouble, TooMuch) for trouble in troubles.values())
            return Unanswered(f"no model gave an answer ({told})", bill.usage, too_much=too_much)
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

    async def _checked(
        self, ask: Ask, model: str, check: Callable[[Reply], tuple[Output, str]], bill: Bill
    ) -> tuple[Output, str]:
        """An answer of one model that passed the check; it is asked again with what is wrong, a few times."""
        contents, limit = ask.contents(), self._settings.max_output_tokens
        # What is tried again or asked again isn't kept waiting for another job, nor is a run for its one last call.
        waits = ask.schema is not None and not ask.media and ask.task != "vocabulary"
        batch = ask.hash(model) if self._batches and waits else ""
        for attempt in range(REASKS + 1):
            try:
                reply = await self._patiently(ask, model, contents, limit, bill, batch)
            except TooMuch as trouble:
                if trouble.question or limit >= MOST_OUTPUT:
                    raise
                limit = min(2 * limit, MOST_OUTPUT)
                reply = await self._patiently(ask, model, contents, limit, bill)
            batch = ""
            try:
                return check(reply)
            except Malformed as trouble:
                log.info("%s of %s: %s", ask.task, ask.subjects.window, trouble)
                if attempt == REASKS:
                    raise
                contents = [
                    *ask.contents(),
                    types.Content(role="model", parts=[types.Part(text=reply.text[:200_000] or "{}")]),
                    types.Content(
                        role="user",
                        parts=[
                            types.Part(
                                text=f"That answer can't be used: {trouble.remark} Give the whole answer again, corrected."
                            )
                        ],
                    ),
                ]
        raise AssertionError("unreachable")

    async def _patiently(
        self,
        ask: Ask,
        model: str,
        contents: Sequence[types.Content],
        limit: int,
        bill: Bill,
        batch: str = "",
    ) -> Reply:
        """An answer of one model, after as many tries as it takes."""
        lost, waited = 0, 0.0
        while True:
            key = await self._rested_key(model)
            began = time.monotonic()
            try:
                if batch and self._batches:
                    return await self._in_batch(self._batches, ask, model, key, limit, bill, batch)
                return await self._once(ask, model, key, contents, limit, bill)
            except NotInBatch:
                batch = ""
            except KeyRefused as trouble:
                self._keys.refuse(key, str(trouble))
            except OutOfQuota as trouble:
                self._keys.rest(key, model, trouble.delay)
            except TryAgain as trouble:
                batch = ""
                pause = self._pause * 2 ** min(lost, 6) * random.uniform(0.5, 1.0)
                if trouble.delay or "429" in str(trouble):
                    # Busy, not lost: everybody leaves this key and model alone for a while.
                    wait = max(trouble.delay, pause)
                    self._keys.rest(key, model, wait)
                    waited += wait + time.monotonic() - began
                    if waited > PATIENCE:
                        raise
                    continue
                lost += 1
                if lost >= TRIES:
                    raise
                await asyncio.sleep(pause)

    async def _rested_key(self, model: str) -> str:
        """A key that may be used for a model now.

        Raises:
            RunStopped: no key is valid.
            OutOfQuota: every key has to rest for long.
        """
        while True:
            if self._stopped:
                raise self._stopped
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

    async def _once(
        self, ask: Ask, model: str, key: str, contents: Sequence[types.Content], limit: int, bill: Bill
    ) -> Reply:
        """One call, in the ledger from before it is sent."""
        settings, tokens = self._settings, ask.tokens()
        if self._limits is None:
            self._limits = Limits(
                settings.concurrency, requests=settings.requests_per_minute, tokens=settings.tokens_per_minute
            )
        async with self._limits.call(tokens):
            self.peak = max(self.peak, self._limits.peak)
            if self._stopped:
                raise self._stopped
            mode = "flex" if settings.mode == "flex" else "sync"
            return await self._booked(
                ask, model, limit, bill, mode, lambda: self._send(ask, model, key, contents, limit)
            )

    async def _in_batch(
        self, batches: Batches, ask: Ask, model: str, key: str, limit: int, bill: Bill, request: str
    ) -> Reply:
        """One request in a batch job, which takes none of the places for calls in flight."""
        return await self._booked(
            ask, model, limit, bill, "batch",
            lambda: batches.ask(
                self._client(key), key, model, request, ask.contents(), ask.config(limit, flex=False)
            ),
        )  # fmt: skip

    async def _booked(
        self,
        ask: Ask,
        model: str,
        limit: int,
        bill: Bill,
        mode: str,
        send: Callable[[], Awaitable[types.GenerateContentResponse]],
    ) -> Reply:
        """A call that is in the ledger from before it is sent, at the most it may cost until there is an answer."""
        tokens, output = ask.tokens(), 2 * IMAGE_TOKENS if ask.draws else limit
        images = output if ask.draws else 0
        call = await self._reserve(
            ask, model, price(model, tokens * 3 // 2, output, image_tokens=images, mode=mode)
        )
        counted, usd, outcome = (0, 0, 0), 0.0, "interrupted"
        try:
            response = await send()
            counted = tokens_of(response)
            usd = price(
                model, counted[0], counted[1], cached_tokens=counted[2],
                image_tokens=counted[1] if ask.draws else 0, mode=mode,
            )  # fmt: skip
            reply = read(response)
            outcome = "answered"
        except Trouble as trouble:
            outcome = str(trouble)
            if isinstance(trouble, TryAgain) and trouble.billed and not usd:
                usd = price(model, tokens, 0, mode=mode)
            raise
        except NotInBatch:
            outcome = "not in the batch"
            raise
        finally:
            bill.add(counted, usd)
            await asyncio.to_thread(
                self._ledger.settle, call, outcome, input_tokens=counted[0], output_tokens=counted[1],
                cached_tokens=counted[2], usd=usd,
            )  # fmt: skip
        return reply

    async def _reserve(self, ask: Ask, model: str, most: float) -> int:
        while True:
            try:
                call = await asyncio.to_thread(
                    self._ledger.reserve, ask.task, model, ask.subjects.window, most
                )
            except RunStopped as stop:
                raise self._stop(str(stop)) from None
            if call is not None:
                return call
            await asyncio.sleep(0.05)

    async def _send(
        self, ask: Ask, model: str, key: str, contents: Sequence[types.Content], limit: int
    ) -> types.GenerateContentResponse:
        client = self._client(key)
        config = ask.config(limit, flex=self._settings.mode == "flex")
        call: Awaitable[types.GenerateContentResponse] = client.aio.models.generate_content(
            model=model, contents=list(contents), config=config
        )
        try:
            # The client's own limit is for each read: a body that drips would never end.
            async with asyncio.timeout(self._settings.timeout_seconds * 1.1):
                return await call
        except Exception as error:
            raise trouble_of(error) from error

    def _client(self, key: str) -> genai.Client:
        """Kept, because a client that nobody refers to closes itself."""
        if key not in self._clients:
            settings = self._settings
            limits = httpx2.Limits(max_connections=settings.concurrency, max_keepalive_connections=None)
            self._clients[key] = genai.Client(
                api_key=self._secrets[key],
                vertexai=False,
                http_options=types.HttpOptions(
                    base_url=settings.base_url or None,
                    api_version=settings.api_version or None,
                    timeout=settings.timeout_seconds * 1000,
                    # Ours heeds what the server asks for, and disconnects.
                    retry_options=types.HttpRetryOptions(attempts=1),
                    async_client_args={"limits": limits},
                ),
            )
        return self._clients[key]


def _about(seconds: float) -> str:
    return f"{seconds / 3600:.0f} h" if seconds > 5400 else f"{max(seconds / 60, 1):.0f} min"
