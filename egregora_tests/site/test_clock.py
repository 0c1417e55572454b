"""A wall clock means one instant, also in the two nights a year when it lies."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from egregora_resources.site.clock import instant

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("wall", "means"),
    [
        ("2021-01-13T12:00", "2021-01-13T12:00:00+01:00"),
        ("2021-07-13T12:00", "2021-07-13T12:00:00+02:00"),
        ("2021-03-28T02:30", "2021-03-28T03:30:00+02:00"),
        ("2021-10-31T02:30", "2021-10-31T02:30:00+02:00"),
    ],
)
def test_a_time_that_does_not_exist_or_occurs_twice_is_read_by_a_rule(wall: str, means: str) -> None:
    assert instant(datetime.fromisoformat(wall), BERLIN).isoformat() == means
