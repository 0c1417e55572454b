"""The built-in stages, in the order of the graph."""

from __future__ import annotations

from egregora_assets.banners import BannersStage
from egregora_assets.digests import DigestsStage
from egregora_assets.enrichments import EnrichmentsStage
from egregora_assets.media import MediaStage
from egregora_assets.messages import MessagesStage
from egregora_assets.posts import PostsStage
from egregora_assets.profiles import ProfilesStage
from egregora_assets.site import SiteStage
from egregora_assets.stage import Stage

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
