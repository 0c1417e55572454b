"""`digests[w]`: what a window was about, in a few lines: the memory that writers of later windows are given."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import ClassVar

from egregora_assets.conversation import WrittenStage
from egregora_assets.worker import WorkerBase
from egregora_resources.document import Document
from egregora_resources.llm.protocol import Digest, Stretch, Task

REMEMBERED = 3
"""Digests of earlier windows that a writer is given at most."""


class DigestWorker(WorkerBase):
    """Condenses a stretch of conversation."""

    async def process_item(self, item: Document) -> Document:
        answer = self.spent(await self.provider.digest(Stretch.model_validate(item.front_matter)))
        digest = answer.model_copy(update={"window": item.window})
        return Document("digest", item.id, item.window, None, digest.model_dump(mode="json"), digest.summary)


class DigestsStage(WrittenStage):
    name: ClassVar[str] = "digests"
    after: ClassVar[tuple[str, ...]] = ("messages", "media", "enrichments")
    description: ClassVar[str] = (
        "What the window was about, in a few lines: the memory of later windows' writers."
    )
    task: ClassVar[Task | None] = "digests"
    worker: ClassVar[type[WorkerBase]] = DigestWorker


def related(digests: Sequence[Digest], earlier: Sequence[Digest]) -> list[str]:
    """Keys of the earlier windows that share most with these digests, in time order; the same for the same input."""
    wanted = set[str]().union(*(_words(digest) for digest in digests))
    scores: dict[str, float] = {}
    for digest in earlier:
        words = _words(digest)
        shared = len(wanted & words)
        if shared >= 2:
            scores[digest.window] = max(scores.get(digest.window, 0.0), shared / (len(words) ** 0.5 or 1))
    best = sorted(scores, key=lambda window: (-scores[window], window))[:REMEMBERED]
    return sorted(best)


def _words(digest: Digest) -> set[str]:
    return {word for topic in digest.topics for word in re.findall(r"\w{4,}", topic.casefold())}
