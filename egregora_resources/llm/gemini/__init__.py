"""The provider over google-genai, for Google's models and whatever serves the same interface.

`sending` makes one call, and `outcomes` tells apart what came of it; `caller` gets an answer whatever happens; `tasks` and `seeing`
say what is asked, and `checking` what is made of the answers; `wire` is their form; `reading` is how a conversation is shown.

This module loads none of them before the first task: the graph is defined, and a plan made, without the client.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from egregora_resources.document import fingerprint
from egregora_resources.errors import RunStopped
from egregora_resources.llm.database import LlmStore
from egregora_resources.llm.prompting import Prompts
from egregora_resources.llm.protocol import Answer
from egregora_resources.llm.tasks import (
    Banner,
    BannerInput,
    Digest,
    Merges,
    Notes,
    NotesInput,
    Observations,
    Posts,
    PostsInput,
    Stretch,
    Task,
    Terms,
)
from egregora_resources.site.folder import SiteFolder
from egregora_resources.site.settings import ModelSettings
from egregora_resources.site.site import Site

if TYPE_CHECKING:
    from egregora_resources.llm.gemini.caller import Caller
    from egregora_resources.llm.gemini.media_tasks import SeeingTasks
    from egregora_resources.llm.gemini.text_tasks import WritingTasks

KEYS = ("GOOGLE_API_KEY", "GEMINI_API_KEY")
"""Where a key is looked for when the settings name no variables; the first that is set holds it."""

VERSIONS: dict[Task, int] = {"enrichments": 1, "digests": 1, "profiles": 1, "posts": 1, "banners": 1}
"""Raised when what is asked of a model changes apart from its prompt: stored results become stale."""

PROMPTS: dict[Task, tuple[str, ...]] = {
    "enrichments": ("links", "media"),
    "digests": ("digests",),
    "profiles": ("profiles",),
    "posts": ("posts",),
    "banners": ("banners",),
}
"""The prompts that a task is put in."""


class KeyMissing(RunStopped):
    """No key is in the environment."""


class NotAgreed(RunStopped):
    """The owner hasn't agreed to send anything to the service."""


class GeminiProvider:
    """Does the tasks with models. One a run.

    Args:
        site: whose settings, prompts and kept answers they use; nothing is opened before the first task.
        fresh: ask anew what is in the cache.
        budget: names the run whose budget counts; a run of its own if left out.
        prompts: task → text, in place of the site's own.
        pause: as for `Caller`.
        waits: seconds to gather and to poll, as for `Batches`.
    """

    name = "gemini"

    def __init__(
        self,
        site: Site,
        *,
        fresh: bool = False,
        budget: str = "",
        prompts: Mapping[str, str] | None = None,
        pause: float = 1.0,
        waits: tuple[float, float] | None = None,
    ) -> None:
        self._waits = waits
        self._settings, self._folder = site.settings, site.folder
        self._fresh, self._pause = fresh, pause
        self._prompts = Prompts(site.folder.prompts, prompts)
        self._hashes: dict[Task, str] = {}
        self._store = LlmStore(site.folder.llm)
        self._run = budget or uuid.uuid4().hex
        self._made: tuple[Caller, WritingTasks, SeeingTasks] | None = None

    def model(self, task: Task) -> str:
        return f"{self.name}/{getattr(self._settings.model.names, task)}"

    def prompt(self, task: Task) -> str:
        # Once a run: the runner asks for every stage of every window.
        if task not in self._hashes:
            parts = [self._prompts.hash(name) for name in PROMPTS[task]]
            self._hashes[task] = fingerprint(VERSIONS[task], parts)
        return self._hashes[task]

    def tokens(self, text: str) -> int:
        # By bytes: a letter of Hindi or Japanese takes more of them, and more tokens.
        return -(-len(text.encode()) // 4)

    async def enrich(self, request: NotesInput) -> Answer[Notes]:
        return await self._seeing.enrich(request)

    async def digest(self, request: Stretch) -> Answer[Digest]:
        return await self._writing.digest(request)

    async def observe(self, request: Stretch) -> Answer[Observations]:
        return await self._writing.observe(request)

    async def write(self, request: PostsInput) -> Answer[Posts]:
        return await self._writing.write(request)

    async def illustrate(self, requests: Sequence[BannerInput]) -> Answer[list[Banner]]:
        return await self._seeing.illustrate(requests)

    async def merge(self, request: Terms) -> Answer[Merges]:
        model = self._settings.model
        return await self._writing.merge(request, [model.names.vocabulary, *model.fallback_models])

    async def close(self) -> None:
        if self._made:
            await self._made[0].close()
            self._store.close()

    @property
    def peak(self) -> int:
        """Most calls that were in flight at the same time."""
        return self._made[0].peak if self._made else 0

    @property
    def _writing(self) -> WritingTasks:
        return self._make()[1]

    @property
    def _seeing(self) -> SeeingTasks:
        return self._make()[2]

    def _make(self) -> tuple[Caller, WritingTasks, SeeingTasks]:
        """Built at the first task: commands that only look need neither key nor client."""
        if self._made:
            return self._made
        from egregora_resources.llm.cache import ResponseCache
        from egregora_resources.llm.gemini.batches import Batches
        from egregora_resources.llm.gemini.caller import Caller
        from egregora_resources.llm.gemini.media_tasks import SeeingTasks
        from egregora_resources.llm.gemini.text_tasks import WritingTasks
        from egregora_resources.llm.offline import OfflineProvider
        from egregora_resources.llm.spending import Ledger
        from egregora_resources.media.store import MediaStore

        model = self._settings.model
        if not agreed(model, self._folder):
            raise NotAgreed(
                f"Nobody has agreed yet to send anonymised text to {service(model)}. Run `egregora write`, which asks, or "
                f"set [model] send_without_asking = true in {self._folder.settings}."
            )
        store = self._store
        ledger = Ledger(
            store, self._run, per_run=model.budget_usd_per_run, per_month=model.budget_usd_per_month
        )
        caller = Caller(
            model,
            keys(model, self._folder),
            ResponseCache(store) if model.enable_caching else None,
            ledger,
            batches=Batches(store, *(self._waits or ())) if model.mode == "batch" else None,
            fresh=self._fresh,
            pause=self._pause,
        )
        media = MediaStore(self._folder.media)
        self._made = (
            caller,
            WritingTasks(
                caller, self._prompts, self._models, OfflineProvider() if model.offline_fallback else None
            ),
            SeeingTasks(caller, self._prompts, self._models, media.shareable),
        )
        return self._made

    def _models(self, task: Task) -> list[str]:
        own = getattr(self._settings.model.names, task)
        # Those that write can't draw.
        return (
            [own] if task == "banners" else list(dict.fromkeys([own, *self._settings.model.fallback_models]))
        )


def keys(model: ModelSettings, folder: SiteFolder) -> dict[str, str]:
    """Environment variable → key, for every one that the settings name and that is set.

    Raises:
        KeyMissing: none is set.
    """
    names = model.api_key_env or KEYS
    found = {name: key for name in names if (key := os.environ.get(name, "").strip())}
    if not found:
        raise KeyMissing(
            f"There is no key for {service(model)}: {' or '.join(names)} must be set in the environment (never in "
            f'{folder.settings}). Without a key, set [model] provider = "offline" there.'
        )
    if not model.api_key_env:
        return dict([next(iter(found.items()))])
    # The same key under two names is one key.
    return {name: key for name, key in found.items() if next(n for n in found if found[n] == key) == name}


def service(model: ModelSettings) -> str:
    """Who is asked, in words."""
    return model.base_url or "Google's Gemini service"


def agreed(model: ModelSettings, folder: SiteFolder) -> bool:
    """Whether the owner agreed to send anonymised text to this service."""
    if model.send_without_asking:
        return True
    return folder.consent.exists() and folder.consent.read_text(encoding="utf-8").strip() == service(model)


def agree(model: ModelSettings, folder: SiteFolder) -> None:
    """Notes that the owner agreed."""
    folder.consent.write_text(service(model) + "\n", encoding="utf-8")
