"""What of a raw message leaves the raw tables."""

from __future__ import annotations

from pathlib import Path

from egregora_resources.warehouse.results import load_messages
from egregora_tests.small_site import SmallSite
from egregora_tests.weekly_chat import MONDAY, NAMES, Line, said, weeks

ANA, BERT, INGRID, THEO = NAMES


def messages(root: Path, lines: list[Line], **files: bytes) -> list[str]:
    site = SmallSite(root)
    site.get(lines, files=files)
    site.run(stages=["messages"])
    return [message.text for message in load_messages(site.warehouse)]


def test_authors_are_pseudonyms_and_stay_the_same_ones(tmp_path: Path):
    site = SmallSite(tmp_path)
    site.get(weeks(2))
    site.run(stages=["messages"])
    tokens = {message.author for message in load_messages(site.warehouse)}
    assert len(tokens) == 4
    assert not any(word in token for token in tokens for name in NAMES for word in name.lower().split())
    site.get(weeks(3))
    site.run(stages=["messages"])
    assert {message.author for message in load_messages(site.warehouse)} == tokens


def test_names_numbers_and_addresses_are_taken_out_of_texts(tmp_path: Path):
    text = f"{BERT} is at +44 20 7946 0958 or bert.okafor@example.org, ask Ingrid"
    told = "\n".join(messages(tmp_path, said(weeks(1), ANA, text, 0)))
    for secret in ("Bertrand", "Okafor", "7946", "example.org", "Ingrid"):
        assert secret not in told


def test_commands_notices_and_deleted_messages_stay_behind(tmp_path: Path):
    lines = said(weeks(1), ANA, "/egregora set bio “I love tea”", 0)
    lines = said(lines, BERT, "/egregora magic", 0, 201)
    lines = said(lines, THEO, "This message was deleted", 0, 202)
    lines = said(lines, INGRID, "hello /egregora opt-out", 0, 203)
    told = messages(tmp_path, lines)
    assert len(told) == 13
    assert told[-1] == "hello /egregora opt-out"


def test_who_opts_out_is_out_before_and_after_and_the_last_word_holds(tmp_path: Path):
    lines = said(weeks(2), ANA, "/egregora OPT-OUT", 0)
    theirs = [line.text for line in weeks(2) if line.author == ANA]
    assert not set(theirs) & set(messages(tmp_path / "out", lines))
    lines = said(lines, ANA, "/egregora opt-in", 1)
    assert set(theirs) <= set(messages(tmp_path / "in", lines))


def test_media_are_known_by_the_stores_id_and_contacts_never_kept(tmp_path: Path):
    lines = said(weeks(1), ANA, "IMG-20250113-WA0001.jpg (file attached)", 0)
    lines = said(lines, BERT, "Ingrid Sandoval.vcf (file attached)", 0, 201)
    site = SmallSite(tmp_path)
    site.get(
        lines, files={"IMG-20250113-WA0001.jpg": b"\xff\xd8\xff\xe0", "Ingrid Sandoval.vcf": b"BEGIN:VCARD"}
    )
    site.run(stages=["messages"])
    with_media = [message for message in load_messages(site.warehouse) if message.media]
    assert len(with_media) == 1
    assert with_media[0].text == ""
    assert not list(site.folder.media.rglob("*.vcf"))
    assert "Sandoval" not in repr(load_messages(site.warehouse))


def test_a_message_of_the_last_minute_of_a_week_is_in_it(tmp_path: Path):
    site = SmallSite(tmp_path)
    site.get([*weeks(1), Line(MONDAY.replace(day=19, hour=23, minute=59), ANA, "Good night")])
    assert site.windows() == [("2025-01-13", 13)]
