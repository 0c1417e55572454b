"""`profiles[w]`: what one window adds to the portraits of the people who speak in it; and how portraits are folded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import ClassVar

from pydantic import BaseModel

from egregora_assets.pipeline.context import Made, WindowWork
from egregora_assets.pipeline.conversation import WrittenStage, stretches, too_little, window_rules
from egregora_assets.pipeline.stage import made_by
from egregora_assets.pipeline.worker import WorkerBase
from egregora_resources.document import Document
from egregora_resources.llm.tasks import Observation, Stretch, Task
from egregora_resources.site.settings import Settings

PORTRAYED_EVERY = 4
"""Windows from one in which the people are portrayed anew to the next."""


class ProfileWorker(WorkerBase[Stretch, Observation]):
    """Observes the people of a stretch: one document a person."""

    async def process_batch(self, items: list[Document[Stretch]]) -> list[Document[Observation]]:
        documents: list[Document[Observation]] = []
        for item in items:
            stretch = item.front_matter
            answer = self.spent(await self.provider.observe(stretch))
            part = f"/{stretch.part}" if stretch.parts > 1 else ""
            documents += [
                Document("profile", f"{item.window}/{o.person}{part}", item.window, None, o)
                for o in answer.people
            ]
        return documents


class ProfilesStage(WrittenStage):
    name: ClassVar[str] = "profiles"
    after: ClassVar[tuple[str, ...]] = ("messages", "media", "enrichments")
    description: ClassVar[str] = "What the window adds to the portraits of its people."
    task: ClassVar[Task | None] = "profiles"
    documents: ClassVar[type[BaseModel]] = Observation

    def reads(self, settings: Settings) -> object:
        return [settings.pipeline.profiles.enabled, *window_rules(settings)]

    async def make(self, work: WindowWork) -> Made:
        due = work.context.order.get(work.key, 0) % PORTRAYED_EVERY == 0
        items = [
            replace(item, front_matter=item.front_matter.model_copy(update={"portraits": due}))
            for item in stretches(work)
        ]
        return await made_by(ProfileWorker(work.context.llm), items)

    def is_frozen(self, settings: Settings) -> bool:
        return not settings.pipeline.profiles.update_on_new_messages

    def skip(self, work: WindowWork) -> str:
        if not work.context.config.pipeline.profiles.enabled:
            return "[pipeline.profiles] enabled is false"
        return too_little(work)


@dataclass
class Portrait:
    """Everything observed of one person, over all windows."""

    messages: int = 0
    words: int = 0
    hours: list[int] = field(default_factory=lambda: [0] * 24)
    weeks: dict[str, int] = field(default_factory=dict[str, int])
    topics: Counter[str] = field(default_factory=Counter[str])
    talks_with: Counter[str] = field(default_factory=Counter[str])
    favourite_words: Counter[str] = field(default_factory=Counter[str])
    notes: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    portrait: str = ""
    """The newest."""
    first: datetime | None = None
    last: datetime | None = None


def combine_portraits(
    documents: Sequence[Document[Observation]], members: Iterable[str]
) -> Mapping[str, Portrait]:
    """Folds observations, in window order, into a portrait for each of the members."""
    portraits = {token: Portrait() for token in members}
    for document in sorted(documents, key=lambda d: (d.window, d.id)):
        seen = document.front_matter
        portrait = portraits.get(seen.person)
        if portrait is None:
            continue
        portrait.messages += seen.messages
        portrait.words += seen.words
        portrait.hours = [a + b for a, b in zip(portrait.hours, seen.hours, strict=True)]
        portrait.weeks[document.window] = portrait.weeks.get(document.window, 0) + seen.messages
        portrait.topics.update(seen.topics)
        portrait.talks_with.update({t: n for t, n in seen.talks_with.items() if t in portraits})
        portrait.favourite_words.update(seen.favourite_words)
        portrait.notes += [(document.window, note) for note in seen.notes]
        portrait.portrait = seen.portrait or portrait.portrait
        portrait.first = min(filter(None, (portrait.first, seen.first)))
        portrait.last = max(filter(None, (portrait.last, seen.last)))
    return portraits
