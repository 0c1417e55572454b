"""The embedded provider: no key, no network, no download, the same answer every time.

It extracts and counts; it never invents. Its only own words stand in ``phrases.toml``. One module per task
(`posts`, `digests`, `profiles`, `enrichments`, `banners`) over one way of reading a stretch (`analysis`, which
uses `language`, `tokenizer`, `topics`, `keyphrases`).
"""

from __future__ import annotations

from collections.abc import Sequence

from egregora_resources.llm.offline import banners, digests, enrichments, posts, profiles
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

VERSIONS: dict[Task, int] = {"enrichments": 2, "digests": 2, "profiles": 2, "posts": 2, "banners": 1}
"""Raised when a task's algorithm changes what it answers: stored results become stale."""


class OfflineProvider:
    """Does every task on this machine."""

    name = "offline"

    def model(self, task: Task) -> str:
        return f"offline-{VERSIONS[task]}"

    def prompt(self, task: Task) -> str:
        del task
        return ""

    def tokens(self, text: str) -> int:
        return -(-len(text) // 4)

    async def close(self) -> None:
        """Nothing is open."""

    async def enrich(self, request: NotesInput) -> Answer[Notes]:
        return Answer(enrichments.enrich(request))

    async def digest(self, request: Stretch) -> Answer[Digest]:
        return Answer(digests.digest(request))

    async def observe(self, request: Stretch) -> Answer[Observations]:
        return Answer(profiles.observe(request))

    async def write(self, request: PostsInput) -> Answer[Posts]:
        return Answer(posts.write(request))

    async def illustrate(self, requests: Sequence[BannerInput]) -> Answer[list[Banner]]:
        return Answer([banners.banner(request) for request in requests])

    async def merge(self, request: Terms) -> Answer[Merges]:
        """None: what differs in more than case, accents and plural takes somebody who knows the words."""
        del request
        return Answer(Merges())
