"""Claims about services that serve only a part of the protocol, in front of small models: the posts get written all the same."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from threading import Barrier, Event
from typing import Any

import pytest

from egregora_assets.commands.write import write_site
from egregora_resources.document_kinds import PostMatter
from egregora_resources.errors import ProviderError, RunStopped
from egregora_resources.llm.database import LlmStore
from egregora_resources.llm.gemini.outcomes import CallFailure, TooMuch, UnsupportedRequest
from egregora_resources.llm.spending import spent
from egregora_resources.llm.tasks import BannerInput, Link, NotesInput, Prose, Quote
from egregora_resources.site.folder import SiteFolder
from egregora_resources.warehouse.results import load_documents, load_results
from egregora_tests import HANG
from egregora_tests.llm.chats import garden, stretch
from egregora_tests.llm.fault_server import FaultServer, Seen, good_text
from egregora_tests.llm.many_windows import run_windows
from egregora_tests.llm.small_model import HOPELESS, MENDED, USABLE, SmallModel, error, said
from egregora_tests.llm.test_gemini_answers import digest, make, run, write
from egregora_tests.llm.test_gemini_pictures_and_links import store_pictures
from egregora_tests.weekly_chat import export, weeks

# As the client puts it; the command doesn't show that, but pytest does.
pytestmark = pytest.mark.filterwarnings("ignore:.* is not a valid FinishReason")
TINY: dict[str, Any] = {
    "names": dict.fromkeys(("posts", "profiles", "digests", "enrichments", "vocabulary"), "tiny"),
    "fallback_models": [],
}


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_API_KEY", "key-one")


@pytest.mark.parametrize("way", USABLE)
def test_a_good_answer_in_bad_clothes_is_taken_at_once(way: str, tmp_path: Path) -> None:
    with FaultServer(says=lambda seen: USABLE[way](seen)) as server:
        provider = make(server, tmp_path, **TINY)
        answer = write(provider)
        assert digest(provider).output.topics == ["raised bed", "compost heap"]
        notes = run(provider, lambda: provider.observe(garden())).output.people
    assert len(server.seen) == 3
    assert answer.degraded == ""
    [post] = answer.output.posts
    assert [type(block) for block in post.sections[0].blocks] == [Prose, Quote]
    assert post.sections[0].sources == [100]
    assert [person.notes for person in notes if person.notes] == [["@amber-heron brings boards."]]


@pytest.mark.parametrize("way", MENDED)
def test_what_stays_wrong_when_asked_again_is_left_out_and_the_rest_is_kept(way: str, tmp_path: Path) -> None:
    with FaultServer(says=lambda seen: MENDED[way](seen)) as server:
        answer = write(make(server, tmp_path, **TINY))
        again = write(make(server, tmp_path, **TINY))
    assert len(server.seen) == 3
    assert answer.degraded == ""
    [post] = answer.output.posts
    assert len(post.sections) == (2 if way == "no sources" else 1)
    assert [block for block in post.sections[0].blocks if isinstance(block, Quote)] == [Quote(message=100)]
    assert post.title.startswith("A day in the garden")
    assert len(post.title) <= 200
    assert "unicorn" not in post.model_dump_json()
    if way == "somebody else":
        assert post.sections[0].blocks[-1] == Prose(text="All is well.")
    assert (again.output, again.usage.calls) == (answer.output, 0)


@pytest.mark.parametrize("way", HOPELESS)
def test_where_nothing_can_be_made_of_the_answers_an_extract_stands_and_says_so(
    way: str, tmp_path: Path
) -> None:
    with FaultServer(says=lambda seen: HOPELESS[way](seen)) as server:
        answer = write(make(server, tmp_path, **TINY))
    assert len(server.seen) == 3
    assert answer.degraded == "offline"
    assert answer.output.posts


def test_a_model_that_does_not_see_the_schema_is_told_of_it_and_from_then_on_at_once(tmp_path: Path) -> None:
    def says(seen: Seen) -> str | None:
        return None if "of this schema: " in "".join(seen.texts) else "They talked about the garden."

    with FaultServer(says=says) as server:
        provider = make(server, tmp_path, **TINY)
        for n in range(3):
            assert digest(provider, stretch([f"Boards, the {n}th", "And compost"])).degraded == ""
    assert ["of this schema" in seen.texts[-1] for seen in server.seen] == [False, True, True, True]
    assert [len(seen.texts) for seen in server.seen] == [1, 3, 1, 1]


def test_a_server_that_refuses_what_stands_beside_the_words_is_given_words_alone(tmp_path: Path) -> None:
    def answers(seen: Seen) -> tuple[int, Any] | None:
        beside = "responseJsonSchema" in seen.body["generationConfig"] or seen.system
        return error(400, "Extra inputs are not permitted") if beside else None

    with FaultServer(answers=answers) as server:
        provider = make(server, tmp_path, **TINY)
        for n in range(3):
            assert digest(provider, stretch([f"Boards, the {n}th", "And compost"])).degraded == ""
    assert len(server.seen) == 4
    assert "You keep the memory" in server.seen[-1].texts[0]
    assert '"summary"' in server.seen[-1].texts[0]


def test_a_model_that_answered_well_is_not_asked_in_another_way_when_it_refuses_a_request(
    tmp_path: Path,
) -> None:
    with FaultServer(always=lambda seen: "400" if "Number 1" in seen.texts[0] else None) as server:
        provider = make(server, tmp_path, **TINY)
        answers = [digest(provider, stretch([f"Number {n}", "And compost"])) for n in range(3)]
    assert [answer.degraded for answer in answers] == ["", "offline", ""]
    assert len(server.seen) == 3


@pytest.mark.parametrize(
    "told",
    [
        (404, {"detail": "Not Found"}),
        (404, b"<html>404</html>"),
        (405, {"detail": "Method Not Allowed"}),
        error(400, "agenerate_content: Invalid model name passed in model=gemini-3.5-flash-lite."),
        error(400, 'model "gemini-3.8-flash" not found, try pulling it first'),
    ],
)
def test_a_service_that_knows_none_of_the_models_stops_the_run_with_one_sentence(
    told: tuple[int, Any], tmp_path: Path
) -> None:
    with FaultServer(answers=lambda seen: told) as server:
        provider = make(server, tmp_path)
        with pytest.raises(RunStopped, match=r"no such model at http://.*names.*api_version"):
            digest(provider)
        with pytest.raises(RunStopped):
            digest(provider, stretch(["Something", "else"]))
    assert len(server.seen) == 2


def test_no_window_is_extracted_offline_because_it_was_the_last_to_hear_that_the_address_is_wrong(
    tmp_path: Path,
) -> None:
    together, told = Barrier(3), Event()

    def answers(seen: Seen) -> tuple[int, Any]:
        if "Last" in seen.texts[0]:
            told.wait(30)
        elif not seen.model.endswith("lite"):
            together.wait(30)
        return 404, {"detail": "Not Found"}

    async def ask() -> list[Any]:
        last = asyncio.create_task(provider.digest(stretch(["Last", "And compost"])))
        first = [provider.digest(stretch([f"The {n}th", "And compost"])) for n in range(3)]
        came = await asyncio.gather(*first, return_exceptions=True)
        told.set()
        return [*came, *await asyncio.gather(last, return_exceptions=True)]

    with FaultServer(answers=answers) as server:
        provider = make(server, tmp_path)
        assert [type(error) for error in run(provider, ask)] == [RunStopped] * 4


def test_a_service_that_has_nothing_for_one_kind_of_request_does_the_others(tmp_path: Path) -> None:
    def answers(seen: Seen) -> tuple[int, Any] | None:
        return (
            (404, {"error": {"message": "No fixture matched", "code": 404}})
            if seen.task in ("links", "profiles")
            else None
        )

    with FaultServer(answers=answers) as server:
        provider = make(server, tmp_path, **TINY)
        links = [Link(url="https://boats.example/1", message=1)]
        assert run(provider, lambda: provider.enrich(NotesInput(links=links))).output.links[0].problem
        assert digest(provider).degraded == ""
        assert run(provider, lambda: provider.observe(garden())).degraded == "offline"
        assert write(provider).degraded == ""


def test_a_model_that_is_not_there_is_asked_for_once_a_run(tmp_path: Path) -> None:
    with FaultServer(always=lambda seen: "404" if seen.model.endswith("lite") else None) as server:
        provider = make(server, tmp_path)
        for n in range(3):
            assert digest(provider, stretch([f"Boards, the {n}th", "And compost"])).degraded
    assert sum(seen.model.endswith("lite") for seen in server.seen) == 1


def test_pages_pictures_and_banners_that_a_service_cannot_do_are_not_asked_for_again_and_again(
    tmp_path: Path,
) -> None:
    with FaultServer(answers=SmallModel(list(USABLE.values()))) as server:
        provider = make(server, tmp_path, concurrency=1, **TINY)

        async def all_of_it() -> list[Any]:
            asked: list[Any] = []
            for n in range(8):
                links = [Link(url=f"https://boats.example/{n}", message=n)]
                asked += [
                    await provider.enrich(NotesInput(links=links, media=store_pictures(tmp_path, n + 1)[-1:]))
                ]
                asked += [await provider.illustrate([BannerInput(post_id=f"w-{n}", title=f"The boat {n}")])]
            return asked

        answers = run(provider, all_of_it)
    # Refused as it is, and in words alone, three times each; the model for banners isn't there at all.
    assert len(server.seen) == 3 * 2 + 3 * 2 + 1
    notes, banners = answers[::2], answers[1::2]
    assert all(note.output.links[0].problem and note.output.media[0].problem for note in notes)
    assert {banner.output[0].format for banner in banners} == {"svg"}


def test_an_answer_is_asked_for_that_the_model_has_room_for(tmp_path: Path) -> None:
    with FaultServer(answers=SmallModel([good_text], context=4_000)) as server:
        provider = make(server, tmp_path, api_version="v1beta", **TINY)
        for n in range(3):
            assert digest(provider, stretch([f"Boards, the {n}th", "And compost"])).degraded == ""
    rooms = [seen.body["generationConfig"]["maxOutputTokens"] for seen in server.seen]
    assert rooms[:3] == [32_768, 8_192, 2_048]
    assert set(rooms[3:]) == {2_048}


def test_a_conversation_too_long_for_a_model_is_halved_until_it_fits_and_that_is_remembered(
    tmp_path: Path,
) -> None:
    def book(window: int) -> list[str]:
        return [f"Chapter {n} of volume {window} is about the compost heap of that year" for n in range(160)]

    with FaultServer(answers=SmallModel([good_text], context=4_000)) as server:
        provider = make(server, tmp_path, **TINY)
        first = write(provider, stretch=stretch(book(1)))
        calls = len(server.seen)
        second = write(provider, stretch=stretch(book(2)))
    assert first.degraded == second.degraded == ""
    assert len(first.output.posts) == len(second.output.posts) > 1
    refused = [seen for seen in server.seen[calls:] if SmallModel([good_text], context=4_000)(seen)[0] == 400]
    assert refused == []


def test_a_model_that_never_stops_writing_is_not_asked_for_ever(tmp_path: Path) -> None:
    with FaultServer(always=lambda seen: "max-tokens") as server:
        answer = write(make(server, tmp_path, **TINY), stretch=stretch(["The boards are rotten"] * 200))
    assert len(server.seen) <= 2 * (1 + 2 + 4)
    assert answer.degraded == "offline"


def test_empty_answers_are_no_failing_service(tmp_path: Path) -> None:
    with FaultServer(always=lambda seen: "no-text") as server:
        provider = make(server, tmp_path, **TINY)
        for n in range(6):
            assert digest(provider, stretch([f"Boards, the {n}th", "And compost"])).degraded == "offline"
    assert len(server.seen) == 6 * 3


@pytest.mark.parametrize("reason", ["eos", "stop", "end_turn", "SOMETHING_NEW", ""])
def test_a_whole_answer_is_taken_whatever_the_reason_that_it_ended(reason: str, tmp_path: Path) -> None:
    with FaultServer(answers=lambda seen: said(good_text(seen), reason)) as server:
        assert digest(make(server, tmp_path, **TINY)).degraded == ""
    assert len(server.seen) == 1


def test_tokens_that_a_service_does_not_count_are_estimated(tmp_path: Path) -> None:
    with FaultServer(answers=lambda seen: said(good_text(seen))) as server:
        digest(make(server, tmp_path))
        words = len(" ".join([server.seen[0].system, *server.seen[0].texts]).encode())
    total = spent(LlmStore(SiteFolder(tmp_path).llm))
    assert total.input_tokens == pytest.approx(words / 4, rel=0.05)
    assert total.output_tokens == len(good_text(server.seen[0])) // 4
    assert total.usd > 0


def test_a_service_without_batch_jobs_is_asked_one_by_one(tmp_path: Path) -> None:
    with FaultServer(batch_fault="none") as server:
        answer = digest(make(server, tmp_path, mode="batch"))
    assert len(server.seen) == 1
    assert answer.degraded == ""


def test_the_interface_of_compatible_services_is_called_at_v1beta_unless_the_owner_says_otherwise(
    tmp_path: Path,
) -> None:
    with FaultServer() as server:
        digest(make(server, tmp_path / "a"))
        digest(make(server, tmp_path / "b", api_version="v1"))
    assert [seen.path.split("/")[1] for seen in server.seen] == ["v1beta", "v1"]


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"<html>Not here</html>", UnsupportedRequest),
        ({"error": "field model_x not supported"}, UnsupportedRequest),
        ({"error": {"message": "prompt is too long: 5000 tokens > 4096 maximum"}}, TooMuch),
        ({"error": "the request exceeds the available context size, try increasing it"}, TooMuch),
        ({"detail": [{"loc": ["body"], "msg": "max_tokens is too large: 32768"}]}, TooMuch),
        ([{"error": {"code": 400, "message": "Request contains an invalid argument."}}], UnsupportedRequest),
        ([], UnsupportedRequest),
        ("no", UnsupportedRequest),
        (None, UnsupportedRequest),
    ],
)
def test_errors_of_whatever_form_are_told_apart_and_tell_nothing_of_their_words(
    body: Any, kind: type[CallFailure], tmp_path: Path
) -> None:
    with FaultServer(answers=lambda seen: (400, body)) as server, pytest.raises(ProviderError) as caught:
        digest(make(server, tmp_path, offline_fallback=False, **TINY), stretch(["One", "Two"]))
    assert (kind is TooMuch) == ("too long" in str(caught.value))
    assert len(server.seen) <= 5
    assert not {"model_x", "html", "available", "body"} & set(str(caught.value).split())


def test_text_in_another_language_than_was_asked_for_is_refused(tmp_path: Path) -> None:
    english = (
        "They talked about the compost heap, which has to move, and about twelve boards for the raised bed. "
        * 2
    )

    def says(seen: Seen) -> str:
        answer = json.loads(good_text(seen))
        wrong = len(seen.texts) == 1
        answer["posts"][0]["sections"][0]["blocks"][0]["text"] = (
            english if wrong else "Falaram da churrasqueira e do carvão para o sábado. " * 3
        )
        return json.dumps(answer)

    with FaultServer(says=says) as server:
        answer = write(make(server, tmp_path, **TINY), stretch=garden("pt"))
    assert len(server.seen) == 2
    assert "Write everything in pt" in server.seen[1].texts[-1]
    assert answer.output.posts[0].language == "pt"


def test_people_whose_sign_a_model_forgot_are_still_people(tmp_path: Path) -> None:
    def says(seen: Seen) -> str:
        return good_text(seen, person="Amber-Heron")

    with FaultServer(says=says) as server:
        provider = make(server, tmp_path, **TINY)
        post = write(provider).output.posts[0]
        people = run(provider, lambda: provider.observe(garden())).output.people
    assert post.sections[0].blocks[0] == Prose(text="It began with @amber-heron.")
    assert post.people == ["amber-heron"]
    assert next(p.notes for p in people if p.person == "amber-heron") == ["@amber-heron brings boards."]


@pytest.mark.slow
def test_a_write_ends_with_what_a_fallback_made(tmp_path: Path) -> None:
    with FaultServer(answers=SmallModel([HOPELESS["chatter"]])) as server:
        make(server, tmp_path)
        names = "\n".join(f'{task} = "tiny"' for task in TINY["names"])
        (tmp_path / "egregora.toml").write_text(
            f'[model]\nprovider = "gemini"\nbase_url = "{server.url}"\nfallback_models = []\n'
            f"timeout_seconds = {HANG}\nsend_without_asking = true\n[model.names]\n{names}\n"
            "[pipeline.banners]\nenabled = false\n"
        )
        report = write_site(tmp_path, [export(tmp_path, weeks(2))], yes=True)
    assert report.failed == {}
    windows = ["2025-01-13", "2025-01-20"]
    assert {stage: sorted(made) for stage, made in report.degraded.items()} == {
        "digests": windows, "profiles": windows, "posts": windows,
    }  # fmt: skip


def test_a_whole_run_in_front_of_a_small_model_writes_every_window_in_a_bounded_number_of_calls(
    tmp_path: Path,
) -> None:
    ways = [*USABLE.values(), *MENDED.values(), *HOPELESS.values()]
    with FaultServer(answers=SmallModel(ways, context=6_000)) as server:
        done = run_windows(server, tmp_path, 16, **TINY)
    assert done.outcome.failed == {}
    assert len(done.outcome.done) == 16
    posts = load_documents(done.site.warehouse, "posts", PostMatter)
    written = {post.window for post in posts if not post.front_matter.extract}
    results = load_results(done.site.warehouse)
    degraded = {window for (stage, window), r in results.items() if stage == "posts" and r.degraded}
    assert {post.window for post in posts} == set(done.outcome.done)
    assert written
    assert degraded
    assert not written & degraded
    # Three times each task of a window, and what it takes to learn how to ask, for the windows that begin together.
    assert len(server.seen) <= 16 * 3 * 3 + 8 * 5
