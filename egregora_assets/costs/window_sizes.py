"""What windows hold, in numbers, for estimates: from the log, because a window may be new, and not anonymised yet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from egregora_assets.windowing.splitting import MESSAGE_OVERHEAD_TOKENS, cuts
from egregora_resources.site.settings import PipelineSettings
from egregora_resources.warehouse.database import Warehouse
from egregora_resources.warehouse.raw_measures import (
    described_links,
    long_windows,
    messages_with_files,
    sizes,
)


@dataclass(frozen=True, slots=True)
class WindowSize:
    """What a window holds, in numbers."""

    messages: int
    bytes: int
    people: int
    links: int
    """Links to describe, those among them that an earlier window shared."""
    linking: Sequence[int] = ()
    """Messages that share a link first."""
    files: Sequence[int] = ()
    """Messages with a file that is sent."""
    parts: int = 1
    """In which it is written; 0 where it can't be, because it is too large."""


def window_sizes(storage: Warehouse, pipeline: PipelineSettings) -> dict[str, WindowSize]:
    """By window. Raw messages are counted and measured here, not read."""
    with storage.connect() as connection:
        links = described_links(connection, most=pipeline.enrichment.max_urls_per_window)
        files = messages_with_files(connection)
        held = sizes(connection)
        long = long_windows(connection, overhead=MESSAGE_OVERHEAD_TOKENS, budget=pipeline.max_prompt_tokens)
    parts = {key: _parts(times, costs, pipeline) for key, times, costs in long}
    return {
        window.key: WindowSize(
            window.messages,
            window.bytes,
            window.people,
            *links.get(window.key, (0, ())),
            files=files.get(window.key, ()),
            parts=parts.get(window.key, 1),
        )
        for window in held
    }


def _parts(times: Sequence[datetime], costs: Sequence[int], pipeline: PipelineSettings) -> int:
    most = pipeline.max_parts if pipeline.split else 1
    if max(costs) > pipeline.max_prompt_tokens:
        return 0
    parts = len(cuts(times, costs, pipeline.max_prompt_tokens, most)) - 1
    return parts if parts <= most else 0
