"""`media[w]`: the window's pictures, voices and files, made fit for the site (upright, small, without metadata)."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from typing import Any, ClassVar

from egregora_assets.stage import Made, Stage, WindowWork
from egregora_assets.worker import WorkerBase
from egregora_resources.document import Document
from egregora_resources.media_store import MediaStore


class MediaWorker(WorkerBase):
    """Makes the web versions of stored originals. Without a store there is nothing to make them from."""

    concurrency = 2

    def __init__(self, store: MediaStore | None = None, **options: Any) -> None:
        super().__init__(**options)
        self.store = store

    async def process_item(self, item: Document) -> Document:
        if self.store is None:
            return item
        known = item.front_matter
        view = await asyncio.to_thread(self.store.view, known["media"], known["kind"], known["extension"])
        return Document(item.kind, item.id, item.window, None, {**known, "view": asdict(view)}, item.body)


class MediaStage(Stage):
    name: ClassVar[str] = "media"
    after: ClassVar[tuple[str, ...]] = ("messages",)
    description: ClassVar[str] = "Pictures, voices and files of the window, made fit for the site."
    kinds: ClassVar[frozenset[str]] = frozenset({"pillow"})

    def items(self, work: WindowWork) -> list[Document]:
        known = {media: (kind, extension) for media, kind, extension in work.context.media.values()}
        return [
            Document(
                "media",
                f"{work.key}/{message.id}",
                work.key,
                None,
                {
                    "media": message.media,
                    "kind": known[message.media][0],
                    "extension": known[message.media][1],
                    "message": message.id,
                    "caption": message.text,
                },
            )
            for message in work.messages
            if message.media in known
        ]

    async def make(self, work: WindowWork) -> Made:
        return Made(await MediaWorker(work.context.media_store).run(self.items(work)))
