"""`digests[w]`: what a window was about, in a few lines: the memory that writers of later windows are given."""

from __future__ import annotations

from typing import ClassVar

from egregora_assets.pipeline.conversation import WrittenStage
from egregora_assets.pipeline.worker import WorkerBase
from egregora_resources.document import Document
from egregora_resources.llm.tasks import Stretch, Task


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
