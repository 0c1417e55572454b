"""What the owner tells the model names nobody: instructions are cleaned, prompts that name somebody stop the run."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import pytest

from egregora_assets.leak_check.prompts import NamedInPrompt
from egregora_tests.providers import WatchedProvider
from egregora_tests.small_site import SmallSite
from egregora_tests.weekly_chat import NAMES, weeks


class Service(WatchedProvider):
    """A provider that sends prompts somewhere."""

    name: ClassVar[str] = "service"


@pytest.fixture
def site(tmp_path: Path) -> SmallSite:
    made = SmallSite(tmp_path)
    made.get(weeks(2))
    return made


def test_instructions_reach_the_model_with_pseudonyms(site: SmallSite) -> None:
    site.set(model={"instructions": f"Call {NAMES[0]} the captain; ask me at owner@example.com"})
    site.run()
    token = site.context().people.by_name[NAMES[0]].token
    assert {request.instructions for request in site.provider.requests} == {
        f"Call @{token} the captain; ask me at [e-mail]"
    }


@pytest.mark.parametrize("told", [NAMES[0], "Marisol", "+44 20 7946 0958", "owner@example.com"])
def test_a_prompt_that_names_somebody_is_not_sent_and_is_told_by_file_and_line(
    site: SmallSite, told: str
) -> None:
    prompt = site.folder.prompts / "posts.jinja"
    prompt.parent.mkdir()
    prompt.write_text(f'{{% extends "builtin/posts.jinja" %}}\n{{# made for {told} #}}\n')
    provider = Service()
    with pytest.raises(NamedInPrompt, match=r"posts\.jinja, line 2, names somebody") as told_of:
        site.run(provider)
    assert told not in str(told_of.value)
    assert not provider.asked
    prompt.write_text('{% extends "builtin/posts.jinja" %}\n{# made for us all #}\n')
    assert not site.run(provider).failed


def test_what_is_not_sent_may_say_anything(site: SmallSite) -> None:
    (site.folder.prompts).mkdir()
    (site.folder.prompts / "posts.jinja").write_text(f"for {NAMES[0]}")
    assert not site.run().failed
