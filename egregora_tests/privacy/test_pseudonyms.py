"""Ids and pseudonyms: stable, readable, distinct, and mute about who is behind them."""

from __future__ import annotations

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from egregora_resources.errors import UserError
from egregora_resources.privacy.pseudonyms import (
    SECRET_FILE,
    TOKEN_RE,
    PrivacyError,
    Pseudonyms,
    display_name,
    is_token,
    load_secret,
    secret_check,
    tokens_in,
)

ONE, OTHER = Pseudonyms(b"1" * 32), Pseudonyms(b"2" * 32)


def test_the_secret_is_made_on_first_use_and_stays(tmp_path: Path) -> None:
    state = tmp_path / "my-blog" / ".egregora"
    secret = load_secret(state)
    assert len(secret) == 32
    assert load_secret(state) == secret
    assert [path.name for path in state.iterdir()] == [SECRET_FILE]


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX")
def test_the_secret_is_for_its_owner_only(tmp_path: Path) -> None:
    load_secret(tmp_path)
    assert stat.S_IMODE((tmp_path / SECRET_FILE).stat().st_mode) == 0o600
    (tmp_path / SECRET_FILE).chmod(0o644)
    load_secret(tmp_path)
    assert stat.S_IMODE((tmp_path / SECRET_FILE).stat().st_mode) == 0o600


def test_processes_that_start_together_agree_on_the_secret(tmp_path: Path) -> None:
    with ThreadPoolExecutor(16) as pool:
        assert len(set(pool.map(load_secret, [tmp_path] * 64))) == 1


@pytest.mark.parametrize("content", [b"", b"\n", b"abc", b"\xff" * 32, b"0" * 63])
def test_a_damaged_secret_is_an_error_and_is_not_replaced(tmp_path: Path, content: bytes) -> None:
    (tmp_path / SECRET_FILE).write_bytes(content)
    with pytest.raises(PrivacyError, match=r"secret\.key"):
        load_secret(tmp_path)
    assert (tmp_path / SECRET_FILE).read_bytes() == content


def test_a_damaged_secret_is_the_owners_to_put_right(tmp_path: Path) -> None:
    (tmp_path / SECRET_FILE).write_bytes(b"abc")
    with pytest.raises(UserError, match="Restore it from a backup"):
        load_secret(tmp_path)


def test_an_unreadable_secret_is_an_error(tmp_path: Path) -> None:
    (tmp_path / SECRET_FILE).mkdir()
    with pytest.raises(PrivacyError, match="can't be read"):
        load_secret(tmp_path)


def test_a_changed_secret_is_noticed_without_telling_it() -> None:
    assert secret_check(b"1" * 32) == secret_check(b"1" * 32) != secret_check(b"2" * 32)
    assert (b"1" * 32).hex()[:8] not in secret_check(b"1" * 32)


@pytest.mark.parametrize(
    ("one", "same"),
    [
        ("+44 7700 900123", "+44 7700-900123"),
        ("+44 7700 900123", "\u202a+44\u00a07700\u00a0900123\u202c"),
        ("+44 7700 900123", "0044 7700 900123"),
        ("+44 7700 900123", "~ +44 (0)7700 900123"),
        ("+55 11 98765-4321", "+55 (11) 98765\u20114321"),
        ("Laura Bennett", "\u200eLaura\u00a0 Bennett "),
        ("Laura Bennett", "~\u202fLaura Bennett"),
        ("José", "Jose\u0301"),
    ],
)
def test_an_author_printed_in_another_way_is_the_same_author(one: str, same: str) -> None:
    assert ONE.author_id(one) == ONE.author_id(same)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Laura", "Laura Bennett"),
        ("José", "Jose"),
        ("+44 7700 900123", "+44 7700 900124"),
        ("🎨", "🎨🎨"),
        (".", "-"),
    ],
)
def test_different_authors_have_different_ids(one: str, other: str) -> None:
    assert ONE.author_id(one) != ONE.author_id(other)


def test_without_the_secret_an_id_says_nothing() -> None:
    author = ONE.author_id("+44 7700 900123")
    assert len(author) == 16
    assert int(author, 16) >= 0
    assert OTHER.author_id("+44 7700 900123") != author
    assert OTHER.token(author, ()) != ONE.token(author, ())


def test_a_pseudonym_is_two_words_and_the_same_in_every_run() -> None:
    token = ONE.token(ONE.author_id("Laura Bennett"), ())
    assert token == Pseudonyms(b"1" * 32).token(ONE.author_id("Laura Bennett"), [])
    assert len(token.split("-")) == 2
    assert is_token(token)
    assert TOKEN_RE.fullmatch(f"@{token}")


def test_pseudonyms_of_a_site_are_distinct() -> None:
    taken: set[str] = set()
    for number in range(5_000):
        token = ONE.token(ONE.author_id(f"Member {number}"), taken)
        assert token not in taken
        taken.add(token)
    assert sum(len(token.split("-")) == 2 for token in taken) > 4_990


def test_a_third_word_comes_when_two_are_all_taken() -> None:
    class Everything(set[str]):
        def __contains__(self, token: object) -> bool:
            return str(token).count("-") == 1

    token = ONE.token("0" * 16, Everything())
    assert len(token.split("-")) == 3
    assert is_token(token)
    assert tokens_in(f"(@{token})") == {token}


def test_a_token_reads_as_a_name() -> None:
    assert display_name("amber-heron") == "Amber Heron"
    assert display_name("amber-heron-meadow") == "Amber Heron Meadow"


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("@amber-heron", {"amber-heron"}),
        ("Hi @amber-heron, meet @calm-otter's cat.", {"amber-heron", "calm-otter"}),
        ("我爱@amber-heron。", {"amber-heron"}),
        ("*@amber-heron*:", {"amber-heron"}),
        ("@amber-heron_x @Amber-Heron @amber", set[str]()),
        ("ana@amber-heron.com amber-heron", set[str]()),
    ],
)
def test_tokens_are_found_where_they_stand_in_text(text: str, tokens: set[str]) -> None:
    assert tokens_in(text) == tokens
