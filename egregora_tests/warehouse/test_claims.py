"""Claims on windows: held by one run at a time, and dead with their process."""

from __future__ import annotations

import socket
import subprocess
import sys
import uuid
from datetime import datetime, timedelta
from pathlib import Path

import psutil
import pytest

from egregora_resources import process_owner
from egregora_resources.process_owner import Owner, machine_id
from egregora_resources.warehouse.claims import claim, release
from egregora_resources.warehouse.database import Warehouse

WINDOWS = ["2025-01-13", "2025-01-20"]


def test_free_windows_are_claimed_and_held_ones_are_named_with_their_owner(tmp_path: Path):
    warehouse = Warehouse(tmp_path / "w.duckdb")
    assert claim(warehouse, WINDOWS[:1], "first-run") == {}
    held = claim(warehouse, WINDOWS, "second-run")
    assert list(held) == WINDOWS[:1]
    assert "run first-ru" in held[WINDOWS[0]]
    assert claim(warehouse, WINDOWS[1:], "third-run").keys() == {WINDOWS[1]}


def test_a_run_may_claim_again_what_it_holds(tmp_path: Path):
    warehouse = Warehouse(tmp_path / "w.duckdb")
    assert claim(warehouse, WINDOWS, "run") == {}
    assert claim(warehouse, WINDOWS, "run") == {}


def test_released_windows_are_free_and_only_the_owner_releases(tmp_path: Path):
    warehouse = Warehouse(tmp_path / "w.duckdb")
    claim(warehouse, WINDOWS, "first-run")
    release(warehouse, WINDOWS, "second-run")
    assert len(claim(warehouse, WINDOWS, "second-run")) == 2
    release(warehouse, WINDOWS, "first-run")
    assert claim(warehouse, WINDOWS, "second-run") == {}


def put(warehouse: Warehouse, owner: Owner, at: datetime) -> None:
    with warehouse.transaction() as connection:
        connection.execute(
            "INSERT INTO claims VALUES (?, 'old-run', ?, ?, ?, ?)",
            [WINDOWS[0], owner.host, owner.pid, owner.started, at],
        )


def test_a_dead_owners_claim_is_taken_over_at_once(tmp_path: Path):
    warehouse = Warehouse(tmp_path / "w.duckdb")
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    owner = Owner(Owner.this_process().host, process.pid, psutil.Process(process.pid).create_time())
    put(warehouse, owner, datetime.now())
    assert list(claim(warehouse, WINDOWS, "new-run")) == WINDOWS[:1]
    process.kill()
    while psutil.Process(process.pid).status() != psutil.STATUS_ZOMBIE:
        pass
    # Not waited for: a zombie, as killed processes stay in a container without an init.
    assert claim(warehouse, WINDOWS, "new-run") == {}
    process.wait()


def test_a_later_process_of_the_same_number_is_another(tmp_path: Path):
    warehouse = Warehouse(tmp_path / "w.duckdb")
    me = Owner.this_process()
    put(warehouse, Owner(me.host, me.pid, me.started - 100), datetime.now())
    assert claim(warehouse, WINDOWS, "new-run") == {}


def test_another_machines_claim_is_honoured_for_some_hours(tmp_path: Path):
    warehouse = Warehouse(tmp_path / "w.duckdb")
    put(warehouse, Owner("elsewhere", 1, 0.0), datetime.now() - timedelta(hours=5))
    held = claim(warehouse, WINDOWS, "new-run")
    assert list(held) == WINDOWS[:1]
    assert "another machine" in held[WINDOWS[0]]
    with warehouse.transaction() as connection:
        connection.execute("UPDATE claims SET claimed_at = ?", [datetime.now() - timedelta(hours=7)])
    assert claim(warehouse, WINDOWS, "new-run") == {}


def test_a_machine_that_was_renamed_is_the_same_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "machine-id").write_text("0123456789abcdef0123456789abcdef\n")
    monkeypatch.setattr(process_owner, "MACHINE_IDS", (tmp_path / "absent", tmp_path / "machine-id"))
    machine_id.cache_clear()
    try:
        warehouse = Warehouse(tmp_path / "w.duckdb")
        monkeypatch.setattr(socket, "gethostname", lambda: "before")
        put(warehouse, Owner(Owner.this_process().host, 1, 0.0), datetime.now())
        monkeypatch.setattr(socket, "gethostname", lambda: "after")
        machine_id.cache_clear()
        assert claim(warehouse, WINDOWS, "new-run") == {}
    finally:
        machine_id.cache_clear()


@pytest.mark.parametrize(("node", "known"), [(0x0242AC110002, "0x242ac110002"), (1 << 40 | 5, "renamed")])
def test_a_machine_without_an_id_goes_by_its_network_card_and_never_by_a_drawn_number(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, node: int, known: str
):
    (tmp_path / "machine-id").write_text("uninitialized\n")
    monkeypatch.setattr(process_owner, "MACHINE_IDS", (tmp_path / "machine-id",))
    monkeypatch.setattr(uuid, "getnode", lambda: node)
    monkeypatch.setattr(socket, "gethostname", lambda: "renamed")
    assert machine_id.__wrapped__() == known
