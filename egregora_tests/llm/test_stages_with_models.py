"""Claims about the stages over a whole site: what is read, asked and merged once, and what may fail."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import pytest

from egregora_assets.pipeline.open_window import window_works
from egregora_assets.profiles import combine_portraits
from egregora_assets.stages import built_in_runner
from egregora_resources.document_kinds import Enrichment, LinkEnrichment, PostMatter
from egregora_resources.errors import ProviderError
from egregora_resources.llm.gemini import GeminiProvider
from egregora_resources.llm.protocol import Answer
from egregora_resources.llm.tasks import Notes, NotesInput, Observation, Terms
from egregora_resources.warehouse.results import load_documents, load_results
from egregora_resources.warehouse.windows import active_windows
from egregora_tests.costs.test_estimates import context_of, run, site_of
from egregora_tests.llm import fault_server
from egregora_tests.llm.fault_server import FaultServer
from egregora_tests.providers import WatchedProvider
from egregora_tests.small_site import SmallSite
from egregora_tests.weekly_chat import NAMES, Line, said, weeks

LINKS = (
    "https://Example.org/boards",
    "https://example.org/boards?utm_source=chat",
    "https://example.org/boards#oak",
)


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_API_KEY", "key-one")


def links(site: SmallSite) -> list[LinkEnrichment]:
    stored = [d.front_matter.root for d in load_documents(site.warehouse, "enrichments", Enrichment)]
    return [link for link in stored if isinstance(link, LinkEnrichment)]


def with_links() -> list[Line]:
    lines = weeks(3)
    for week, link in enumerate(LINKS):
        lines = said(lines, NAMES[0], f"Look: {link}", week)
    return lines


def test_a_link_shared_in_several_windows_is_read_once_whatever_is_hung_on_it(tmp_path: Path) -> None:
    with FaultServer() as server:
        site = site_of(tmp_path, server.url, with_links())
        run(site)
        assert len(server.calls("links")) == 1
    notes = links(site)
    assert [note.url for note in notes] == list(LINKS)
    assert {note.title for note in notes} == {"How to build a boat"}


def test_one_prompt_of_the_owners_makes_exactly_its_stage_stale(tmp_path: Path) -> None:
    with FaultServer() as server:
        site = site_of(tmp_path, server.url, weeks(2))
        run(site)
        site.folder.prompts.mkdir()
        (site.folder.prompts / "profiles.jinja").write_text(
            '{% extends "builtin/profiles.jinja" %}{% block system %}Be kind.{% endblock %}'
        )
        server.seen.clear()
        run(site)
        assert {seen.task for seen in server.seen} == {"profiles"}
        assert len(server.seen) == 2


def test_profiles_are_one_call_a_window_however_many_people_speak(tmp_path: Path) -> None:
    names = tuple(f"Person {letter}son" for letter in "ABCDEFGHIJKL")
    with FaultServer() as server:
        run(site_of(tmp_path, server.url, weeks(2, names)))
        assert len(server.calls("profiles")) == 2


def test_people_are_portrayed_anew_every_so_often_and_their_page_shows_the_newest_portrait(
    tmp_path: Path,
) -> None:
    with FaultServer() as server:
        site = site_of(tmp_path, server.url, weeks(6))
        context = context_of(site)
        works = window_works(context, active_windows(site.warehouse))
        asyncio.run(built_in_runner(context).run(works))
        assert sum("Give also a portrait" in seen.texts[0] for seen in server.calls("profiles")) == 2
        assert len(server.calls("profiles")) == 6
    profiles = load_documents(site.warehouse, "profiles", Observation)
    drawn = sorted({profile.window for profile in profiles if profile.front_matter.portrait})
    assert drawn == ["2025-01-13", "2025-02-10"]
    people = {profile.front_matter.person for profile in profiles}
    newest = next(p for p in profiles if p.window == drawn[-1] and p.front_matter.portrait)
    changed = replace(newest, front_matter=newest.front_matter.model_copy(update={"portrait": "The newest."}))
    folded = combine_portraits([changed if p is newest else p for p in profiles], people)
    assert folded[newest.front_matter.person].portrait == "The newest."
    page = "".join(path.read_text("utf-8") for path in site.folder.built.glob("people/*/index.html"))
    assert "keeps the shed. Asks first." in page


class Unreachable(WatchedProvider):
    """Can't describe anything."""

    async def enrich(self, request: NotesInput) -> Answer[Notes]:
        raise ProviderError("the service gave no answer (503)")


def test_a_link_that_cant_be_described_is_recorded_and_fails_nothing(tmp_path: Path) -> None:
    site = SmallSite(tmp_path)
    site.get(with_links())
    site.run(Unreachable())
    results = load_results(site.warehouse)
    assert {result.status for result in results.values()} == {"done"}
    assert [link.problem for link in links(site)] == ["the service gave no answer (503)"] * 3


def test_of_a_models_merges_only_those_that_were_asked_about_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = {
        "humus": "compost", "compost": "garden", "sheds": "shed", "shed": "sheds", "boards": "planks", "pond": "garden",
    }  # fmt: skip
    merges = [{"term": term, "stays": stays} for term, stays in said.items()]
    monkeypatch.setattr(fault_server, "good_text", lambda *_, **__: json.dumps({"merges": merges}))

    async def merge(provider: GeminiProvider) -> dict[str, str]:
        terms = Terms(known=["compost", "garden"], new=["humus", "sheds", "shed", "boards", "pond"])
        answer = await provider.merge(terms)
        await provider.close()
        return answer.output.stays

    with FaultServer() as server:
        site = site_of(tmp_path, server.url, weeks(1))
        stays = asyncio.run(merge(GeminiProvider(site.opened)))
        assert [seen.model for seen in server.seen] == ["gemini-3.5-flash-lite"]
        assert "humus" in server.seen[0].texts[0]
    assert stays == {"humus": "compost", "pond": "garden"}


def test_a_vocabulary_that_cant_be_merged_fails_no_window(tmp_path: Path) -> None:
    with FaultServer() as server:
        server.always = lambda seen: "SAFETY" if seen.task == "vocabulary" else None
        outcome = run(site_of(tmp_path, server.url, weeks(2)))
    assert outcome.failed == {}
    assert len(outcome.done) == 2


def test_posts_are_given_the_digests_of_related_windows_and_keep_them(tmp_path: Path) -> None:
    def memories(site: SmallSite) -> dict[str, list[str]]:
        posts = load_documents(site.warehouse, "posts", PostMatter)
        return {post.id: post.front_matter.memory for post in posts}

    with FaultServer() as server:
        site = site_of(tmp_path, server.url, weeks(3))
        run(site)
        before = memories(site)
        assert list(before.values()) == [[], ["2025-01-13"], ["2025-01-13", "2025-01-20"]]
        site.set(model={"instructions": "Be brief."})
        site.get(weeks(6))
        run(site)
    assert {post: memory for post, memory in memories(site).items() if post in before} == before
