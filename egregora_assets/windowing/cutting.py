"""Windows: where a conversation is cut. How one that is too long for a prompt is parted is in `splitting.py`.

`create_windows` is the public function over any Ibis table of messages; `layout` of `layout.py` applies the
same cuts to the merged log. Nothing here knows what is made of a window.
"""

# Arrow has no types:
# pyright: reportUnknownParameterType=false

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from egregora_resources.errors import UserError

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pyarrow as pa

UNITS = ("days", "hours", "messages", "bytes")
# Days are counted from a Monday, so that 7 days are a week from Monday to Sunday everywhere.
EPOCH_MONDAY = int(np.datetime64("2001-01-01", "D").astype(np.int64))

MOST_DAYS = 36_500
"""A window of days spans a century at most: beyond, its end would leave the calendar."""


Minutes = npt.NDArray[np.int64]
Sizes = npt.NDArray[np.int64]


class WindowSettingsError(UserError, ValueError):
    """A window size or unit that isn't one."""


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of conversation.

    Attributes:
        label: its key, ISO-like: ``2025-01-13``, ``2025-01-13T06``, ``2025-01-13-2``.
        messages: an Ibis table expression of its messages; nothing is read until it is executed.
        start_time: of the calendar span, or of the first message when cut by count or bytes.
        end_time: end of the calendar span (exclusive), or time of the last message.
        size: number of messages.
    """

    label: str
    messages: ir.Table
    start_time: datetime
    end_time: datetime
    size: int


@dataclass(frozen=True, slots=True)
class Cut:
    """Rows ``first`` to ``last`` (inclusive) of an ordered log are one window."""

    label: str
    first: int
    last: int
    start: datetime
    end: datetime


def create_windows(messages: ir.Table, window_size: int = 7, window_unit: str = "days") -> list[Window]:
    """Cuts a table of messages into windows, in time order; there are no empty ones.

    Args:
        messages: has a column ``timestamp`` (or ``ts``), whose wall clock counts if it has a time zone, and ``text``
            when the unit is bytes; messages of the same time are ordered by ``id`` if there is one, else they keep their order.
        window_size: how many units a window spans; at least 1.
        window_unit: ``days`` (counted from Monday 2001-01-01), ``hours`` (restarting at midnight),
            ``messages``, or ``bytes`` (UTF-8 bytes of text; a longer message stands alone).

    Raises:
        WindowSettingsError: names the value and what is allowed, or what the table lacks.

    >>> windows = create_windows(table, window_size=50, window_unit="messages")
    """
    check_window_settings(window_size, window_unit)
    import ibis

    clock = next((name for name in ("timestamp", "ts") if name in messages.columns), None)
    if clock is None:
        raise WindowSettingsError(
            "The table of messages has neither a column 'timestamp' nor 'ts'; it has: "
            + ", ".join(messages.columns)
        )
    # Any: ibis's stubs know neither string types in casts nor plain integers in comparisons.
    placed: Any = messages.mutate(
        egregora_place=messages["id"] if "id" in messages.columns else ibis.row_number().over()
    )
    order = [placed[clock], placed["egregora_place"]]
    numbered: Any = placed.mutate(egregora_row=ibis.row_number().over(order_by=order)).drop("egregora_place")
    time = numbered[clock]
    columns: dict[str, Any] = {"time": time if time.type().is_timestamp() else time.cast("timestamp")}
    if window_unit == "bytes":
        if "text" not in messages.columns:
            raise WindowSettingsError(
                "window_unit is 'bytes', and the table of messages has no column 'text'; it has: "
                + ", ".join(messages.columns)
            )
        columns["size"] = _utf8_bytes(numbered["text"].cast("string")).fill_null(0)
    read = numbered.order_by("egregora_row").select(**columns).to_pyarrow()
    times = wall_clock(read["time"])
    if times.null_count:
        raise WindowSettingsError(
            f"The table of messages has {times.null_count:,} without a time in column {clock!r}; "
            "every message needs one."
        )
    seconds = times.cast("timestamp[s]", safe=False).cast("int64").to_numpy()
    sizes = read["size"].to_numpy() if window_unit == "bytes" else np.zeros(len(seconds), np.int64)
    return [
        Window(
            label=cut.label,
            messages=numbered.filter(numbered["egregora_row"].between(cut.first, cut.last))
            .order_by("egregora_row")
            .drop("egregora_row"),
            start_time=cut.start,
            end_time=cut.end,
            size=cut.last - cut.first + 1,
        )
        for cut in cut_log(seconds, sizes, window_size, window_unit)
    ]


def wall_clock(times: pa.ChunkedArray) -> pa.ChunkedArray:
    """Times as the clocks of their zone show them; those without a zone as they are."""
    import pyarrow.compute as pc

    return pc.call_function("local_timestamp", [times]) if times.type.tz else times


def check_window_settings(size: object, unit: object) -> None:
    """Raises `WindowSettingsError` for a unit or size that isn't one."""
    if unit not in UNITS:
        raise WindowSettingsError(f"window_unit is {unit!r}; allowed are {', '.join(UNITS)}.")
    most = MOST_DAYS if unit == "days" else None
    if not isinstance(size, int) or isinstance(size, bool) or size < 1 or size > (most or size):
        limits = f"from 1 to {most:,} when window_unit is 'days'" if most else "from 1"
        raise WindowSettingsError(f"window_size is {size!r}; allowed are whole numbers {limits}.")


def cut_log(
    seconds: Minutes, sizes: Sizes, window_size: int, window_unit: str, taken: Collection[str] = ()
) -> list[Cut]:
    """Cuts an ordered log.

    Args:
        seconds: wall clock of each message as seconds since 1970; calendar units expect them not to go back.
        sizes: UTF-8 bytes of each message's text; read for ``bytes`` only.
        window_size: units a window spans.
        window_unit: one of `UNITS`.
        taken: labels that are in use; count and byte windows get others.
    """
    if len(seconds) == 0:
        return []
    if window_unit in ("days", "hours"):
        return _calendar_cuts(seconds, window_size, window_unit)
    starts = (
        np.arange(0, len(seconds), window_size)
        if window_unit == "messages"
        else _byte_starts(sizes, window_size)
    )
    lasts = np.append(starts[1:], len(seconds)) - 1
    used = Counter(label.rsplit("-", 1)[0] for label in taken)
    cuts: list[Cut] = []
    for first, last in zip(starts.tolist(), lasts.tolist(), strict=True):
        start, end = _time(seconds[first]), _time(seconds[last])
        day = start.date().isoformat()
        used[day] += 1
        while f"{day}-{used[day]}" in taken:
            used[day] += 1
        cuts.append(Cut(f"{day}-{used[day]}", first, last, start, end))
    return cuts


def _calendar_cuts(seconds: Minutes, size: int, unit: str) -> list[Cut]:
    days = seconds // 86_400
    if unit == "days":
        span = 86_400 * size
        begins = ((days - EPOCH_MONDAY) // size * size + EPOCH_MONDAY) * 86_400
        ends = begins + span
    else:
        hours = seconds // 3_600 - days * 24
        begins = days * 86_400 + hours // size * size * 3_600
        ends = np.minimum(begins + size * 3_600, (days + 1) * 86_400)
    firsts = np.flatnonzero(np.diff(begins, prepend=begins[0] - 1))
    lasts = np.append(firsts[1:], len(seconds)) - 1
    form: Callable[[datetime], str] = (
        (lambda t: t.date().isoformat()) if unit == "days" else (lambda t: t.strftime("%Y-%m-%dT%H"))
    )
    return [
        Cut(form(_time(begins[first])), first, last, _time(begins[first]), _time(ends[first]))
        for first, last in zip(firsts.tolist(), lasts.tolist(), strict=True)
    ]


def _byte_starts(sizes: Sizes, window_size: int) -> npt.NDArray[np.int64]:
    total = np.cumsum(sizes)
    starts, start, before = [0], 0, 0
    while True:
        # The first message that no longer fits, but never the window's first one.
        start = max(int(np.searchsorted(total, before + window_size, side="right")), start + 1)
        if start >= len(sizes):
            return np.array(starts, np.int64)
        starts.append(start)
        before = int(total[start - 1])


def _utf8_bytes(text: Any) -> Any:
    import ibis

    def strlen(value: str) -> int:  # DuckDB's own: the length in UTF-8 bytes
        raise NotImplementedError(value)

    builtin: Any = ibis.udf.scalar.builtin
    return builtin(strlen, signature=(("string",), "int64"))(text)


def _time(seconds: Any) -> datetime:
    return np.datetime64(int(seconds), "s").item()
