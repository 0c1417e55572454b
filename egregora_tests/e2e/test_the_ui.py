"""Claims about what the operator sees and does in the Dagster UI: materialize, backfill, retry, staleness."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from egregora_assets.graph.jobs import WRITE_JOB
from egregora_assets.graph.runs import windows_config
from egregora_assets.pipeline.context import PipelineContext
from egregora_assets.pipeline.plan import UPSTREAM, Plan, make_plan
from egregora_assets.stages import STAGES
from egregora_resources.site.folder import SiteFolder
from egregora_resources.site.settings import load_settings
from egregora_resources.warehouse.database import Warehouse
from egregora_resources.warehouse.results import load_results

from .chat import WEEKS, write_export
from .conftest import egregora, pages
from .graph import MoodyProvider, fails, updated
from .ui import ASSETS, CHAIN, Ui, moody_ui

pytestmark = pytest.mark.slow

FIRST: Sequence[str] = WEEKS[:6]
NEW = WEEKS[6]


@dataclass(frozen=True)
class Blog:
    """A site with its UI."""

    site: Path
    ui: Ui

    @property
    def folder(self) -> SiteFolder:
        return SiteFolder(self.site)

    def plan(self) -> Plan:
        """What the command's plan says, with the provider that the UI has."""
        context = PipelineContext(
            load_settings(self.site),
            self.site,
            Warehouse(self.folder.warehouse),
            provider=MoodyProvider(self.site),
        )
        return make_plan(context, STAGES)

    def run_ids(self) -> dict[tuple[str, str], str]:
        """(stage, window) → the run that made what is stored."""
        return {key: r.run_id for key, r in load_results(Warehouse(self.folder.warehouse)).items()}

    def set(self, old: str, new: str) -> None:
        """Edits the settings, and reloads the definitions."""
        text = self.folder.settings.read_text()
        assert text.count(old) == 1
        self.folder.settings.write_text(text.replace(old, new))
        self.ui.reload()


@pytest.fixture(scope="module")
def blog(new_site: Callable[[str], Path]) -> Generator[Blog]:
    """A site on which everything was materialized from the UI: the import first, which makes the windows known."""
    site = new_site("ui")
    with moody_ui(site) as ui:
        ui.stop_sensor()
        assert ui.wait_for_run(ui.launch(["exports"])) == "SUCCESS"
        assert all(ui.partitions(asset) == dict.fromkeys(FIRST, "missing") for asset in CHAIN)
        assert ui.wait_for_backfill(ui.backfill(ASSETS)) == "COMPLETED_SUCCESS"
        yield Blog(site, ui)


@pytest.fixture
def as_it_is(blog: Blog) -> Blog:
    """The same, once everything is up to date."""
    assert not blog.plan().stale
    return blog


def said(blog: Blog) -> dict[str, set[str]]:
    """Asset → windows that the plan would run."""
    wanted: dict[str, set[str]] = {}
    for row in blog.plan().rows:
        if row.action == "run":
            wanted.setdefault(row.stage, set()).add(row.window)
    return wanted


def test_materializing_everything_builds_the_site_that_the_command_would(
    as_it_is: Blog, new_site: Callable[[str], Path]
) -> None:
    for asset in ASSETS[1:]:
        assert as_it_is.ui.partitions(asset) == dict.fromkeys(FIRST, "materialized")
    written = new_site("written")
    assert egregora(written, "write").returncode == 0
    assert len(pages(written)) > 20
    assert pages(as_it_is.site) == pages(written)


def test_nothing_is_stale_after_a_backfill_and_the_command_has_nothing_to_do(as_it_is: Blog) -> None:
    assert as_it_is.ui.stale(FIRST, ASSETS[1:]) == {}
    done = egregora(as_it_is.site, "write")
    assert "Nothing to do" in done.stdout, done
    assert as_it_is.ui.stale(FIRST, ASSETS[1:]) == {}


def test_an_event_tells_what_a_window_holds_and_cost_and_where_its_page_is(as_it_is: Blog) -> None:
    known = as_it_is.ui.metadata("posts", FIRST[0])
    assert (known["messages"], known["people"], known["posts"]) == (12, 3, 1)
    assert (known["first_message"], known["last_message"]) == ("2025-01-06 09:00", "2025-01-09 12:07")
    assert (known["status"], known["reason"], known["tokens"]) == ("done", "new", 0)
    assert known["seconds"] >= 0
    page = Path(known["page"].removeprefix("file://"))
    assert page.is_file()
    assert page.parent.name.startswith(FIRST[0])
    assert as_it_is.ui.metadata("windows", FIRST[0])["messages"] == 12


def test_every_asset_has_a_description_a_group_kinds_and_a_code_version(as_it_is: Blog) -> None:
    text = """{ assetNodes { assetKey { path } description groupName kinds isPartitioned
        currentCodeVersion: assetMaterializations(limit: 1) { tags { key value } } } }"""
    nodes = {node["assetKey"]["path"][0]: node for node in as_it_is.ui.query(text)["assetNodes"]}
    assert nodes.keys() == set(ASSETS)
    for name, node in nodes.items():
        assert len(node["description"]) > 20
        assert node["kinds"]
        assert node["groupName"] == ("magazine" if name in CHAIN else "chat")
        assert node["isPartitioned"] == (name != "exports")


def test_the_warehouse_and_the_provider_are_listed_as_resources(as_it_is: Blog) -> None:
    text = """query ($selector: RepositorySelector!) { allTopLevelResourceDetailsOrError(repositorySelector: $selector) {
        __typename ... on ResourceDetailsList { results { name resourceType description } } } }"""
    answer = as_it_is.ui.query(text, selector=as_it_is.ui.selector)["allTopLevelResourceDetailsOrError"]
    listed = {resource["name"]: resource for resource in answer["results"]}
    assert listed.keys() == {"warehouse", "llm"}
    assert "MoodyLlm" in listed["llm"]["resourceType"]
    assert "WarehouseResource" in listed["warehouse"]["resourceType"]


def test_a_failing_window_costs_itself_alone_and_a_retry_repeats_just_that(as_it_is: Blog) -> None:
    site, ui = as_it_is.site, as_it_is.ui
    failing, changed = FIRST[3], {FIRST[1], FIRST[3]}
    words = {1: "The varnish came in a blue tin today", 3: "The bellows leak at the left seam"}
    write_export(as_it_is.folder.inbox / "later.zip", weeks=7, changed=words)
    assert ui.wait_for_run(ui.launch(["exports"])) == "SUCCESS"
    # An import that changes windows makes exactly these stale, in every asset; a new one is missing.
    assert ui.stale(FIRST) == dict.fromkeys(CHAIN, changed)
    assert said(as_it_is) == dict.fromkeys(CHAIN, changed | {NEW})

    status, named = ui.check("windows", "no_stale_windows")
    assert (status, named.pop("stale_windows")) == ("FAILED", 3)
    assert named.keys() == changed | {NEW}

    fails(site, failing).touch()
    before = as_it_is.run_ids()
    # A gap at the third window; the sixth and the new one aren't selected.
    backfill = ui.backfill(CHAIN, [FIRST[0], FIRST[1], FIRST[3], FIRST[4]])
    assert ui.wait_for_backfill(backfill) == "COMPLETED_FAILED"
    runs = ui.runs(("dagster/backfill", backfill))
    assert sorted(run["status"] for run in runs) == ["FAILURE", "SUCCESS"]
    for asset in CHAIN:
        states = dict.fromkeys(FIRST, "materialized") | {NEW: "missing"}
        if asset in ("posts", "banners", "site"):
            states[failing] = "failed"
        assert ui.partitions(asset) == states, asset
    assert ui.stale(FIRST) == {asset: {failing} for asset in ("posts", "banners", "site")}
    after = as_it_is.run_ids()
    # (The site is one: where no window asks for it, fresh ones carry its build.)
    redone = {(stage, window) for (stage, window), run in after.items() if before[stage, window] != run}
    assert {window for stage, window in redone if stage != "site"} == changed
    status = egregora(site, "status").stdout
    assert "the writer is out of ink" in status

    fails(site, failing).unlink()
    retry = ui.retry(backfill)
    assert ui.wait_for_backfill(retry) == "COMPLETED_SUCCESS"
    runs = ui.runs(("dagster/backfill", retry))
    assert {run["tags"].get("dagster/partition", failing) for run in runs} == {failing}
    assert set().union(*(run["assets"] for run in runs)) == {"posts", "banners", "site"}
    for asset in CHAIN:
        assert ui.partitions(asset) == dict.fromkeys(FIRST, "materialized") | {NEW: "missing"}
    assert ui.stale(FIRST) == {}
    healed = as_it_is.run_ids()
    redone = {key for key, run in healed.items() if after[key] != run}
    assert (
        {("posts", failing), ("site", failing)}
        <= redone
        <= {("posts", failing), ("banners", failing), ("site", failing)}
    )

    # The rest is for the command: one run over the window that is still missing.
    assert egregora(site, "write").returncode == 0
    assert ui.stale(WEEKS, ASSETS[1:]) == {}
    assert ui.check("windows", "no_stale_windows")[0] == "SUCCEEDED"


def test_a_run_whose_windows_stand_in_its_config_shows_what_it_made_and_what_failed_and_is_retried(
    as_it_is: Blog,
) -> None:
    """As the sensor and the command start them: two windows that aren't neighbours, and none between them."""
    site, ui = as_it_is.site, as_it_is.ui
    first, failing, other = WEEKS[0], WEEKS[4], WEEKS[6]
    words = {
        1: "The varnish came in a blue tin today",
        3: "The bellows leak at the left seam",
    }  # as imported before
    words |= {0: "The oranges were sold out", 4: "The pane is cracked twice", 6: "The tripod has a bent leg"}
    write_export(as_it_is.folder.inbox / "third.zip", weeks=7, changed=words)
    assert ui.wait_for_run(ui.launch(["exports"])) == "SUCCESS"
    assert ui.stale(WEEKS) == {asset: {first, failing, other} for asset in CHAIN}

    fails(site, failing).touch()
    before = as_it_is.run_ids()
    run = ui.launch_job(WRITE_JOB, first, windows_config([first, failing]))
    assert ui.wait_for_run(run) == "FAILURE"
    broken = ("posts", "banners", "site")
    for asset in CHAIN:
        states = dict.fromkeys(WEEKS, "materialized") | ({failing: "failed"} if asset in broken else {})
        assert ui.partitions(asset) == states, asset
    assert ui.stale(WEEKS) == {asset: {other, failing} if asset in broken else {other} for asset in CHAIN}
    made = {window for (stage, window), id in as_it_is.run_ids().items() if before[stage, window] != id}
    assert made == {first, failing}

    fails(site, failing).unlink()
    retry = ui.retry_run(run)
    assert ui.wait_for_run(retry) == "SUCCESS"
    for asset in CHAIN:
        assert ui.partitions(asset) == dict.fromkeys(WEEKS, "materialized"), asset
    assert ui.stale(WEEKS) == {asset: {other} for asset in CHAIN}
    again = {key for key, id in as_it_is.run_ids().items() if id == retry}
    assert again == {(stage, failing) for stage in broken}

    assert egregora(site, "write").returncode == 0
    assert ui.stale(WEEKS, ASSETS[1:]) == {}


def test_the_ui_and_the_plan_agree_on_what_a_newer_model_and_other_settings_make_stale(
    as_it_is: Blog,
) -> None:
    site, ui = as_it_is.site, as_it_is.ui
    assert ui.stale(WEEKS) == said(as_it_is) == {}

    updated(site).touch()
    ui.reload()
    assert_agreed(as_it_is, {"posts": set(WEEKS)})

    as_it_is.set("max_urls_per_window = 5", "max_urls_per_window = 4")
    assert_agreed(as_it_is, {"posts": set(WEEKS), "enrichments": set(WEEKS)})

    # One window in the middle first, then all: fresh ones in a range keep a true status.
    assert ui.wait_for_backfill(ui.backfill(CHAIN, [WEEKS[2]])) == "COMPLETED_SUCCESS"
    others = set(WEEKS) - {WEEKS[2]}
    assert_agreed(as_it_is, {"posts": others, "enrichments": others})
    assert ui.wait_for_backfill(ui.backfill(CHAIN)) == "COMPLETED_SUCCESS"
    assert ui.stale(WEEKS, ASSETS[1:]) == said(as_it_is) == {}


def assert_agreed(blog: Blog, expected: dict[str, set[str]]) -> None:
    """The UI marks the assets themselves; the plan adds what follows from them."""
    assert blog.ui.stale(WEEKS) == expected
    roots: dict[str, set[str]] = {}
    for row in blog.plan().rows:
        if row.action == "run" and not row.reason.startswith(UPSTREAM):
            roots.setdefault(row.stage, set()).add(row.window)
    assert roots == expected
    assert set(blog.plan().stale) == set().union(*expected.values())


def test_another_layout_is_asked_about_before_it_retires_windows(as_it_is: Blog) -> None:
    ui = as_it_is.ui
    weeks = ui.partitions("posts")
    as_it_is.set("window_size = 7", "window_size = 14")
    assert ui.wait_for_run(ui.launch(["exports"])) == "FAILURE"
    assert ui.partitions("posts") == weeks

    accept = {"ops": {"exports": {"config": {"accept_new_layout": True}}}}
    assert ui.wait_for_run(ui.launch(["exports"], config=accept)) == "SUCCESS"
    active = Warehouse(as_it_is.folder.warehouse).rows("SELECT key FROM windows WHERE NOT retired")
    fortnights = [key for (key,) in active]
    assert len(fortnights) < len(weeks)
    assert set(ui.partitions("posts")) == set(fortnights)
    assert ui.wait_for_backfill(ui.backfill(CHAIN)) == "COMPLETED_SUCCESS"
    assert ui.partitions("site") == dict.fromkeys(fortnights, "materialized")
    assert ui.stale(fortnights, ASSETS[1:]) == {}
