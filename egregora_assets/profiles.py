"""`profiles[w]`: what one window adds to the portraits of the people who speak in it; and how portraits are folded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from egregora_assets.pipeline.context import WindowWork
from egregora_assets.pipeline.conversation import WrittenStage, too_little, window_rules
from egregora_assets.pipeline.worker import WorkerBase
from egregora_resources.document import Document
from egregora_resources.llm.tasks import Observation, Stretch, Task
from egregora_resources.site.settings import Settings

PORTRAYED_EVERY = 4
"""Windows from one in which the people are portrayed anew to the next."""


class ProfileWorker(WorkerBase):
    """Observes the people of a stretch: one document a person."""

    async def process_batch(self, items: list[Document]) -> list[Document]:
        documents: list[Document] = []
        for item in items:
            stretch = Stretch.model_validate(item.front_matter)
            answer = self.spent(await self.provider.observe(stretch))
            part = f"/{stretch.part}" if stretch.parts > 1 else ""
            documents += [
                Document(
                    "profile", f"{item.window}/{o.person}{part}", item.window, None, o.model_dump(mode="json")
                )
                for o in answer.people
            ]
        return documents


class ProfilesStage(WrittenStage):
    name: ClassVar[str] = "profiles"
    after: ClassVar[tuple[str, ...]] = ("messages", "media", "enrichments")
    description: ClassVar[str] = "What the window adds to the portraits of its people."
    task: ClassVar[Task | None] = "profiles"
    worker: ClassVar[type[WorkerBase]] = ProfileWorker

    def reads(self, settings: Settings) -> object:
        return [settings.pipeline.profiles.enabled, *window_rules(settings)]

    def items(self, work: WindowWork) -> list[Document]:
        due = work.context.order.get(work.key, 0) % PORTRAYED_EVERY == 0
        return [
            replace(item, front_matter={**item.front_matter, "portraits": due})
            for item in super().items(work)
        ]

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
    first: Any = None
    last: Any = None


def combine_portraits(documents: Sequence[Document], members: Iterable[str]) -> Mapping[str, Portrait]:
    """Folds observations, in window order, into a portrait for each of the members."""
    portraits = {token: Portrait() for token in members}
    for document in sorted(documents, key=lambda d: (d.window, d.id)):
        seen = Observation.model_validate(document.front_matter)
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
