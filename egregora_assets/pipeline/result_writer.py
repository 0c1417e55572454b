"""The one writer thread of a run: stores results in small batches, then reports them.

So that no connection is held while models work, and that no event precedes its row.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import TypeAlias

from egregora_resources.document import Document, Message
from egregora_resources.warehouse.database import Warehouse
from egregora_resources.warehouse.results import StageResult, commit_results, mark_reported

Entry: TypeAlias = tuple[StageResult, Sequence[Document], Sequence[Message] | None]
BATCH = 50


class ResultWriter:
    """Use as a context manager; on exit everything submitted is stored and reported.

    Args:
        warehouse: where results go.
        report: called from the writer thread for every stored result; may be slow.
    """

    def __init__(self, warehouse: Warehouse, report: Callable[[StageResult], None] | None) -> None:
        self._warehouse, self._report = warehouse, report
        self._queue: queue.Queue[Entry | None] = queue.Queue()
        self._thread = threading.Thread(target=self._work, name="egregora-writer", daemon=True)
        self._failure: BaseException | None = None
        self._counting, self._pending = threading.Lock(), 0
        self._idle = threading.Event()
        self._idle.set()

    def __enter__(self) -> ResultWriter:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._queue.put(None)
        self._thread.join()
        if self._failure and error is None:
            raise self._failure

    def submit(
        self,
        result: StageResult,
        documents: Sequence[Document] = (),
        messages: Sequence[Message] | None = None,
    ) -> None:
        """Hands a result over; raises what the writer thread died of, if it did."""
        if self._failure:
            raise self._failure
        with self._counting:
            self._pending += 1
            self._idle.clear()
        self._queue.put((result, documents, messages))

    def flush(self) -> None:
        """Returns when everything submitted so far is stored."""
        while not self._failure and not self._idle.wait(0.2):
            continue
        if self._failure:
            raise self._failure

    def _work(self) -> None:
        reported: list[StageResult] = []
        try:
            while True:
                batch, last = self._next_batch()
                if batch:
                    commit_results(self._warehouse, batch)
                    for result, _, _ in batch:
                        if self._report:
                            self._report(result)
                            reported.append(result)
                    # In one go with what comes next would be cheaper, but a kill would repeat more events.
                    mark_reported(self._warehouse, reported)
                    reported.clear()
                    self._settle(len(batch))
                if last:
                    return
        except BaseException as error:
            self._failure = error

    def _settle(self, count: int) -> None:
        with self._counting:
            self._pending -= count
            if not self._pending:
                self._idle.set()

    def _next_batch(self) -> tuple[list[Entry], bool]:
        batch: list[Entry] = []
        entry = self._queue.get()
        while entry is not None:
            batch.append(entry)
            if len(batch) == BATCH:
                return batch, False
            try:
                entry = self._queue.get_nowait()
            except queue.Empty:
                return batch, False
        return batch, True
