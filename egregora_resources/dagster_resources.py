"""The two resources of the asset graph, listed in the Dagster UI and swappable in `build_definitions`.

Only modules of the graph import this one: importing Dagster takes a second that commands which merely look don't have.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
from dagster_duckdb import DuckDBResource

from egregora_resources.llm.protocol import Provider
from egregora_resources.llm.providers import make_provider
from egregora_resources.site.folder import SiteFolder
from egregora_resources.site.settings import Settings, SettingsError
from egregora_resources.site.site import Site
from egregora_resources.warehouse.database import Warehouse


class WarehouseResource(DuckDBResource):
    """The site's DuckDB database.

    dagster-duckdb's own `get_connection` stays open after an exception and waits 102 seconds for a lock that
    another process holds; this one closes, waits as long as our other parts do, and says what to do.
    """

    refused: str = ""
    """Why nothing may be done with it until the owner acts; empty: nothing is in the way."""

    def open(self, *, wait: float = 60.0) -> Warehouse:
        """The warehouse as assets use it; `wait`: seconds to wait for another process that holds it.

        Raises:
            SettingsError: the definitions were loaded with settings that can't be used.
        """
        if self.refused:
            raise SettingsError(self.refused)
        return Warehouse(Path(self.database), wait=wait)

    @contextmanager
    def get_connection(self) -> Generator[duckdb.DuckDBPyConnection, None, None]:  # pyright: ignore[reportIncompatibleMethodOverride]
        with self.open().connect() as connection:
            yield connection


class LlmResource(dg.ConfigurableResource[Any]):
    """The provider that does the tasks needing a writer's hand: see `egregora_resources.llm`."""

    site: str
    """The site's folder."""
    fresh: bool = False
    """Ask a service anew for what it has answered before."""
    budget: str = ""
    """Names what ``[model] budget_usd_per_run`` is for, where one command makes several runs; else each has its own."""

    def provider(self, settings: Settings) -> Provider:
        """The provider that the settings name."""
        folder = SiteFolder(Path(self.site))
        return make_provider(
            Site(folder, settings, Warehouse(folder.warehouse)), fresh=self.fresh, budget=self.budget
        )
