"""The windows of a run as the engine takes them up, and which of them is still running."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from egregora_assets.pipeline.context import PipelineContext, WindowWork
from egregora_resources.site.site import Site
from egregora_resources.warehouse.exports import export_clocks
from egregora_resources.warehouse.raw_log import messages_between
from egregora_resources.warehouse.windows import StoredWindow


def window_works(context: PipelineContext, windows: Sequence[StoredWindow]) -> list[WindowWork]:
    """The stored windows as the runner takes them."""
    running = running_window(context.site, windows)
    return [
        WindowWork(
            context,
            window.key,
            window.start,
            window.end,
            partial(messages_between, context.storage, window.first_id, window.last_id),
            window.version,
            so_far=window.key == running,
        )
        for window in windows
    ]


def running_window(site: Site, windows: Sequence[StoredWindow]) -> str | None:
    """Key of the last window if it isn't over: by the chat's own clock when the newest export was made, or not full."""
    if not windows:
        return None
    last, size = windows[-1], site.settings.pipeline.window_size
    match site.settings.pipeline.window_unit:
        case "messages":
            running = last.messages < size
        case "bytes":
            running = last.bytes < size
        case _:
            closed = last_export(site)
            running = closed is None or last.end > closed
    return last.key if running else None


def last_export(site: Site) -> datetime | None:
    """When the newest export was made, by the chat's own clock; the import's time where the phone's isn't known."""
    zone = ZoneInfo(site.settings.site.timezone)
    moments: list[datetime] = []
    for modified, imported, last in export_clocks(site.warehouse):
        # A zip that says it was packed before its last message was is not believed.
        believed = modified if modified and last and modified >= last - timedelta(days=1) else None
        made = believed or imported.replace(tzinfo=UTC).astimezone(zone).replace(tzinfo=None)
        moments.append(max(made, last or made))
    return max(moments, default=None)
