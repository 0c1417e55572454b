"""`[pipeline.profiles] update_on_new_messages = false` leaves portraits that exist alone."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from egregora_tests.small_site import SmallSite
from egregora_tests.weekly_chat import Line, weeks


def test_portraits_are_left_alone_when_the_owner_wants_it(tmp_path: Path) -> None:
    site = SmallSite(tmp_path, pipeline={"profiles": {"update_on_new_messages": False}})
    lines = weeks(2)
    site.get(lines)
    site.run()
    site.forget_runs()
    last = lines[-1]
    site.get(
        [
            *lines,
            Line(
                last.time + timedelta(minutes=9),
                last.author,
                "One more thing about the tool shed at the mill",
            ),
        ]
    )
    assert "profiles" not in {stage for stages in site.stale().values() for stage in stages}
    site.run()
    assert "posts" in site.made()
    assert "profiles" not in site.made()
