"""Which file a message of the log has, when several phones' exports give one name to different files."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from datetime import datetime, timedelta
from itertools import permutations
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from egregora_assets.ingestion.imports import import_exports
from egregora_resources.warehouse.results import load_media
from egregora_tests.small_site import SmallSite

START = datetime(2025, 1, 13, 9, 0)


class Sent:
    """A picture of the true chat: who sent it and when, and its bytes."""

    def __init__(self, number: int, gap: int, author: str) -> None:
        self.number, self.gap, self.author = number, gap, author
        self.time = START
        self.content = b"\xff\xd8\xff picture %d" % number


def exported(
    path: Path,
    sent: list[Sent],
    names: Mapping[int, str],
    written: int,
    without: frozenset[int] = frozenset(),
) -> Path:
    """What a phone writes that calls the pictures so; `without` are those whose files it has lost."""
    lines = "".join(
        f"{one.time:%d/%m/%Y, %H:%M} - {one.author}: {names[one.number]} (file attached)\n"
        f"{one.time:%d/%m/%Y, %H:%M} - {one.author}: number {one.number}\n"
        for one in sent
    )
    moment = (START + timedelta(days=written + 1)).timetuple()[:6]
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(zipfile.ZipInfo("WhatsApp Chat with Trip.txt", moment), lines)
        for one in sent:
            if one.number not in without:
                archive.writestr(zipfile.ZipInfo(names[one.number], moment), one.content)
    return path


def shown(site: SmallSite) -> dict[str, bytes | None]:
    """For each message that follows a picture: the bytes of the picture before it."""
    store = site.context().media_store
    files = load_media(site.warehouse)
    found: dict[str, bytes | None] = {}
    for (picture, name), (text,) in zip(
        site.warehouse.rows(
            "SELECT id, attachment FROM raw_messages WHERE attachment IS NOT NULL ORDER BY id"
        ),
        site.warehouse.rows("SELECT text FROM raw_messages WHERE kind = 'text' ORDER BY id"),
        strict=True,
    ):
        file = files.get((picture, name))
        original = store.original(file[0]) if file else None
        found[text] = original.read_bytes() if original else None
    return found


@st.composite
def phones(draw: st.DrawFn) -> list[tuple[list[Sent], dict[int, str], frozenset[int]]]:
    """A chat of pictures a minute or more apart, and what phones export that number the day's files each its own way."""
    sent = [
        Sent(number, draw(st.integers(1, 3)), draw(st.sampled_from(["Ana", "Bo"])))
        for number in range(draw(st.integers(2, 6)))
    ]
    clock = START
    for one in sent:
        clock += timedelta(minutes=one.gap)
        one.time = clock
    exports: list[tuple[list[Sent], dict[int, str], frozenset[int]]] = []
    for _ in range(draw(st.integers(2, 3))):
        first = draw(st.integers(0, len(sent) - 1))
        part = sent[first : draw(st.integers(first + 1, len(sent)))]
        shift = draw(st.integers(0, 3))
        names = {one.number: f"IMG-20250113-WA{one.number + shift:04}.jpg" for one in part}
        lost = draw(st.frozensets(st.sampled_from([one.number for one in part]), max_size=2))
        exports.append((part, names, lost))
    return exports


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(phones())
def test_no_order_of_imports_swaps_pictures_or_loses_one_that_an_export_has(
    exports: list[tuple[list[Sent], dict[int, str], frozenset[int]]],
) -> None:
    wanted: dict[str, bytes | None] = {}
    for part, _, lost in exports:
        for one in part:
            known = wanted.get(f"number {one.number}")
            wanted[f"number {one.number}"] = known or (None if one.number in lost else one.content)
    with TemporaryDirectory() as folder:
        root = Path(folder)
        paths = [
            exported(root / f"{n}.zip", part, names, n, lost) for n, (part, names, lost) in enumerate(exports)
        ]
        for order, some in enumerate(list(permutations(paths))[:: 3 if len(paths) > 2 else 1]):
            site = SmallSite(root / f"site-{order}")
            for path in some:
                import_exports(site.opened, [path])
            assert shown(site) == wanted


def test_a_file_known_by_name_size_and_checksum_is_not_read_a_second_time(tmp_path: Path) -> None:
    picture = Sent(0, 1, "Ana")
    later = Sent(1, 1, "Bo")
    later.time += timedelta(days=1)
    names = {0: "IMG-20250113-WA0000.jpg", 1: "IMG-20250114-WA0000.jpg"}
    site = SmallSite(tmp_path / "site")
    first = exported(tmp_path / "first.zip", [picture], names, 1)
    second = exported(tmp_path / "second.zip", [picture, later], names, 2)
    import_exports(site.opened, [first])
    damaged = second.read_bytes()
    at = damaged.index(picture.content)
    second.write_bytes(
        damaged[:at] + b"other bytes" + damaged[at + 11 :]
    )  # reading it would fail its checksum
    report = import_exports(site.opened, [second])
    assert list(shown(site).values()) == [picture.content, later.content]
    assert not report.files[0].warnings


def test_a_damaged_file_costs_itself_alone_and_an_export_that_has_it_whole_makes_up_for_it(
    tmp_path: Path,
) -> None:
    picture, other = Sent(0, 1, "Ana"), Sent(1, 1, "Bo")
    other.time += timedelta(minutes=5)
    names = {0: "IMG-20250113-WA0000.jpg", 1: "IMG-20250113-WA0001.jpg"}
    site = SmallSite(tmp_path / "site")
    whole = exported(tmp_path / "whole.zip", [picture, other], names, 1)
    broken = tmp_path / "broken.zip"
    content = whole.read_bytes()
    at = content.index(picture.content)
    broken.write_bytes(content[:at] + b"XX" + content[at + 2 :])
    report = import_exports(site.opened, [broken])
    assert "One media file is damaged" in report.files[0].warnings[0]
    assert list(shown(site).values()) == [None, other.content]
    import_exports(site.opened, [whole])
    assert list(shown(site).values()) == [picture.content, other.content]
