"""What somebody takes back is gone at once: from what is stored and from the site, whatever happens next."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from egregora_assets.erasure import withdrawal
from egregora_assets.erasure.withdrawal import withdraw, withdrawals_due
from egregora_assets.stages import STAGES
from egregora_resources.document_kinds import PostMatter
from egregora_resources.llm.cache import ResponseCache, Subjects
from egregora_resources.llm.database import LlmStore
from egregora_resources.usage import Usage
from egregora_resources.warehouse.results import load_documents
from egregora_tests.providers import WatchedProvider
from egregora_tests.small_site import SmallSite
from egregora_tests.weekly_chat import NAMES, Line, reworded, said, weeks

pytestmark = pytest.mark.slow

ALL = [stage.name for stage in STAGES]
GUEST = "Wilhelmina Oyelaran"
SECRET = "The xylophone under the vicarage stairs belongs to my grandmother Philippa, tell no one"
WEEK = "2025-01-20"


def chat() -> list[Line]:
    """Four weeks; a guest speaks in the second one, and is named in the third."""
    lines = said(weeks(4), GUEST, SECRET, week=1, minute=30)
    lines = said(
        lines, GUEST, "I can bring the xylophone and forty sandwiches on Saturday", week=1, minute=45
    )
    return said(lines, NAMES[0], "Wilhelmina promised to repair the barrel on Sunday", week=2, minute=31)


def out(lines: list[Line]) -> list[Line]:
    return [*lines, Line(lines[-1].time.replace(hour=20), GUEST, "/egregora opt-out")]


def everything(site: SmallSite) -> str:
    """All that isn't raw: site, docs and the warehouse's other tables."""
    files = [p for f in ("site", "docs") for p in (site.folder.root / f).rglob("*") if p.is_file()]
    pages = [p.read_text("utf-8", "ignore") for p in files if "javascripts" not in str(p)]
    tables = ("messages", "documents", "vocabulary", "stage_results")
    rows = [repr(site.warehouse.rows(f"SELECT * FROM {table}")) for table in tables]
    return "\n".join([*map(str, files), *pages, *rows])


def token_of(site: SmallSite, name: str) -> str:
    return site.warehouse.rows(
        "SELECT token FROM authors JOIN author_names USING (author_id) WHERE name = ?", [name]
    )[0][0]


def shown(token: str) -> str:
    return " ".join(word.capitalize() for word in token.split("-"))


@pytest.fixture
def site(tmp_path: Path) -> SmallSite:
    """A site on which the guest is seen."""
    made = SmallSite(tmp_path)
    made.get(chat())
    assert not made.run(stages=ALL).failed
    text = everything(made)
    token = token_of(made, GUEST)
    assert "xylophone" in text
    assert token in text
    assert shown(token) in text
    return made


def test_who_opts_out_is_gone_before_anything_is_written_anew(site: SmallSite) -> None:
    token = token_of(site, GUEST)
    site.get(out(chat()))
    taken = withdraw(site.context())
    assert list(taken.windows)[:2] == [WEEK, "2025-01-27"]
    assert taken.rebuilt
    text = everything(site)
    for word in ("xylophone", "Philippa", "sandwiches", token, shown(token)):
        assert word not in text, word
    assert "2025-01-13" in text
    assert (site.folder.built / "index.html").exists()


def test_what_was_withdrawn_stays_gone_when_writing_it_anew_fails(site: SmallSite) -> None:
    token = token_of(site, GUEST)
    site.get(out(chat()))
    outcome = site.run(WatchedProvider(failing=[WEEK, "2025-01-27"]), stages=ALL)
    assert set(outcome.failed) == {WEEK, "2025-01-27"}
    text = everything(site)
    assert "xylophone" not in text
    assert token not in text


def test_an_opt_out_recomputes_the_windows_where_they_spoke_or_were_named_and_only_those(
    site: SmallSite,
) -> None:
    before = site.posts()
    site.forget_runs()
    site.get(out(chat()))
    site.run(stages=ALL)
    remembering = {
        post.window
        for post in load_documents(site.warehouse, "posts", PostMatter)
        if {WEEK, "2025-01-27"} & set(post.front_matter.memory)
    }
    assert site.made()["messages"] == {WEEK, "2025-01-27", "2025-02-03"}  # the last one holds the command
    assert site.made()["posts"] <= {WEEK, "2025-01-27", "2025-02-03"} | remembering
    after = site.posts()
    assert after["2025-01-13-1"] == before["2025-01-13-1"]
    assert token_of(site, GUEST) not in str([r.model_dump() for r in site.provider.requests])
    assert "xylophone" not in str([r.model_dump() for r in site.provider.requests])


def test_an_opt_in_brings_everything_back(site: SmallSite) -> None:
    before = site.posts()
    lines = out(chat())
    site.get(lines)
    site.run(stages=ALL)
    assert "xylophone" not in everything(site)
    site.get([*lines, Line(lines[-1].time.replace(hour=21), GUEST, "/egregora opt-in")])
    site.run(stages=ALL)
    assert "xylophone" in everything(site)
    assert site.posts()["2025-01-20-1"] == before["2025-01-20-1"]


def test_an_opt_in_that_follows_before_anything_was_written_anew_brings_everything_back(
    site: SmallSite,
) -> None:
    before = site.posts()
    lines = out(chat())
    site.get(lines)
    withdraw(site.context())
    site.get([*lines, Line(lines[-1].time.replace(hour=21), GUEST, "/egregora opt-in")])
    site.run(stages=ALL)
    assert site.posts() == before


def test_a_message_deleted_in_the_chat_is_withdrawn_at_once_even_if_the_rest_fails(site: SmallSite) -> None:
    lines = chat()
    index = next(n for n, line in enumerate(lines) if line.text == SECRET)
    site.get(reworded(lines, index, "This message was deleted"))
    assert "Philippa" in everything(site)
    outcome = site.run(WatchedProvider(failing=[WEEK]), stages=ALL)
    assert set(outcome.failed) == {WEEK}
    assert "Philippa" not in everything(site)


def test_a_withdrawal_that_was_killed_is_finished_by_the_next_start(
    site: SmallSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.get(out(chat()))

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(withdrawal, "_unpublish", killed)
        with pytest.raises(KeyboardInterrupt):
            withdraw(site.context())
    assert "xylophone" in everything(site)
    assert withdraw(site.context()).rebuilt
    assert "xylophone" not in everything(site)
    assert not withdraw(site.context())


def test_when_the_site_cannot_be_built_the_pages_that_hold_what_was_withdrawn_go(
    site: SmallSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    from egregora_assets.site import SiteStage

    site.get(out(chat()))

    def broken(*_: object) -> None:
        raise RuntimeError("words of the chat")

    with monkeypatch.context() as patched:
        patched.setattr(SiteStage, "finish", broken)
        taken = withdraw(site.context())
    assert not taken.rebuilt
    assert "words of the chat" not in taken.sentence()
    online = "\n".join(
        p.read_text("utf-8", "ignore")
        for p in site.folder.built.rglob("*")
        if p.suffix in (".html", ".json", ".js")
    )
    assert SECRET[:30] not in online
    assert shown(token_of(site, GUEST)) not in online
    assert withdraw(site.context()).rebuilt


def test_a_term_that_only_withdrawn_posts_brought_is_no_term_any_more(site: SmallSite) -> None:
    with site.warehouse.transaction() as connection:
        connection.execute("INSERT INTO vocabulary VALUES ('tag', 'xylophones', ?)", [WEEK])
        connection.execute("INSERT INTO vocabulary VALUES ('tag', 'barrels', '2025-01-13')")
    site.get(out(chat()))
    withdraw(site.context())
    terms = {row[0] for row in site.warehouse.rows("SELECT term FROM vocabulary")}
    assert "xylophones" not in terms
    assert "barrels" in terms


def test_nothing_is_touched_when_nobody_takes_anything_back(site: SmallSite) -> None:
    before = everything(site)
    assert not withdraw(site.context())
    site.get(said(chat(), NAMES[1], "See you all next week then", week=3, minute=300))
    assert not withdraw(site.context())
    assert everything(site) == before


def test_a_withdrawn_window_says_why_it_is_written_anew(site: SmallSite) -> None:
    site.get(out(chat()))
    withdraw(site.context())
    assert "opted out" in site.stale()[WEEK]["posts"]


def test_others_words_about_somebody_who_opted_out_name_nobody(site: SmallSite) -> None:
    site.get(out(chat()))
    site.run(stages=ALL)
    texts = [row[0] for row in site.warehouse.rows("SELECT text FROM messages")]
    assert "[name] promised to repair the barrel on Sunday" in texts
    pages = "\n".join(p.read_text("utf-8") for p in site.folder.built.rglob("*.html"))
    assert "[name]" not in re.sub(r"<[^>]+>", "", pages)


def test_kept_answers_to_requests_that_held_their_words_are_deleted(site: SmallSite) -> None:
    cache = ResponseCache(LlmStore(site.folder.llm))
    ((message,),) = site.warehouse.rows("SELECT id FROM raw_messages WHERE text = ?", [SECRET])
    token = token_of(site, GUEST)
    for request, subjects in {
        "spoke": Subjects(WEEK, messages=(message,)),
        "named": Subjects("2025-01-27", authors=(token,)),
        "neither": Subjects("2025-01-13", authors=("calm-otter",), messages=(message - 1,)),
    }.items():
        cache.put(request, "posts", "a-model", "{}", Usage(), subjects)
    site.get(out(chat()))
    withdraw(site.context())
    assert [kept.request for kept in cache.texts()] == ["neither"]


def test_what_is_to_be_withdrawn_is_told_before_it_is_done(site: SmallSite) -> None:
    assert withdrawals_due(site.context()) == ""
    site.get(out(chat()))
    assert "opted out" in withdrawals_due(site.context())
    withdraw(site.context())
    assert withdrawals_due(site.context()) == ""
