"""Limits that all windows of a process share: calls in flight, calls and tokens a minute, keys and models at rest."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager

MINUTE = 60.0


class Limits:
    """How many calls may be in flight, and begin in any minute.

    Args:
        concurrency: calls in flight.
        requests: calls that begin in any 60 seconds; 0 for any number.
        tokens: estimated input tokens that are sent in any 60 seconds; 0 for any number. A call larger than
            that goes when it is alone in its minute.
        clock: seconds that only grow.

    Belongs to one event loop.
    """

    def __init__(
        self,
        concurrency: int,
        *,
        requests: int = 0,
        tokens: int = 0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._gate = asyncio.Semaphore(concurrency)
        self._turn = asyncio.Lock()
        self._requests, self._tokens, self._clock = requests, tokens, clock
        self._begun: deque[tuple[float, int]] = deque()
        self.in_flight = 0
        self.peak = 0
        """Most calls that were in flight at the same time."""

    @asynccontextmanager
    async def call(self, tokens: int) -> AsyncGenerator[None]:
        """Waits until a call of so many tokens may begin; held while it is in flight."""
        async with self._gate:
            if self._requests or self._tokens:
                await self._pace(tokens)
            self.in_flight += 1
            self.peak = max(self.peak, self.in_flight)
            try:
                yield
            finally:
                self.in_flight -= 1

    async def _pace(self, tokens: int) -> None:
        # One at a time, in the order of arrival, so that a large call isn't overtaken for ever.
        async with self._turn:
            while wait := self._wait(tokens):
                await asyncio.sleep(wait)
            self._begun.append((self._clock(), tokens))

    def _wait(self, tokens: int) -> float:
        now = self._clock()
        while self._begun and self._begun[0][0] <= now - MINUTE:
            self._begun.popleft()
        sent = sum(size for _, size in self._begun)
        full = self._requests and len(self._begun) >= self._requests
        heavy = self._tokens and self._begun and sent + tokens > self._tokens
        return max(self._begun[0][0] + MINUTE - now, 0.001) if full or heavy else 0.0


class Keys:
    """The keys there are, which of them a service refused, and which pairs of key and model are out of quota.

    Args:
        names: of the environment variables that hold the keys: what may be told.
        clock: seconds that only grow.
    """

    def __init__(self, names: Sequence[str], clock: Callable[[], float] = time.monotonic) -> None:
        self._names, self._clock = list(names), clock
        self._until: dict[tuple[str, str], float] = {}
        self.refused: dict[str, str] = {}
        """Name → why."""

    @property
    def usable(self) -> list[str]:
        return [name for name in self._names if name not in self.refused]

    def choose(self, model: str) -> tuple[str, float]:
        """The key to use for a model, and for how many seconds to wait first; keys take turns."""
        now = self._clock()
        name = min(self.usable, key=lambda name: max(self._until.get((name, model), 0.0), now))
        # To the end of the row: the next call takes another one.
        self._names.remove(name)
        self._names.append(name)
        return name, max(self._until.get((name, model), 0.0) - now, 0.0)

    def cool_down(self, name: str, model: str, seconds: float) -> None:
        """Doesn't use a key for a model for `seconds`."""
        pair = (name, model)
        self._until[pair] = max(self._until.get(pair, 0.0), self._clock() + seconds)

    def reject(self, name: str, why: str) -> None:
        """Never uses a key again."""
        self.refused.setdefault(name, why)
