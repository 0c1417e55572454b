"""One site, opened: what every function that works on a site is handed, instead of its parts."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
from filelock import AcquireReturnProxy, FileLock, Timeout

from egregora_resources.privacy.pseudonyms import Pseudonyms
from egregora_resources.progress import Progress
from egregora_resources.site.folder import SiteFolder
from egregora_resources.site.secret import check_secret, site_pseudonyms
from egregora_resources.site.settings import Settings, load_settings
from egregora_resources.warehouse.database import Warehouse, open_existing


@dataclass(frozen=True, slots=True)
class Site:
    """Where a site is, what its owner set, and its database. Making one opens neither database nor network.

    Attributes:
        folder: the paths inside it.
        settings: as read when the site was opened: one command works with one version of them.
        warehouse: connects when it is asked something.

    Example:
        >>> site = Site.open(Path("my-blog"))
        >>> site.settings.pipeline.window_size
        7
    """

    folder: SiteFolder
    settings: Settings
    warehouse: Warehouse

    @classmethod
    def open(cls, root: Path) -> Site:
        """The site in this folder; it needs no warehouse yet.

        Raises:
            UserError: there is no ``egregora.toml``, or something is wrong in it.
        """
        folder = SiteFolder(root)
        return cls(folder, load_settings(root), Warehouse(folder.warehouse))

    @classmethod
    def look_at(cls, root: Path, *, wait: float = 5.0) -> Site:
        """The site in this folder, for a command that needs what was imported.

        Args:
            wait: seconds to wait for another process that holds the warehouse.

        Raises:
            UserError: as `open`; or nothing was imported yet.
        """
        folder = SiteFolder(root)
        return cls(folder, load_settings(root), open_existing(folder.warehouse, wait=wait))

    @property
    def root(self) -> Path:
        return self.folder.root

    def pseudonyms(self, connection: duckdb.DuckDBPyConnection) -> Pseudonyms:
        """The pseudonyms of its secret, which is made on first use; see `site_pseudonyms`.

        Raises:
            SecretChanged: the secret is gone, or another one stands in its place.
        """
        return site_pseudonyms(connection, self.folder.state)

    def check_secret(self) -> None:
        """Looks whether the secret is still there; see `check_secret`.

        Raises:
            SecretChanged: as `pseudonyms` does.
        """
        with self.warehouse.connect() as connection:
            check_secret(connection, self.folder.state)

    def writing(self, progress: Progress) -> AcquireReturnProxy[Any]:
        """The lock of the one process that changes the site; waits for it, and says so. It dies with its process."""
        lock = FileLock(self.folder.write_lock)
        with suppress(Timeout):
            return lock.acquire(timeout=0.2)
        progress.say(f"Another `egregora write` is working on {self.root}; waiting until it is done.")
        return lock.acquire()

    def importing(self, progress: Progress) -> FileLock:
        """One import at a time, whichever process does it; says so if there is one."""
        lock = FileLock(self.folder.import_lock)
        try:
            lock.acquire(timeout=1)
            lock.release()
        except Timeout:
            progress.say("Another process is importing into this site; waiting for it.")
        return lock
