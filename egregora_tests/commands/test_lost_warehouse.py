"""A site whose warehouse is gone says what is lost, and isn't begun anew before its owner agrees."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from egregora_assets.commands.consent import NotConfirmed
from egregora_assets.commands.plan import plan_site
from egregora_assets.commands.status import site_status
from egregora_assets.commands.write import write_site
from egregora_resources.inputs.export import InputError
from egregora_resources.llm.cache import ResponseCache, Subjects
from egregora_resources.llm.database import LlmStore
from egregora_resources.llm.spending import Ledger
from egregora_resources.site.folder import SiteFolder
from egregora_resources.site.settings import settings_template
from egregora_resources.usage import Usage
from egregora_resources.warehouse.database import Warehouse, WarehouseLost, WarehouseUnreadable
from egregora_tests.runs import check_in_order, tree
from egregora_tests.weekly_chat import export, weeks

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site of two weeks, written once; its export was read where it lay."""
    root = tmp_path_factory.mktemp("written") / "blog"
    root.mkdir()
    (root / "egregora.toml").write_text(settings_template(title="Neighbours"), encoding="utf-8")
    write_site(root, [export(root.parent / "downloads", weeks(2), "first")])
    return root


@pytest.fixture
def lost(written: Path, tmp_path: Path) -> Path:
    """A copy of it, without its warehouse."""
    root = Path(shutil.copytree(written, tmp_path / "blog", symlinks=True))
    SiteFolder(root).warehouse.unlink()
    return root


def test_plan_and_status_say_what_is_lost_and_where_it_can_be_imported_from(lost: Path, written: Path):
    before = tree(lost)
    for look in (plan_site, site_status):
        with pytest.raises(WarehouseLost) as told:
            look(lost)
        assert "2 posts" in str(told.value)
        assert (
            f"still there, and has to be named to be imported: {written.parent}/downloads/first.zip"
            in str(told.value)
        )
        assert "costs time alone" in str(told.value)
    assert tree(lost) == before


def test_nothing_is_begun_without_consent(lost: Path):
    asked: list[str] = []

    def no(question: str) -> bool:
        asked.append(question)
        return False

    path = export(lost.parent, weeks(2), "again")
    before = tree(lost / "site")
    for confirm in (None, no):
        with pytest.raises(NotConfirmed, match=r"is gone, .* imported again: .*again\.zip"):
            write_site(lost, [path], confirm=confirm)
    assert len(asked) == 1
    assert not SiteFolder(lost).warehouse.exists()
    assert tree(lost / "site") == before


def test_where_there_is_nothing_to_import_no_consent_helps(lost: Path):
    with pytest.raises(WarehouseLost, match="egregora write EXPORT"):
        write_site(lost, [], yes=True)
    assert not SiteFolder(lost).warehouse.exists()


def test_no_other_door_makes_an_empty_one(lost: Path):
    with pytest.raises(WarehouseLost, match="egregora write"):
        Warehouse(SiteFolder(lost).warehouse).rows("FROM facts")
    assert not SiteFolder(lost).warehouse.exists()


def test_what_a_model_was_paid_for_is_told_with_what_the_kept_answers_save(lost: Path):
    store = LlmStore(SiteFolder(lost).llm)
    for window, usd in (("2025-01-13", 0.5), ("2025-01-20", 0.25)):
        call = Ledger(store, "run").reserve("posts", "a-model", window, most=1.0, least=0.0)
        assert call
        Ledger(store, "run").settle(call, "ok", usd=usd)
    ResponseCache(store).put("hash", "posts", "a-model", "{}", Usage(), Subjects(window="2025-01-20"))
    with pytest.raises(
        WarehouseLost, match=r"about 2 windows, for \$0\.75 .* Answers about 1 of them are kept"
    ):
        plan_site(lost)


def test_an_export_that_is_gone_is_named(lost: Path, written: Path):
    listed = SiteFolder(lost).warehouse.with_name("warehouse.duckdb.imported.json")
    listed.write_text(listed.read_text().replace("downloads", "deleted"))
    with pytest.raises(WarehouseLost, match=r"isn't where it was: .*deleted/first\.zip"):
        plan_site(lost)


def test_a_site_of_earlier_code_is_known_by_its_pages(lost: Path):
    SiteFolder(lost).warehouse.with_name("warehouse.duckdb.imported.json").unlink()
    with pytest.raises(WarehouseLost, match="which ones were read isn't known"):
        plan_site(lost)


def test_an_import_that_fails_after_consent_leaves_the_question_open(lost: Path):
    bad = lost.parent / "bad.zip"
    bad.write_bytes(b"no zip")
    with pytest.raises(InputError):
        write_site(lost, [bad], yes=True)
    with pytest.raises(WarehouseLost):
        plan_site(lost)


def test_with_consent_the_site_is_written_again_and_comes_out_the_same(lost: Path, written: Path):
    before = tree(lost / "site")
    report = write_site(lost, [written.parent / "downloads/first.zip"], yes=True)
    assert len(report.windows_written) == 2
    assert tree(lost / "site") == before
    check_in_order(lost)


def test_a_damaged_one_names_the_exports_too(lost: Path, written: Path):
    SiteFolder(lost).warehouse.write_bytes(b"no database" * 1000)
    with pytest.raises(WarehouseUnreadable, match=r"is damaged.*has to be named.*first\.zip"):
        plan_site(lost)
