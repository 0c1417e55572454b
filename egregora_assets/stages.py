"""The built-in pipeline: its stages, in the order of the graph, and what every run does before them.

The one place that names all stages. It loads no Dagster, so that `plan` and `status` answer at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from egregora_assets.banners import BannersStage
from egregora_assets.digests import DigestsStage
from egregora_assets.enrichments import EnrichmentsStage
from egregora_assets.erasure.withdrawal import withdraw
from egregora_assets.leak_check.prompts import check_prompts
from egregora_assets.media import MediaStage
from egregora_assets.messages import MessagesStage
from egregora_assets.pipeline.context import PipelineContext
from egregora_assets.pipeline.runner import PipelineRunner
from egregora_assets.pipeline.stage import Stage
from egregora_assets.posts import PostsStage
from egregora_assets.profiles import ProfilesStage
from egregora_assets.site import SiteStage

STAGES: tuple[Stage, ...] = (
    MessagesStage(),
    MediaStage(),
    EnrichmentsStage(),
    DigestsStage(),
    ProfilesStage(),
    PostsStage(),
    BannersStage(),
    SiteStage(),
)

BEFORE: tuple[Callable[[PipelineContext], object], ...] = (withdraw, check_prompts)
"""What every run does first: it takes back what may no longer be shown, and refuses prompts that name somebody."""


def built_in_runner(
    context: PipelineContext, stages: Sequence[Stage] = STAGES, **options: Any
) -> PipelineRunner:
    """A runner that does first what every run has to do.

    Args:
        context: the site's settings, warehouse and provider.
        stages: in the order of the graph, an extender's own among them.
        options: as `PipelineRunner` has them.
    """
    return PipelineRunner(context, stages=stages, before=BEFORE, **options)
