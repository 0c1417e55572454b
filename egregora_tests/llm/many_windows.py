"""A run of many windows against a server, from the import to the posts."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from egregora_assets.pipeline.context import PipelineContext
from egregora_assets.pipeline.open_window import window_works
from egregora_assets.pipeline.stage_runner import Outcome
from egregora_assets.stages import built_in_runner
from egregora_resources.llm.gemini import GeminiProvider
from egregora_resources.warehouse.windows import active_windows
from egregora_tests import HANG
from egregora_tests.llm.fault_server import FaultServer
from egregora_tests.small_site import WITHOUT_SITE, SmallSite
from egregora_tests.weekly_chat import Line, week


@dataclass
class ManyWindows:
    """What a run came to, and how long it took, the import apart."""

    site: SmallSite
    outcome: Outcome
    seconds: float


def run_windows(server: FaultServer, root: Path, windows: int, **model: Any) -> ManyWindows:
    """Imports so many windows of a dozen messages, and takes them through all stages but the site."""
    options: dict[str, Any] = {
        "provider": "gemini", "base_url": server.url, "send_without_asking": True, "timeout_seconds": HANG,
        "concurrency": 8, **model,
    }  # fmt: skip
    pipeline = {"window_unit": "days", "window_size": 1, "max_workers": 32, "banners": {"enabled": False}}
    site = SmallSite(root, model=options, pipeline=pipeline)
    lines = [
        Line(line.time - timedelta(days=6 * n), line.author, f"{line.text} ({n})")
        for n in range(windows)
        for line in week(n)
    ]
    site.get(lines)
    site.lay_out()
    return continue_windows(site)


def continue_windows(site: SmallSite) -> ManyWindows:
    """Takes the windows of a site through what is missing."""
    provider = GeminiProvider(site.opened, pause=0.05)
    context = PipelineContext(site.settings, site.folder.root, site.warehouse, provider=provider)
    works = window_works(context, active_windows(site.warehouse))
    began = time.monotonic()
    outcome = asyncio.run(built_in_runner(context).run(works, WITHOUT_SITE))
    return ManyWindows(site, outcome, time.monotonic() - began)
