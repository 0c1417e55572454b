"""The stored windows of a site: laid out over the merged log, fingerprinted, retired when the layout changes.

A stored window is a range of message ids. Called by the import, inside its transaction, after the log changed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise

import duckdb
import numpy as np
import pyarrow as pa

from egregora_assets.windowing.cutting import Cut, check_window_settings, cut_log
from egregora_assets.windowing.log import Log
from egregora_assets.windowing.people_named import find_people, windows_touched
from egregora_resources.document import fingerprint
from egregora_resources.people import load_people
from egregora_resources.privacy.names.index import NameIndex
from egregora_resources.site.settings import Settings
from egregora_resources.site.site import Site
from egregora_resources.warehouse.facts import fact, put_fact
from egregora_resources.warehouse.windows import (
    IDS_A_MINUTE,
    active_windows,
    known_windows,
    replace_layout,
)

MANY_WINDOWS = 3
"""Settings that would retire or recompute more windows than this are asked about."""


@dataclass(frozen=True, slots=True)
class LayoutChange:
    """What laying out did: keys of windows that are new, changed and retired."""

    new: Sequence[str]
    changed: Sequence[str]
    retired: Sequence[str]

    @property
    def large(self) -> bool:
        """Whether the owner is asked before it is made."""
        return len(self.retired) + len(self.changed) > MANY_WINDOWS

    def __str__(self) -> str:
        return (
            f"The settings now ask for other windows: {len(self.retired)} would be retired (kept, but taken off the "
            f"site), {len(self.changed)} changed and {len(self.new)} new ones written."
        )


def lay_out(
    connection: duckdb.DuckDBPyConnection,
    settings: Settings,
    index: NameIndex,
    people: Mapping[str, tuple[str, bool, str]],
    *,
    recut: bool = False,
) -> LayoutChange:
    """Lays the windows out anew over the log, keeping stored cuts of count and byte windows.

    Args:
        connection: in a transaction.
        settings: window size and unit.
        index: finds the people named in a text.
        people: token → (author id, opted out, hash of the names).
        recut: cut count and byte windows anew.
    """
    unit, size = settings.pipeline.window_unit, settings.pipeline.window_size
    check_window_settings(size, unit)
    layout = layout_fingerprint(settings)
    known = fact(connection, "layout")
    log = Log.read(connection)
    stored: list[tuple[str, int]] = []
    if unit in ("messages", "bytes") and known == layout and not recut:
        stored = [(window.key, window.first_id) for window in active_windows(connection)]
    cuts = _cuts(log.ids, log.sizes, size, unit, stored)
    put_fact(connection, "layout", layout)
    return _store(connection, log, cuts, index, people)


def layout_fingerprint(settings: Settings) -> str:
    """Of the settings that windows are laid out by; kept as the fact ``layout``."""
    return fingerprint(settings.pipeline.window_unit, settings.pipeline.window_size)


def _cuts(
    ids: np.ndarray, sizes: np.ndarray, size: int, unit: str, stored: Sequence[tuple[str, int]]
) -> list[Cut]:
    """New cuts; with stored ones, only what lies before the first and what the last can't hold is cut."""
    seconds = ids // IDS_A_MINUTE * 60
    if not stored:
        return cut_log(seconds, sizes, size, unit)
    taken = [key for key, _ in stored]
    starts = np.searchsorted(ids, [first for _, first in stored])
    cuts = cut_log(seconds[: starts[0]], sizes[: starts[0]], size, unit, taken)
    taken += [cut.label for cut in cuts]
    for (key, _), (first, after) in zip(stored[:-1], pairwise(starts.tolist()), strict=True):
        if after > first:
            cuts.append(_cut(key, first, after - 1, seconds))
    # The last window is filled up, and what it can't hold is cut further.
    last = int(starts[-1])
    tail = cut_log(seconds[last:], sizes[last:], size, unit, [*taken, stored[-1][0]])
    for i, cut in enumerate(tail):
        cuts.append(_cut(stored[-1][0] if i == 0 else cut.label, cut.first + last, cut.last + last, seconds))
    return cuts


def _cut(key: str, first: int, last: int, seconds: np.ndarray) -> Cut:
    start, end = (np.datetime64(int(seconds[i]), "s").item() for i in (first, last))
    return Cut(key, first, last, start, end)


def _store(
    connection: duckdb.DuckDBPyConnection,
    log: Log,
    cuts: Sequence[Cut],
    index: NameIndex,
    people: Mapping[str, tuple[str, bool, str]],
) -> LayoutChange:
    before = known_windows(connection)
    with ThreadPoolExecutor() as threads:  # to hash needs no lock of Python's
        hashes = threads.map(log.fingerprint, [cut.first for cut in cuts], [cut.last for cut in cuts])
        contents = dict(zip([cut.label for cut in cuts], hashes, strict=True))
    # A window that returns has missed the names learnt while it was retired.
    changed = {
        key
        for key, content in contents.items()
        if key not in before or before[key].content != content or before[key].retired
    }
    find_people(connection, log, cuts, index, people, changed)
    touched = windows_touched(connection, people.values(), contents)
    total = np.cumsum(np.append(0, log.sizes))
    laid = pa.table(
        {
            "key": pa.array(contents, pa.string()),
            "ordinal": pa.array(range(len(cuts)), pa.int32()),
            "first_id": pa.array([int(log.ids[cut.first]) for cut in cuts], pa.int64()),
            "last_id": pa.array([int(log.ids[cut.last]) for cut in cuts], pa.int64()),
            "start_time": pa.array([cut.start for cut in cuts], pa.timestamp("us")),
            "end_time": pa.array([cut.end for cut in cuts], pa.timestamp("us")),
            "messages": pa.array([cut.last - cut.first + 1 for cut in cuts], pa.int64()),
            "bytes": pa.array([int(total[cut.last + 1] - total[cut.first]) for cut in cuts], pa.int64()),
            "content": pa.array(contents.values(), pa.string()),
            "touched": pa.array([touched[key] for key in contents], pa.string()),
            "reported": pa.array(
                [before[key].reported if key in before else None for key in contents], pa.string()
            ),
            "retired": pa.array([False] * len(cuts), pa.bool_()),
        }
    )
    replace_layout(connection, laid)
    active = {key for key, window in before.items() if not window.retired}
    return LayoutChange(
        new=[key for key in contents if key not in active],
        changed=[
            key for key in contents if key in active and before[key][:2] != (contents[key], touched[key])
        ],
        retired=sorted(active - contents.keys()),
    )


def relayout(site: Site, *, recut: bool = False, dry_run: bool = False) -> LayoutChange | None:
    """Lays the windows out anew if the settings ask for another layout than the stored one.

    Args:
        recut: cut count and byte windows anew even if the settings are the same.
        dry_run: say what would change, and change nothing.
    """

    try:
        with site.warehouse.transaction() as connection:
            stored = fact(connection, "layout")
            if stored is None or not (recut or stored != layout_fingerprint(site.settings)):
                return None
            change = lay_out_again(connection, site.settings, recut=recut)
            if dry_run:
                raise _Undo(change)
            return change
    except _Undo as undo:
        return undo.change


class _Undo(Exception):
    def __init__(self, change: LayoutChange) -> None:
        self.change = change


def lay_out_again(
    connection: duckdb.DuckDBPyConnection, settings: Settings, *, recut: bool = False
) -> LayoutChange:
    """Lays the windows out over the log and the people as they stand, in the caller's transaction."""
    people = load_people(connection, settings)
    return lay_out(connection, settings, people.index, people.touching, recut=recut)
