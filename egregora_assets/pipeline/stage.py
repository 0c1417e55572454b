"""What a stage of the graph is: its place, what its results depend on, and how one window of it is made.

The built-in stages live in the modules named after them; an extender's stage needs no more than these classes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from pydantic import BaseModel

from egregora_assets.pipeline.context import Made, PipelineContext, WindowWork
from egregora_assets.pipeline.worker import Given, Taken, WorkerBase
from egregora_resources.document import Document, FrontMatter, fingerprint
from egregora_resources.llm.tasks import Task
from egregora_resources.site.settings import Settings


class Stage:
    """A column of the graph. Subclass, name it, and say how one window of it is made.

    Example:
        >>> class HaikuStage(Stage):
        ...     name, after, code = "haiku", ("posts",), "1"
        ...     description, documents = "A haiku for every post.", Haiku
        ...     async def make(self, work):
        ...         return await made_by(HaikuWorker(work.context.llm), work.documents("posts", PostMatter))
    """

    name: ClassVar[str]
    after: ClassVar[tuple[str, ...]] = ("messages",)
    """Stages whose results of the same window this one reads."""
    barrier: ClassVar[tuple[str, ...]] = ()
    """Stages that must be through for every window of the run before this one starts."""
    code: ClassVar[str] = "1"
    """Changed by hand when the stage's logic changes what it makes."""
    description: ClassVar[str] = ""
    kinds: ClassVar[frozenset[str]] = frozenset({"python"})
    task: ClassVar[Task | None] = None
    """The provider's task, whose model is part of what a result depends on."""
    documents: ClassVar[type[BaseModel]] = FrontMatter
    """The model of its documents' front matter."""

    def reads(self, settings: Settings) -> Any:
        """The settings that results depend on, as JSON-able values."""
        del settings
        return None

    def is_frozen(self, settings: Settings) -> bool:
        """Whether a window's result, once made, is left as it is whatever changes."""
        del settings
        return False

    def depends(self, work: WindowWork) -> Mapping[str, str]:
        """Further particulars of a window that its result depends on."""
        del work
        return {}

    def skip(self, work: WindowWork) -> str:
        """Why nothing is to be made of this window; empty if something is."""
        del work
        return ""

    async def make(self, work: WindowWork) -> Made:
        """Makes one window's documents."""
        raise NotImplementedError(f"{type(self).__name__} has no make")

    async def conclude(self, context: PipelineContext) -> None:
        """Called once a run that made anything of this stage, when all its windows are through and stored.

        What goes wrong here is logged, and fails no window.
        """

    def version_parts(self, settings: Settings, provider_model: str) -> dict[str, str]:
        """The parts of a result's fingerprint that are the same for all windows."""
        parts = {"code": self.code, "settings": fingerprint(self.reads(settings))}
        if self.task:
            parts["model"] = provider_model
        return parts


async def made_by(worker: WorkerBase[Taken, Given], items: Sequence[Document[Taken]]) -> Made:
    """What a worker makes of these documents, and what that cost."""
    documents = await worker.run(items)
    return Made(documents, usage=worker.usage, degraded=worker.degraded)


class FinalStage(Stage):
    """A stage made once a run for all its windows together, after everything else: the site."""

    def state(self, context: PipelineContext) -> str:
        """Fingerprint of everything that the one result is made from."""
        raise NotImplementedError

    def missing(self, context: PipelineContext) -> bool:
        """Whether the result isn't there any more."""
        raise NotImplementedError

    def due(self, context: PipelineContext) -> str:
        """Why the result has to be made anew though no window asks for it; empty if it hasn't."""
        if self.missing(context):
            return f"the {self.name} isn't there"
        if context.storage.fact(f"state:{self.name}") != self.state(context):
            return "people, settings or the owner's decisions changed"
        return ""

    def finish(self, context: PipelineContext, keys: Sequence[str]) -> Mapping[str, Made]:
        """Makes the result; returns what was made for each window."""
        raise NotImplementedError
