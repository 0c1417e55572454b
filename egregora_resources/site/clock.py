"""From the wall clock that an export prints to an instant.

Exports print local times without a zone. They are kept as printed, and nothing is ever sorted by anything else than
the order of the log; an instant is derived where a machine is told the time, with the site's time zone.
"""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo


def instant(wall: datetime, zone: ZoneInfo) -> datetime:
    """The instant a wall clock means, with its offset.

    A time that occurs twice (clocks put back) is the first of the two. One that doesn't exist (clocks put forward)
    is what a clock that wasn't put forward would show: 02:30 on a night without it is 03:30 in summer time.

    >>> instant(datetime(2021, 3, 28, 2, 30), ZoneInfo("Europe/Berlin")).isoformat()
    '2021-03-28T03:30:00+02:00'
    """
    return wall.replace(tzinfo=zone, fold=0).astimezone(UTC).astimezone(zone)
