"""The owner sees who is who, and decides about people, on the terminal."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from egregora_assets.cli.app import app
from egregora_resources.privacy.pseudonyms import display_name
from egregora_resources.site.settings import settings_template
from egregora_tests.small_site import WITHOUT_SITE, SmallSite
from egregora_tests.weekly_chat import NAMES, said, weeks

NUMBER = "+44 7700 900123"


@pytest.fixture
def site(tmp_path: Path) -> SmallSite:
    site = SmallSite(tmp_path / "site")
    site.folder.settings.write_text(settings_template())
    site.get(said(weeks(3), NUMBER, "it is me with another phone, hello", 1))
    site.run(stages=[*WITHOUT_SITE, "site"])
    return site


def people(site: SmallSite, *arguments: str, fails: bool = False) -> str:
    result = CliRunner().invoke(app, ["people", *arguments, "--site", str(site.folder.root)])
    assert result.exit_code == (2 if fails else 0), result.output
    return " ".join(result.output.split())


def listed(site: SmallSite) -> dict[str, dict[str, Any]]:
    return {row["printed"][0]: row for row in json.loads(people(site, "--json"))}


def test_everybody_is_listed_with_names_and_pseudonym(site: SmallSite) -> None:
    rows = listed(site)
    assert set(rows) == {*NAMES, NUMBER}
    row = rows[NAMES[0]]
    assert row["shown_as"] == display_name(row["pseudonym"])
    assert (row["messages"], row["first"][:10], row["opted_out"], row["level"]) == (
        9,
        "2025-01-13",
        False,
        "standard",
    )
    table = people(site)
    assert all(part in table for part in NUMBER.split())
    assert row["pseudonym"] in table


def test_an_alias_set_by_the_owner_changes_pages_only(site: SmallSite) -> None:
    told = people(site, "set", NAMES[0], "--alias", "Mari Q", "--level", "standard")
    assert "Pages change" in told
    assert listed(site)[NAMES[0]]["shown_as"] == "Mari Q"
    assert site.stale() == {}
    people(site, "set", listed(site)[NAMES[0]]["pseudonym"], "--level", "strict")
    assert listed(site)[NAMES[0]]["shown_as"] != "Mari Q"
    people(site, "clear", NAMES[0])
    assert listed(site)[NAMES[0]]["alias"] is None


def test_an_opt_out_takes_the_posts_off_the_site_at_once_and_can_be_taken_back(site: SmallSite) -> None:
    pages = {path.name for path in (site.folder.built / "posts").iterdir()}
    told = people(site, "opt-out", NUMBER)
    assert "1 window will be recomputed" in told
    token = listed(site)[NUMBER]["pseudonym"]
    assert listed(site)[NUMBER]["opted_out"]
    gone = pages - {path.name for path in (site.folder.built / "posts").iterdir()}
    assert {name[:10] for name in gone} >= {"2025-01-20"}
    assert token not in "".join(path.read_text() for path in site.folder.built.rglob("*.html"))
    people(site, "opt-in", token)
    assert not listed(site)[NUMBER]["opted_out"]


def test_the_owner_cannot_overrule_somebodys_own_opt_out(site: SmallSite) -> None:
    site.get(said(weeks(4), NAMES[1], "/egregora opt-out", 3))
    assert "in the chat" in people(site, "opt-in", NAMES[1], fails=True)
    assert listed(site)[NAMES[1]]["opted_out"]


def test_two_people_become_one_and_stay_so_after_the_next_import(site: SmallSite) -> None:
    people(site, "merge", NAMES[0], NUMBER)
    site.get(said(weeks(4), NUMBER, "it is me with another phone, hello", 1))
    rows = listed(site)
    assert len(rows) == 4
    assert sorted(rows[NUMBER]["printed"]) == sorted([NUMBER, NAMES[0]])
    assert "one person already" in people(site, "merge", NAMES[0], NUMBER, fails=True)


def test_somebody_unknown_is_an_error_that_names_the_nearest_by_pseudonym(site: SmallSite) -> None:
    token = listed(site)[NAMES[2]]["pseudonym"]
    told = people(site, "opt-out", NAMES[2][:-2] + "x", fails=True)
    assert token in told
    assert NAMES[2] not in told
    assert "Nobody is called" in people(site, "clear", "qqqq", fails=True)
    assert "Say what to set" in people(site, "set", token, fails=True)


def test_a_number_may_be_written_in_another_way(site: SmallSite) -> None:
    people(site, "opt-out", "0044 7700-900123")
    assert listed(site)[NUMBER]["opted_out"]


def test_forget_asks_first_and_says_what_was_removed_and_what_is_left_to_delete(site: SmallSite) -> None:
    arguments = ["forget", NUMBER, "--site", str(site.folder.root)]
    refused = CliRunner().invoke(app, arguments)
    assert refused.exit_code == 2
    assert "--yes" in refused.output
    assert len(listed(site)) == 5
    done = CliRunner().invoke(app, [*arguments, "--yes"])
    assert done.exit_code == 0, done.output
    assert "1 messages of theirs" in done.output
    assert "export-1.zip" in done.output
    assert NUMBER not in done.output
    assert len(listed(site)) == 4
    again = CliRunner().invoke(app, [*arguments, "--yes"])
    assert "forgotten before" in again.output


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys; sys.argv = ['egregora', 'people', '--help']\n"
        "from egregora_assets.cli.app import app\n"
        "try: app()\nexcept SystemExit: pass\n"
        "print([m for m in ('dagster', 'duckdb', 'ibis', 'pyarrow') if m in sys.modules])"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "opt-out" in shown
    assert shown.endswith("[]\n")
