"""Forgetting somebody leaves nothing of them in the site's folder, and no import brings them back."""

from __future__ import annotations

import io
import re
import shutil
import sqlite3
import zlib
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

import duckdb
import pytest
from PIL import Image
from typer.testing import CliRunner

from egregora_assets.cli.app import app
from egregora_assets.commands.write import write_site
from egregora_assets.definitions import build_definitions
from egregora_assets.erasure import personal_data
from egregora_assets.erasure.forget import Forgetting, StillNamed, find_member, forget_author, was_forgotten
from egregora_assets.erasure.unfinished import resume
from egregora_assets.graph.dagster_instance import site_instance
from egregora_assets.graph.runs import materialize
from egregora_assets.ingestion.imports import import_exports
from egregora_resources.inputs.export import InputError
from egregora_resources.people import UnknownPerson
from egregora_resources.site.settings import settings_template
from egregora_resources.warehouse.imported_files import imported_files
from egregora_resources.warehouse.windows import active_windows
from egregora_tests.small_site import WITHOUT_SITE, SmallSite
from egregora_tests.weekly_chat import NAMES, Line, export, reworded, said, weeks

NAME = "Xiomara Zepeda"
NUMBER = "+44 7700 900123"
SECRET = ("quixotic", "zabaglione", "flugelhorn")
MEMBERS = (NAME, *NAMES[1:])


def picture(colour: str) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (300, 200), colour).save(out, "JPEG")
    return out.getvalue()


def chat(count: int = 4) -> list[Line]:
    """Weeks of talk; the one to be forgotten speaks in the second one alone, and is named in the third."""
    lines = [line for line in weeks(count, NAMES) if line.author != NAMES[0]]
    for number, word in enumerate(SECRET):
        lines = said(
            lines,
            NAME,
            f"My {word} stands in the shed, who wants to see the {word} tomorrow?",
            1,
            10 + number,
        )
    lines = said(lines, NAME, "zepeda-party.jpg (file attached)\nthe quixotic picture", 1, 30)
    lines = said(lines, NAMES[1], "IMG-2.jpg (file attached)", 1, 31)
    lines = said(lines, NAME, "/egregora set alias Zuzu Quill", 1, 32)
    lines = said(lines, NAMES[2], f"@\u2068{NAME}\u2069 what a party, dear Xiomara Zepeda of {NUMBER}", 2, 20)
    return said(lines, NAMES[3], "no Zepeda today, so we rest", 2, 21)


FILES = {"zepeda-party.jpg": picture("teal"), "IMG-2.jpg": picture("red")}


def site_with(tmp_path: Path, count: int = 4) -> SmallSite:
    site = SmallSite(tmp_path / "site")
    site.folder.settings.write_text(settings_template())
    site.get(chat(count), files=FILES)
    site.run(stages=[*WITHOUT_SITE, "site"])
    return site


def forget(site: SmallSite, name: str = NAME) -> Forgetting:
    member = find_member(site.opened, name)
    return forget_author(site.opened, member)


def contents(root: Path) -> str:
    """Every byte of every file, what is packed in them, and what databases say through their readers."""
    texts: list[str] = []
    for path in sorted(root.rglob("*")):
        texts.append(str(path.relative_to(root)))
        if not path.is_file():
            continue
        data = path.read_bytes()
        texts += [data.decode("latin-1"), data.decode("utf-16-le", "ignore")]
        for start in (match.start() for match in re.finditer(rb"\x78[\x01\x9c\xda]", data)):
            try:
                texts.append(zlib.decompressobj().decompress(data[start:]).decode("latin-1"))
            except zlib.error:
                continue
        if data.startswith(b"SQLite format 3"):
            with sqlite3.connect(path) as database:
                texts += database.iterdump()
        elif path.suffix == ".duckdb":
            with duckdb.connect(str(path)) as warehouse:
                tables = warehouse.execute("SELECT table_name FROM information_schema.tables").fetchall()
                texts += [str(warehouse.execute(f'FROM "{table}"').fetchall()) for (table,) in tables]
    return "\n".join(texts)


def found_in(root: Path, *words: str) -> list[str]:
    text = contents(root).casefold()
    return [word for word in words if word.casefold() in text]


TELLTALE = (*SECRET, "Zepeda", "Xiomara", "Zuzu", "900123")


def delete_exports(site: SmallSite) -> None:
    for path in (site.folder.root / "exports").iterdir():
        path.unlink()


def others(site: SmallSite) -> list[tuple[object, ...]]:
    return site.warehouse.rows("SELECT * FROM raw_messages WHERE kind <> 'forgotten' ORDER BY id")


def test_nothing_of_a_forgotten_person_is_left_in_the_folder(tmp_path: Path) -> None:
    site = site_with(tmp_path)
    assert set(found_in(site.folder.root, *TELLTALE)) == set(TELLTALE)
    token = find_member(site.opened, NAME).token
    shutil.copy(site.warehouse.path, site.folder.state / "warehouse.duckdb.v1-backup")
    report = forget(site)
    delete_exports(site)
    assert report.removed["copies of the warehouse from before an upgrade"] == 1
    # Of her number only she knew that it is hers: as somebody else's words it stays in the raw log.
    assert found_in(site.folder.root, *TELLTALE) == ["900123"]
    assert found_in(site.folder.built, token, "900123") == []
    assert report.removed["messages of theirs"] == 5
    assert report.removed["files in the media store"] == 1
    assert [path.name for path in report.zips] == ["export-1.zip"]
    assert site.folder.built.joinpath("index.html").exists()


def test_a_number_that_is_their_name_goes_from_what_others_wrote(tmp_path: Path) -> None:
    site = SmallSite(tmp_path / "site")
    lines = said(weeks(2), NUMBER, "it is me", 0)
    site.get(said(lines, NAMES[0], "call +447700900123 or @\u2068+44 7700 900123\u2069", 1))
    site.run()
    forget(site, "+447700900123")
    delete_exports(site)
    assert found_in(site.folder.root, "900123") == []


def test_neither_the_same_export_nor_a_grown_one_brings_them_back(tmp_path: Path) -> None:
    site = site_with(tmp_path)
    forget(site)
    before, windows = others(site), [(w.key, w.content) for w in active_windows(site.warehouse)]
    site.run()
    site.forget_runs()
    site.get(chat(), files=FILES)
    assert others(site) == before
    assert [(w.key, w.content) for w in active_windows(site.warehouse)] == windows
    assert site.stale() == {}
    site.get(said(chat(5), NAME, "my quixotic return", 4, 300), files=FILES)
    assert others(site)[: len(before)] == before
    site.run()
    # The last window was still running before.
    assert site.made()["posts"] == {window.key for window in active_windows(site.warehouse)[-2:]}
    delete_exports(site)
    assert found_in(site.folder.root, *SECRET, "Zepeda", "Xiomara", "Zuzu") == []
    assert was_forgotten(site.opened, NAME)


def test_only_the_windows_they_spoke_or_were_named_in_are_written_again(tmp_path: Path) -> None:
    site = site_with(tmp_path)
    keys = [window.key for window in active_windows(site.warehouse)]
    posts = site.posts()
    report = forget(site)
    assert set(site.stale()) == {keys[1], keys[2]}
    assert report.windows == 2
    kept = {post: digest for post, digest in posts.items() if post.startswith((keys[0], keys[3]))}
    assert kept
    assert kept.items() <= site.posts().items()


def test_a_file_that_another_member_sent_too_is_kept(tmp_path: Path) -> None:
    site = SmallSite(tmp_path / "site")
    same = {"zepeda-party.jpg": picture("teal"), "IMG-2.jpg": picture("teal")}
    site.get(chat(), files=same)
    assert "files in the media store" in forget(site).removed
    (media,) = {row[0] for row in site.warehouse.rows("SELECT id FROM message_media")}
    assert site.context().media_store.original(media)


class Killed(BaseException):
    """What a signal is to a process."""


def killed_forget(site: SmallSite, step: str) -> None:
    """A forgetting that gets as far as this step."""

    def killed(*_: object) -> None:
        raise Killed

    target = {
        "files": "egregora_assets.erasure.unfinished.rewrite",
        "copying": "egregora_resources.warehouse.copies.sync",
        "replaced": "egregora_assets.erasure.unfinished.remove_unfinished",
    }[step]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(target, killed)
        with pytest.raises(Killed):
            forget(site)


@pytest.mark.slow
@pytest.mark.parametrize("by", ["write", "exports"])
def test_a_forget_that_is_killed_is_finished_by_whoever_imports_next(tmp_path: Path, by: str) -> None:
    site = SmallSite(tmp_path / "site")
    site.folder.settings.write_text(settings_template())
    site.get(chat(3), files=FILES)
    killed_forget(site, "files")
    delete_exports(site)
    assert found_in(site.folder.root, *SECRET) != []
    if by == "write":
        # Before it looks at what it is given.
        (tmp_path / "bad.zip").write_bytes(b"no zip")
        with pytest.raises(InputError):
            write_site(site.folder.root, [tmp_path / "bad.zip"])
    else:
        with site_instance(site.folder.root) as instance:
            assert materialize(instance, build_definitions(site.folder.root), ["exports"]).success
    assert found_in(site.folder.root, *SECRET, "Zepeda", "Xiomara", "Zuzu") == []


@pytest.mark.parametrize("step", ["files", "copying", "replaced"])
def test_a_forget_that_is_killed_leaves_nothing_once_it_is_resumed(tmp_path: Path, step: str) -> None:
    site = site_with(tmp_path, 3)
    killed_forget(site, step)
    resume(site.opened)
    site.get(weeks(4)[20:])
    delete_exports(site)
    assert found_in(site.folder.root, *SECRET, "Zepeda", "Xiomara", "Zuzu") == []
    assert not list(site.folder.state.glob("*.new*"))
    assert others(site)


def test_somebody_whom_the_settings_speak_of_is_not_forgotten_by_halves(tmp_path: Path) -> None:
    site = site_with(tmp_path, 3)
    token = find_member(site.opened, NAME).token
    site.set(privacy={"authors": {token: {"level": "strict"}}})
    before = site.warehouse.rows("FROM raw_messages")
    with pytest.raises(StillNamed, match=token):
        forget(site)
    assert site.warehouse.rows("FROM raw_messages") == before


def test_a_forgotten_person_is_nobody_any_more(tmp_path: Path) -> None:
    site = site_with(tmp_path, 3)
    forget(site)
    with pytest.raises(UnknownPerson):
        find_member(site.opened, NAME)
    assert not was_forgotten(site.opened, NAMES[1])


def tables() -> Sequence[str]:
    sql = files("egregora_resources.warehouse").joinpath("tables.sql").read_text()
    return re.findall(r"CREATE TABLE IF NOT EXISTS (\w+)", sql)


def test_every_table_is_listed_as_holding_people_or_not() -> None:
    personal = {table for place in personal_data.PLACES for table in place.tables}
    assert personal.isdisjoint(personal_data.IMPERSONAL)
    assert personal | personal_data.IMPERSONAL.keys() == set(tables())


def test_an_edited_message_of_theirs_is_not_brought_back(tmp_path: Path) -> None:
    site = site_with(tmp_path, 3)
    forget(site)
    lines = chat(3)
    index = next(n for n, line in enumerate(lines) if line.author == NAME)
    site.get(reworded(lines, index, "a quixotic thing <This message was edited>"), files=FILES)
    delete_exports(site)
    assert found_in(site.folder.root, *SECRET, "Zepeda") == []


@pytest.mark.slow
def test_nothing_is_left_in_dagsters_own_storage_either_and_the_next_write_completes_the_site(
    tmp_path: Path,
) -> None:
    root = tmp_path / "blog"
    run = CliRunner()
    assert run.invoke(app, ["init", str(root)]).exit_code == 0
    export(root / "inbox", chat(3), "chat", files=FILES)
    assert run.invoke(app, ["write", "--site", str(root), "--yes"]).exit_code == 0
    assert set(found_in(root, *SECRET, "Xiomara")) == {*SECRET, "Xiomara"}
    assert run.invoke(app, ["forget", NAME, "--site", str(root), "--yes"]).exit_code == 0
    (root / "inbox" / "chat.zip").unlink()
    assert found_in(root, *SECRET, "Zepeda", "Xiomara", "Zuzu") == []
    export(root / "inbox", chat(4), "grown", files=FILES)
    assert run.invoke(app, ["write", "--site", str(root), "--yes"]).exit_code == 0
    (root / "inbox" / "grown.zip").unlink()
    assert found_in(root, *SECRET, "Zepeda", "Xiomara", "Zuzu") == []
    posts = {path.name[:10] for path in (root / "site" / "posts").iterdir()}
    assert {"2025-01-13", "2025-01-20", "2025-01-27", "2025-02-03"} <= posts


def test_the_list_of_imported_files_names_nobody_who_was_forgotten(tmp_path: Path) -> None:
    site = SmallSite(tmp_path / "site")
    ours = export(tmp_path / "of Zepeda", chat(3), "first", files=FILES)
    theirs = export(tmp_path / "ours", chat(4), "With Xiomara Zepeda", files=FILES)
    import_exports(site.opened, [ours, theirs])
    assert imported_files(site.warehouse.path) == [ours, theirs]
    report = forget(site)
    assert report.removed["names in the list of imported files"] == 2
    left = [Path("first.zip"), Path("With [name].zip")]
    assert imported_files(site.warehouse.path) == left
    import_exports(site.opened, [ours, theirs])
    assert imported_files(site.warehouse.path) == left
