"""`posts[w]`: what is written about a window, with the messages each section was made from.

A post's id is the window's key and an ordinal; its URL, once published, never changes.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from pydantic import BaseModel

from egregora_assets.pipeline.context import Made, PipelineContext, WindowWork
from egregora_assets.pipeline.conversation import WrittenStage, stretches, too_little, window_rules
from egregora_assets.pipeline.memory import memory_of, remembered
from egregora_assets.pipeline.taxonomy import merge_new_terms
from egregora_assets.pipeline.worker import WorkerBase
from egregora_resources.document import Document, Message, fingerprint
from egregora_resources.document_kinds import LinkedPage, PostMatter
from egregora_resources.errors import ProviderError
from egregora_resources.llm.tasks import (
    Digest,
    PictureUse,
    PostDraft,
    PostsInput,
    Prose,
    Quote,
    Section,
    Stretch,
    Task,
)
from egregora_resources.site.settings import Settings


class PostsWorker(WorkerBase[Stretch, PostMatter]):
    """Has stretches of conversation written about: a document a post, none when there is nothing to say."""

    def __init__(
        self,
        *args: Any,
        memory: Sequence[Digest] = (),
        vocabulary: Sequence[str] = (),
        instructions: str = "",
        **options: Any,
    ) -> None:
        super().__init__(*args, **options)
        self.memory, self.vocabulary, self.instructions = list(memory), list(vocabulary), instructions
        self.nothing_because: list[str] = []

    async def process_batch(self, items: list[Document[Stretch]]) -> list[Document[PostMatter]]:
        documents: list[Document[PostMatter]] = []
        for item in items:
            stretch = item.front_matter
            request = PostsInput(
                stretch=stretch,
                memory=self.memory,
                vocabulary=self.vocabulary,
                instructions=self.instructions,
            )
            whole = await self.provider.write(request)
            answer, degraded = self.spent(whole), whole.degraded
            extract = "offline" in (self.provider.name, degraded)
            if not answer.posts:
                self.nothing_because.append(answer.nothing_because)
            for draft in answer.posts:
                check_draft(draft, stretch)
                documents.append(_document(item.window, draft, stretch, self.memory, extract))
        return documents


def check_draft(draft: PostDraft, stretch: Stretch) -> None:
    """Refuses a post that quotes, cites or shows what isn't in its window.

    Raises:
        ProviderError: naming the message or picture.
    """
    known = {said.id for said in stretch.messages}
    pictures = {picture.id for picture in stretch.pictures}
    for section in draft.sections:
        cited = [*section.sources, *(block.message for block in section.blocks if isinstance(block, Quote))]
        for block in section.blocks:
            if isinstance(block, PictureUse) and block.id not in pictures:
                raise ProviderError(f"the post shows picture {block.id[:24]}, which isn't in its window")
        for message in cited:
            if message not in known:
                raise ProviderError(f"the post cites message {message}, which isn't in its window")


def _document(
    window: str, draft: PostDraft, stretch: Stretch, memory: Sequence[Digest], extract: bool
) -> Document[PostMatter]:
    sections = [_sources(section, stretch) for section in draft.sections]
    sources = sorted(set[int]().union(*sections))
    times = {said.id: said.time for said in stretch.messages}
    spans = [times[message] for message in sources] or [said.time for said in stretch.messages]
    return Document(
        "post",
        "",
        window,
        None,
        PostMatter(
            title=draft.title,
            dek=draft.dek,
            category=draft.category,
            tags=draft.tags,
            people=draft.people,
            language=draft.language,
            sources=sources,
            sections=sections,
            start=min(spans),
            end=max(spans),
            so_far=stretch.so_far,
            extract=extract,
            memory=list(dict.fromkeys(digest.window for digest in memory)),
            links={
                link.url: LinkedPage(title=link.title, summary=link.summary)
                for link in stretch.links
                if link.message in sources
            },
        ),
        body_of(draft),
    )


def _sources(section: Section, stretch: Stretch) -> list[int]:
    """The messages that a section was made from: those it cites, quotes and shows the pictures of."""
    quoted = {block.message for block in section.blocks if isinstance(block, Quote)}
    shown = {block.id for block in section.blocks if isinstance(block, PictureUse)}
    pictured = {picture.message for picture in stretch.pictures if picture.id in shown}
    return sorted({*section.sources} | quoted | pictured)


def body_of(draft: PostDraft) -> str:
    """The body as it is stored: prose, and lines that stand for quotes, pictures and links."""
    lines: list[str] = []
    for section in draft.sections:
        if section.heading:
            lines.append(f"## {section.heading}")
        for block in section.blocks:
            if isinstance(block, Prose):
                # Prose can't pretend to be one of the lines below.
                lines.append(re.sub(r"\{(?=\s*(?:quote|picture|link)\b)", "(", block.text))
            elif isinstance(block, Quote):
                lines.append(f"{{quote {block.message}}}")
            elif block.type == "picture":
                lines.append(f"{{picture {block.id}}}")
            else:
                lines.append(f"{{link {block.url}}}")
    return "\n\n".join(lines)


class PostsStage(WrittenStage):
    name: ClassVar[str] = "posts"
    after: ClassVar[tuple[str, ...]] = ("messages", "media", "enrichments", "digests")
    barrier: ClassVar[tuple[str, ...]] = ("digests",)
    description: ClassVar[str] = "Posts written from the window's conversation."
    task: ClassVar[Task | None] = "posts"
    documents: ClassVar[type[BaseModel]] = PostMatter

    def reads(self, settings: Settings) -> object:
        return [settings.model.instructions, *window_rules(settings)]

    def depends(self, work: WindowWork) -> Mapping[str, str]:
        gone = [
            [window, what] for window in memory_of(work) for what in work.context.withdrawals.get(window, ())
        ]
        return {"so_far": "running" if work.so_far else "", "memory": fingerprint(gone) if gone else ""}

    def skip(self, work: WindowWork) -> str:
        return too_little(work)

    async def conclude(self, context: PipelineContext) -> None:
        await merge_new_terms(context.storage, context.llm, context.people.language)

    async def make(self, work: WindowWork) -> Made:
        memory = remembered(work)
        worker = PostsWorker(
            work.context.llm,
            memory=memory,
            vocabulary=work.context.vocabulary,
            instructions=work.context.scrubber.scrub(work.context.config.model.instructions),
        )
        posts = number(await worker.run(stretches(work)), work.key)
        note = "" if posts else next(iter(worker.nothing_because), "nothing of substance was said")
        return Made(posts, note=note, usage=worker.usage, degraded=worker.degraded)


def number(posts: Sequence[Document[PostMatter]], window: str) -> list[Document[PostMatter]]:
    """Gives the posts of a window their ids.

    A post's URL is made of its id alone: so it never changes, and holds no word that somebody may take back.
    """
    ids = [f"{window}-{ordinal}" for ordinal in range(1, len(posts) + 1)]
    return [replace(post, id=post_id, slug=post_id.lower()) for post_id, post in zip(ids, posts, strict=True)]


def shown_messages(
    messages: Mapping[int, Message], body: str, sources: Collection[int]
) -> dict[int, Message]:
    """The messages that a post's body quotes, and those of `sources` whose pictures it shows."""
    quoted = [int(message) for message in re.findall(r"(?m)^\{quote (\d{1,18})\}$", body)]
    pictures = set(re.findall(r"(?m)^\{picture (\S+)\}$", body))
    sent = [message for message in sources if message in messages and messages[message].media in pictures]
    return {message: messages[message] for message in [*quoted, *sent] if message in messages}
