"""`write`, the whole of it: import, plan, run on the graph, build. What changes, and above all what doesn't."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
from filelock import FileLock

from egregora_assets.commands.consent import NotConfirmed
from egregora_assets.commands.plan import plan_site
from egregora_assets.commands.report import WriteReport
from egregora_assets.commands.write import write_site
from egregora_resources.llm import providers
from egregora_resources.site.folder import SiteFolder
from egregora_resources.site.settings import settings_template
from egregora_resources.warehouse.database import Warehouse
from egregora_tests import HANG
from egregora_tests.providers import EverywhereWatched
from egregora_tests.runs import EGREGORA, tree
from egregora_tests.weekly_chat import NAMES, Line, export, reworded, said, weeks

pytestmark = pytest.mark.slow
WEEKS = 5


@pytest.fixture(autouse=True)
def watched(monkeypatch: pytest.MonkeyPatch) -> type[EverywhereWatched]:
    """Every provider that a run makes notes what it is asked."""
    monkeypatch.setattr(providers, "OfflineProvider", EverywhereWatched)
    EverywhereWatched.all_asked.clear()
    EverywhereWatched.all_failing.clear()
    return EverywhereWatched


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site of five weeks, written once."""
    site = tmp_path_factory.mktemp("written") / "blog"
    site.mkdir()
    (site / "egregora.toml").write_text(settings_template(title="Neighbours"), encoding="utf-8")
    write_site(site, [export(site.parent, weeks(WEEKS))])
    return site


@pytest.fixture
def site(written: Path, tmp_path: Path) -> Path:
    """A copy of it: copying the folder moves the site."""
    return Path(shutil.copytree(written, tmp_path / "blog", symlinks=True))


def write(
    site: Path, lines: Sequence[Line] | None = None, name: str = "next", yes: bool = False
) -> WriteReport:
    exports = [] if lines is None else [export(site.parent, lines, name)]
    return write_site(site, exports, yes=yes)


def posts(site: Path) -> dict[str, str]:
    rows = Warehouse(site / ".egregora/warehouse.duckdb").rows(
        "SELECT id, slug FROM documents JOIN windows ON key = window_key WHERE stage = 'posts' AND NOT retired"
    )
    return {post: (site / f"site/posts/{slug}/index.html").read_text(encoding="utf-8") for post, slug in rows}


def test_the_same_export_again_is_nothing_to_do(site: Path, watched: type[EverywhereWatched]):
    before = tree(site / "site")
    report = write(site, weeks(WEEKS), "first")
    assert report.nothing_to_do
    assert watched.all_asked == []
    assert tree(site / "site") == before


def test_a_changed_text_leaves_the_other_posts_files_byte_for_byte(
    site: Path, watched: type[EverywhereWatched]
):
    before = {path: d for path, d in tree(site / "docs").items() if path.startswith("posts/")}
    pages = "".join(page for post, page in posts(site).items() if post.startswith("2025-01-20"))
    quoted = next(n for n, line in enumerate(weeks(WEEKS)) if 12 <= n < 24 and line.text in pages)
    report = write(
        site, reworded(weeks(WEEKS), quoted, weeks(WEEKS)[quoted].text + ", I am quite sure of it")
    )
    assert report.windows_written == ["2025-01-20"]
    assert {window for _, window in watched.all_asked if window} == {"2025-01-20"}
    after = {path: d for path, d in tree(site / "docs").items() if path.startswith("posts/")}
    changed = {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}
    assert changed
    assert all("2025-01-20" in path for path in changed)


def test_an_alias_changes_pages_and_rewrites_nothing(site: Path, watched: type[EverywhereWatched]):
    write(site, said(weeks(WEEKS), NAMES[0], "/egregora set alias “Captain Larch”", 4, 90))
    assert [window for task, window in watched.all_asked if task == "write"] in ([], ["2025-02-10"])
    assert sum("Captain Larch" in page for page in posts(site).values()) > 1


def test_an_opt_out_withdraws_what_they_said(site: Path):
    write(site, said(weeks(WEEKS), NAMES[2], "/egregora opt-out", 4, 90))
    everything = "".join(
        path.read_text(encoding="utf-8")
        for path in (site / "site").rglob("*")
        if path.suffix in (".html", ".json", ".xml")
    )
    for line in weeks(WEEKS):
        if line.author == NAMES[2]:
            assert line.text not in everything


def test_a_failing_window_is_named_and_done_by_the_next_write_alone(
    site: Path, watched: type[EverywhereWatched]
):
    watched.all_failing.add("2025-02-17")
    report = write(site, weeks(7))
    assert report.failed == {"2025-02-17": "posts: the model is out of order (503)"}
    assert "2025-02-24-1" in posts(site)
    watched.all_failing.clear()
    watched.all_asked.clear()
    report = write(site)
    assert report.failed == {}
    assert [asked for asked in watched.all_asked if asked[0] == "write"] == [("write", "2025-02-17")]
    assert "2025-02-17-1" in posts(site)
    assert write(site).nothing_to_do


def test_settings_that_rewrite_many_windows_are_asked_about(site: Path, watched: type[EverywhereWatched]):
    before, toml = tree(site / "site"), site / "egregora.toml"
    toml.write_text(toml.read_text().replace('instructions = ""', 'instructions = "Be brief."'))
    with pytest.raises(NotConfirmed, match="5 windows"):
        write(site, weeks(6))
    assert watched.all_asked == []
    assert tree(site / "site") == before
    messages = Warehouse(site / ".egregora/warehouse.duckdb").rows("SELECT count(*) FROM raw_messages")
    assert messages == [(len(weeks(WEEKS)),)]  # nothing was imported
    assert write(site, yes=True).windows_written != []


def test_another_layout_is_asked_about_and_its_pages_come_and_go(
    site: Path, watched: type[EverywhereWatched]
):
    toml = site / "egregora.toml"
    before, text = tree(site / "site"), toml.read_text()
    toml.write_text(text.replace("window_size = 7", "window_size = 14"))
    with pytest.raises(NotConfirmed, match="windows"):
        write(site)
    write(site, yes=True)
    assert len(posts(site)) > 0
    toml.write_text(text)
    watched.all_asked.clear()
    write(site, yes=True)
    assert tree(site / "site") == before


def test_a_second_write_waits_for_the_first(site: Path, tmp_path: Path):
    path = export(tmp_path, weeks(7), "more")
    command = [EGREGORA, "write", path, "--site", site]
    with FileLock(SiteFolder(site).write_lock):
        both = [
            subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            for _ in range(2)
        ]
        for process in both:
            assert process.stdout
            assert any("waiting until it is done" in line for line in process.stdout)
    told = [process.communicate(timeout=HANG)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0], told
    assert sum("up to date" in text for text in told) == 1
    assert plan_site(site).nothing_to_do
