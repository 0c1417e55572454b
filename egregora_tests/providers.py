"""Providers for tests: the offline one, that counts what it is asked, takes its time, and fails where it is told to."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Collection, Sequence
from typing import ClassVar, TypeVar

from pydantic import BaseModel

from egregora_resources.errors import ProviderError
from egregora_resources.llm.offline import OfflineProvider
from egregora_resources.llm.protocol import Answer
from egregora_resources.llm.tasks import (
    Banner,
    BannerInput,
    Digest,
    LinkNote,
    LinkUse,
    MediaNote,
    Notes,
    NotesInput,
    Observations,
    PictureUse,
    PostDraft,
    Posts,
    PostsInput,
    Prose,
    Quote,
    Section,
    Stretch,
)
from egregora_resources.usage import Usage

Output = TypeVar("Output")


class WatchedProvider(OfflineProvider):
    """Notes every task it is asked for.

    Args:
        seconds: that every task takes, asleep.
        failing: windows whose posts can't be written.
        degraded: names the fallback that gives the answers.
    """

    def __init__(self, seconds: float = 0, failing: Collection[str] = (), degraded: str = "") -> None:
        self.seconds, self.failing, self.degraded = seconds, set(failing), degraded
        self.asked: list[tuple[str, str]] = []
        """(task, window), as they began."""
        self.answered: list[tuple[str, str]] = []
        self.writing: set[str] = set()
        self.most_windows = 0
        """Windows in work at the same time, at most."""
        self.requests: list[PostsInput] = []

    @property
    def counts(self) -> Counter[str]:
        return Counter(task for task, _ in self.asked)

    async def _begin(self, task: str, window: str) -> None:
        self.asked.append((task, window))
        self.writing.add(window)
        self.most_windows = max(self.most_windows, len(self.writing))
        await asyncio.sleep(self.seconds)
        self.writing.discard(window)
        self.answered.append((task, window))

    async def enrich(self, request: NotesInput) -> Answer[Notes]:
        await self._begin("enrich", "")
        return await super().enrich(request)

    async def digest(self, request: Stretch) -> Answer[Digest]:
        await self._begin("digest", request.window)
        return self._paid(await super().digest(request))

    async def observe(self, request: Stretch) -> Answer[Observations]:
        await self._begin("observe", request.window)
        return self._paid(await super().observe(request))

    async def write(self, request: PostsInput) -> Answer[Posts]:
        self.requests.append(request)
        await self._begin("write", request.stretch.window)
        if request.stretch.window in self.failing:
            raise ProviderError("the model is out of order (503)")
        return self._paid(await super().write(request))

    async def illustrate(self, requests: Sequence[BannerInput]) -> Answer[list[Banner]]:
        await self._begin("illustrate", requests[0].post_id.rsplit("-", 1)[0] if requests else "")
        return await super().illustrate(requests)

    def _paid(self, answer: Answer[Output]) -> Answer[Output]:
        return Answer(answer.output, Usage(1, 100, 10, 0.01), self.degraded)


class EverywhereWatched(WatchedProvider):
    """Stands in for `OfflineProvider` where the settings choose the provider; all instances note in one place."""

    all_asked: ClassVar[list[tuple[str, str]]] = []
    all_failing: ClassVar[set[str]] = set()

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.failing = self.all_asked, self.all_failing


class EchoProvider(OfflineProvider):
    """Says all that it is asked, everywhere that a provider can say something; keeps it in `prompts`."""

    prompts: ClassVar[list[str]] = []

    def _heard(self, request: BaseModel) -> str:
        text = request.model_dump_json()
        self.prompts.append(text)
        return text

    async def enrich(self, request: NotesInput) -> Answer[Notes]:
        self._heard(request)
        return Answer(
            Notes(
                links=[LinkNote(url=link.url, read=True, title=link.url, summary=link.title) for link in request.links],
                media=[MediaNote(id=m.id, described=True, alt=m.caption, summary=m.caption) for m in request.media],
            )
        )  # fmt: skip

    async def digest(self, request: Stretch) -> Answer[Digest]:
        answer = await super().digest(request)
        return Answer(answer.output.model_copy(update={"summary": self._heard(request)}))

    async def observe(self, request: Stretch) -> Answer[Observations]:
        self._heard(request)
        answer = await super().observe(request)
        for seen in answer.output.people:
            seen.notes = [said.text for said in request.messages if said.author == seen.person]
        return answer

    async def write(self, request: PostsInput) -> Answer[Posts]:
        self._heard(request)
        said = request.stretch.messages
        sections = [
            Section(
                heading=message.text[:60],
                blocks=[Prose(text=message.text or "–"), Quote(message=message.id)],
                sources=[message.id],
            )
            for message in said
        ]
        sections[0].blocks += [PictureUse(id=picture.id) for picture in request.stretch.pictures]
        sections[0].blocks += [LinkUse(url=link.url) for link in request.stretch.links]
        draft = PostDraft(
            title=" ".join(message.text[:30] for message in said[-5:])[:150] or "–",
            dek=" ".join(message.text for message in said)[:400],
            category=said[0].text[:40],
            tags=[message.text[:30] for message in said],
            people=[message.author for message in said],
            sections=sections,
        )
        return Answer(Posts(posts=[draft]))

    async def illustrate(self, requests: Sequence[BannerInput]) -> Answer[list[Banner]]:
        answer = await super().illustrate(requests)
        for request, banner in zip(requests, answer.output, strict=True):
            banner.alt = self._heard(request)
        return answer
