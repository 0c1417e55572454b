"""The locks of a site: operating-system locks, which die with the process that holds them."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from filelock import AcquireReturnProxy, FileLock, Timeout

from egregora_resources.progress import Progress
from egregora_resources.site.folder import SiteFolder


def the_one_writer(folder: SiteFolder, progress: Progress) -> AcquireReturnProxy[Any]:
    """The lock of the one process that changes a site; waits for it, and says so."""
    lock = FileLock(folder.write_lock)
    with suppress(Timeout):
        return lock.acquire(timeout=0.2)
    progress.say(f"Another `egregora write` is working on {folder.root}; waiting until it is done.")
    return lock.acquire()


def import_lock(folder: SiteFolder, progress: Progress) -> FileLock:
    """One import at a time, whichever process does it."""
    lock = FileLock(folder.import_lock)
    try:
        lock.acquire(timeout=1)
        lock.release()
    except Timeout:
        progress.say("Another process is importing into this site; waiting for it.")
    return lock
