"""What members decide in the chat shows on the site, without telling more than they meant to."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from PIL import Image

from egregora_assets.site import assemble
from egregora_resources.publishing.content import Person
from egregora_tests.small_site import SmallSite
from egregora_tests.weekly_chat import NAMES, Line, week


def picture() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (300, 300), "teal").save(out, "JPEG")
    return out.getvalue()


def person_after(tmp_path: Path, *said: str) -> Person:
    """The page of the first member, after they said this at the end of the first week."""
    site = SmallSite(tmp_path)
    lines = week(0)
    lines += [Line(lines[-1].time + timedelta(minutes=n), NAMES[0], text) for n, text in enumerate(said, 1)]
    site.get(lines, files={"IMG-1.jpg": picture()})
    site.run()
    context = site.context()
    token = context.people.by_name[NAMES[0]].token
    return assemble(context).people[token]


def test_an_alias_and_a_bio_show_on_the_members_page(tmp_path: Path) -> None:
    person = person_after(tmp_path, '/egregora set alias "Mari Q"', "/egregora set bio “I love tea”")
    assert (person.name, person.bio) == ("Mari Q", "I love tea")


def test_a_number_or_address_in_a_bio_or_alias_is_taken_out(tmp_path: Path) -> None:
    person = person_after(
        tmp_path,
        "/egregora set alias me@example.org",
        "/egregora set bio call +44 7700 900123 or write to mari@example.com",
    )
    shown = person.name + person.bio
    assert "900123" not in shown
    assert "example" not in shown


def test_an_avatar_is_the_picture_sent_with_the_command(tmp_path: Path) -> None:
    person = person_after(tmp_path, "IMG-1.jpg (file attached)\n/egregora set avatar")
    assert person.avatar is not None
    assert person.avatar.path is not None


def test_an_avatar_without_a_picture_has_no_effect(tmp_path: Path) -> None:
    assert person_after(tmp_path, "/egregora set avatar").avatar is None


def test_an_alias_that_names_another_member_is_not_shown(tmp_path: Path) -> None:
    person = person_after(tmp_path, f'/egregora set alias "{NAMES[1]}\'s friend"')
    assert NAMES[1].split()[0] not in person.name
    assert person.name


def opted_out_after(tmp_path: Path, *exports: Sequence[str]) -> bool:
    """Whether the first member is out, after exports in which they said this, one message a minute."""
    site = SmallSite(tmp_path)
    for said in exports:
        lines = week(0)
        lines += [
            Line(lines[-1].time + timedelta(minutes=n), NAMES[0], text) for n, text in enumerate(said, 1)
        ]
        lines.append(Line(lines[-1].time + timedelta(minutes=9), NAMES[1], "see you"))
        site.get(lines)
    return site.context().people.by_name[NAMES[0]].opted_out


OUT, IN, DELETED = "/egregora opt-out", "/egregora opt-in", "This message was deleted"


def test_deleting_the_opt_out_message_does_not_opt_in(tmp_path: Path) -> None:
    assert opted_out_after(tmp_path, [OUT], [DELETED])
    assert opted_out_after(tmp_path / "later", [OUT], [DELETED], [DELETED, "hello again"])
    assert opted_out_after(tmp_path / "earlier", [IN, OUT], [IN, DELETED])
    assert opted_out_after(tmp_path / "twice", [OUT, IN, OUT], [OUT, IN, DELETED])


def test_a_later_opt_in_holds_though_the_opt_out_message_is_deleted(tmp_path: Path) -> None:
    assert not opted_out_after(tmp_path, [OUT], [DELETED, IN])
    assert not opted_out_after(tmp_path / "both", [OUT, IN], [DELETED, IN])
    assert not opted_out_after(tmp_path / "kept", [OUT], [OUT, IN])


def test_a_deleted_opt_in_leaves_the_opt_out_before_it(tmp_path: Path) -> None:
    assert opted_out_after(tmp_path, [OUT, IN], [OUT, DELETED])


def test_an_opt_out_that_was_deleted_before_the_first_import_holds_once_an_older_export_tells_of_it(
    tmp_path: Path,
) -> None:
    assert opted_out_after(tmp_path, [DELETED, "hello"], [OUT])
    assert not opted_out_after(tmp_path / "in again", [DELETED, IN], [OUT])


def test_a_command_below_media_that_the_phone_left_out_is_obeyed_and_not_shown(tmp_path: Path) -> None:
    assert opted_out_after(tmp_path / "out", [f"<Media omitted>\n{OUT}"])
    site = SmallSite(tmp_path / "alias")
    lines = week(0)
    more = Line(lines[-1].time + timedelta(minutes=1), NAMES[0], "<Media omitted>\n/egregora alias Mari Q")
    site.get([*lines, more])
    site.run(stages=["messages"])
    assert site.context().people.by_name[NAMES[0]].alias == "Mari Q"
    assert "egregora" not in str(site.warehouse.rows("SELECT text FROM messages"))


def test_an_older_export_does_not_undo_an_opt_out(tmp_path: Path) -> None:
    assert opted_out_after(tmp_path, [IN, "hello", OUT], [IN])
    assert opted_out_after(tmp_path / "deleted", [IN, "hello", OUT], [IN, "hello", DELETED], [IN])


def test_an_opt_out_follows_a_contact_who_is_saved_under_another_name(tmp_path: Path) -> None:
    site = SmallSite(tmp_path)
    lines = week(0)
    site.get([*lines, Line(lines[-1].time + timedelta(minutes=1), NAMES[0], OUT)])
    renamed = [replace(line, author="Mari from work") if line.author == NAMES[0] else line for line in lines]
    later = [
        Line(lines[-1].time + timedelta(days=1), "Mari from work", "here is a word"),
        Line(lines[-1].time + timedelta(days=1, minutes=1), NAMES[1], "and another"),
    ]
    site.get([*renamed, *later])
    people = site.context().people
    assert people.by_name["Mari from work"] is people.by_name[NAMES[0]]
    assert people.by_name["Mari from work"].opted_out
    site.run()
    token = people.by_name[NAMES[0]].token
    assert site.warehouse.rows("SELECT count(*) FROM messages WHERE author = ?", [token]) == [(0,)]
