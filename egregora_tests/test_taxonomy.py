"""One spelling for what is one thing, the same however the site was written."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from egregora_assets.taxonomy import Vocabulary, settle_posts
from egregora_resources.document import Document
from egregora_resources.warehouse import Warehouse


def post(window: str, category: str, *tags: str) -> Document:
    return Document("post", f"{window}-1", window, None, {"category": category, "tags": list(tags)})


def test_case_accents_plural_and_punctuation_make_no_new_term():
    vocabulary = Vocabulary([("tag", "Compost Heap"), ("tag", "Café")])
    assert vocabulary.settle("tag", "compost-heaps", "w") == "Compost Heap"
    assert vocabulary.settle("tag", "cafe", "w") == "Café"
    assert vocabulary.settle("tag", "raised bed", "w") == "raised bed"
    assert vocabulary.added == [("tag", "raised bed", "w")]


def test_tags_and_categories_are_apart():
    vocabulary = Vocabulary([("tag", "Garden")])
    assert vocabulary.settle("category", "garden", "w") == "garden"


def test_terms_without_a_letter_are_told_apart():
    vocabulary = Vocabulary([])
    assert vocabulary.settle("tag", "🌱", "w") == "🌱"
    assert vocabulary.settle("tag", "🔭", "w") == "🔭"
    assert vocabulary.settle("tag", "C++", "w") == "C++"


@given(st.text(min_size=1, max_size=30))
def test_a_term_settles_to_itself_and_stays(term: str):
    vocabulary = Vocabulary([])
    assert vocabulary.settle("tag", term, "w") == term
    assert vocabulary.settle("tag", term, "later") == term
    assert len(vocabulary.added) == 1


def test_a_term_once_published_stays_and_a_posts_tags_are_distinct(tmp_path: Path):
    warehouse = Warehouse(tmp_path / "w.duckdb")
    first = settle_posts(warehouse, [post("2025-01-13", "Garden", "Compost heap")], "en")
    assert first == {"2025-01-13-1": ("Garden", ["Compost heap"])}
    both = settle_posts(
        warehouse,
        [
            post("2025-01-06", "gardens", "compost heaps", "Compost Heap"),
            post("2025-01-13", "Garden", "Compost heap"),
        ],
        "en",
    )
    assert both == {"2025-01-06-1": ("Garden", ["Compost heap"]), **first}
    assert warehouse.rows("SELECT kind, term, first_window FROM vocabulary ORDER BY kind") == [
        ("category", "Garden", "2025-01-13"),
        ("tag", "Compost heap", "2025-01-13"),
    ]


def test_a_post_without_a_category_has_none(tmp_path: Path):
    settled = settle_posts(Warehouse(tmp_path / "w.duckdb"), [post("2025-01-13", "")], "xx")
    assert settled == {"2025-01-13-1": ("", [])}
