"""Commands in the chat: both grammars, what is refused, and what they add up to."""

from __future__ import annotations

import pytest

from egregora_resources.privacy.commands import Command, fold, parse_command


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ('/egregora set alias "Ana S"', Command("alias", "Ana S")),
        ("/egregora alias Ana S", Command("alias", "Ana S")),
        ("/egregora set bio “I love tea”", Command("bio", "I love tea")),
        ("/egregora bio „Ich mag Tee“", Command("bio", "Ich mag Tee")),
        ("/egregora bio « J'aime le thé »", Command("bio", "J'aime le thé")),
        ('/egregora bio \'tis "tea" time', Command("bio", '\'tis "tea" time')),
        ("/egregora set bio two\nlines", Command("bio", "two\nlines")),
        ("/egregora remove alias", Command("alias", None)),
        ("/egregora unset avatar", Command("avatar", None)),
        ("/egregora set avatar", Command("avatar", "")),
        ("/egregora opt-out", Command("opt-out")),
        ("  /egregora OPT-OUT", Command("opt-out")),
        ("\u200e/egregora opt–out.", Command("opt-out")),
        ('/egregora "opt-out" 🙏', Command("opt-out")),
        ("/egregora opt_out\nand thanks for all", Command("opt-out")),
        ("\u2068/egregora\u2069 opt-out", Command("opt-out")),
        ("/egregora opt-in", Command("opt-in")),
        ("/EGREGORA OPT-İN", Command("opt-in")),
        ("/EGREGORA SET BİO Çay", Command("bio", "Çay")),
        ("/EGREGORA SET website https://a.b/c?d=1&e=2", Command("website", "https://a.b/c?d=1&e=2")),
        ("/egregora twitter @ana", Command("twitter", "@ana")),
        ("/egregora set twitter https://x.com/ana", Command("twitter", "https://x.com/ana")),
        ("/egregora interests tea, 👩‍💻 and maps", Command("interests", "tea, 👩‍💻 and maps")),
        ("/egregora alias 👩‍💻", Command("alias", "👩‍💻")),
        (f"/egregora alias {'x' * 40}", Command("alias", "x" * 40)),
    ],
)
def test_a_command_is_understood(text: str, command: Command) -> None:
    assert parse_command(text) == command


@pytest.mark.parametrize(
    "text", ["/egregoraset x", "hello /egregora opt-out", "egregora opt-out", "", "/egregorá"]
)
def test_an_ordinary_message_is_no_command(text: str) -> None:
    assert parse_command(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "/egregora",
        "/egregora magic",
        "/egregora opt-out-maybe",
        "/egregora alias",
        '/egregora set alias ""',
        f"/egregora alias {'x' * 41}",
        "/egregora alias a\nb",
        "/egregora alias a\tb",
        "/egregora alias an\u202eA",
        "/egregora alias \u200b\u200b",
        "/egregora website javascript:alert(1)",
        "/egregora website JavaScript://a.b/%0aalert(1)",
        "/egregora website data:text/html,x",
        "/egregora website https://",
        "/egregora website https://user:secret@a.b/",
        "/egregora website https://a.b/<script>",
        "/egregora website a.b/c",
        "/egregora twitter javascript:alert(1)",
        "/egregora twitter ana maria",
        "/egregora remove everything",
    ],
)
def test_what_is_refused_has_no_effect_and_says_why_without_repeating_it(text: str) -> None:
    command = parse_command(text)
    assert command is not None
    assert command.name == "unknown"
    assert command.value is None
    assert command.error
    assert "x" * 41 not in command.error
    assert "alert" not in command.error
    assert fold([command]) == fold([])


def test_the_last_command_in_time_wins() -> None:
    decisions = fold(
        command
        for text in (
            "/egregora alias Ana",
            "/egregora opt-out",
            "/egregora website https://a.b",
            "/egregora twitter @ana",
            "/egregora alias \tno\x00pe",
            "/egregora bio tea",
            "/egregora opt-in",
            "/egregora unset bio",
            "/egregora alias Ana S",
        )
        if (command := parse_command(text))
    )
    assert (decisions.alias, decisions.bio, decisions.opted_out) == ("Ana S", None, False)
    assert (decisions.website, decisions.twitter) == ("https://a.b", "@ana")
