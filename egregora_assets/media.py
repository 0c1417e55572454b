"""`media[w]`: the window's pictures, voices and files, made fit for the site (upright, small, without metadata)."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from typing import Any, ClassVar

from egregora_assets.pipeline.context import Made, WindowWork
from egregora_assets.pipeline.stage import Stage
from egregora_assets.pipeline.worker import WorkerBase
from egregora_resources.document import Document, Message, absent
from egregora_resources.media.store import DAMAGED, MediaStore
from egregora_resources.publishing.content import MediaView


class MediaWorker(WorkerBase):
    """Makes the web versions of stored originals. Without a store there is nothing to make them from."""

    concurrency = 2

    def __init__(self, store: MediaStore | None = None, **options: Any) -> None:
        super().__init__(**options)
        self.store = store

    async def process_item(self, item: Document) -> Document:
        known = item.front_matter
        if self.store is None or "view" in known:
            return item
        view = await asyncio.to_thread(self.store.view, known["media"], known["kind"], known["extension"])
        return Document(item.kind, item.id, item.window, None, {**known, "view": asdict(view)}, item.body)


class MediaStage(Stage):
    name: ClassVar[str] = "media"
    after: ClassVar[tuple[str, ...]] = ("messages",)
    description: ClassVar[str] = "Pictures, voices and files of the window, made fit for the site."
    kinds: ClassVar[frozenset[str]] = frozenset({"pillow"})

    def items(self, work: WindowWork) -> list[Document]:
        return [
            Document(
                "media",
                f"{work.key}/{message.id}",
                work.key,
                None,
                {"media": message.media, "message": message.id, "caption": message.text}
                | _particulars(work, message, message.media),
            )
            for message in work.messages
            if message.media and (message.media in work.context.media or absent(message.media))
        ]

    async def make(self, work: WindowWork) -> Made:
        return Made(await MediaWorker(work.context.media_store).run(self.items(work)))


def _particulars(work: WindowWork, message: Message, media: str) -> dict[str, Any]:
    if not absent(media):
        kind, extension = work.context.media[media]
        return {"kind": kind, "extension": extension}
    kind = (message.data or {}).get("file", "document")
    # Without a sentence of its own, the page says in its language that the export hasn't got the file.
    sentence = DAMAGED if absent(media) == "damaged" else ""
    return {"kind": kind, "extension": "", "view": asdict(MediaView(media, kind, None, missing=sentence))}
