"""Replace the published site with the newly built one, all at once, without touching files that didn't change.

The swap is two renames: the site moves aside, the new one takes its name. A crash before or after them leaves a whole
site in place; a crash between them leaves the old one set aside, and the next build moves it back.
"""

from __future__ import annotations

import contextlib
import filecmp
import os
import shutil
from pathlib import Path


def recover(site: Path, new: Path, old: Path) -> None:
    """Clean up after a crash; call before every build.

    Args:
        site: the published folder.
        new: the folder that builds go to; removed.
        old: where the swap sets `site` aside; moved back if `site` is missing, otherwise removed.
    """
    if old.exists() and not site.exists():
        old.rename(site)
    remove(old)
    remove(new)


def link_unchanged(site: Path, new: Path) -> int:
    """Replace every file in `new` that equals the one in `site` by a hard link to it, so that its date stays.

    Returns:
        How many files are new, different or gone.
    """
    before = _files(site)
    after = _files(new)
    changed = len(before.keys() - after.keys())
    for name, path in after.items():
        old = before.get(name)
        if old is None or not _same(old, path):
            changed += 1
        elif not path.samefile(old):
            _replace_by_link(path, old)
    return changed


def swap_in(site: Path, new: Path, old: Path) -> None:
    """Rename `site` to `old` and `new` to `site`, then remove `old`."""
    if site.exists():
        site.rename(old)
    new.rename(site)
    remove(old)


def remove(folder: Path) -> None:
    """Remove a folder if it exists; of a symbolic link, only the link."""
    if folder.is_symlink():
        folder.unlink()
    elif folder.exists():
        shutil.rmtree(folder)


def link_or_copy(source: Path, target: Path) -> None:
    """Hard-link `source` to `target`; copy it where the file system can't link."""
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


def _replace_by_link(path: Path, old: Path) -> None:
    """Make `path` a hard link to `old`, or give it its times where the file system can't link."""
    twin = path.with_name(path.name + ".twin")
    try:
        os.link(old, twin)
        twin.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            twin.unlink()
        stat = old.stat()
        os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
