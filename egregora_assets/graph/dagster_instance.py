"""The site's Dagster instance, opened from a command; the same one that the UI shows."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
from sqlalchemy import event
from sqlalchemy.engine import Engine

from egregora_assets.graph.dagster_home import InstanceError, prepare


@contextmanager
def site_instance(site: Path) -> Generator[dg.DagsterInstance]:
    """Opens the instance of a site, making it on first use.

    Dagster opens a connection for every event. Without waiting for the disk at each (the log is WAL: a crash of the
    machine may lose the last events, which the next run reports again from the warehouse), and with one connection kept
    open so that the log isn't folded back at every close, events cost a fifth.
    """
    environment = prepare(site)
    os.environ.update(environment)
    home = Path(environment["DAGSTER_HOME"])
    with ExitStack() as stack:
        event.listen(Engine, "connect", _relax)
        stack.callback(event.remove, Engine, "connect", _relax)
        try:
            instance = stack.enter_context(dg.DagsterInstance.from_config(str(home)))
        except Exception as error:
            raise InstanceError(
                f"Dagster can't open the instance that {home / 'dagster.yaml'} describes: {str(error).strip()}"
            ) from error
        for database in home.glob("*.db"):
            keeper = sqlite3.connect(database)
            keeper.execute("PRAGMA schema_version").fetchone()
            stack.callback(keeper.close)
        yield instance


def _relax(connection: Any, _record: Any) -> None:
    if isinstance(connection, sqlite3.Connection):
        connection.execute("PRAGMA synchronous=NORMAL")
