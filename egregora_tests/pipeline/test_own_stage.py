"""An extender's stage with its asset, in one file: this one. Nothing of Egregora is edited for it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import ClassVar

import dagster as dg
import pytest
from pydantic import BaseModel

from egregora_assets.commands.plan import plan_site
from egregora_assets.commands.write import write_site
from egregora_assets.definitions import build_definitions
from egregora_assets.graph.dagster_instance import site_instance
from egregora_assets.graph.partitions import WINDOW_PARTITIONS
from egregora_assets.pipeline.context import Made, WindowWork
from egregora_assets.pipeline.stage import Stage, made_by
from egregora_assets.pipeline.worker import WorkerBase
from egregora_assets.stages import STAGES
from egregora_resources.document import Document, FrontMatter
from egregora_resources.document_kinds import PostMatter
from egregora_resources.site.folder import SiteFolder
from egregora_resources.site.settings import settings_template
from egregora_resources.warehouse.database import Warehouse
from egregora_resources.warehouse.results import load_documents
from egregora_tests.runs import tree
from egregora_tests.weekly_chat import export, reworded, weeks


class Telegram(FrontMatter):
    """What is noted on a telegram, beside its text."""

    handed_in: datetime
    words: int


class TelegramWorker(WorkerBase[PostMatter, Telegram]):
    """A post as a telegram."""

    async def process_item(self, item: Document[PostMatter]) -> Document[Telegram]:
        title = item.front_matter.title.upper()
        noted = Telegram(handed_in=item.front_matter.end, words=len(title.split()))
        return Document("telegram", item.id, item.window, front_matter=noted, body=f"{title} STOP")


class TelegramsStage(Stage):
    """Telegrams of the window's posts, for those who read on paper tape."""

    name: ClassVar[str] = "telegrams"
    after: ClassVar[tuple[str, ...]] = ("posts",)
    description: ClassVar[str] = "Every post as a telegram."
    documents: ClassVar[type[BaseModel]] = Telegram

    async def make(self, work: WindowWork) -> Made:
        return await made_by(TelegramWorker(work.context.llm), work.documents("posts", PostMatter))


MY_STAGES = [*STAGES, TelegramsStage()]


def materialize(site: Path, *assets: str) -> dg.ExecuteInProcessResult:
    """What the Dagster UI does when these assets are materialized over all windows."""
    with site_instance(site) as instance:
        keys = instance.get_dynamic_partitions(WINDOW_PARTITIONS)
        return (
            build_definitions(site, stages=MY_STAGES)
            .resolve_implicit_global_asset_job_def()
            .execute_in_process(
                instance=instance,
                asset_selection=[dg.AssetKey(name) for name in assets],
                tags={
                    "dagster/asset_partition_range_start": keys[0],
                    "dagster/asset_partition_range_end": keys[-1],
                },
            )
        )


@pytest.mark.slow
def test_a_stage_of_ones_own_is_an_asset_and_is_materialized_window_by_window(tmp_path: Path):
    site = tmp_path / "blog"
    site.mkdir()
    (site / "egregora.toml").write_text(settings_template(title="Neighbours"), encoding="utf-8")
    write_site(site, [export(tmp_path, weeks(3))])
    warehouse, built = Warehouse(SiteFolder(site).warehouse), tree(site / "site")
    posts = load_documents(warehouse, "posts", PostMatter)

    assert materialize(site, "telegrams").success
    telegrams = load_documents(warehouse, "telegrams", Telegram)
    assert [t.body for t in telegrams] == [f"{post.front_matter.title.upper()} STOP" for post in posts]
    assert [t.front_matter.handed_in for t in telegrams] == [post.front_matter.end for post in posts]
    # The posts are still there, though the telegrams have their ids.
    assert load_documents(warehouse, "posts", PostMatter) == posts
    with site_instance(site) as instance:
        told = instance.get_materialized_partitions(dg.AssetKey("telegrams"))
    assert told == {"2025-01-13", "2025-01-20", "2025-01-27"}

    # The site doesn't read them, so it stays as it is, and there is nothing to do: with them and without.
    assert plan_site(site).nothing_to_do
    assert plan_site(site, MY_STAGES).nothing_to_do
    assert tree(site / "site") == built

    # A window that changes brings its telegrams along.
    write_site(
        site, [export(tmp_path, reworded(weeks(3), 15, "Larch boards cost nineteen pounds now"), "later")]
    )
    stale = [(row.window, row.stage) for row in plan_site(site, MY_STAGES).rows if row.action == "run"]
    assert stale in ([("2025-01-20", "telegrams")], [])
    assert materialize(site, *(stage.name for stage in MY_STAGES)).success
    assert plan_site(site, MY_STAGES).nothing_to_do
