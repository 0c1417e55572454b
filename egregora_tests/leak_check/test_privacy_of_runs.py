"""Nothing that a run leaves behind or prints knows who said what: demo chat and real chat, whole runs."""

from __future__ import annotations

import re
import sqlite3
import time
import zipfile
from collections.abc import Iterable
from pathlib import Path

import pytest

from egregora_assets.demo import demo_export, later_demo_export
from egregora_resources.warehouse.database import Warehouse
from egregora_tests.runs import REAL_CHAT, new_site, write

pytestmark = pytest.mark.slow

PHONE = re.compile(r"(?<![\w.])\+\d{1,3}[ -]\(?\d{2,4}\)?[ \d-]{5,}\d")
EMAIL = re.compile(r"\b[\w.+-]+@[\w-]+\.[a-z]{2,}\b", re.IGNORECASE)
HEADER = re.compile(r"^(\d\d/\d\d/\d{4}, \d\d:\d\d) - ([^:]+): (.*)$")


def chat(export: Path) -> list[tuple[str, str]]:
    """(author, text) of a chat's messages, continuations with them."""
    with zipfile.ZipFile(export) as archive:
        name = next(name for name in archive.namelist() if name.endswith(".txt"))
        lines = archive.read(name).decode("utf-8").splitlines()
    messages: list[tuple[str, str]] = []
    for line in lines:
        if match := HEADER.match(line):
            messages.append((match[2], match[3]))
        elif messages and not re.match(r"\d\d/\d\d/\d{4}, ", line):
            messages[-1] = (messages[-1][0], f"{messages[-1][1]}\n{line}")
    return messages


def texts(site: Path) -> dict[str, str]:
    """All that isn't raw, by where it is: site, documents, messages, vocabulary, results, Dagster's databases."""
    found = {
        str(path.relative_to(site)): path.read_text(encoding="utf-8", errors="ignore")
        for folder in ("site", "docs")
        for path in (site / folder).rglob("*")
        if path.is_file() and path.suffix in (".html", ".md", ".json", ".xml", ".svg", ".txt")
    }
    warehouse = Warehouse(site / ".egregora" / "warehouse.duckdb")
    for table in ("messages", "documents", "vocabulary", "stage_results", "claims"):
        found[table] = "\n".join(map(repr, warehouse.rows(f"SELECT * FROM {table}")))
    for database in (site / ".egregora" / "dagster").rglob("*.db"):
        with sqlite3.connect(database) as connection:
            found[database.name] = "\n".join(connection.iterdump())
    for log in (site / ".egregora" / "dagster").rglob("*"):
        if log.is_file() and log.suffix in (".out", ".err", ".log"):
            found[log.name] = log.read_text(encoding="utf-8", errors="ignore")
    return found


def check_anonymous(site: Path, printed: str, names: Iterable[str], private: Iterable[str]) -> None:
    """No name, number or address of the chat is anywhere but in the raw tables."""
    places = {**texts(site), "what was printed": printed}
    for place, text in places.items():
        for name in names:
            assert name not in text, f"{name!r} in {place}"
        for secret in private:
            assert secret not in text, f"{secret!r} in {place}"


def runs_of_words(text: str, length: int) -> set[str]:
    words = re.findall(r"\w+", text.casefold())
    return {" ".join(words[n : n + length]) for n in range(len(words) - length + 1)}


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The demo chat's site, with what the runs printed: first export, then the later one."""
    site = new_site(tmp_path_factory.mktemp("demo") / "blog")
    return site, write(site, demo_export()) + write(site, later_demo_export())


def test_no_name_number_or_address_of_the_demo_chat_is_outside_the_raw_tables(demo: tuple[Path, str]):
    site, printed = demo
    messages = chat(later_demo_export())
    names = {author for author, _ in messages}
    assert len(names) == 6
    private = {found for _, text in messages for found in [*PHONE.findall(text), *EMAIL.findall(text)]}
    assert private
    check_anonymous(site, printed, names, private)


def test_who_opted_out_of_the_demo_chat_is_nowhere(demo: tuple[Path, str]):
    site, _ = demo
    messages = chat(later_demo_export())
    theirs = {run for author, text in messages if author == "Callum Reid" for run in runs_of_words(text, 6)}
    others = {run for author, text in messages if author != "Callum Reid" for run in runs_of_words(text, 6)}
    assert len(theirs) > 50
    warehouse = Warehouse(site / ".egregora" / "warehouse.duckdb")
    token = warehouse.rows(
        "SELECT token FROM authors JOIN author_names USING (author_id) WHERE name = 'Callum Reid'"
    )[0][0]
    for place, text in texts(site).items():
        assert not (theirs - others) & runs_of_words(re.sub(r"<[^>]+>", " ", text), 6), place
        assert "Callum" not in text, place
        assert token not in text, place


@pytest.mark.skipif(not REAL_CHAT.exists(), reason=f"the real chat isn't at {REAL_CHAT}")
def test_the_real_chat_is_twelve_weeks_each_with_a_post_and_anonymous(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):

    site = new_site(tmp_path / "blog")
    began = time.monotonic()
    printed = write(site, REAL_CHAT)
    seconds = time.monotonic() - began
    with capsys.disabled():
        print(f"\nthe real chat: {seconds:.0f} s from start to built blog")  # noqa: T201
    warehouse = Warehouse(site / ".egregora" / "warehouse.duckdb")
    assert warehouse.rows("SELECT count(*) FROM raw_messages WHERE kind <> 'notice'") == [(5507,)]
    posts = warehouse.rows("SELECT window_key, count(*) FROM documents WHERE stage = 'posts' GROUP BY 1")
    assert len(posts) == 12
    check_anonymous(site, printed, {author for author, _ in chat(REAL_CHAT)}, ())
    assert "Nothing to do" in write(site, REAL_CHAT)
