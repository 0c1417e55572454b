"""Claims about answers that mean harm: whatever a model says, its window's pages are spoilt at most."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Collection, Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from egregora_assets.pipeline.context import PipelineContext
from egregora_assets.pipeline.open_window import window_works
from egregora_assets.pipeline.stage_runner import Outcome
from egregora_assets.stages import built_in_runner
from egregora_resources.document_kinds import PostMatter
from egregora_resources.llm.gemini import GeminiProvider
from egregora_resources.warehouse.results import load_documents
from egregora_resources.warehouse.windows import active_windows
from egregora_tests import HANG
from egregora_tests.llm.fault_server import FaultServer, Seen, good_text
from egregora_tests.publishing.hostile import hostile_texts
from egregora_tests.small_site import WITHOUT_SITE, SmallSite
from egregora_tests.weekly_chat import said, weeks

TEXTS = [case.text.encode("utf-8", "ignore").decode() for case in hostile_texts() if len(case.text) <= 600]
WINDOW = "2025-01-13"
ACTIVE = frozenset("script style iframe object embed form input button link meta base math".split())  # noqa: SIM905


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_API_KEY", "key-one")


class Elements(HTMLParser):
    """The elements of a page, and what its scripts hold."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.within: list[tuple[str, Mapping[str, str | None]]] = []
        """Those of the article."""
        self.loaded: set[tuple[str, str]] = set()
        """(element, address) of all that the browser would fetch."""
        self.scripts: set[str] = set()
        self._depth, self._script = 0, False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self._depth += tag == "article"
        self._script = tag == "script"
        if self._depth:
            self.within.append((tag, values))
        for name in ("src", "srcset", "data", "poster"):
            self.loaded |= {(tag, values[name] or "")} if name in values else set()
        if tag == "link":
            self.loaded.add((tag, values.get("href") or ""))

    def handle_endtag(self, tag: str) -> None:
        self._depth -= tag == "article"
        self._script &= tag != "script"

    def handle_data(self, data: str) -> None:
        if self._script:
            self.scripts.add(re.sub(r"\s+", " ", data))


def write(
    server: FaultServer,
    root: Path,
    shared: str = "Look at https://boats.example/build there",
    stages: Collection[str] | None = None,
) -> tuple[SmallSite, Outcome]:
    """A chat of two weeks, in the first of which somebody shares this, written as far as the built site, or these stages."""
    model = {
        "provider": "gemini",
        "base_url": server.url,
        "send_without_asking": True,
        "timeout_seconds": HANG,
    }
    site = SmallSite(root, model=model)
    site.get(said(weeks(2), "Marisol Quintero", shared, 0))
    site.lay_out()
    provider = GeminiProvider(site.opened, pause=0.01)
    context = PipelineContext(site.settings, root, site.warehouse, provider=provider)
    works = window_works(context, active_windows(site.warehouse))
    outcome = asyncio.run(built_in_runner(context).run(works, stages))
    return site, outcome


def first_window(answer: Callable[[Seen], Any]) -> Callable[[Seen], str | None]:
    """That answer, as JSON or text, to all that is asked about the first window; good ones about the others."""

    def says(seen: Seen) -> str | None:
        if seen.task in ("digests", "posts", "profiles") and f"Monday {WINDOW} ---" not in seen.texts[0]:
            return None
        said = answer(seen)
        return said if said is None or isinstance(said, str) else json.dumps(said)

    return says


def poisoned(seen: Seen) -> Any:
    """An answer of the right form that has hostile texts wherever there may be text."""
    who = re.findall(r"(?m)^\[\d+\] \d\d:\d\d @([\w-]+):", seen.texts[0])
    match seen.task:
        case "posts":
            posts = [
                {
                    "title": text[:200],
                    "dek": text,
                    "category": text[:60],
                    "tags": [text, f"{n} {text}"],
                    "sections": [
                        {
                            "heading": text[:200],
                            "blocks": [
                                {
                                    "type": "prose",
                                    "text": f"Before\n\n{text}\n\n{{quote 1}}\n\n{{picture x}}",
                                },
                                {"type": "quote", "message": 1 + n % 12},
                                {"type": "link", "link": 1},
                            ],
                            "sources": [1, 1, 1],
                        }
                    ],
                }
                for n, text in enumerate(TEXTS[:40])
            ]
            return {"posts": posts, "nothing_because": TEXTS[0]}
        case "digests":
            return {"summary": " ".join(TEXTS)[:4000], "topics": TEXTS[:30]}
        case "profiles":
            notes = [{"text": text[:600], "sources": [1, 5, 9]} for text in TEXTS[:10]]
            return {"people": [{"person": who[0], "notes": notes}]}
        case "vocabulary":
            return {"merges": [{"term": "boards", "stays": text} for text in TEXTS]}
        case _:
            return None


@pytest.mark.slow
def test_hostile_text_in_every_place_of_an_answer_is_text_on_the_pages(tmp_path: Path) -> None:
    with FaultServer() as server:
        harmless, _ = write(server, tmp_path / "harmless")
    with FaultServer(says=first_window(poisoned)) as server:
        # Whoever puts words into the model's mouth has written them in the chat.
        site, outcome = write(server, tmp_path / "hostile", " ".join(" ".join(TEXTS).split()))
    assert not outcome.failed
    posts = [post for post in load_documents(site.warehouse, "posts", PostMatter) if post.window == WINDOW]
    assert len(posts) == 40  # it was used, not replaced
    assert not any(post.front_matter.extract for post in posts)
    scripts = set[str]().union(
        *(Elements(p.read_text("utf-8")).scripts for p in harmless.folder.built.rglob("*.html"))
    )
    pages = sorted(site.folder.built.rglob("*.html"))
    assert len(pages) > 45
    for path in pages:
        page = Elements(path.read_text("utf-8"))
        assert {re.sub(r'"base": "[./]*"', '"base": "."', s) for s in page.scripts} <= {
            re.sub(r'"base": "[./]*"', '"base": "."', s) for s in scripts
        }, path
        assert not [address for _, address in page.loaded if re.match(r"[\s\\]*(//|\w+:)", address)], path
        for tag, values in page.within:
            assert tag not in ACTIVE, (path, tag, values)
            assert not [name for name in values if name.startswith("on") or name in ("style", "srcdoc")], path
            address = values.get("href") or values.get("src") or ""
            scheme = re.match(r"\s*([\w+.-]+):", address)
            assert scheme is None or scheme[1].lower() in ("http", "https", "mailto"), (path, address)


@pytest.mark.parametrize(
    ("answer", "remark"),
    [
        (lambda post: {**post, "title": "x" * 10_000}, "title"),
        (lambda post: {**post, "sections": post["sections"] * 10_000}, "sections"),
        (lambda post: {**post, "sections": [{**post["sections"][0], "blocks": post["sections"][0]["blocks"] * 500}]}, "blocks"),
        (lambda post: {**post, "tags": ["x"] * 1_000}, "tags"),
        (lambda post: {**post, "sections": [{"heading": "", "blocks": [{"type": "prose", "text": "x" * 10**6}], "sources": []}]}, "text"),
        (lambda post: {**post, "sections": [{"heading": "", "blocks": [{"type": "quote", "message": 10**30}], "sources": []}]}, "message"),
    ],
    ids=["title", "sections", "blocks", "tags", "prose", "number"],
)  # fmt: skip
def test_an_answer_out_of_all_proportion_is_asked_again_and_then_replaced(
    answer: Callable[[Any], Any], remark: str, tmp_path: Path
) -> None:
    def huge(seen: Seen) -> Any:
        post = json.loads(good_text(seen))["posts"][0] if seen.task == "posts" else None
        return post and {"posts": [answer(post)], "nothing_because": ""}

    with FaultServer(says=first_window(huge)) as server:
        site, outcome = write(server, tmp_path, stages=WITHOUT_SITE)
    assert not outcome.failed
    posts = load_documents(site.warehouse, "posts", PostMatter)
    assert {post.window: post.front_matter.extract for post in posts} == {
        WINDOW: True,
        "2025-01-20": False,
    }
    asked = [seen for seen in server.calls("posts") if len(seen.texts) > 1]
    assert len(asked) == 4  # of each of two models, twice
    assert remark in asked[-1].texts[-1]


def test_a_post_given_many_times_and_quotes_given_twice_are_shown_once(tmp_path: Path) -> None:
    def repeated(seen: Seen) -> Any:
        if seen.task != "posts":
            return None
        post = json.loads(good_text(seen))["posts"][0]
        post["sections"][0]["blocks"] *= 3
        return {"posts": [post] * 30, "nothing_because": ""}

    with FaultServer(says=first_window(repeated)) as server:
        site, _ = write(server, tmp_path, stages=WITHOUT_SITE)
    posts = [post for post in load_documents(site.warehouse, "posts", PostMatter) if post.window == WINDOW]
    assert len(posts) == 1
    assert posts[0].body.count("{quote") == 1
    assert posts[0].body.count("It began with") == 1


@pytest.mark.slow
def test_an_address_that_nobody_shared_is_not_published(tmp_path: Path) -> None:
    def luring(seen: Seen) -> Any:
        if seen.task != "posts":
            return None
        post = json.loads(good_text(seen))["posts"][0]
        text = "[Log in](https://evil.example/in), www.evil.example, or see https://boats.example/build at 10.30: e.g. soon"
        post["sections"][0]["blocks"][0]["text"] = text
        return {"posts": [{**post, "dek": "https://evil.example"}], "nothing_because": ""}

    with FaultServer(says=first_window(luring)) as server:
        site, _ = write(server, tmp_path)
    told = [seen.texts[-1] for seen in server.calls("posts") if len(seen.texts) > 1]
    assert "evil.example" in told[0]
    assert "boats.example" not in told[0]
    assert "evil.example" not in "".join(p.read_text("utf-8") for p in site.folder.built.rglob("*.html"))
