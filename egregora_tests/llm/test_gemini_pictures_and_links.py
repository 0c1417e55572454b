"""Claims about links, media and banners: what can't be read, seen or drawn is said, and fails nothing."""

from __future__ import annotations

import asyncio
import base64
import io
from pathlib import Path

import pytest
from PIL import Image

from egregora_resources.llm.tasks import BannerInput, Link, NotesInput, Picture
from egregora_resources.media.store import MediaStore
from egregora_resources.site.folder import SiteFolder
from egregora_tests.llm.fault_server import FaultServer, picture_bytes
from egregora_tests.llm.test_gemini_answers import make, run


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_API_KEY", "key-one")


def test_a_link_shared_in_twenty_windows_is_read_once(tmp_path: Path) -> None:
    urls = ["https://Boats.example/build?utm_source=chat", "https://boats.example/build?fbclid=1#step-2"] * 10
    with FaultServer(latency=0.02) as server:
        provider = make(server, tmp_path)
        requests = [
            NotesInput(window=f"w{n}", links=[Link(url=url, message=n)]) for n, url in enumerate(urls)
        ]
        answers = run(provider, lambda: asyncio.gather(*map(provider.enrich, requests)))
    assert len(server.seen) == 1
    assert server.seen[0].body["tools"] == [{"urlContext": {}}]
    assert "Address: https://boats.example/build" in server.seen[0].texts[0]
    for url, answer in zip(urls, answers, strict=True):
        note = answer.output.links[0]
        assert (note.url, note.read, note.title) == (url, True, "How to build a boat")


def test_a_page_that_was_not_read_is_not_described_whatever_the_model_says(tmp_path: Path) -> None:
    with FaultServer(script=["unread"]) as server:
        provider = make(server, tmp_path)
        links = [Link(url="https://boats.example/secret-plans", message=1)]
        note = run(provider, lambda: provider.enrich(NotesInput(links=links))).output.links[0]
    assert (note.read, note.summary) == (False, "")
    assert note.title == "boats.example · secret plans"
    assert note.problem == "the page couldn't be read (paywall)"


def test_one_link_that_fails_leaves_the_others_as_they_are(tmp_path: Path) -> None:
    with FaultServer(always=lambda seen: "SAFETY" if "/bad" in seen.texts[0] else None) as server:
        provider = make(server, tmp_path)
        links = [Link(url=f"https://boats.example/{name}", message=1) for name in ("good", "bad", "better")]
        notes = run(provider, lambda: provider.enrich(NotesInput(links=links))).output.links
    assert [note.read for note in notes] == [True, False, True]
    assert "refused: SAFETY" in notes[1].problem


def store_pictures(site: Path, count: int) -> list[Picture]:
    store = MediaStore(SiteFolder(site).media)
    stored = [store.add(f"{n}.png", io.BytesIO(picture_bytes((40 + n, 30)))) for n in range(count)]
    return [Picture(id=one.id, message=n, caption=f"Number {n}") for n, one in enumerate(stored)]


def test_pictures_are_described_several_a_call_and_sent_as_they_are_published(tmp_path: Path) -> None:
    with FaultServer() as server:
        provider = make(server, tmp_path)
        pictures = store_pictures(tmp_path, 10)
        answer = run(provider, lambda: provider.enrich(NotesInput(media=pictures)))
    assert [len(seen.body["contents"][0]["parts"]) - 1 for seen in server.seen] in ([8, 2], [2, 8])
    assert {note.id for note in answer.output.media if note.described} == {p.id for p in pictures}
    assert published(tmp_path, pictures[0]) in str([seen.body for seen in server.seen])


def published(site: Path, picture: Picture) -> str:
    """The file as it is published, as it stands in a request."""
    shown = MediaStore(SiteFolder(site).media).shareable(picture.id)
    assert shown is not None
    assert base64.b64encode(picture_bytes((40 + picture.message, 30))) != base64.b64encode(
        shown[0].read_bytes()
    )
    return base64.urlsafe_b64encode(shown[0].read_bytes()).decode()


def test_a_picture_that_is_refused_is_named_and_the_others_of_its_batch_are_described(tmp_path: Path) -> None:
    pictures = store_pictures(tmp_path, 3)
    bad = published(tmp_path, pictures[0])
    with FaultServer(always=lambda seen: "SAFETY" if bad in str(seen.body) else None) as server:
        provider = make(server, tmp_path)
        notes = run(provider, lambda: provider.enrich(NotesInput(media=pictures))).output.media
    assert sum(note.described for note in notes) == 2
    assert [("refused" in note.problem, note.alt) for note in notes if not note.described] == [
        (True, "Number 0")
    ]


def test_a_file_that_is_gone_too_large_or_of_another_kind_is_said_without_a_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("egregora_resources.llm.gemini.media_tasks.MOST_BYTES", 10)
    with FaultServer() as server:
        provider = make(server, tmp_path)
        media = [*store_pictures(tmp_path, 1), Picture(id="f" * 24, message=2, kind="video")]
        notes = run(provider, lambda: provider.enrich(NotesInput(media=media))).output.media
    assert server.seen == []
    assert [note.problem[:9] for note in notes] == ["too large", "the file "]


def test_a_document_that_names_its_author_never_leaves(tmp_path: Path) -> None:
    content = b"%PDF-1.4\n1 0 obj<</Author(Marisol Quintero)>>endobj\ntrailer<</Info 1 0 R>>\n%%EOF"
    with FaultServer() as server:
        provider = make(server, tmp_path)
        stored = MediaStore(SiteFolder(tmp_path).media).add("plan.pdf", io.BytesIO(content))
        media = [Picture(id=stored.id, message=1, kind="document", caption="The plan")]
        note = run(provider, lambda: provider.enrich(NotesInput(media=media))).output.media[0]
    assert stored.extension == "pdf"
    assert server.seen == []
    assert (note.described, note.alt, note.problem) == (
        False, "The plan", "a kind of file that isn't sent to the service",
    )  # fmt: skip


def test_a_banner_is_drawn_wide_and_encoded_anew(tmp_path: Path) -> None:
    post = BannerInput(post_id="w1-1", window="w1", title="The boat", category="making", tags=["boats"])
    with FaultServer() as server:
        provider = make(server, tmp_path)
        answer = run(provider, lambda: provider.illustrate([post]))
        again = run(provider, lambda: provider.illustrate([post]))
    config = server.seen[0].body["generationConfig"]
    assert config["imageConfig"] == {"aspectRatio": "16:9", "imageSize": "1K"}
    banner = answer.output[0]
    with Image.open(io.BytesIO(base64.b64decode(banner.content))) as image:
        assert image.format == "WEBP"
        assert image.width / image.height == pytest.approx(16 / 9, rel=0.02)
        assert image.width <= 1200
    assert answer.usage.usd == pytest.approx(50 * 0.25e-6 + 1290 * 30e-6)
    assert (again.output, again.usage.calls) == (answer.output, 0)


@pytest.mark.parametrize("fault", ["SAFETY", "not-json", "404", "429-day"])
def test_a_banner_that_is_not_drawn_is_the_generated_one_and_marked(fault: str, tmp_path: Path) -> None:
    posts = [BannerInput(post_id=f"w1-{n}", title=f"The boat {n}") for n in (1, 2)]
    with FaultServer(always=lambda seen: fault if "boat 2" in seen.texts[0] else None) as server:
        provider = make(server, tmp_path)
        answer = run(provider, lambda: provider.illustrate(posts))
    assert [banner.format for banner in answer.output] == ["webp", "svg"]
    assert answer.degraded == "offline"
