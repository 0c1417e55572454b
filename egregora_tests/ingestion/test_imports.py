"""Importing: whole or not at all, merged with what is known, media kept."""

from __future__ import annotations

import errno
import zipfile
from pathlib import Path

import pytest

from egregora_assets.ingestion import imports, store
from egregora_assets.ingestion.imports import import_exports, import_inbox
from egregora_assets.ingestion.report import DifferentChat
from egregora_resources.document_kinds import MediaMatter
from egregora_resources.inputs.export import InputError
from egregora_resources.inputs.registry import export_digest
from egregora_resources.privacy.pseudonyms import PrivacyError
from egregora_resources.site.secret import SecretChanged
from egregora_resources.warehouse.results import load_documents
from egregora_tests.small_site import SmallSite
from egregora_tests.weekly_chat import NAMES, export, said, weeks


def raw(site: SmallSite) -> list[tuple[str, str]]:
    return site.warehouse.rows("SELECT name, text FROM raw_messages WHERE kind <> 'notice' ORDER BY id")


def test_overlapping_exports_are_one_log_without_loss_or_duplicate(tmp_path: Path):
    lines = weeks(4)
    for order in ((lines[:30], lines[20:]), (lines[20:], lines[:30])):
        site = SmallSite(tmp_path / str(len(order[0])))
        for part in order:
            site.get(part)
        assert raw(site) == [(line.author, line.text) for line in lines]


def test_a_message_merely_missing_in_a_later_export_is_kept(tmp_path: Path):
    site = SmallSite(tmp_path)
    site.get(weeks(2))
    report = site.get(weeks(2)[:5] + weeks(2)[6:])
    assert len(raw(site)) == 24
    assert "kept" in report.files[0].sentence()


def test_an_export_without_media_loses_none(tmp_path: Path):
    lines = said(weeks(2), NAMES[0], "IMG-20250113-WA0001.jpg (file attached)", 0)
    picture = Path(__file__).parents[2] / "egregora_assets" / "demo"
    with zipfile.ZipFile(next((picture / "first").glob("*.zip"))) as archive:
        jpeg = next(archive.read(name) for name in archive.namelist() if name.endswith(".jpg"))
    site = SmallSite(tmp_path)
    site.get(lines, files={"IMG-20250113-WA0001.jpg": jpeg})
    site.run()
    views = load_documents(site.warehouse, "media", MediaMatter)
    assert len(views) == 1
    without = [*lines[:-1], lines[-1]]
    omitted = [
        line if "IMG" not in line.text else type(line)(line.time, line.author, "<Media omitted>")
        for line in without
    ]
    site.get(omitted)
    site.run()
    assert [view.digest() for view in load_documents(site.warehouse, "media", MediaMatter)] == [
        view.digest() for view in views
    ]


def test_bad_files_change_nothing_even_when_good_ones_come_with_them(tmp_path: Path):
    site = SmallSite(tmp_path)
    good, bad = export(tmp_path / "exports", weeks(1)), tmp_path / "bad.zip"
    bad.write_bytes(b"PK\x03\x04 and then nothing")
    with pytest.raises(InputError):
        import_exports(site.opened, [good, bad])
    assert site.warehouse.rows("SELECT count(*) FROM raw_messages") == [(0,)]
    assert site.warehouse.rows("SELECT count(*) FROM export_files") == [(0,)]


def test_another_chats_export_is_refused_by_name(tmp_path: Path):
    site = SmallSite(tmp_path)
    site.get(weeks(1))
    path = tmp_path / "other.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(
            "WhatsApp Chat with Book club.txt", "13/01/2025, 09:00 - Ana: hello\n13/01/2025, 09:01 - Bo: hi\n"
        )
    with pytest.raises(DifferentChat, match=r"Book club.*Neighbours"):
        import_exports(site.opened, [path])
    report = import_exports(site.opened, [path], chat="Book club")
    assert report.files[0].messages == 2


def chats(path: Path, *names: str) -> Path:
    """A zip that holds these chats."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(
                f"WhatsApp Chat with {name}.txt",
                f"13/01/2025, 09:00 - Ana: {name}\n13/01/2025, 09:01 - Bo: hi\n",
            )
    return path


@pytest.mark.parametrize("setting", ["Book club", "Neighbours"])
def test_the_setting_does_not_let_another_chat_in(tmp_path: Path, setting: str):
    site = SmallSite(tmp_path, input={"chat": setting})
    site.get(weeks(1))
    assert site.warehouse.fact("chat") == "Neighbours"
    with pytest.raises(DifferentChat):
        import_exports(site.opened, [chats(tmp_path / "o.zip", "Book club")])
    site.get(weeks(2))
    assert len(raw(site)) == 24


def test_the_setting_picks_the_chat_of_a_file_with_several_in_the_inbox_too(tmp_path: Path):
    site = SmallSite(tmp_path, input={"chat": "Neighbours"})
    chats(site.folder.inbox / "all.zip", "Book club", "Neighbours")
    report, unread = import_inbox(site.opened)
    assert (len(report.files), unread) == (1, [])
    assert raw(site) == [("Ana", "Neighbours"), ("Bo", "hi")]


@pytest.mark.parametrize("other", [None, "ab" * 32])
def test_a_lost_or_other_secret_is_refused_and_never_replaced(tmp_path: Path, other: str | None):
    site = SmallSite(tmp_path)
    site.get(weeks(1))
    tokens = [member.token for member in site.context().people.members]
    key = site.folder.state / "secret.key"
    assert key.stat().st_mode & 0o777 == 0o600
    right = key.read_bytes()
    key.unlink()
    if other:
        key.write_text(other)
    with pytest.raises(SecretChanged, match=r"Put (it|the old key) back"):
        site.get(weeks(2))
    with pytest.raises(SecretChanged):
        import_inbox(site.opened)  # where nothing new lies
    assert len(raw(site)) == 12
    assert key.exists() == (other is not None)
    key.write_bytes(right)
    site.get(weeks(2))
    assert len(raw(site)) == 24
    assert [member.token for member in site.context().people.members] == tokens
    assert key.stat().st_mode & 0o777 == 0o600


def test_commands_without_effect_are_told_to_the_owner_without_their_words(tmp_path: Path):
    lines = said(weeks(1), NAMES[0], "/egregora magic wand", 0)
    for n in range(6):
        lines = said(lines, NAMES[1], f"/egregora alias {'wand' * 11}", 0, 201 + n)
    report = SmallSite(tmp_path).get(lines)
    told = report.ignored_commands()
    assert len(report.command_errors) == 7
    assert "on 2025-01-" in told
    assert "44 characters, at most 40 are allowed" in told
    assert "and 2 earlier ones" in told
    assert "wand" not in told
    assert not any(name in told for name in NAMES)
    assert SmallSite(tmp_path / "other").get(weeks(1)).ignored_commands() == ""


def test_a_broken_file_in_the_inbox_keeps_no_other_out(tmp_path: Path):
    site = SmallSite(tmp_path)
    export(site.folder.inbox, weeks(1), "b")
    (site.folder.inbox / "a.zip").write_bytes(b"PK\x03\x04 and then nothing")
    report, unread = import_inbox(site.opened)
    assert [one.file for one in report.files] == ["b.zip"]
    assert [path.name for _, path, _ in unread] == ["a.zip"]


def test_a_damaged_secret_key_is_not_blamed_on_the_files_of_the_inbox(tmp_path: Path):
    site = SmallSite(tmp_path)
    export(site.folder.inbox, weeks(1))
    (site.folder.state / "secret.key").write_bytes(b"abc")
    with pytest.raises(PrivacyError, match=r"secret\.key"):
        import_inbox(site.opened)


@pytest.mark.parametrize("where", ["", "the media store"])
def test_a_full_disk_is_not_blamed_on_a_file_of_the_inbox(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
):
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", where or None)

    site = SmallSite(tmp_path)
    export(site.folder.inbox, weeks(1))
    monkeypatch.setattr(store, "merge_export", full)
    with pytest.raises(OSError, match="No space"):
        import_inbox(site.opened)


def test_an_inbox_file_that_may_not_be_read_keeps_no_other_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def digest(path: Path) -> str:
        if path.name == "a.zip":
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return export_digest(path)

    site = SmallSite(tmp_path)
    for name in ("a", "b"):
        export(site.folder.inbox, weeks(1), name)
    monkeypatch.setattr(imports, "export_digest", digest)
    report, unread = import_inbox(site.opened)
    assert [one.file for one in report.files] == ["b.zip"]
    assert [path.name for _, path, _ in unread] == ["a.zip"]
