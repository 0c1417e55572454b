"""Posts: their ids and URLs, what they may cite, and how they are stored."""

from __future__ import annotations

import asyncio
from datetime import datetime
from pathlib import Path

import pytest

from egregora_assets.pipeline.context import PipelineContext, WindowWork
from egregora_assets.pipeline.memory import related
from egregora_assets.posts import PostsWorker, body_of, number, shown_messages
from egregora_resources.document import Document, Message
from egregora_resources.document_kinds import PostMatter
from egregora_resources.errors import ProviderError
from egregora_resources.llm.offline import OfflineProvider
from egregora_resources.llm.protocol import Answer
from egregora_resources.llm.tasks import (
    Block,
    Digest,
    LinkUse,
    PictureUse,
    PostDraft,
    Posts,
    PostsInput,
    Prose,
    Quote,
    Said,
    Section,
    Stretch,
)
from egregora_resources.site.settings import Settings
from egregora_resources.warehouse.database import Warehouse
from egregora_resources.warehouse.results import StageResult, commit_results

WINDOW = "2025-01-13"
TIME = datetime(2025, 1, 13, 9, 0)


def draft(title: str, *quoted: int) -> PostDraft:
    blocks: list[Block] = [Prose(text="It was said:"), *(Quote(message=message) for message in quoted)]
    return PostDraft(title=title, sections=[Section(heading="The shed", blocks=blocks, sources=list(quoted))])


class Dictated(OfflineProvider):
    """Writes what it is told to."""

    def __init__(self, *drafts: PostDraft) -> None:
        self.drafts = drafts

    async def write(self, request: PostsInput) -> Answer[Posts]:
        return Answer(
            Posts(posts=list(self.drafts), nothing_because="" if self.drafts else "only small talk")
        )


def written(*drafts: PostDraft) -> list[Document[PostMatter]]:
    stretch = Stretch(
        window=WINDOW, messages=[Said(id=n, time=TIME, author="amber-heron", text="hm") for n in (1, 2)]
    )
    item = Document("stretch", f"{WINDOW}/1", WINDOW, None, stretch)
    return asyncio.run(PostsWorker(Dictated(*drafts)).run([item]))


def work(root: Path) -> WindowWork:
    storage = Warehouse(root / "w.duckdb")
    context = PipelineContext(Settings(), root, storage, {})
    return WindowWork(context, WINDOW, TIME, TIME, None, "")


def store(at: WindowWork, posts: list[Document]) -> None:
    result = StageResult("posts", WINDOW, "done", "f", finished_at=TIME)
    commit_results(at.context.storage, [(result, posts, None)])


def test_a_post_that_cites_a_message_of_another_window_is_refused():
    with pytest.raises(ProviderError, match="message 7"):
        written(draft("Shed", 7))


def test_a_post_holds_its_sources_and_their_span():
    post = written(draft("Shed", 1, 2))[0]
    assert post.front_matter.sources == [1, 2]
    assert post.front_matter.start == post.front_matter.end == TIME
    assert post.body == "## The shed\n\nIt was said:\n\n{quote 1}\n\n{quote 2}"


def test_a_post_holds_the_sources_of_every_section():
    one = Section(blocks=[Prose(text="It rained."), Quote(message=2)], sources=[1])
    two = Section(blocks=[Prose(text="It stopped.")], sources=[2])
    post = written(PostDraft(title="Rain", sections=[one, two]))[0]
    assert post.front_matter.sections == [[1, 2], [2]]
    assert post.front_matter.sources == [1, 2]


def test_pictures_and_links_stand_on_lines_of_their_own():
    section = Section(blocks=[PictureUse(id="abc"), LinkUse(url="https://example.org/a")])
    assert (
        body_of(PostDraft(title="t", sections=[section])) == "{picture abc}\n\n{link https://example.org/a}"
    )


def test_ids_and_urls_are_the_windows_key_and_an_ordinal_and_hold_nobodys_words():
    posts = number(written(draft("The tool shed"), draft("Käse & Öl"), draft("The tool shed")), WINDOW)
    assert [post.id for post in posts] == [f"{WINDOW}-{n}" for n in (1, 2, 3)]
    assert [post.slug for post in posts] == [post.id for post in posts]


def test_shown_messages_are_those_that_the_body_quotes_or_shows_the_pictures_of():
    post = Document("post", "x", body="{quote 1}\n\nsee {quote 2}\n\n{quote 3}\n\n{picture abc}")
    known = {n: Message(n, TIME, "amber-heron", "text", "hm") for n in (1, 2)}
    sent = {n: Message(n, TIME, "blue-otter", "media", "", media="abc") for n in (7, 8)}
    assert list(shown_messages(known | sent, post.body, [1, 2, 7])) == [1, 7]


def test_related_digests_are_few_and_the_same_every_time():
    earlier = [
        Digest(window=f"2025-01-{day:02}", summary="", topics=["compost heap boards", f"other {day}"])
        for day in range(1, 9)
    ]
    own = [Digest(window="2025-02-01", summary="", topics=["boards of the compost heap"])]
    assert len(related(own, earlier)) == 3
    assert related(own, earlier) == related(own, list(reversed(earlier)))
    assert related([Digest(window="w", summary="", topics=["pond"])], earlier) == []


def test_prose_cannot_pretend_to_quote():
    draft = PostDraft(title="t", sections=[Section(blocks=[Prose(text="{quote the boat}\n\n{picture x}")])])
    body = body_of(draft)
    assert "{quote" not in body
    assert "{picture" not in body
    assert shown_messages({}, "{quote the boat}", ()) == {}
