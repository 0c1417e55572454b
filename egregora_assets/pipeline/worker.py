"""WorkerBase: an async worker that takes documents in and gives documents out.

Enrichments, digests, profiles, posts and banners are made by workers; so is whatever an extender adds. A worker
knows no window, no warehouse and no Dagster: documents and a provider are all it sees.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable, Sequence
from typing import Any, Generic

from pydantic import BaseModel
from typing_extensions import TypeVar

from egregora_resources.document import Document
from egregora_resources.llm.offline import OfflineProvider
from egregora_resources.llm.protocol import Answer, Provider
from egregora_resources.usage import Usage

Output = TypeVar("Output")
Taken = TypeVar("Taken", bound=BaseModel, default=BaseModel)
Given = TypeVar("Given", bound=BaseModel, default=BaseModel)


class WorkerBase(Generic[Taken, Given]):
    """Processes documents in batches.

    Override `process_item` for one document in, one out; or `process_batch` where a call serves many documents,
    or where one document gives several or none. ``WorkerBase[PostMatter, Haiku]`` takes documents with one model of
    front matter and gives documents with another; bare, it takes and gives any.

    Args:
        provider: does the tasks that need a model; the embedded offline provider when left out.
        batch_size: documents that `run` hands to `process_batch` at a time.
        concurrency: items of a batch, and batches, in work at the same time.

    Example:
        >>> class Shout(WorkerBase):
        ...     async def process_item(self, item: Document) -> Document:
        ...         return replace(item, body=item.body.upper())
        >>> results = await Shout().process_batch(documents)
    """

    batch_size: int = 10
    concurrency: int = 4

    def __init__(
        self,
        provider: Provider | None = None,
        *,
        batch_size: int | None = None,
        concurrency: int | None = None,
    ) -> None:
        self.provider: Provider = provider if provider is not None else OfflineProvider()
        self.batch_size = batch_size or self.batch_size
        self.concurrency = concurrency or self.concurrency
        self.usage = Usage()
        """What the answers cost so far."""
        self.degraded = ""
        """Names the fallback that gave an answer, if one did."""

    async def run(self, items: Sequence[Document[Taken]]) -> list[Document[Given]]:
        """Processes any number of documents, batch by batch; results keep the order of the items."""
        batches = [list(items[i : i + self.batch_size]) for i in range(0, len(items), self.batch_size)]
        gate = asyncio.Semaphore(self.concurrency)

        async def one(batch: list[Document[Taken]]) -> list[Document[Given]]:
            async with gate:
                return await self.process_batch(batch)

        return [document for done in await _all(map(one, batches)) for document in done]

    async def process_batch(self, items: list[Document[Taken]]) -> list[Document[Given]]:
        """Processes a batch: by default each item by itself, concurrently, in order."""
        gate = asyncio.Semaphore(self.concurrency)

        async def one(item: Document[Taken]) -> Document[Given]:
            async with gate:
                return await self.process_item(item)

        return await _all(map(one, items))

    async def process_item(self, item: Document[Taken]) -> Document[Given]:
        """Processes one document."""
        raise NotImplementedError(f"{type(self).__name__} has neither process_item nor process_batch")

    def spent(self, answer: Answer[Output]) -> Output:
        """The answer's output, once its cost is noted."""
        self.usage += answer.usage
        self.degraded = self.degraded or answer.degraded
        return answer.output


async def _all(work: Iterable[Coroutine[Any, Any, Output]]) -> list[Output]:
    """Results in order; the first failure cancels the rest and is raised as itself."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one) for one in work]
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None
    return [task.result() for task in tasks]
