"""`enrichments[w]`: what can be learnt of the links and media shared in a window.

A link or picture that can't be described is recorded as such, and fails nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, ClassVar

from pydantic import BaseModel

from egregora_assets.pipeline.context import Made, WindowWork
from egregora_assets.pipeline.conversation import urls_in
from egregora_assets.pipeline.stage import Stage, made_by
from egregora_assets.pipeline.worker import WorkerBase
from egregora_resources.document import Document
from egregora_resources.document_kinds import Enrichment, LinkEnrichment, MediaEnrichment, MediaMatter
from egregora_resources.errors import ProviderError
from egregora_resources.llm.tasks import (
    NOTES_A_REQUEST,
    Link,
    LinkNote,
    MediaNote,
    Notes,
    NotesInput,
    Picture,
    Task,
)
from egregora_resources.site.settings import Settings


class EnrichmentWorker(WorkerBase[Enrichment, Enrichment]):
    """Describes links and media, a batch a call.

    Args:
        language: to write in.
        clean: takes numbers, addresses and names out of what pages and pictures say.
    """

    batch_size = NOTES_A_REQUEST

    def __init__(
        self, *args: Any, language: str = "en", clean: Callable[[str], str] = str, **options: Any
    ) -> None:
        super().__init__(*args, **options)
        self.language, self.clean = language, clean

    async def process_batch(self, items: list[Document[Enrichment]]) -> list[Document[Enrichment]]:
        wanted = [item.front_matter.root for item in items]
        links: list[Link] = [one for one in wanted if isinstance(one, LinkEnrichment)]
        media: list[Picture] = [one for one in wanted if isinstance(one, MediaEnrichment)]
        request = NotesInput(window=items[0].window, links=links, media=media, language=self.language)
        try:
            notes = self.spent(await self.provider.enrich(request))
        except ProviderError as error:
            notes = Notes(
                links=[LinkNote(url=link.url, problem=str(error)) for link in links],
                media=[MediaNote(id=file.id, alt=file.caption, problem=str(error)) for file in media],
            )
        of_links = {note.url: note for note in notes.links}
        of_media = {note.id: note for note in notes.media}
        return [
            replace(item, front_matter=Enrichment(self._learnt(one, of_links, of_media)))
            for item, one in zip(items, wanted, strict=True)
        ]

    def _learnt(
        self,
        one: LinkEnrichment | MediaEnrichment,
        links: Mapping[str, LinkNote],
        media: Mapping[str, MediaNote],
    ) -> LinkEnrichment | MediaEnrichment:
        clean = self.clean
        if isinstance(one, LinkEnrichment):
            page = links.get(one.url, LinkNote(url=one.url))
            return LinkEnrichment(
                url=one.url,
                title=clean(page.title),
                summary=clean(page.summary),
                message=one.message,
                read=page.read,
                problem=clean(page.problem),
            )
        note = media.get(one.id, MediaNote(id=one.id))
        return MediaEnrichment(
            id=one.id,
            message=one.message,
            kind=one.kind,
            caption=one.caption,
            alt=clean(note.alt),
            summary=clean(note.summary),
            described=note.described,
            text=clean(note.text),
            problem=clean(note.problem),
        )


class EnrichmentsStage(Stage):
    name: ClassVar[str] = "enrichments"
    after: ClassVar[tuple[str, ...]] = ("messages", "media")
    description: ClassVar[str] = "What can be learnt of the links and media shared in the window."
    task: ClassVar[Task | None] = "enrichments"
    documents: ClassVar[type[BaseModel]] = Enrichment

    def reads(self, settings: Settings) -> Any:
        return [settings.pipeline.enrichment.model_dump(mode="json"), settings.site.language]

    def skip(self, work: WindowWork) -> str:
        return (
            ""
            if work.context.config.pipeline.enrichment.enabled
            else "[pipeline.enrichment] enabled is false"
        )

    async def make(self, work: WindowWork) -> Made:
        context = work.context
        worker = EnrichmentWorker(context.llm, language=context.people.language, clean=context.scrubber.scrub)
        return await made_by(worker, self._items(work))

    def _items(self, work: WindowWork) -> list[Document[Enrichment]]:
        first: dict[str, int] = {}
        for message in work.messages:
            for url in urls_in(message.text):
                first.setdefault(url, message.id)
        links = list(first.items())[: work.context.config.pipeline.enrichment.max_urls_per_window]
        return [
            Document(
                "enrichment",
                f"{work.key}/link-{n}",
                work.key,
                None,
                Enrichment(LinkEnrichment(url=url, message=message)),
            )
            for n, (url, message) in enumerate(links, 1)
        ] + [
            Document(
                "enrichment",
                f"{work.key}/media-{file.message}",
                work.key,
                None,
                Enrichment(
                    MediaEnrichment(id=file.media, message=file.message, kind=file.kind, caption=file.caption)
                ),
            )
            for file in (document.front_matter for document in work.documents("media", MediaMatter))
            if file.view.path
        ]
