"""The inbox: the folder in which exports are dropped.

Owners and programs move files there at any time. One that is gone by the time it is looked at, or a link to one,
doesn't lie there, and keeps no other from being seen.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path


def inbox_files(inbox: Path) -> list[Path]:
    """What lies in the inbox, oldest first; hidden files and unfinished downloads are left alone."""
    if not inbox.is_dir():
        return []
    files = list[tuple[float, str, Path]]()
    for path in inbox.iterdir():
        if path.name.startswith((".", "~")) or path.suffix.lower() in {".part", ".crdownload", ".tmp"}:
            continue
        with suppress(FileNotFoundError):
            files.append((path.stat().st_mtime, path.name, path))
    return [path for *_, path in sorted(files)]


def look(inbox: Path) -> dict[str, Path]:
    """What lies in the inbox, by sighting: a file that grows or changes is another sighting.

    A sighting is the file's number in the file system, its size and when it was changed. Of a name nothing is in it,
    since that may be somebody's, and sightings are stored in Dagster.
    """
    lying = dict[str, Path]()
    for path in inbox_files(inbox):
        with suppress(FileNotFoundError):
            lying[_sighting(path)] = path
    return lying


def _sighting(path: Path) -> str:
    status = path.stat()
    size, changed = status.st_size, status.st_mtime_ns
    # A folder doesn't change when a file in it grows.
    for directory, _, names in os.walk(path):
        for name in names:
            with suppress(FileNotFoundError):
                inside = (Path(directory) / name).lstat()
                size, changed = size + inside.st_size, max(changed, inside.st_mtime_ns)
    return f"{status.st_ino}-{size}-{changed}"
