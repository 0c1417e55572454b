"""The database file: open for moments, by one process at a time, closed whatever happens."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import duckdb
import pytest

from egregora_resources.warehouse.database import (
    Warehouse,
    WarehouseBusy,
    WarehouseMissing,
    WarehouseUnreadable,
    open_existing,
)

HOLD = """
import duckdb, sys
connection = duckdb.connect(sys.argv[1])
print("held", flush=True)
sys.stdin.read()
"""


def hold(path: Path) -> subprocess.Popen[str]:
    """Another process that has the file open for writing, until it is killed or its input ends."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    assert process.stdout.readline() == "held\n"
    return process


def test_tables_are_made_on_first_use(tmp_path: Path):
    warehouse = Warehouse(tmp_path / "w.duckdb")
    assert warehouse.rows("SELECT count(*) FROM stage_results") == [(0,)]
    assert warehouse.fact("chat") is None
    warehouse.remember("chat", "Neighbours")
    assert warehouse.fact("chat") == "Neighbours"


def test_tables_are_made_again_when_the_file_was_deleted_under_a_long_lived_process(tmp_path: Path):
    warehouse = Warehouse(tmp_path / "w.duckdb")
    warehouse.remember("chat", "Neighbours")
    warehouse.path.unlink()
    assert warehouse.fact("chat") is None


def test_a_transaction_is_kept_whole_or_not_at_all(tmp_path: Path):
    warehouse = Warehouse(tmp_path / "w.duckdb")
    with suppress(ZeroDivisionError), warehouse.transaction() as connection:
        connection.execute("INSERT INTO facts VALUES ('a', 'b')")
        raise ZeroDivisionError
    assert warehouse.fact("a") is None


def test_the_connection_is_closed_after_an_exception(tmp_path: Path):
    warehouse = Warehouse(tmp_path / "w.duckdb")
    with pytest.raises(ZeroDivisionError), warehouse.connect():
        raise ZeroDivisionError
    hold(warehouse.path).communicate()


def test_threads_take_turns_and_nested_uses_share_a_connection(tmp_path: Path):
    warehouse = Warehouse(tmp_path / "w.duckdb")

    def add(number: int) -> None:
        with warehouse.transaction() as connection:
            connection.execute("INSERT INTO facts VALUES (?, 'x')", [str(number)])
            assert warehouse.fact(str(number)) == "x"

    threads = [threading.Thread(target=add, args=[n]) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert warehouse.rows("SELECT count(*) FROM facts WHERE value = 'x'") == [(8,)]


def test_it_waits_until_another_process_lets_go(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    warehouse = Warehouse(tmp_path / "w.duckdb")
    warehouse.remember("a", "b")
    caplog.set_level("INFO")
    process = hold(warehouse.path)

    def let_go_once_it_waits() -> None:
        while "waiting for another process" not in caplog.text:
            time.sleep(0.05)
        process.kill()

    letting_go = threading.Thread(target=let_go_once_it_waits, daemon=True)
    letting_go.start()
    assert warehouse.fact("a") == "b"
    letting_go.join()
    process.wait()


def test_who_only_looks_is_told_that_it_is_busy(tmp_path: Path):
    path = tmp_path / "clock-club" / "w.duckdb"
    path.parent.mkdir()
    Warehouse(path).remember("a", "b")
    process = hold(path)
    try:
        with pytest.raises(WarehouseBusy, match="in use by another program"):
            open_existing(path, wait=0.2).fact("a")
    finally:
        process.kill()
        process.wait()


def test_a_damaged_file_is_told_from_a_busy_one(tmp_path: Path):
    path = tmp_path / "clock-club.duckdb"
    path.write_bytes(b"this is no database, though it is long enough to be looked at" * 100)
    with pytest.raises(WarehouseUnreadable, match="damaged"):
        Warehouse(path, wait=0.2).fact("a")


def test_a_site_without_a_warehouse_is_a_sentence(tmp_path: Path):
    with pytest.raises(WarehouseMissing, match="Nothing was imported"):
        open_existing(tmp_path / ".egregora" / "warehouse.duckdb")


def test_a_killed_writer_leaves_what_it_committed(tmp_path: Path):
    path = tmp_path / "w.duckdb"
    Warehouse(path).remember("a", "b")
    code = (
        "import sys, os, signal, duckdb; c = duckdb.connect(sys.argv[1]);"
        "c.execute(\"INSERT INTO facts VALUES ('c', 'd')\"); c.execute('BEGIN');"
        "c.execute(\"INSERT INTO facts VALUES ('e', 'f')\"); os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", code, str(path)], check=False)
    warehouse = Warehouse(path)
    assert (warehouse.fact("c"), warehouse.fact("e")) == ("d", None)
    with duckdb.connect(str(path)):
        pass
