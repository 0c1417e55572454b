"""The proof before publication: a leak stops the site, is told without being repeated, and leaves what is online."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TypeVar

import dagster as dg
import pytest
from PIL import Image

from egregora_assets.definitions import build_definitions
from egregora_assets.leak_check.check import LeakCheck
from egregora_assets.leak_check.sources import SOURCES
from egregora_assets.stages import STAGES
from egregora_resources.llm.protocol import Answer
from egregora_resources.llm.tasks import Posts, PostsInput
from egregora_tests.providers import WatchedProvider
from egregora_tests.small_site import SmallSite
from egregora_tests.weekly_chat import NAMES, Line, said, weeks

pytestmark = pytest.mark.slow

ALL = [stage.name for stage in STAGES]
Output = TypeVar("Output")
SECRET = "my cousin keeps eleven parrots in the cellar of the old town hall"


class LeakingProvider(WatchedProvider):
    """Knows what it can't know, and puts it into the titles of one window."""

    def __init__(self, window: str, words: str) -> None:
        super().__init__()
        self.window, self.words = window, words

    async def write(self, request: PostsInput) -> Answer[Posts]:
        answer = await super().write(request)
        if request.stretch.window == self.window:
            for draft in answer.output.posts:
                draft.title = f"About {self.words}"
        return answer


@pytest.fixture
def site(tmp_path: Path) -> SmallSite:
    """A site of two weeks, where somebody opted out."""
    made = SmallSite(tmp_path)
    lines = said(weeks(2), "Wilhelmina Oyelaran", SECRET, week=0, minute=40)
    made.get([*lines, Line(lines[-1].time.replace(hour=20), "Wilhelmina Oyelaran", "/egregora opt-out")])
    return made


def prover(site: SmallSite) -> LeakCheck:
    return LeakCheck(site.context())


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("Marisol", "a name"),
        ("MARISOL\u200b QUINTERO", "a name"),
        ("Wilhelmina", "a name"),
        ("+44 20 7946 0958", "a phone number"),
        ("ana.b@example.com", "an e-mail address"),
        ("4111 1111 1111 1111", "the number of a payment card"),
        ("eleven parrots in the cellar of the town", "words of somebody who opted out"),
    ],
)
def test_a_leak_is_not_published_and_told_by_window_and_file_alone(
    site: SmallSite, words: str, kind: str
) -> None:
    outcome = site.run(LeakingProvider("2025-01-20", words), stages=ALL)
    assert set(outcome.failed) == {"2025-01-13", "2025-01-20"}
    told = outcome.failed["2025-01-20"]
    assert "not published" in told
    assert kind in told
    assert "2025-01-20" in told
    assert ".html" in told
    assert words.split()[0].lower().strip("\u200b") not in told.lower()
    assert not (site.folder.built / "index.html").exists()
    hits = [*prover(site).stored()]
    assert {"2025-01-20"} == {hit.window for hit in hits}
    # What was written is not kept: the next run writes it anew.
    assert not site.run(stages=ALL).failed
    assert (site.folder.built / "index.html").exists()
    assert not prover(site).stored()


def test_the_site_that_is_online_stays_when_the_new_one_leaks(site: SmallSite) -> None:
    site.run(stages=ALL)
    before = (site.folder.built / "index.html").read_text("utf-8")
    lines = said(weeks(3), "Wilhelmina Oyelaran", SECRET, week=0, minute=40)
    site.get([*lines, Line(weeks(2)[-1].time.replace(hour=20), "Wilhelmina Oyelaran", "/egregora opt-out")])
    assert site.run(LeakingProvider("2025-01-27", "Ingrid Sandoval"), stages=ALL).failed
    assert (site.folder.built / "index.html").read_text("utf-8") == before


def test_a_page_of_the_site_online_that_leaks_is_withdrawn(site: SmallSite) -> None:
    site.run(stages=ALL)
    about = site.folder.built / "about" / "index.html"
    about.write_text(about.read_text("utf-8").replace("</body>", "<p>Ingrid Sandoval</p></body>"), "utf-8")
    index = (site.folder.built / "index.html").read_text("utf-8")
    assert site.run(LeakingProvider("2025-01-20", "x"), stages=()).done
    site.set(site={"title": "Another"})
    with site.warehouse.transaction() as connection:
        connection.execute("UPDATE documents SET body = 'ask ana@example.com' WHERE stage = 'posts'")
    told = site.run(stages=ALL).failed["2025-01-13"]
    assert "for the same reason: 1 page." in told
    assert "Ingrid" not in about.read_text("utf-8")
    assert (site.folder.built / "index.html").read_text("utf-8") == index


def test_a_site_is_read_to_its_last_corner(site: SmallSite) -> None:
    site.run(stages=ALL)
    assert prover(site).published(site.folder.built) == []
    corners = {
        "search/search_index.json": json.dumps({"docs": [{"text": "caf\u00e9 with <b>Ingrid</b> Sandoval"}]}),
        "feed.xml": "<feed><title>Ingrid Sandoval</title></feed>",
        "sitemap.xml": "<urlset><loc>https://x.org/ingrid-sandoval/</loc></urlset>",
        "a/comment.html": "<!-- Ingrid Sandoval -->",
        "a/alt.html": '<img alt="by Ingrid Sandoval" src="x.png">',
        "a/url.html": '<a href="people/%49ngrid-Sandoval/">x</a>',
        "a/meta.html": '<meta name="description" content="Ingrid&nbsp;Sandoval">',
        "a/drawing.svg": "<svg><text>Ingrid Sandoval</text></svg>",
        "a/ingrid-sandoval.html": "<p>x</p>",
        "manifest.webmanifest": '{"name": "Ingrid Sandoval"}',
        "events.ics": "ATTENDEE:Ingrid Sandoval",
        "no-suffix": "Ingrid Sandoval",
    }
    for name, text in corners.items():
        path = site.folder.built / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    exif = Image.Exif()
    exif[0x013B] = "somebody"
    Image.new("RGB", (8, 8)).save(site.folder.built / "a" / "picture.jpg", exif=exif)
    hits = prover(site).published(site.folder.built)
    found = {hit.file for hit in hits}
    assert {*corners} - {"a/ingrid-sandoval.html"} | {"a/picture.jpg"} <= found
    assert any("whose name gives somebody away" in file for file in found)
    assert "ingrid" not in str(found).lower()


def test_a_source_that_may_not_be_used_is_found_by_its_id_alone(site: SmallSite) -> None:
    site.run(stages=ALL)
    (theirs,) = site.warehouse.rows("SELECT id FROM raw_messages WHERE text = ?", [SECRET])
    with site.warehouse.transaction() as connection:
        connection.execute(
            "UPDATE documents SET front_matter = replace(front_matter, '\"sources\": [', ?) WHERE stage = 'posts'",
            [f'"sources": [{theirs[0]}, '],
        )
    assert {hit.kind for hit in prover(site).stored()} == {"source"}


def test_what_a_term_stands_for_is_read_too(site: SmallSite) -> None:
    site.run(stages=ALL)
    with site.warehouse.transaction() as connection:
        connection.execute("INSERT INTO synonyms VALUES ('tag', 'sheds', 'sheds of Ingrid')")
    assert [hit.file for hit in prover(site).stored()] == ["vocabulary"]


def test_what_keeps_requests_is_read_too(site: SmallSite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "egregora_assets.leak_check.check.SOURCES",
        [*SOURCES, lambda _: [("2025-01-13", "cached requests", SECRET)]],
    )
    (hit,) = prover(site).stored()
    assert (hit.kind, hit.window, hit.file) == ("verbatim", "2025-01-13", "cached requests")


def test_the_check_is_in_the_graph_with_numbers_windows_and_files_alone(site: SmallSite) -> None:
    site.run(stages=ALL)
    (site.folder.root / "egregora.toml").write_text('[site]\ntitle = "x"\n', "utf-8")
    definitions = build_definitions(site.folder.root)
    job = definitions.resolve_implicit_global_asset_job_def()
    key = dg.AssetCheckKey(dg.AssetKey("site"), "no_personal_data")
    with dg.instance_for_test() as instance:
        for passed in (True, False):
            if not passed:
                (site.folder.built / "about" / "index.html").write_text("<p>Ingrid Sandoval</p>", "utf-8")
            result = job.get_subset(asset_check_selection={key}).execute_in_process(
                instance=instance, raise_on_error=False
            )
            (evaluation,) = result.get_asset_check_evaluations()
            assert evaluation.passed is passed
        assert "about/index.html" in str(evaluation.metadata)
        assert "Ingrid" not in str(evaluation.metadata)


def test_ordinary_words_titles_and_aliases_are_no_leaks(tmp_path: Path) -> None:
    people = ("Rose Archive", "Mark Summer", "April Topics", "Will Search")
    site = SmallSite(tmp_path, site={"title": "Rose and Mark"})
    lines = said(weeks(2, people), NAMES[0], "In summer the rose will mark the archive, in April too", 1)
    lines = said(lines, "Mark Summer", "/egregora alias Marky Mark", week=1, minute=210)
    site.get(said(lines, "Mark Summer", "I will search the topics of the archive for the rose", 1, 220))
    outcome = site.run(stages=ALL)
    assert not outcome.failed
    assert "Marky Mark" in (site.folder.built / "people" / "index.html").read_text("utf-8")


def test_a_member_called_like_a_month_is_not_given_away_by_a_date(tmp_path: Path) -> None:
    # As Maja is by the Polish for "in May"; the small chat is of January.
    site = SmallSite(tmp_path, site={"language": "pl"})
    site.get(weeks(2, ("Stycznia Nowak", "Marisol Quintero", "Ingrid Sandoval")))
    assert not site.run(stages=ALL).failed
    assert "stycznia 2025" in (site.folder.built / "index.html").read_text("utf-8")


def test_an_alias_that_holds_the_members_own_surname_or_is_their_name_is_no_leak(site: SmallSite) -> None:
    lines = said(weeks(2), NAMES[0], "/egregora alias Zuzu Quintero", week=1, minute=210)
    site.get(said(lines, NAMES[1], f"/egregora alias {NAMES[1]}", week=1, minute=215))
    assert not site.run(stages=ALL).failed
    people = (site.folder.built / "people" / "index.html").read_text("utf-8")
    assert "Zuzu Quintero" in people
    assert NAMES[1] in people


def test_sources_of_a_site_that_leaks_do_not_stay_either(site: SmallSite) -> None:
    assert site.run(LeakingProvider("2025-01-20", "ask Ingrid Sandoval"), stages=ALL).failed
    kept = "".join(path.read_text("utf-8") for path in site.folder.docs.rglob("*.md"))
    assert "Sandoval" not in kept
