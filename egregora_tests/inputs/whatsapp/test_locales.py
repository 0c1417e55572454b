"""Clocks and dates as phones of every language in CLDR print them, each in a file of its own."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from babel import Locale
from babel.dates import format_date, format_time

from egregora_resources.inputs.registry import read_export

LANGUAGES = (
    "af am ar ar_EG ast az be bg bn br bs ca ceb cs cy da de de_AT de_CH ee el en en_AU en_CA en_GB en_IE en_IN en_NZ en_ZA "
    "es es_CO es_MX es_US et eu fa fi fil fo fr fr_BE fr_CA fr_CH fy ga gl gu ha haw he hi hr hsb hu hy id ig is it ja jmc "
    "ka kk km kn ko ky lb ln lo lt lv mas mg mi mk ml mn mr ms mt my nb ne nl nl_BE nn om pa pl ps pt pt_PT rm ro ru rw sa "
    "se si sk sl sn so sq sr sr_Latn sv sw ta te tg th ti tk tr ug uk ur uz vi wo xh yi yo yue zh zh_Hant zh_Hant_HK zu"
)
MOMENTS = [
    datetime(2021, 3, 24, 15, 41, 7) + timedelta(hours=11, minutes=23, seconds=9) * step for step in range(12)
]


def _headers(language: str, clock: str) -> list[str]:
    locale = Locale.parse(language)
    pattern = (locale.time_formats["medium" if "s" in clock else "short"] if clock[0] == "j" else None) or (
        locale.datetime_skeletons[clock]
    )
    day = locale.date_formats["short"]
    joined = str(locale.datetime_formats["short"])
    return [
        joined.replace("{1}", format_date(at, day.pattern, locale=locale)).replace(
            "{0}", format_time(at, pattern.pattern, locale=locale)
        )
        for at in MOMENTS
    ]


@pytest.mark.parametrize("clock", ["jm", "Hm", "hm", "jms", "Hms", "hms"])
@pytest.mark.parametrize("language", LANGUAGES.split())
def test_a_phone_of_this_language_is_read(language: str, clock: str, tmp_path: Path) -> None:
    headers = _headers(language, clock)
    lines = [f"[{one}] Ana: hi\r\n" if "s" in clock else f"{one} - Ana: hi\n" for one in headers]
    path = tmp_path / "chat.txt"
    path.write_bytes("".join(lines).encode())
    found = read_export(path).messages.to_pylist()
    wanted = [at if "s" in clock else at.replace(second=0) for at in MOMENTS]
    assert [one["timestamp"] for one in found] == wanted
    assert {(one["author"], one["text"]) for one in found} == {("Ana", "hi")}


def test_a_clock_of_twelve_hours_without_a_word_for_its_half_is_named(tmp_path: Path) -> None:
    path = tmp_path / "chat.txt"
    lines = [f"{1 + step // 24:02d}/03/2021 {step % 12 or 12}:41 - Ana: hi\n" for step in range(240)]
    path.write_text("".join(lines))
    assert any("half of the day" in warning for warning in read_export(path).warnings)
    path.write_text("".join(lines) + "11/03/2021 13:05 - Ana: hi\n")
    assert not any("half of the day" in warning for warning in read_export(path).warnings)
