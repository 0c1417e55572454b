"""Documents at rest: what is stored is read as it is, by whatever version of the code, with a model or without."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from egregora_assets.stages import STAGES
from egregora_resources.document import Document, FrontMatter, FrontMatterError, fingerprint
from egregora_resources.document_kinds import BannerMatter, Enrichment, LinkEnrichment, PostMatter
from egregora_resources.llm.tasks import Digest
from egregora_resources.site.folder import SiteFolder
from egregora_resources.warehouse.database import Warehouse
from egregora_resources.warehouse.results import StageResult, commit_results, load_documents
from egregora_tests.frozen import SITES, thaw

WINDOW = "2025-01-13"
TIME = datetime(2025, 1, 13, 9, 0)
POST = Document(
    "post", f"{WINDOW}-1", WINDOW, f"{WINDOW}-1", PostMatter(title="The shed", sources=[1], start=TIME, end=TIME)
)  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def store(warehouse: Warehouse, stage: str, *documents: Document) -> None:
    """Stores documents as a run does, in a window of the site."""
    with warehouse.transaction() as connection:
        connection.execute(
            "INSERT OR IGNORE INTO windows VALUES (?, 0, 0, 0, ?, ?, 1, 1, '', '', NULL, FALSE)",
            [WINDOW, TIME, TIME],
        )
    result = StageResult(stage, WINDOW, "done", "f", finished_at=TIME)
    commit_results(warehouse, [(result, documents, None)])


class Haiku(FrontMatter):
    """An extender's own."""

    syllables: list[int]
    season: str = ""


@pytest.mark.parametrize("frozen", SITES, ids=lambda path: path.stem)
def test_what_an_earlier_version_stored_is_read_into_the_models_byte_for_byte(
    frozen: Path, tmp_path: Path
) -> None:
    warehouse = Warehouse(SiteFolder(thaw(frozen, tmp_path)).warehouse)
    models = {stage.name: stage.documents for stage in STAGES}
    rows = warehouse.rows("SELECT stage, kind, id, window_key, slug, front_matter, body FROM documents")
    assert {row[0] for row in rows} == {"media", "enrichments", "digests", "profiles", "posts", "banners"}
    read = {(stage, d.id): d for stage in models for d in load_documents(warehouse, stage, models[stage])}
    for stage, kind, id, window, slug, stored, body in rows:
        document = read[stage, id]
        assert isinstance(document.front_matter, models[stage])
        assert json.dumps(document.front_matter.model_dump(mode="json")) == stored
        # As documents without models had it: what data versions are made of.
        assert document.digest() == fingerprint(kind, id, window, slug, json.loads(stored), body)


@given(st.dictionaries(st.text(), JSON, max_size=4))
def test_front_matter_without_a_model_is_any_json_and_stays_as_it_is(particulars: dict[str, Any]) -> None:
    stored = json.dumps(particulars)
    document = Document("note", "1", front_matter=FrontMatter.model_validate_json(stored), body="…")
    assert json.dumps(document.front_matter.model_dump(mode="json")) == stored
    assert document.digest() == fingerprint("note", "1", "", None, particulars, "…")


def test_a_field_that_the_model_does_not_know_is_kept(tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path / "w.duckdb")
    older = PostMatter.model_validate({**POST.front_matter.model_dump(), "mood": {"of": "the day"}})
    store(warehouse, "posts", Document("post", "1", WINDOW, None, older))
    (post,) = load_documents(warehouse, "posts", PostMatter)
    assert post.front_matter == older
    assert post.digest() != Document("post", "1", WINDOW, None, POST.front_matter).digest()


def test_a_reader_may_name_no_more_than_it_needs_and_nothing_is_lost_by_that() -> None:
    class Titled(FrontMatter):
        title: str

    titled = POST.read_as(Titled)
    assert titled.front_matter.title == "The shed"
    assert titled.read_as(PostMatter) == POST
    assert titled.digest() == POST.digest()


def test_a_field_added_later_has_its_default_in_documents_stored_before(tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path / "w.duckdb")
    before = FrontMatter.model_validate({"syllables": [5, 7, 5]})
    store(warehouse, "haiku", Document("haiku", "1", WINDOW, None, before))
    (haiku,) = load_documents(warehouse, "haiku", Haiku)
    assert haiku.front_matter == Haiku(syllables=[5, 7, 5])


def test_front_matter_that_does_not_fit_is_told_by_its_field_and_never_by_its_words(tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path / "w.duckdb")
    wrong = FrontMatter.model_validate({"syllables": "five, said Ingrid"})
    store(warehouse, "haiku", Document("haiku", f"{WINDOW}/1", WINDOW, None, wrong))
    with pytest.raises(FrontMatterError, match=rf"haiku {WINDOW}/1 .* Haiku takes: syllables \(") as error:
        load_documents(warehouse, "haiku", Haiku)
    assert "Ingrid" not in str(error.value)


def test_stages_may_have_documents_of_the_same_kind_and_id(tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path / "w.duckdb")
    store(warehouse, "posts", POST)
    store(warehouse, "haiku", Document("post", POST.id, WINDOW, front_matter=Haiku(syllables=[5, 7, 5])))
    assert load_documents(warehouse, "posts", PostMatter) == [POST]
    assert [d.front_matter.syllables for d in load_documents(warehouse, "haiku", Haiku)] == [[5, 7, 5]]


@pytest.mark.parametrize(
    "front_matter",
    [
        POST.front_matter,
        BannerMatter(format="svg", alt="Waves"),
        Digest(window=WINDOW, summary="A shed."),
        Enrichment(LinkEnrichment(url="https://example.org", message=1)),
        Haiku(syllables=[5, 7, 5]),
    ],
    ids=lambda known: type(known).__name__,
)
def test_a_document_comes_back_as_it_was_made(front_matter: BaseModel, tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path / "w.duckdb")
    document = Document("kind", "1", WINDOW, None, front_matter, "Said.")
    store(warehouse, "stage", document)
    assert load_documents(warehouse, "stage", type(front_matter)) == [document]
