"""A built site takes the old one's place: file by file the same where nothing changed, and all at once.

The order of renames is such that a crash at any point leaves either the old site or the new one in place, or
(between the two renames) the old one under its second name, from where the next build brings it back.
"""

from __future__ import annotations

import contextlib
import filecmp
import os
import shutil
from pathlib import Path


def heal(site: Path, new: Path, old: Path) -> None:
    """Undo what a crash left: call it before building."""
    if old.exists() and not site.exists():
        old.rename(site)
    remove(old)
    remove(new)


def keep_unchanged(site: Path, new: Path) -> int:
    """Let files that are equal to the old site's be the same files; how many are new, different or gone."""
    before = _files(site)
    after = _files(new)
    changed = len(before.keys() - after.keys())
    for name, path in after.items():
        old = before.get(name)
        if old is None or not _same(old, path):
            changed += 1
        elif not path.samefile(old):
            _become(path, old)
    return changed


def put_in_place(site: Path, new: Path, old: Path) -> None:
    """The two renames."""
    if site.exists():
        site.rename(old)
    new.rename(site)
    remove(old)


def remove(folder: Path) -> None:
    if folder.is_symlink():
        folder.unlink()
    elif folder.exists():
        shutil.rmtree(folder)


def link_or_copy(source: Path, target: Path) -> None:
    """Put `source` at `target` without a second copy of its bytes, where the file system can."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def _files(folder: Path) -> dict[str, Path]:
    return {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()}


def _same(one: Path, other: Path) -> bool:
    if one.samefile(other):
        return True
    return one.stat().st_size == other.stat().st_size and filecmp.cmp(one, other, shallow=False)


def _become(path: Path, old: Path) -> None:
    """`path` as a link to `old`; where links don't work, at least as old as it."""
    twin = path.with_name(path.name + ".twin")
    try:
        os.link(old, twin)
        twin.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            twin.unlink()
        stat = old.stat()
        os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
