"""`digests[w]`: what a window was about, in a few lines: the memory that writers of later windows are given."""

from __future__ import annotations

from typing import ClassVar

from pydantic import BaseModel

from egregora_assets.pipeline.context import Made, WindowWork
from egregora_assets.pipeline.conversation import WrittenStage, stretches
from egregora_assets.pipeline.stage import made_by
from egregora_assets.pipeline.worker import WorkerBase
from egregora_resources.document import Document
from egregora_resources.llm.tasks import Digest, Stretch, Task


class DigestWorker(WorkerBase[Stretch, Digest]):
    """Condenses a stretch of conversation."""

    async def process_item(self, item: Document[Stretch]) -> Document[Digest]:
        answer = self.spent(await self.provider.digest(item.front_matter))
        digest = answer.model_copy(update={"window": item.window})
        return Document("digest", item.id, item.window, None, digest, digest.summary)


class DigestsStage(WrittenStage):
    name: ClassVar[str] = "digests"
    after: ClassVar[tuple[str, ...]] = ("messages", "media", "enrichments")
    description: ClassVar[str] = (
        "What the window was about, in a few lines: the memory of later windows' writers."
    )
    task: ClassVar[Task | None] = "digests"
    documents: ClassVar[type[BaseModel]] = Digest

    async def make(self, work: WindowWork) -> Made:
        return await made_by(DigestWorker(work.context.llm), stretches(work))
