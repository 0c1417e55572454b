"""WorkerBase as the reference document has it."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from egregora_assets.pipeline.worker import WorkerBase
from egregora_resources.document import Document
from egregora_resources.llm.offline import OfflineProvider
from egregora_resources.llm.protocol import Answer
from egregora_resources.usage import Usage


def documents(count: int) -> list[Document]:
    return [Document("note", str(n), body=f"note {n}") for n in range(count)]


class CustomWorker(WorkerBase):
    """The one of the reference document."""

    async def process_batch(self, items: list[Document]) -> list[Document]:
        results = list[Document]()
        for item in items:
            processed = await self.process_item(item)
            results.append(processed)
        return results

    async def process_item(self, item: Document) -> Document:
        return replace(item, body=item.body.upper())


class Counting(WorkerBase):
    """Notes batches, and how many items are in work at once."""

    def __init__(self, *, batch_size: int | None = None, concurrency: int | None = None) -> None:
        super().__init__(batch_size=batch_size, concurrency=concurrency)
        self.batches: list[int] = []
        self.now = self.most = 0

    async def process_batch(self, items: list[Document]) -> list[Document]:
        self.batches.append(len(items))
        return await super().process_batch(items)

    async def process_item(self, item: Document) -> Document:
        self.now += 1
        self.most = max(self.most, self.now)
        await asyncio.sleep(0.001 * (int(item.id) % 3))
        self.now -= 1
        return item


def test_a_worker_is_made_without_arguments_and_processes_a_batch():
    worker = CustomWorker()
    assert isinstance(worker.provider, OfflineProvider)
    results = asyncio.run(worker.process_batch(documents(2)))
    assert [result.body for result in results] == ["NOTE 0", "NOTE 1"]


def test_without_a_batch_of_its_own_items_are_processed_at_once_and_keep_their_order():
    worker = Counting(concurrency=3)
    results = asyncio.run(worker.process_batch(documents(10)))
    assert [result.id for result in results] == [str(n) for n in range(10)]
    assert worker.most == 3


def test_any_number_of_documents_is_worked_through_in_batches():
    worker = Counting(batch_size=4)
    results = asyncio.run(worker.run(documents(10)))
    assert sorted(worker.batches, reverse=True) == [4, 4, 2]
    assert [result.id for result in results] == [str(n) for n in range(10)]
    assert asyncio.run(worker.run([])) == []


def test_the_first_failure_is_raised_as_itself():
    class Failing(WorkerBase):
        async def process_item(self, item: Document) -> Document:
            raise ZeroDivisionError(item.id)

    with pytest.raises(ZeroDivisionError):
        asyncio.run(Failing().run(documents(3)))


def test_a_worker_that_says_nothing_of_items_or_batches_says_so():
    class Empty(WorkerBase):
        pass

    with pytest.raises(NotImplementedError, match="Empty has neither process_item nor process_batch"):
        asyncio.run(Empty().process_batch(documents(1)))


def test_what_answers_cost_adds_up():
    worker = WorkerBase()
    assert worker.spent(Answer("a", Usage(1, 10, 5, 0.5), degraded="the small model")) == "a"
    worker.spent(Answer("b", Usage(1, 20, 5, 0.25)))
    assert worker.usage == Usage(2, 30, 10, 0.75)
    assert worker.degraded == "the small model"
