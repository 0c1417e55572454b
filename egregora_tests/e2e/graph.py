"""The definitions of these tests: the real graph, with a provider that fails or dawdles while a marker file says so.

`dagster dev -f` loads this file for the site named by ``EGREGORA_SITE``.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import dagster as dg

from egregora_assets.definitions import build_definitions
from egregora_resources.dagster_resources import LlmResource
from egregora_resources.errors import ProviderError
from egregora_resources.llm.offline import OfflineProvider
from egregora_resources.llm.protocol import Answer, Provider
from egregora_resources.llm.tasks import Posts, PostsInput, Task
from egregora_resources.site.settings import Settings


def fails(site: Path, window: str) -> Path:
    """While this file is there, the posts of a window can't be written."""
    return site / f"{window}.fails"


def dawdles(site: Path, window: str) -> Path:
    """While this file is there, the posts of a window aren't finished."""
    return site / f"{window}.dawdles"


def updated(site: Path) -> Path:
    """While this file is there, posts are written by a newer model."""
    return site / "updated"


class MoodyProvider(OfflineProvider):
    """The offline provider in a bad mood."""

    def __init__(self, site: Path) -> None:
        self.site = site

    def model(self, task: Task) -> str:
        return super().model(task) + (" updated" if task == "posts" and updated(self.site).exists() else "")

    async def write(self, request: PostsInput) -> Answer[Posts]:
        window = request.stretch.window
        if fails(self.site, window).exists():
            raise ProviderError("the writer is out of ink")
        while dawdles(self.site, window).exists():
            await asyncio.sleep(0.1)
        return await super().write(request)


class MoodyLlm(LlmResource):
    """Swapped in for the site's own."""

    def provider(self, settings: Settings) -> Provider:
        del settings
        return MoodyProvider(Path(self.site))


@dg.definitions
def defs() -> dg.Definitions:
    site = Path(os.environ["EGREGORA_SITE"])
    return build_definitions(site, llm=MoodyLlm(site=str(site)))
