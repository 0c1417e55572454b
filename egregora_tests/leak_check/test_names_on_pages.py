"""The level of privacy decides what pages show of people, and changes pages only, never posts."""

from __future__ import annotations

from pathlib import Path

import pytest

from egregora_assets.site import SiteStage, assemble
from egregora_resources.people import UnknownPerson
from egregora_resources.privacy.pseudonyms import display_name
from egregora_tests.small_site import SmallSite
from egregora_tests.weekly_chat import NAMES, said, week

NUMBER = "+44 7700 900123"
MEMBERS = (NAMES[0], NUMBER, NAMES[2], "~ingrid@example.org")


def written_site(tmp_path: Path, **privacy: object) -> SmallSite:
    """A site whose first member has an alias, the second is a number, the fourth an address."""
    site = SmallSite(tmp_path)
    site.get(said(week(0, MEMBERS), MEMBERS[0], '/egregora set alias "Mari Q"', 0, minute=100))
    site.run()
    site.forget_runs()
    site.set(privacy=privacy)
    return site


def names_on_pages(site: SmallSite) -> list[str]:
    context = site.context()
    people = assemble(context).people
    return [people[context.people.by_name[name].token].name for name in MEMBERS]


def pseudonyms(site: SmallSite) -> list[str]:
    people = site.context().people
    return [display_name(people.by_name[name].token) for name in MEMBERS]


def test_standard_shows_aliases_and_pseudonyms(tmp_path: Path) -> None:
    site = written_site(tmp_path)
    assert names_on_pages(site) == ["Mari Q", *pseudonyms(site)[1:]]


def test_strict_hides_what_people_chose_to_be_called_and_the_times(tmp_path: Path) -> None:
    site = written_site(tmp_path, level="strict")
    assert names_on_pages(site) == pseudonyms(site)
    shown = assemble(site.context())
    assert shown.strict_times
    assert all(not person.hours for person in shown.people.values())


def test_open_shows_printed_names_but_never_a_number_or_an_address(tmp_path: Path) -> None:
    site = written_site(tmp_path, level="open")
    assert names_on_pages(site) == ["Mari Q", pseudonyms(site)[1], NAMES[2], pseudonyms(site)[3]]


def test_one_person_may_have_a_level_of_their_own(tmp_path: Path) -> None:
    site = written_site(tmp_path, level="open")
    token = site.context().people.by_name[NAMES[0]].token
    site.set(privacy={"authors": {token: {"level": "strict"}}})
    assert names_on_pages(site) == [pseudonyms(site)[0], pseudonyms(site)[1], NAMES[2], pseudonyms(site)[3]]
    people = assemble(site.context()).people
    assert [t for t, person in people.items() if person.strict_times] == [token]


def test_an_alias_of_the_owners_wins_over_the_members_own(tmp_path: Path) -> None:
    site = written_site(tmp_path)
    token = site.context().people.by_name[NAMES[0]].token
    site.set(privacy={"authors": {token: {"alias": "The Gardener"}}})
    assert names_on_pages(site)[0] == "The Gardener"


@pytest.mark.parametrize("level", ["strict", "open"])
def test_a_level_changes_the_site_and_nothing_that_was_written(tmp_path: Path, level: str) -> None:
    site = written_site(tmp_path)
    before = SiteStage().state(site.context())
    site.set(privacy={"level": level})
    assert SiteStage().state(site.context()) != before
    assert site.stale() == {}
    token = site.context().people.by_name[NAMES[0]].token
    site.set(privacy={"level": "standard", "authors": {token: {"alias": "Q"}}})
    assert SiteStage().state(site.context()) != before
    assert site.stale() == {}


def test_prompts_hold_tokens_in_every_level(tmp_path: Path) -> None:
    site = SmallSite(tmp_path, privacy={"level": "open"})
    site.get(said(week(0, MEMBERS), MEMBERS[2], f"{NAMES[0]} has the key", 0))
    site.run()
    stored = str(site.warehouse.rows("SELECT author, text FROM messages")) + str(
        site.warehouse.rows("SELECT front_matter, body FROM documents")
    )
    assert "Marisol" not in stored
    assert "Sandoval" not in stored


def test_a_pseudonym_that_nobody_has_is_an_error_that_names_the_nearest(tmp_path: Path) -> None:
    site = written_site(tmp_path)
    token = site.context().people.members[0].token
    site.set(privacy={"authors": {token + "x": {"level": "strict"}}})
    with pytest.raises(UnknownPerson, match=f"Did you mean {token}\\?"):
        site.context().people  # noqa: B018
