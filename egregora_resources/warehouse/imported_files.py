"""A list of the imported files, beside the warehouse: what to look for when the warehouse itself is gone or damaged.

File names may hold people's names: the list is one of the places that `erasure` knows.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path


def list_beside(warehouse: Path) -> Path:
    """Where the list of the warehouse at this path is."""
    return warehouse.with_name(f"{warehouse.name}.imported.json")


def imported_files(warehouse: Path) -> list[Path]:
    """The imported files in the order of import: where each was last read, or its mere name where that isn't known."""
    return [Path(where) for where in _load(warehouse).values()]


def note_files(warehouse: Path, known: Mapping[str, str], read: Mapping[str, Path]) -> None:
    """Brings the list up to date. What another warehouse held, which was lost, stays on it.

    Args:
        known: digest → file name of all imported files, in the order of import.
        read: digest → path of those that were just read.
    """
    before = _load(warehouse)
    _store(
        warehouse,
        before
        | {
            digest: str(read[digest].absolute()) if digest in read else before.get(digest, name)
            for digest, name in known.items()
        },
    )


def erase_files(warehouse: Path, cleaned: Callable[[str], str]) -> int:
    """Takes names of people out of the list; how many files had one. Of these only the cleaned file name stays."""
    _unfinished(warehouse).unlink(missing_ok=True)
    before = _load(warehouse)
    after = {
        digest: where if cleaned(where) == where else Path(cleaned(where)).name
        for digest, where in before.items()
    }
    _store(warehouse, after)
    return sum(after[digest] != where for digest, where in before.items())


def _load(warehouse: Path) -> dict[str, str]:
    try:
        listed: dict[str, str] = json.loads(list_beside(warehouse).read_text("utf-8"))
    except (FileNotFoundError, ValueError):
        # Cut short by a full disk, say: the next import makes it anew.
        return {}
    return listed


def _store(warehouse: Path, files: Mapping[str, str]) -> None:
    if not files or files == _load(warehouse):
        return
    new = _unfinished(warehouse)
    new.touch(mode=0o600)
    new.write_text(json.dumps(files, indent=1), encoding="utf-8")
    new.replace(list_beside(warehouse))


def _unfinished(warehouse: Path) -> Path:
    """What a killed import leaves."""
    return list_beside(warehouse).with_suffix(".new")
