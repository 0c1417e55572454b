"""Databases that earlier code left are brought forward, whatever happens meanwhile; later ones and damaged ones say so."""

from __future__ import annotations

import random
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from egregora_resources.warehouse import migrations
from egregora_resources.warehouse.database import Warehouse, WarehouseUnreadable
from egregora_resources.warehouse.migrations import SCHEMA, SchemaTooNew, backups, newest
from egregora_tests.frozen import SITES, thaw
from egregora_tests.runs import tree

WAREHOUSE = ".egregora/warehouse.duckdb"


@pytest.fixture(params=SITES, ids=lambda path: path.stem)
def frozen(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The database of an earlier site."""
    return thaw(request.param, tmp_path) / WAREHOUSE


def raw(path: Path, sql: str) -> list[tuple[Any, ...]]:
    """A query past the code that migrates."""
    with duckdb.connect(str(path)) as connection:
        return connection.execute(sql).fetchall()


def layout(path: Path) -> Sequence[tuple[Any, ...]]:
    """How tables and views were made, column by column."""
    columns = "table_name, column_name, ordinal_position, data_type, is_nullable, column_default"
    return [
        *raw(path, f"SELECT {columns} FROM information_schema.columns ORDER BY ALL"),
        *raw(path, "SELECT table_name, sql FROM duckdb_tables() ORDER BY ALL"),
        *raw(path, "SELECT view_name, sql FROM duckdb_views() WHERE NOT internal ORDER BY ALL"),
    ]


def rows(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Everything in the tables, but for the mark of the version."""
    tables = [row[0] for row in raw(path, "SELECT table_name FROM duckdb_tables()")]
    return {
        table: [row for row in raw(path, f"FROM {table} ORDER BY ALL") if row[0] != SCHEMA]
        for table in sorted(tables)
    }


def unmarked(path: Path, facts: dict[str, str]) -> Path:
    """A small database of version 1, as the code before the mark made it."""
    path.parent.mkdir(exist_ok=True)
    for key, value in facts.items():
        Warehouse(path).remember(key, value)
    with duckdb.connect(str(path)) as connection:
        connection.execute(f"DELETE FROM facts WHERE key = '{SCHEMA}'")
    return path


def test_an_earlier_database_has_the_layout_of_a_new_one_and_all_that_was_in_it(frozen: Path, tmp_path: Path):
    before = rows(frozen)
    assert Warehouse(frozen).fact(SCHEMA) == str(newest())
    new = tmp_path / "new.duckdb"
    Warehouse(new).remember("a", "b")
    assert layout(frozen) == layout(new)
    assert rows(frozen) == before


def test_a_copy_from_before_lies_beside_it(frozen: Path):
    before = rows(frozen)
    Warehouse(frozen).fact("chat")
    (copy,) = backups(frozen)
    assert copy.name == "warehouse.duckdb.v1-backup"
    assert raw(copy, f"SELECT value FROM facts WHERE key = '{SCHEMA}'") == []
    assert rows(copy) == before
    assert copy.stat().st_mode == frozen.stat().st_mode


def test_a_copy_that_is_put_back_is_brought_forward_again(frozen: Path):
    warehouse = Warehouse(frozen)
    warehouse.remember("later", "yes")
    backups(frozen)[0].replace(frozen)
    assert warehouse.fact("later") is None
    assert warehouse.fact(SCHEMA) == str(newest())


@settings(max_examples=10)
@given(facts=st.dictionaries(st.from_regex(r"[a-z]{1,9}", fullmatch=True), st.text(), min_size=1, max_size=5))
def test_opening_it_a_second_time_changes_nothing(
    facts: dict[str, str], tmp_path_factory: pytest.TempPathFactory
):
    facts.pop(SCHEMA, None)
    path = unmarked(tmp_path_factory.mktemp("twice") / "w.duckdb", facts or {"a": "b"})
    assert dict(Warehouse(path).rows("FROM facts")) == {**(facts or {"a": "b"}), SCHEMA: str(newest())}
    once = tree(path.parent)
    assert len(once) == 2
    # By a process that hasn't seen it yet.
    code = "import sys, pathlib; from egregora_resources.warehouse.database import Warehouse;"
    subprocess.run(
        [sys.executable, "-c", f"{code} Warehouse(pathlib.Path(sys.argv[1])).fact('a')", path], check=True
    )
    assert tree(path.parent) == once


def test_a_later_version_is_refused_with_what_was_found_what_is_known_and_what_to_do(tmp_path: Path):
    path = unmarked(tmp_path / "w.duckdb", {SCHEMA: "71"})
    with duckdb.connect(str(path)) as connection:
        connection.execute(f"INSERT INTO facts VALUES ('{SCHEMA}', '71')")
    before = tree(tmp_path)
    with pytest.raises(SchemaTooNew, match=rf"w\.duckdb .* version 71, .* up to {newest()}\. Install"):
        Warehouse(path).rows("FROM facts")
    assert tree(tmp_path) == before


def test_a_process_that_has_it_open_since_long_notices_that_a_later_version_took_it_over(tmp_path: Path):
    warehouse = Warehouse(tmp_path / "w.duckdb")
    warehouse.remember("a", "b")
    with duckdb.connect(str(warehouse.path)) as connection:
        connection.execute(f"UPDATE facts SET value = '71' WHERE key = '{SCHEMA}'")
    with pytest.raises(SchemaTooNew):
        warehouse.fact("a")


KILLED = """
import os, signal, sys
from pathlib import Path
from egregora_resources.warehouse import copies, migrations
from egregora_resources.warehouse.database import Warehouse

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

def step(connection):
    connection.execute("ALTER TABLE overrides ADD COLUMN half TEXT")
    connection.execute("DELETE FROM facts")
    die()

if sys.argv[2] == "copying":
    copies.sync = die
else:
    migrations.MIGRATIONS = (step,)
Warehouse(Path(sys.argv[1])).fact("a")
"""


@pytest.mark.parametrize("moment", ["copying", "migrating"])
def test_a_migration_that_is_killed_is_begun_again(tmp_path: Path, moment: str):
    path = unmarked(tmp_path / "w.duckdb", {"a": "b"})
    done = subprocess.run([sys.executable, "-c", KILLED, path, moment], check=False)
    assert done.returncode < 0
    assert raw(path, "FROM facts") == [("a", "b")]
    assert Warehouse(path).fact(SCHEMA) == str(newest())
    assert {file.name for file in tmp_path.iterdir()} == {"w.duckdb", "w.duckdb.v1-backup"}
    Warehouse(tmp_path / "new.duckdb").fact("a")
    assert layout(path) == layout(tmp_path / "new.duckdb")


def test_a_step_that_fails_leaves_all_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = unmarked(tmp_path / "w.duckdb", {"a": "b"})

    def fails(connection: duckdb.DuckDBPyConnection) -> None:
        connection.execute("DROP TABLE overrides")
        raise ZeroDivisionError

    monkeypatch.setattr(migrations, "MIGRATIONS", (fails,))
    with pytest.raises(ZeroDivisionError):
        Warehouse(path).fact("a")
    assert raw(path, "FROM facts") == [("a", "b")]
    assert raw(path, "SELECT count(*) FROM overrides") == [(0,)]


def test_steps_are_done_in_turn_from_the_version_that_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    path = unmarked(tmp_path / "w.duckdb", {"a": "b"})
    Warehouse(path).fact("a")
    path = shutil.copytree(tmp_path, tmp_path / "later") / "w.duckdb"
    done: list[int] = []
    monkeypatch.setattr(migrations, "MIGRATIONS", [lambda _, n=n: done.append(n) for n in (1, 2, 3)])
    assert Warehouse(path).fact(SCHEMA) == "4"
    assert done == [2, 3]
    assert [copy.name for copy in backups(path)] == ["w.duckdb.v1-backup", "w.duckdb.v2-backup"]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("whole") / "w.duckdb"
    warehouse = Warehouse(path)
    with warehouse.transaction() as connection:
        connection.execute("INSERT INTO facts SELECT n::TEXT, repeat(n::TEXT, 20) FROM range(20000) t(n)")
    return path


def read_all(path: Path) -> None:
    warehouse = Warehouse(path)
    for (table,) in warehouse.rows("SELECT table_name FROM duckdb_tables()"):
        warehouse.rows(f"FROM {table}")


@settings(max_examples=25)
@given(seed=st.integers(0, 10**9), cut=st.booleans())
def test_a_damaged_file_is_read_all_the_same_or_says_what_to_do(whole: Path, seed: int, cut: bool):
    chance, path = random.Random(seed), whole.with_name("damaged.duckdb")
    data = bytearray(whole.read_bytes())
    at = chance.randrange(len(data) - 64)
    data[at : at + 64] = b"" if cut else chance.randbytes(64)
    path.write_bytes(data[:at] if cut else data)
    said = "is damaged … egregora write"
    try:
        read_all(path)
    except WarehouseUnreadable as error:
        said = str(error)
    assert re.search("is damaged.*egregora write", said)


def test_where_there_is_a_copy_a_damaged_file_names_it(tmp_path: Path):
    path = unmarked(tmp_path / "w.duckdb", {"a": "b"})
    Warehouse(path).fact("a")
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(WarehouseUnreadable, match=r"put .*w\.duckdb\.v1-backup in its place"):
        Warehouse(path).fact("a")


LEAVE_LOG = """
import duckdb, os, sys
connection = duckdb.connect(sys.argv[1])
connection.execute("INSERT INTO facts SELECT 'n' || n, repeat('x', 20) FROM range(2000) t(n)")
os._exit(0)
"""


def test_damaged_last_changes_can_be_given_up_alone(tmp_path: Path):
    path = tmp_path / "w.duckdb"
    Warehouse(path).remember("a", "b")
    subprocess.run([sys.executable, "-c", LEAVE_LOG, path], check=True)
    log = path.with_name("w.duckdb.wal")
    data = bytearray(log.read_bytes())
    data[len(data) // 2] ^= 255
    log.write_bytes(data)
    with pytest.raises(WarehouseUnreadable, match=r"last changes are in .*w\.duckdb\.wal"):
        Warehouse(path).fact("a")
    shutil.move(log, tmp_path / "given-up")
    assert Warehouse(path).fact("a") == "b"
