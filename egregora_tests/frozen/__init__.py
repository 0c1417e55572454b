"""Sites as earlier versions of the code left them: what migration, and "the same bytes", are checked against.

`site-1.tar.xz` is the demo's first export, written offline by the code before the rooms were built (version 0.1.0,
warehouse without a schema version), one person opted out, one called by an alias. It can't be made again: nothing
here may be replaced, only added to.
"""

from __future__ import annotations

import tarfile
from pathlib import Path

SITES = sorted(Path(__file__).parent.glob("site-*.tar.xz"))


def thaw(frozen: Path, folder: Path) -> Path:
    """Unpacks a frozen site below `folder`; returns its root."""
    with tarfile.open(frozen) as archive:
        archive.extractall(folder, filter="data")
    return folder / "demo"
