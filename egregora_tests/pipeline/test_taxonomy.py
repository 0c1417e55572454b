"""One spelling for what is one thing, the same however the site was written."""

from __future__ import annotations

import asyncio
from datetime import datetime
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from egregora_assets.pipeline.taxonomy import Vocabulary, merge_new_terms, prune, settle_posts
from egregora_resources.document import Document
from egregora_resources.document_kinds import PostMatter
from egregora_resources.llm.offline import OfflineProvider
from egregora_resources.llm.protocol import Answer
from egregora_resources.llm.tasks import Merges, Terms
from egregora_resources.warehouse.database import Warehouse
from egregora_resources.warehouse.results import StageResult, commit_results, load_documents


def post(window: str, category: str, *tags: str) -> Document[PostMatter]:
    known = PostMatter(
        title="The heap",
        category=category,
        tags=list(tags),
        people=["amber-heron"],
        sources=[7],
        start=datetime(2025, 1, 6),
        end=datetime(2025, 1, 6),
    )
    return Document("post", f"{window}-1", window, f"{window}-1", known)


def test_case_accents_plural_and_punctuation_make_no_new_term():
    vocabulary = Vocabulary([("tag", "Compost Heap"), ("tag", "Café")])
    assert vocabulary.settle("tag", "compost-heaps", "w") == "Compost Heap"
    assert vocabulary.settle("tag", "cafe", "w") == "Café"
    assert vocabulary.settle("tag", "raised bed", "w") == "raised bed"
    assert vocabulary.added == [("tag", "raised bed", "w")]


def test_a_tag_and_a_category_that_are_one_thing_have_one_spelling():
    vocabulary = Vocabulary([("tag", "button"), ("category", "Garden")])
    assert vocabulary.settle("category", "Buttons", "w") == "button"
    assert vocabulary.settle("tag", "gardens", "w") == "Garden"
    assert vocabulary.added == [("category", "button", "w"), ("tag", "Garden", "w")]


def test_a_tag_and_a_category_stay_as_they_were_published():
    vocabulary = Vocabulary([("tag", "button"), ("category", "Buttons")])
    assert vocabulary.settle("category", "buttons", "w") == "Buttons"


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


class Thesaurus(OfflineProvider):
    """Knows some words that mean others."""

    def __init__(self, **stays: str) -> None:
        self.stays, self.asked = stays, list[Terms]()

    async def merge(self, request: Terms) -> Answer[Merges]:
        self.asked.append(request)
        return Answer(Merges(stays=self.stays))


def store(warehouse: Warehouse, *posts: Document[PostMatter]) -> None:
    """Stores posts as a run does."""
    with warehouse.transaction() as connection:
        for n, p in enumerate(posts):
            values = [
                p.window,
                n,
                n,
                n,
                datetime(2025, 1, 6),
                datetime(2025, 1, 13),
                1,
                1,
                "",
                "",
                None,
                False,
            ]
            connection.execute(
                "INSERT OR IGNORE INTO windows VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", values
            )
    for p in posts:
        result = StageResult("posts", p.window, "done", "f", finished_at=datetime(2025, 1, 13))
        commit_results(warehouse, [(result, [p], None)])


def settle(warehouse: Warehouse, provider: Thesaurus) -> dict[str, tuple[str, list[str]]]:
    """What readers see after a run."""
    asyncio.run(merge_new_terms(warehouse, provider, "en"))
    return settle_posts(warehouse, load_documents(warehouse, "posts", PostMatter), "en")


def test_synonyms_among_new_terms_give_way_to_those_in_use_and_those_never_do(tmp_path: Path):
    warehouse = Warehouse(tmp_path / "w.duckdb")
    store(warehouse, post("2025-01-06", "garden", "compost"))
    first = settle(warehouse, Thesaurus())
    store(warehouse, post("2025-01-13", "gardening", "humus", "boards"))
    provider = Thesaurus(humus="compost", gardening="garden", compost="humus", boards="nothing asked")
    both = settle(warehouse, provider)
    assert both == {**first, "2025-01-13-1": ("garden", ["compost", "boards"])}
    store(warehouse, post("2025-01-20", "", "planks", "timber"))
    third = settle(warehouse, Thesaurus(planks="timber", timber="planks"))
    assert third == {**both, "2025-01-20-1": ("", ["planks", "timber"])}  # each gives way to one that does


def test_the_model_is_asked_once_about_new_terms_alone_and_not_at_all_without_any(tmp_path: Path):
    warehouse, provider = Warehouse(tmp_path / "w.duckdb"), Thesaurus()
    store(warehouse, post("2025-01-06", "garden", "compost"), post("2025-01-13", "garden", "Compost"))
    settle(warehouse, provider)
    settle(warehouse, provider)
    store(warehouse, post("2025-01-20", "garden", "compost", "slugs"))
    settle(warehouse, provider)
    assert [(request.known, request.new) for request in provider.asked] == [
        ([], ["compost", "garden", "Compost"]),
        (["garden", "compost"], ["slugs"]),
    ]
    assert provider.asked[1].people == ["amber-heron"]
    assert provider.asked[1].messages == [7]


def test_what_a_term_gave_way_to_is_forgotten_with_the_post_that_brought_it(tmp_path: Path):
    warehouse = Warehouse(tmp_path / "w.duckdb")
    store(warehouse, post("2025-01-06", "", "compost"), post("2025-01-13", "", "humus"))
    assert settle(warehouse, Thesaurus(humus="compost"))["2025-01-13-1"] == ("", ["compost"])
    with warehouse.transaction() as connection:
        connection.execute("DELETE FROM documents WHERE window_key = '2025-01-06'")
        prune(connection, ["2025-01-06"])
    assert settle(warehouse, Thesaurus())["2025-01-13-1"] == ("", ["humus"])
    for table in ("vocabulary", "synonyms"):
        assert "compost" not in str(warehouse.rows(f"SELECT * FROM {table}"))
