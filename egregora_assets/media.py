"""`media[w]`: the window's pictures, voices and files, made fit for the site (upright, small, without metadata)."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any, ClassVar

from pydantic import BaseModel

from egregora_assets.pipeline.context import Made, WindowWork
from egregora_assets.pipeline.stage import Stage, made_by
from egregora_assets.pipeline.worker import WorkerBase
from egregora_resources.document import Document, Message, absent
from egregora_resources.document_kinds import AttachmentMatter, MediaMatter
from egregora_resources.media.store import DAMAGED, MediaStore
from egregora_resources.publishing.content import MediaView


class MediaWorker(WorkerBase[AttachmentMatter, AttachmentMatter]):
    """Makes the web versions of stored originals. Without a store there is nothing to make them from."""

    concurrency = 2

    def __init__(self, store: MediaStore | None = None, **options: Any) -> None:
        super().__init__(**options)
        self.store = store

    async def process_item(self, item: Document[AttachmentMatter]) -> Document[AttachmentMatter]:
        file = item.front_matter
        if self.store is None or isinstance(file, MediaMatter):
            return item
        view = await asyncio.to_thread(self.store.view, file.media, file.kind, file.extension)
        return replace(
            item,
            front_matter=MediaMatter(
                media=file.media,
                message=file.message,
                caption=file.caption,
                kind=file.kind,
                extension=file.extension,
                view=view,
            ),
        )


class MediaStage(Stage):
    name: ClassVar[str] = "media"
    after: ClassVar[tuple[str, ...]] = ("messages",)
    description: ClassVar[str] = "Pictures, voices and files of the window, made fit for the site."
    kinds: ClassVar[frozenset[str]] = frozenset({"pillow"})
    documents: ClassVar[type[BaseModel]] = MediaMatter

    async def make(self, work: WindowWork) -> Made:
        items = [
            Document("media", f"{work.key}/{m.id}", work.key, None, _front_matter(work, m, m.media))
            for m in work.messages
            if m.media and (m.media in work.context.media or absent(m.media))
        ]
        return await made_by(MediaWorker(work.context.media_store), items)


def _front_matter(work: WindowWork, message: Message, media: str) -> AttachmentMatter:
    if not absent(media):
        kind, extension = work.context.media[media]
        return AttachmentMatter(
            media=media, message=message.id, caption=message.text, kind=kind, extension=extension
        )
    kind = (message.data or {}).get("file", "document")
    # Without a sentence of its own, the page says in its language that the export hasn't got the file.
    sentence = DAMAGED if absent(media) == "damaged" else ""
    view = MediaView(media, kind, None, missing=sentence)
    return MediaMatter(
        media=media, message=message.id, caption=message.text, kind=kind, extension="", view=view
    )
