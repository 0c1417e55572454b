"""`enrichments[w]`: what can be learnt of the links and media shared in a window.

A link or picture that can't be described is recorded as such, and fails nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from egregora_assets.pipeline.context import WindowWork
from egregora_assets.pipeline.conversation import urls_in
from egregora_assets.pipeline.stage import Stage
from egregora_assets.pipeline.worker import WorkerBase
from egregora_resources.document import Document
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


class EnrichmentWorker(WorkerBase):
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

    async def process_batch(self, items: list[Document]) -> list[Document]:
        links = [Link.model_validate(i.front_matter) for i in items if "url" in i.front_matter]
        media = [Picture.model_validate(i.front_matter) for i in items if "url" not in i.front_matter]
        request = NotesInput(window=items[0].window, links=links, media=media, language=self.language)
        try:
            notes = self.spent(await self.provider.enrich(request))
        except ProviderError as error:
            notes = Notes(
                links=[LinkNote(url=link.url, problem=str(error)) for link in links],
                media=[MediaNote(id=file.id, alt=file.caption, problem=str(error)) for file in media],
            )
        said: dict[str, LinkNote | MediaNote] = {note.url: note for note in notes.links}
        said |= {note.id: note for note in notes.media}
        return [
            self._described(item, said.get(item.front_matter.get("url", item.front_matter.get("id"))))
            for item in items
        ]

    def _described(self, item: Document, note: LinkNote | MediaNote | None) -> Document:
        learnt = note.model_dump(mode="json", exclude={"id", "url"}) if note else {}
        learnt = {
            key: self.clean(value) if isinstance(value, str) else value for key, value in learnt.items()
        }
        return Document(item.kind, item.id, item.window, None, {**item.front_matter, **learnt}, item.body)


class EnrichmentsStage(Stage):
    name: ClassVar[str] = "enrichments"
    after: ClassVar[tuple[str, ...]] = ("messages", "media")
    description: ClassVar[str] = "What can be learnt of the links and media shared in the window."
    task: ClassVar[Task | None] = "enrichments"
    worker: ClassVar[type[WorkerBase]] = EnrichmentWorker

    def reads(self, settings: Settings) -> Any:
        return [settings.pipeline.enrichment.model_dump(mode="json"), settings.site.language]

    def skip(self, work: WindowWork) -> str:
        return (
            ""
            if work.context.config.pipeline.enrichment.enabled
            else "[pipeline.enrichment] enabled is false"
        )

    def make_worker(self, work: WindowWork) -> WorkerBase:
        context = work.context
        return EnrichmentWorker(context.llm, language=context.people.language, clean=context.scrubber.scrub)

    def items(self, work: WindowWork) -> list[Document]:
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
                Link(url=url, message=message).model_dump(mode="json"),
            )
            for n, (url, message) in enumerate(links, 1)
        ] + [
            Document(
                "enrichment",
                f"{work.key}/media-{known['message']}",
                work.key,
                None,
                Picture(
                    id=known["media"], message=known["message"], kind=known["kind"], caption=known["caption"]
                ).model_dump(mode="json"),
            )
            for known in (d.front_matter for d in work.documents("media"))
            if known["view"]["path"]
        ]
