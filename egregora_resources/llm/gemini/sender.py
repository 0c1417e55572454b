"""One call: paced, in the ledger from before it is sent, through a client that is kept; what came of it is a reply or a trouble."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Awaitable, Callable, Mapping, Sequence

import httpx2
from google import genai
from google.genai import types

from egregora_resources.llm.gemini.batches import Batches, NotInBatch
from egregora_resources.llm.gemini.outcomes import CallFailure, Reply, TryAgain, failure_of, read, tokens_of
from egregora_resources.llm.gemini.request import Ask, Cost, RequestStyle
from egregora_resources.llm.limits import Limits
from egregora_resources.llm.pricing import IMAGE_TOKENS, price
from egregora_resources.llm.spending import Ledger
from egregora_resources.site.settings import ModelSettings

# The client warns of names that it doesn't know; `outcomes` tells what they mean, and the owner can do nothing about it.
warnings.filterwarnings("ignore", message=r".* is not a valid \w+", module=r"google\.genai")

COMPATIBLE_VERSION = "v1beta"
"""Of the interface, that compatible services have where the settings say nothing; Google's has the library's own."""

FLEX_SECONDS = 1_000
"""What is asked for at half the price may take a quarter of an hour: given up earlier, it would be paid again."""


class Sender:
    """Sends calls, for all windows of a process.

    Args:
        settings: ``[model]``.
        keys: environment variable → key.
        usable: whether the key of this name may still be used.
        ledger: of what calls cost.
        go_on: raises `RunStopped` when no call makes sense any more.
    """

    def __init__(
        self,
        settings: ModelSettings,
        keys: Mapping[str, str],
        usable: Callable[[str], bool],
        ledger: Ledger,
        go_on: Callable[[], None],
    ) -> None:
        self._settings, self._secrets, self._usable = settings, dict(keys), usable
        self._ledger, self._go_on = ledger, go_on
        self._timeout = max(settings.timeout_seconds, FLEX_SECONDS if settings.mode == "flex" else 0)
        self._clients: dict[str, genai.Client] = {}
        self._limits: Limits | None = None
        self._purse = asyncio.Lock()
        self.peak = 0
        """Most calls that were in flight at the same time."""

    async def close(self) -> None:
        """Closes the connections of the running event loop."""
        clients, self._clients, self._limits = self._clients, {}, None
        self._purse = asyncio.Lock()
        for client in clients.values():
            await client.aio.aclose()
            client.close()

    async def once(
        self,
        ask: Ask,
        model: str,
        key: str,
        contents: Sequence[types.Content],
        limit: int,
        manner: RequestStyle,
        bill: Cost,
    ) -> Reply:
        """One call.

        Raises:
            CallFailure: there is no answer, or not all of it.
            RunStopped: the budget is used up.
        """
        settings, tokens = self._settings, ask.tokens()
        if self._limits is None:
            self._limits = Limits(
                settings.concurrency, requests=settings.requests_per_minute, tokens=settings.tokens_per_minute
            )
        async with self._limits.call(tokens):
            self.peak = max(self.peak, self._limits.peak)
            self._go_on()
            mode = "flex" if settings.mode == "flex" else "sync"
            return await self._booked(
                ask, model, limit, bill, mode, lambda: self._send(ask, model, key, contents, limit, manner)
            )

    async def in_batch(
        self,
        batches: Batches,
        ask: Ask,
        model: str,
        key: str,
        limit: int,
        manner: RequestStyle,
        bill: Cost,
        request: str,
    ) -> Reply:
        """One request in a batch job, which takes none of the places for calls in flight.

        Raises:
            NotInBatch: there was no job, or no answer in it.
            CallFailure, RunStopped: as for `once`.
        """
        return await self._booked(
            ask, model, limit, bill, "batch",
            lambda: batches.ask(
                self._usable_client, key, model, request, ask.contents(manner), ask.config(limit, manner, flex=False)
            ),
        )  # fmt: skip

    async def _booked(
        self,
        ask: Ask,
        model: str,
        limit: int,
        bill: Cost,
        mode: str,
        send: Callable[[], Awaitable[types.GenerateContentResponse]],
    ) -> Reply:
        """A call that is in the ledger from before it is sent, at the most it may cost until there is an answer."""
        tokens, output = ask.tokens(), 2 * IMAGE_TOKENS if ask.draws else limit
        images = output if ask.draws else 0
        most = price(model, tokens * 3 // 2, output, image_tokens=images, mode=mode)
        # An answer that nobody waited for was asked for all the same. A batch job's is still to be had.
        least = 0.0 if mode == "batch" else price(model, tokens, 0, mode=mode)
        call = await self._reserve(ask, model, most, least)
        counted, usd, outcome = (0, 0, 0), least, "interrupted"
        try:
            response = await send()
            counted = tokens_of(response, tokens)
            usd = price(
                model, counted[0], counted[1], cached_tokens=counted[2],
                image_tokens=counted[1] if ask.draws else 0, mode=mode,
            )  # fmt: skip
            reply = read(response)
            outcome = "answered"
        except CallFailure as trouble:
            outcome = str(trouble)
            if not any(counted):
                usd = least if isinstance(trouble, TryAgain) and trouble.billed else 0.0
            raise
        except NotInBatch:
            outcome, usd = "not in the batch", 0.0
            raise
        finally:
            bill.add(counted, usd)
            await asyncio.to_thread(
                self._ledger.settle, call, outcome, input_tokens=counted[0], output_tokens=counted[1],
                cached_tokens=counted[2], usd=usd,
            )  # fmt: skip
        return reply

    async def _reserve(self, ask: Ask, model: str, most: float, least: float) -> int:
        # In turn: of hundreds that wait for a batch job to give something back, one looks.
        async with self._purse:
            while True:
                call = await asyncio.to_thread(
                    self._ledger.reserve, ask.task, model, ask.subjects.window, most=most, least=least
                )
                if call is not None:
                    return call
                await asyncio.sleep(0.1)

    async def _send(
        self,
        ask: Ask,
        model: str,
        key: str,
        contents: Sequence[types.Content],
        limit: int,
        manner: RequestStyle,
    ) -> types.GenerateContentResponse:
        client = self._client(key)
        config = ask.config(limit, manner, flex=self._settings.mode == "flex")
        call: Awaitable[types.GenerateContentResponse] = client.aio.models.generate_content(
            model=model, contents=list(contents), config=config
        )
        try:
            # The client's own limit is for each read: a body that drips would never end.
            async with asyncio.timeout(self._timeout * 1.1):
                return await call
        except Exception as error:
            raise failure_of(error) from error

    def _usable_client(self, key: str) -> genai.Client | None:
        return self._client(key) if self._usable(key) else None

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
                    api_version=settings.api_version or (COMPATIBLE_VERSION if settings.base_url else None),
                    timeout=self._timeout * 1000,
                    # Ours heeds what the server asks for, and disconnects.
                    retry_options=types.HttpRetryOptions(attempts=1),
                    async_client_args={"limits": limits},
                ),
            )
        return self._clients[key]
