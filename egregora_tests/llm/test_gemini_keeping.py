"""Claims about what is kept of models' answers, about the limits, the prompts, and which provider a site has."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from egregora_assets.pipeline.context import PipelineContext
from egregora_assets.pipeline.plan import code_version
from egregora_assets.stages import STAGES
from egregora_resources.llm.cache import ResponseCache, Subjects
from egregora_resources.llm.database import LlmStore
from egregora_resources.llm.gemini import GeminiProvider, KeyMissing
from egregora_resources.llm.gemini.transcript import canonical, halves, page_of
from egregora_resources.llm.limits import Keys, Limits
from egregora_resources.llm.prompting import PromptError, Prompts, fence, one_line
from egregora_resources.llm.providers import check_provider, record_provider, wanted_provider
from egregora_resources.site.folder import SiteFolder
from egregora_resources.site.settings import Settings
from egregora_resources.site.site import Site
from egregora_resources.usage import Usage
from egregora_resources.warehouse.database import Warehouse
from egregora_tests.llm.chats import garden, stretch

SECRET = "the wheelbarrow is behind the chapel"


def test_answers_about_a_person_or_message_are_deleted_from_the_very_file(tmp_path: Path) -> None:
    cache = ResponseCache(LlmStore(tmp_path / "llm.sqlite"))

    def everything() -> bytes:
        return b"".join(path.read_bytes() for path in tmp_path.iterdir())

    usage = Usage(1, 10, 10, 0.1)
    cache.put("a", "digests", "m", SECRET, usage, Subjects("w1", ("amber-heron",), (1, 2)))
    cache.put("b", "digests", "m", "other", usage, Subjects("w2", ("blue-otter",), (3,), ("pic",)))
    cache.put("c", "digests", "m", "third", usage, Subjects("w3", ("coral-fox",), (4,)))
    assert SECRET.encode() in everything()
    assert cache.delete_for(authors=["amber-heron"], messages=[2]) == 1
    assert SECRET.encode() not in everything()
    assert cache.get("a") is None
    assert [(text.window, text.answer) for text in cache.texts()] == [("w2", "other"), ("w3", "third")]
    assert cache.delete_for(media=["pic"]) == 1
    assert cache.delete_for(messages=[4]) == 1
    assert list(cache.texts()) == []


def test_a_cache_that_was_never_written_is_empty_and_stays_away(tmp_path: Path) -> None:
    cache = ResponseCache(LlmStore(tmp_path / "llm.sqlite"))
    assert (cache.get("a"), list(cache.texts()), cache.delete_for(["x"])) == (None, [], 0)
    assert not any(tmp_path.iterdir())


@given(
    st.integers(1, 5),
    st.integers(0, 8),
    st.integers(0, 500),
    st.lists(st.integers(1, 400), min_size=1, max_size=25),
)
def test_no_minute_sees_more_calls_or_tokens_than_allowed(
    concurrency: int, requests: int, tokens: int, sizes: list[int]
) -> None:
    clock = [0.0]
    begun: list[tuple[float, int]] = []

    async def one(limits: Limits, size: int) -> None:
        async with limits.call(size):
            begun.append((clock[0], size))
            await asyncio.sleep(0)

    async def all_of_them() -> int:
        limits = Limits(concurrency, requests=requests, tokens=tokens, clock=lambda: clock[0])
        real, asyncio.sleep = asyncio.sleep, sleep  # pyright: ignore[reportAttributeAccessIssue]
        try:
            await asyncio.gather(*(one(limits, size) for size in sizes))
        finally:
            asyncio.sleep = real
        return limits.peak

    really = asyncio.sleep

    async def sleep(seconds: float) -> None:
        clock[0] += seconds
        await really(0)

    assert asyncio.run(all_of_them()) <= concurrency
    assert sorted(size for _, size in begun) == sorted(sizes)
    for start, _ in begun:
        minute = [size for at, size in begun if start <= at < start + 60]
        assert not requests or len(minute) <= requests
        assert not tokens or len(minute) == 1 or sum(minute) <= tokens


def test_keys_take_turns_and_who_rests_is_left_alone_until_then() -> None:
    clock = [0.0]
    keys = Keys(["A", "B", "C"], clock=lambda: clock[0])
    assert [keys.choose("m")[0] for _ in range(4)] == ["A", "B", "C", "A"]
    keys.cool_down("B", "m", 30)
    keys.reject("C", "401")
    assert {keys.choose("m")[0] for _ in range(5)} == {"A"}
    assert {keys.choose("another")[0] for _ in range(5)} == {"A", "B"}
    keys.cool_down("A", "m", 60)
    assert keys.choose("m") == ("B", 30)
    clock[0] = 31
    assert keys.choose("m") == ("B", 0)


def context(site: Path) -> PipelineContext:
    folder = SiteFolder(site)
    folder.state.mkdir(parents=True, exist_ok=True)
    settings = Settings.model_validate({"model": {"provider": "gemini"}})
    return PipelineContext(
        settings,
        site,
        Warehouse(folder.warehouse),
        provider=GeminiProvider(Site(folder, settings, Warehouse(folder.warehouse))),
    )


def versions(site: Path) -> dict[str, str]:
    made = context(site)
    return {stage.name: code_version(stage, made) for stage in STAGES}


@pytest.mark.parametrize(
    ("prompt", "stage"),
    [
        ("posts", "posts"),
        ("digests", "digests"),
        ("profiles", "profiles"),
        ("links", "enrichments"),
        ("media", "enrichments"),
        ("banners", "banners"),
    ],
)
def test_a_change_of_a_prompt_makes_exactly_its_stage_stale(prompt: str, stage: str, tmp_path: Path) -> None:
    before = versions(tmp_path)
    folder = SiteFolder(tmp_path).prompts
    folder.mkdir()
    text = '{% extends "builtin/NAME.jinja" %}\n{% block system %}{{ super() }} In verse.{% endblock %}'
    (folder / f"{prompt}.jinja").write_text(text.replace("NAME", prompt))
    after = versions(tmp_path)
    assert {name for name in before if before[name] != after[name]} == {stage}
    (folder / f"{prompt}.jinja").unlink()
    assert versions(tmp_path) == before


def test_a_change_of_a_tasks_model_makes_exactly_its_stage_stale(tmp_path: Path) -> None:
    before = versions(tmp_path)
    made = context(tmp_path)
    settings = Settings.model_validate({"model": {"provider": "gemini", "names": {"digests": "another"}}})
    provider = GeminiProvider(Site(SiteFolder(tmp_path), settings, made.storage))
    made = PipelineContext(settings, tmp_path, made.storage, provider=provider)
    after = {stage.name: code_version(stage, made) for stage in STAGES}
    assert {name for name in before if before[name] != after[name]} == {"digests"}


def test_an_owners_prompt_may_add_to_the_built_in_one(tmp_path: Path) -> None:
    (tmp_path / "links.jinja").write_text(
        '{% extends "builtin/links.jinja" %}{% block system %}{{ super() }}\nBe brief.{% endblock %}'
    )
    own = Prompts(tmp_path).fill("links", url="https://x.example", language="en")
    usual = Prompts().fill("links", url="https://x.example", language="en")
    assert own.system.split() == [*usual.system.split(), "Be", "brief."]
    assert own.user == usual.user


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{% block system %}", "line 1"),
        ("Describe it.", "must begin with"),
        ('{% extends "builtin/links.jinja" %}{% block user %}{{ wibble }}{% endblock %}', "wibble"),
        ('{% extends "builtin/nothing.jinja" %}', "nothing"),
    ],
)
def test_a_prompt_that_cannot_be_used_is_named_with_what_is_wrong(
    text: str, told: str, tmp_path: Path
) -> None:
    (tmp_path / "links.jinja").write_text(text)
    with pytest.raises(PromptError, match=r"links\.jinja") as caught:
        Prompts(tmp_path).fill("links", url="https://x.example", language="en")
    assert told in str(caught.value)


@given(st.text(max_size=300))
def test_no_text_closes_the_marks_around_it_or_makes_a_second_line(text: str) -> None:
    lines = fence("conversation", text).split("\n")
    assert lines[-1] == lines[0].replace("<", "</", 1)
    assert lines[-1] not in "\n".join(lines[1:-1])
    assert len(one_line(text).splitlines()) <= 1


@given(st.integers(0, 40), st.integers(0, 2**32))
def test_halves_hold_every_message_once_in_order(count: int, seed: int) -> None:
    said = stretch([f"word {(seed * n) % 7}" for n in range(count)], minutes=1 + seed % 9)
    parts = halves(said)
    if count < 4:
        assert parts is None
    else:
        assert parts is not None
        assert all(part.messages for part in parts)
        assert [*parts[0].messages, *parts[1].messages] == said.messages


def test_a_conversation_is_numbered_from_one_and_tells_the_days() -> None:
    page = page_of(garden("de"))
    assert page.conversation.splitlines()[:2] == [
        "--- Monday 2025-01-13 ---",
        "[1] 09:00 @amber-heron: Wer kann am Samstag beim Gemeinschaftsgarten helfen?",
    ]
    assert page.language == "de"
    assert page.people == {"amber-heron", "blue-otter", "coral-fox"}


def test_an_address_loses_what_does_not_change_its_page() -> None:
    assert canonical("HTTPS://me:pw@Www.Example.ORG:443/A/b?b=2&utm_medium=x&a=1#top") == (
        "https://www.example.org/A/b?b=2&a=1"
    )
    assert canonical("http://[bad") == "http://[bad"


def test_auto_is_resolved_at_the_first_write_and_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, settings = SiteFolder(tmp_path), Settings()
    folder.state.mkdir()
    for name in ("GOOGLE_API_KEY", "GEMINI_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    assert wanted_provider(Site(folder, settings, Warehouse(folder.warehouse))) == "offline"
    monkeypatch.setenv("GEMINI_API_KEY", "x")
    assert wanted_provider(Site(folder, settings, Warehouse(folder.warehouse))) == "gemini"
    assert record_provider(Site(folder, settings, Warehouse(folder.warehouse))) == "gemini"
    monkeypatch.delenv("GEMINI_API_KEY")
    assert wanted_provider(Site(folder, settings, Warehouse(folder.warehouse))) == "gemini"


def test_whoever_names_the_variable_of_a_key_is_told_that_it_is_not_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = SiteFolder(tmp_path)
    folder.state.mkdir()
    settings = Settings.model_validate({"model": {"api_key_env": ["MY_MAGAZINE_KEY"]}})
    monkeypatch.delenv("MY_MAGAZINE_KEY", raising=False)
    with pytest.raises(KeyMissing, match="MY_MAGAZINE_KEY"):
        check_provider(Site(folder, settings, Warehouse(folder.warehouse)))
    assert not folder.provider.exists()
