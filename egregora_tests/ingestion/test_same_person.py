"""What the owner says about persons holds for what was imported before, too."""

from __future__ import annotations

from pathlib import Path

from egregora_assets.ingestion.imports import import_exports
from egregora_tests.small_site import SmallSite
from egregora_tests.weekly_chat import NAMES, weeks


def test_people_said_to_be_the_same_after_the_import_become_one(tmp_path: Path) -> None:
    site = SmallSite(tmp_path)
    site.get(weeks(2))
    before = site.context().people.by_name
    assert before[NAMES[0]].token != before[NAMES[1]].token
    site.set(people={"same": [[NAMES[0], NAMES[1]]]})
    import_exports(site.opened, [])
    people = site.context().people
    assert people.by_name[NAMES[0]].token == people.by_name[NAMES[1]].token
    assert len(people.members) == len(NAMES) - 1


def test_lines_not_understood_are_kept(tmp_path: Path) -> None:
    site = SmallSite(tmp_path)
    lines = weeks(1)
    export = tmp_path / "chat.txt"
    text = "".join(f"{line.time:%d/%m/%Y, %H:%M} - {line.author}: {line.text}\n" for line in lines)
    export.write_text("a line before the first message\n" + text, encoding="utf-8")
    import_exports(site.opened, [export])
    assert site.warehouse.rows("SELECT line FROM lines_not_understood") == [
        ("a line before the first message",)
    ]
