"""The inbox: the folder in which exports are dropped."""

from __future__ import annotations

import os
from pathlib import Path


def inbox_files(inbox: Path) -> list[Path]:
    """What lies in the inbox, oldest first; hidden files and unfinished downloads are left alone."""
    if not inbox.is_dir():
        return []
    files = [
        path
        for path in inbox.iterdir()
        if not path.name.startswith((".", "~"))
        and path.suffix.lower() not in {".part", ".crdownload", ".tmp"}
    ]
    return sorted(files, key=lambda path: (path.stat().st_mtime, path.name))


def look(inbox: Path) -> dict[str, Path]:
    """What lies in the inbox, by sighting: a file that grows or changes is another sighting.

    A sighting is the file's number in the file system, its size and when it was changed. Of a name nothing is in it,
    since that may be somebody's, and sightings are stored in Dagster.
    """
    return {_sighting(path): path for path in inbox_files(inbox)}


def _sighting(path: Path) -> str:
    status = path.stat()
    size, changed = status.st_size, status.st_mtime_ns
    # A folder doesn't change when a file in it grows.
    for directory, _, names in os.walk(path):
        for name in names:
            inside = (Path(directory) / name).lstat()
            size, changed = size + inside.st_size, max(changed, inside.st_mtime_ns)
    return f"{status.st_ino}-{size}-{changed}"
