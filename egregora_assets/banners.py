"""`banners[w]`: a picture for each of the window's posts."""

from __future__ import annotations

from typing import ClassVar

from pydantic import BaseModel

from egregora_assets.pipeline.context import Made, WindowWork
from egregora_assets.pipeline.stage import Stage, made_by
from egregora_assets.pipeline.worker import WorkerBase
from egregora_resources.document import Document
from egregora_resources.document_kinds import BannerMatter, PostMatter
from egregora_resources.llm.tasks import BannerInput, Task
from egregora_resources.site.settings import Settings


class BannerWorker(WorkerBase[PostMatter, BannerMatter]):
    """Illustrates posts, a batch a call."""

    batch_size = 5

    async def process_batch(self, items: list[Document[PostMatter]]) -> list[Document[BannerMatter]]:
        requests = [
            BannerInput(
                post_id=item.id,
                window=item.window,
                dek=item.front_matter.dek,
                title=item.front_matter.title,
                category=item.front_matter.category,
                tags=item.front_matter.tags,
            )
            for item in items
        ]
        banners = self.spent(await self.provider.illustrate(requests))
        return [
            Document(
                "banner", item.id, item.window, None, BannerMatter(format=b.format, alt=b.alt), b.content
            )
            for item, b in zip(items, banners, strict=True)
        ]


class BannersStage(Stage):
    name: ClassVar[str] = "banners"
    after: ClassVar[tuple[str, ...]] = ("posts",)
    description: ClassVar[str] = "A picture for each of the window's posts."
    task: ClassVar[Task | None] = "banners"
    documents: ClassVar[type[BaseModel]] = BannerMatter

    def reads(self, settings: Settings) -> object:
        return settings.pipeline.banners.enabled

    def skip(self, work: WindowWork) -> str:
        return "" if work.context.config.pipeline.banners.enabled else "[pipeline.banners] enabled is false"

    async def make(self, work: WindowWork) -> Made:
        worker = BannerWorker(work.context.llm, batch_size=work.context.config.pipeline.banners.batch_size)
        return await made_by(worker, work.documents("posts", PostMatter))
