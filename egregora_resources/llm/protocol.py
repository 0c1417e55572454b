"""The tasks that stages ask for, with typed inputs and outputs, and the protocol that providers implement.

What does not belong here: how a provider does a task (`offline/`, `gemini/`), and what a stage
does with the answer (`egregora_assets`). Inputs hold anonymised text only: people are pseudonym tokens
(``amber-heron``), standing as ``@amber-heron`` inside text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

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
from egregora_resources.usage import Usage

Output = TypeVar("Output")


@dataclass(frozen=True, slots=True)
class Answer(Generic[Output]):
    """A provider's answer. `degraded` names the fallback provider or model that gave it, if one did."""

    output: Output
    usage: Usage = Usage()
    degraded: str = ""


class Provider(Protocol):
    """Does the tasks. Methods may be called concurrently from one event loop."""

    @property
    def name(self) -> str: ...

    def model(self, task: Task) -> str:
        """What does this task, e.g. a model's name or ``offline-3``: a change makes the stage stale."""
        ...

    def prompt(self, task: Task) -> str:
        """A hash of the words the task is put in, empty where there are none: a change makes the stage stale."""
        ...

    def tokens(self, text: str) -> int:
        """Estimated tokens of a text."""
        ...

    async def close(self) -> None:
        """Closes the connections of the running event loop; a later task opens new ones."""
        ...

    async def enrich(self, request: NotesInput) -> Answer[Notes]: ...

    async def digest(self, request: Stretch) -> Answer[Digest]: ...

    async def observe(self, request: Stretch) -> Answer[Observations]: ...

    async def write(self, request: PostsInput) -> Answer[Posts]: ...

    async def illustrate(self, requests: Sequence[BannerInput]) -> Answer[list[Banner]]: ...

    async def merge(self, request: Terms) -> Answer[Merges]: ...
