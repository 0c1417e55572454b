"""What a built site promises, on real MkDocs builds."""

from __future__ import annotations

import hashlib
import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from egregora_resources.publishing import build, post_page, safe_markdown
from egregora_resources.publishing.build import build_site
from egregora_resources.publishing.content import PublishError, Site
from egregora_resources.publishing.locale import LANGUAGES, strings_for

from .hostile import hostile_site
from .magazine import magazine, media_for_magazine, paella


def contents(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def built(root: Path, site: Site | None = None) -> Path:
    build_site(site or magazine(), root, media=media_for_magazine())
    return root / "site"


def page(site: Path, name: str) -> str:
    return (site / name / "index.html").read_text("utf-8")


def with_text(site: Site, slug: str, text: str) -> Site:
    """`site` with the first quoted message of one post changed."""
    changed = [
        replace(post, messages={**post.messages, 1: replace(post.messages[1], text=text)})
        if post.slug == slug
        else post
        for post in site.posts
    ]
    return replace(site, posts=changed)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(tmp_path_factory.mktemp("magazine"))


def test_there_is_a_page_for_every_post_person_topic_and_window(site: Path) -> None:
    for name in (
        "posts/who-brings-the-big-pan",
        "posts/um-jardim",
        "people/amber-heron",
        "people/green-otter",
        "topics/sundays",
        "topics/food-drink",
        "topics/sao-joao",
        "archive",
        "about",
        "people",
        "topics",
    ):
        assert (site / name / "index.html").is_file(), name
    archive = page(site, "archive")
    assert "27 January – 2 February 2025" in archive
    assert "Too little was said." in archive


def test_a_quote_shows_what_was_said_by_whom_and_when_and_nothing_of_it_is_markdown(site: Path) -> None:
    html = page(site, "posts/who-brings-the-big-pan")
    assert '<a class="eg-who" href="../../people/amber-heron/index.html"' in html
    assert "So who brings the <strong>big pan</strong> on Sunday?<br>The one" in html
    assert "<em>never again</em> 😂 <del>no</del> yes." in html
    assert 'href="https://example.org/pan_1?q=1"' in html
    assert (
        "&nbsp;&nbsp;&nbsp;indented<br>- a list<br># not a heading<br>&gt; not a quote<br><code>code_is code</code>"
        in html
    )
    assert ">13 Jan, 09:19</time>" in html


def test_tokens_become_names_and_unknown_ones_someone(site: Path) -> None:
    html = page(site, "posts/who-brings-the-big-pan")
    assert re.search(r'<a href="../../people/amber-heron/index.html"[^>]*>Ana Souza</a> asked', html)
    assert "had an opinion, someone too" in html
    assert "one promise that Bruno will not keep" in html
    assert "<code>Ana Souza</code>" in html
    everything = "".join(path.read_text("utf-8") for path in site.rglob("*.html"))
    assert not re.search(r"@(amber-heron|blue-fox|green-otter|grey-unknown)", everything)


def test_withdrawn_quotes_and_unknown_pictures_leave_no_trace(tmp_path: Path) -> None:
    post = paella(body="Before\n\n{quote 99}\n\n{picture nowhere}\n\n{quote one}\n\nAfter {quote 1} all")
    text = page(built(tmp_path, magazine(posts=[post])), "posts/who-brings-the-big-pan")
    assert "{" not in re.findall(r'<div class="eg-text".*?</div>', text, re.S)[0]
    assert "eg-quote" not in text


def test_a_picture_names_who_sent_it_unless_their_message_stands_there_as_well(tmp_path: Path) -> None:
    alone = paella(body="{quote 1}\n\n{picture photo}")
    beside = paella(id="2025-01-13-2", slug="beside", body="{quote 3}\n\n{picture photo}")
    folder = built(tmp_path, magazine(posts=[alone, beside]))
    by_itself = page(folder, "posts/who-brings-the-big-pan").partition('class="eg-picture"')[2]
    assert "Look at this one" in by_itself
    assert re.search(r'class="eg-who"[^>]*>green otter<', by_itself.partition("</figure>")[0])
    html = page(folder, "posts/beside")
    assert html.partition("eg-text")[2].count("Look at this one") == 1
    assert "eg-credit" not in html


def test_media_become_figures_players_and_placeholders(site: Path) -> None:
    html = page(site, "posts/who-brings-the-big-pan")
    assert '<a class="eg-full" href="../../media/photo.png"' in html
    assert 'src="../../media/photo-small.png" alt="A paella on a terrace table" loading="lazy"' in html
    assert '<audio src="../../media/voice.opus" controls=""' in html
    assert "<strong>Video</strong> This file is not part of the export." in html
    assert "Paella, step by step" in html
    assert (site / "media/photo.png").is_file()


def test_a_page_says_whether_it_is_an_automatic_extract(site: Path) -> None:
    assert "This page is an automatic extract" in page(site, "posts/who-brings-the-big-pan")
    written = page(site, "posts/the-night-train")
    assert "This page is an automatic extract" not in written
    assert "written by a language model" in written
    assert (site / "index.html").read_text("utf-8").count(">Automatic extract<") == 3
    assert "This stretch of the conversation isn’t over" in page(site, "posts/a-small-lamp")


def test_the_same_site_built_twice_in_two_places_is_the_same_byte_for_byte(
    tmp_path: Path, site: Path
) -> None:
    assert contents(built(tmp_path)) == contents(site)


def test_building_again_changes_no_file_and_no_date(tmp_path: Path) -> None:
    first = built(tmp_path)
    dates = {path: (path.stat().st_mtime_ns, path.stat().st_ino) for path in first.rglob("*")}
    docs = {path: path.stat().st_mtime_ns for path in (tmp_path / "docs").rglob("*.md")}
    report = build_site(magazine(), tmp_path, media=media_for_magazine())
    assert report.changed == 0
    assert {path: (path.stat().st_mtime_ns, path.stat().st_ino) for path in first.rglob("*")} == dates
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "docs").rglob("*.md")} == docs


def test_one_messages_text_changes_one_posts_file_and_keeps_the_dates_of_the_others(tmp_path: Path) -> None:
    site = built(tmp_path)
    before = contents(site)
    dates = {name: (site / name).stat().st_mtime_ns for name in before}
    report = build_site(
        with_text(magazine(), "um-jardim", "Something else."), tmp_path, media=media_for_magazine()
    )
    after = contents(site)
    differing = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    assert differing == {"posts/um-jardim/index.html"}
    assert report.changed == 1
    assert {name for name in after if (site / name).stat().st_mtime_ns != dates[name]} == differing


def test_a_new_post_leaves_the_pages_of_the_others_as_they_are(tmp_path: Path) -> None:
    everything = magazine()
    site = built(tmp_path, replace(everything, posts=everything.posts[:-1]))
    before = contents(site)
    built(tmp_path, everything)
    after = contents(site)
    assert {name for name in before if name.startswith("posts/") and before[name] != after.get(name)} == set()
    assert "posts/a-small-lamp/index.html" in after


def test_what_left_the_content_leaves_docs_and_site_with_its_pictures_but_the_owners_pages_stay(
    tmp_path: Path,
) -> None:
    built(tmp_path)
    own = tmp_path / "docs" / "my-own-page.md"
    own.write_text("# Mine\n\n<script>window.X1=1</script> text")
    site = built(
        tmp_path, magazine(posts=[post for post in magazine().posts if post.slug == "the-night-train"][:0])
    )
    for folder in (tmp_path / "docs", site):
        left = contents(folder)
        assert not [name for name in left if name.startswith(("posts/", "media/", "assets/banners/"))]
        assert not [
            name for name in left if name.startswith("topics/") and not name.startswith("topics/index.")
        ]
    assert "&lt;script&gt;window.X1=1" in (site / "my-own-page.html").read_text("utf-8")


def test_the_old_site_stays_whole_when_the_build_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = built(tmp_path)
    before = contents(site)
    monkeypatch.setattr(
        build, "mkdocs_configuration", lambda *_: {"site_name": "x", "theme": "no-such-theme"}
    )
    with pytest.raises(PublishError):
        build_site(magazine(posts=[]), tmp_path)
    assert contents(site) == before


@pytest.mark.parametrize(
    "moment", ["before the old one is moved", "between the renames", "before cleaning up"]
)
def test_a_crash_while_swapping_is_healed_by_the_next_build(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    site = built(tmp_path)
    before = contents(site)
    real: Callable[[Path, Path], Path] = Path.rename

    def dying_rename(path: Path, target: Path) -> Path:
        if moment == "before the old one is moved" or (
            moment == "between the renames" and path.name == "site.new"
        ):
            raise KeyboardInterrupt
        moved = real(path, target)
        if path.name == "site.new":
            raise KeyboardInterrupt
        return moved

    monkeypatch.setattr(Path, "rename", dying_rename)
    with pytest.raises(KeyboardInterrupt):
        built(tmp_path, with_text(magazine(), "um-jardim", "Something else."))
    monkeypatch.undo()
    built(tmp_path)
    assert contents(site) == before
    assert sorted(path.name for path in (tmp_path / ".egregora").iterdir()) == ["build.lock", "mkdocs.yml"]


def test_one_post_that_cannot_be_rendered_becomes_a_notice_and_the_rest_is_built(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = post_page.body_markdown

    def failing(post: post_page.Post, context: post_page.RenderContext) -> str:
        if post.slug == "um-jardim":
            raise ValueError(post.title)
        return real(post, context)

    monkeypatch.setattr(post_page, "body_markdown", failing)
    clean = safe_markdown.clean_html

    def overflowing(html: str) -> str:
        if "the abyss" in html:
            raise RecursionError
        return clean(html)

    monkeypatch.setattr(safe_markdown, "clean_html", overflowing)
    abyss = paella(id="2025-03-01-1", slug="abyss", body="into the abyss")
    report = build_site(
        replace(magazine(), posts=[*magazine().posts, abyss]), tmp_path, media=media_for_magazine()
    )
    assert sorted(report.notices) == ["2025-01-20-2", "2025-03-01-1"]
    for slug in ("um-jardim", "abyss"):
        assert "This page couldn’t be shown" in page(tmp_path / "site", f"posts/{slug}")
    assert "The rice knows" in page(tmp_path / "site", "posts/the-night-train")


def test_prose_that_would_keep_markdown_busy_for_minutes_is_shown_as_typed(tmp_path: Path) -> None:
    started = time.process_time()
    bodies = ["[" * 20_000, "> " * 4_000 + "deep", "- " * 3_000 + "x", "*a_" * 9_000, "a\n=\n" * 5_000]
    site = magazine(posts=[paella(id=f"p{n}", slug=f"p{n}", body=body) for n, body in enumerate(bodies)])
    report = build_site(site, tmp_path, media=media_for_magazine())
    assert report.notices == []
    assert time.process_time() - started < 15
    assert "[" * 1_000 in page(tmp_path / "site", "posts/p0")


def test_mkdocs_itself_builds_the_generated_configuration_strictly(tmp_path: Path) -> None:
    built(tmp_path)
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "mkdocs",
            "build",
            "--strict",
            "-f",
            ".egregora/mkdocs.yml",
            "-d",
            str(tmp_path / "again"),
        ],
        cwd=tmp_path,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert contents(tmp_path / "again").keys() >= contents(tmp_path / "site").keys()
    same = {name for name in contents(tmp_path / "site") if name.endswith(".html")}
    assert all(contents(tmp_path / "again")[name] == contents(tmp_path / "site")[name] for name in same)


def test_the_build_needs_no_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError("no network here")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    assert build_site(magazine(), tmp_path, media=media_for_magazine()).changed > 0


def test_no_log_line_quotes_a_page(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    post = paella(body="[secret words](../../posts/nowhere/index.md) and [more](/absolute/secret)")
    built(tmp_path, magazine(posts=[post]))
    assert "secret" not in caplog.text
    assert "nowhere" not in caplog.text


def test_every_person_has_a_colour(site: Path) -> None:
    for path in site.rglob("*.html"):
        assert not re.search(r'class="eg-face eg-h"', path.read_text("utf-8")), path


def test_no_page_names_another_host_but_in_links(site: Path) -> None:
    for path in [*site.rglob("*.html"), *site.rglob("*.css")]:
        text = path.read_text("utf-8")
        assert not re.search(
            r"""(?:src|srcset|poster|action)=["']?(?:https?:)?//|url\(["']?(?:https?:)?//|@import""", text
        ), path
        assert not re.search(r"<link[^>]+https?://", text), path


def test_the_search_index_holds_titles_tags_and_leads_only(site: Path) -> None:
    index = json.loads((site / "search/search_index.json").read_text("utf-8"))
    found = {entry["location"]: entry for entry in index["docs"]}
    pan = found["posts/who-brings-the-big-pan/index.html"]
    assert pan["title"] == "Who brings the big pan?"
    assert pan["tags"] == ["Food & Drink", "Paella", "Sundays", "São João"]
    assert "three pans" in pan["text"]
    assert "never again" not in json.dumps(index)


def test_strict_times_show_days_and_no_time_of_day(tmp_path: Path) -> None:
    site = built(tmp_path, magazine(strict_times=True))
    for path in site.rglob("*.html"):
        assert not re.search(r"\b\d{1,2}:\d{2}\b", re.sub(r"<svg.*?</svg>", "", path.read_text("utf-8"))), (
            path
        )
    assert ">13 Jan</time>" in page(site, "posts/who-brings-the-big-pan")
    assert "hour of the day" not in page(site, "people/amber-heron")
    for path in (tmp_path / "docs").rglob("*.md"):
        assert not re.search(r"\d{2}:\d{2}", path.read_text("utf-8")), path


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_sites_own_words_come_in_its_language_and_every_language_has_all_of_them(
    tmp_path: Path, language: str
) -> None:
    words = strings_for(language)
    assert words.words.keys() == strings_for("en").words.keys()
    text = page(built(tmp_path, magazine(language=language)), "posts/who-brings-the-big-pan")
    assert f'<html lang="{language}"' in text
    assert words["automatic"] in text
    assert words["archive"] in text


def test_an_unknown_language_reads_english(tmp_path: Path) -> None:
    assert "How this was made" in page(built(tmp_path, magazine(language="xx-<b>")), "about")


def test_an_empty_site_is_a_site(tmp_path: Path) -> None:
    site = built(tmp_path, Site("Empty", "", "en", [], {}, []))
    assert "Nothing has been written yet." in (site / "index.html").read_text("utf-8")


def test_front_matter_of_hostile_texts_has_only_our_keys_and_one_document(tmp_path: Path) -> None:
    build_site(hostile_site(), tmp_path)
    expected = {"title", "description", "template", "cards", "tags", "people", "months", "facts"}
    seen: set[str] = set()
    for path in sorted((tmp_path / "docs").rglob("*.md")):
        head = re.match(r"---\n(.*?\n)---\n", path.read_text("utf-8"), re.S)
        assert head, path
        meta = yaml.safe_load(head[1])
        seen |= meta.keys()
        assert meta["template"] in {
            f"{name}.html"
            for name in (["post", "home", "people", "person", "topics", "topic", "archive", "text"])
        }
        assert not re.search(r"[<>\x00-\x08\u202a-\u202e\u2066-\u2069\u200b]", head[1]), path
    assert expected <= seen
    assert not seen & {"hide", "x", "render_macros", "search"}


def test_every_address_in_a_hostile_site_is_a_plain_path(tmp_path: Path) -> None:
    build_site(hostile_site(), tmp_path)
    for name in contents(tmp_path / "site"):
        assert re.fullmatch(r"[A-Za-z0-9._/-]+", name), name
        assert ".." not in name
