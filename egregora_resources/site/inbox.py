"""The inbox: the folder in which exports are dropped."""

from __future__ import annotations

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
