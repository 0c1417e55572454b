"""What a write did: the summary that the command prints and a caller from Python gets."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from egregora_assets.costs.estimates import this_month
from egregora_assets.pipeline.context import PipelineContext
from egregora_resources.warehouse.documents import count_posts


@dataclass
class WriteReport:
    """Result of a write."""

    imported: list[str] = field(default_factory=list[str])
    """A sentence a file."""
    unread: list[str] = field(default_factory=list[str])
    """A sentence for each file of the inbox that couldn't be imported; the others were."""
    windows_written: list[str] = field(default_factory=list[str])
    failed: dict[str, str] = field(default_factory=dict[str, str])
    skipped: dict[str, str] = field(default_factory=dict[str, str])
    degraded: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    """Stage → windows in which a fallback made it."""
    stopped: str = ""
    """Why the run ended before its end: what the owner has to put right."""
    unwritten: list[str] = field(default_factory=list[str])
    """Windows that were due and weren't begun, or weren't finished, because the run stopped."""
    posts: int = 0
    """Posts on the site."""
    pages: int = 0
    usd: float = 0.0
    """Of all calls, those of windows that failed included."""
    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    month_usd: float = 0.0
    """What the site has cost in this calendar month (UTC)."""
    seconds: float = 0.0
    nothing_to_do: bool = False
    site_index: Path = Path()


def count(report: WriteReport, context: PipelineContext) -> None:
    """What there is now."""
    report.posts = count_posts(context.storage)
    report.pages = sum(1 for _ in context.folder.built.rglob("*.html"))
    report.month_usd = this_month(context).usd
