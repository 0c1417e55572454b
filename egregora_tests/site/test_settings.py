"""Claims about `egregora.toml`: what a site gets by default, and what its owner is told about a mistake."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from egregora_resources.errors import UserError
from egregora_resources.site.settings import (
    SETTINGS_FILE,
    Settings,
    SettingsError,
    load_settings,
    machine_timezone,
    parse_settings,
    settings_template,
)
from egregora_resources.site.settings_problems import keys


def complaint(text: str) -> str:
    with pytest.raises(SettingsError) as caught:
        parse_settings(text, Path("my-blog/egregora.toml"))
    return str(caught.value)


def value_of(tree: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        tree = tree[name] if isinstance(tree, dict) else getattr(tree, name)
    return tree


def test_the_template_lists_every_key_with_its_default() -> None:
    written = tomllib.loads(settings_template())
    listed = keys(Settings)
    for path in listed:
        default = value_of(Settings(), path)
        assert value_of(written, path) == (list(default) if isinstance(default, tuple) else default), path
    assert Settings.model_validate(written) == Settings()


def test_the_template_explains_every_key() -> None:
    lines = settings_template().splitlines()
    explained = False
    for line in lines:
        if line.startswith("#"):
            explained = True
        elif not line.strip() or line.startswith("["):
            explained = False
        else:
            neighbours = ("window_size", "max_parts", "split", "max_urls_per_window", "scrub_")
            assert explained or line.startswith(neighbours), line


def test_an_empty_file_means_all_defaults() -> None:
    assert parse_settings("", Path("egregora.toml")) == Settings()


def test_attribute_paths_are_key_paths() -> None:
    settings = parse_settings("[pipeline.enrichment]\nmax_urls_per_window = 9\n", Path("egregora.toml"))
    assert settings.pipeline.enrichment.max_urls_per_window == 9


def test_the_reference_documents_example_loads() -> None:
    text = """
[pipeline]
window_size = 7
window_unit = "days"
max_workers = 4
[pipeline.enrichment]
enabled = true
max_urls_per_window = 5
[pipeline.profiles]
enabled = true
update_on_new_messages = true
[pipeline.banners]
enabled = true
batch_size = 5
"""
    assert parse_settings(text, Path("egregora.toml")) == Settings()


def test_title_and_zone_of_a_new_site_are_written_out() -> None:
    text = settings_template(title='The "best" \\ café', timezone="America/Sao_Paulo")
    settings = parse_settings(text, Path("egregora.toml"))
    assert settings.site.title == 'The "best" \\ café'
    assert settings.site.timezone == "America/Sao_Paulo"


@pytest.mark.parametrize("name", ["Asia/Tokyo", ":Asia/Tokyo", "/nonsense", "EST5EDT4,M3.2.0", ""])
def test_the_machines_zone_is_always_one_that_loads(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", name)
    monkeypatch.setattr("tzlocal.unix._cache_tz_name", None)  # asked for once in a process
    zone = machine_timezone()
    parse_settings(settings_template(timezone=zone), Path("egregora.toml"))
    assert zone == "Asia/Tokyo" or "Tokyo" not in name


def test_settings_cannot_be_changed_after_loading() -> None:
    with pytest.raises(ValidationError):
        Settings().pipeline.window_size = 3  # pyright: ignore[reportAttributeAccessIssue]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("[pipeline]\nwindow_sise = 3", ["[pipeline] window_sise = 3", "no such key", "mean window_size?"]),
        ("[pipeline]\nenable_caching = true", ["Did you mean enable_caching in [model]?"]),
        ("window_size = 3", ["window_size = 3", "Did you mean window_size in [pipeline]?"]),
        ("[pipline]\nwindow_size = 3", ["[pipline]", "no such section", "Did you mean [pipeline]?"]),
        ("[banners]\nenabled = true", ["[banners]", "Did you mean [pipeline.banners]?"]),
        ('[pipeline]\nwindow_size = "seven"', ['window_size = "seven"', "a whole number from 1 to"]),
        ("[pipeline]\nwindow_size = 0", ["window_size = 0", "a whole number from 1 to"]),
        ("[pipeline]\nwindow_size = -1", ["window_size = -1", "a whole number from 1 to"]),
        ("[pipeline]\nwindow_size = 7.0", ["window_size = 7.0", "a whole number"]),
        ("[pipeline]\nwindow_size = true", ["window_size = true", "a whole number"]),
        (
            '[pipeline]\nwindow_unit = "weeks"',
            ['window_unit = "weeks"', '"days", "hours", "messages", "bytes"'],
        ),
        ('[pipeline]\nwindow_unit = "Day"', ['Did you mean "days"?']),
        (
            '[pipeline]\nwindow_unit = "hours"\nwindow_size = 25',
            ["window_size = 25", 'from 1 to 24 when window_unit is "hours"'],
        ),
        ('[pipeline]\nsplit = "yes"', ['split = "yes"', "true or false"]),
        ("[pipeline]\nmin_messages = -1", ["min_messages = -1", "0 or more"]),
        ('[site]\ntimezone = "Lisbon"', ['[site] timezone = "Lisbon"', "IANA", "Europe/Lisbon"]),
        ('[site]\ntimezone = "../etc/passwd"', ["IANA"]),
        ('[site]\ntimezone = ""', ["IANA"]),
        ('[site]\nlanguage = "portuguese"', ['language = "portuguese"', "ISO 639-1"]),
        ("[site]\ntitle = 5", ["title = 5", "text in double quotes"]),
        ('[privacy]\nregion = "Brazil"', ['region = "Brazil"', "ISO 3166"]),
        ('[privacy]\nlevel = "opne"', ['"strict", "standard", "open"', 'Did you mean "open"?']),
        (
            '[privacy.authors.amber-heron]\nlevel = "high"',
            ['[privacy.authors.amber-heron] level = "high"', '"strict", "standard", "open"'],
        ),
        ("[privacy.authors.amber-heron]\nalais = 'Ana'", ["no such key", "Did you mean alias?"]),
        ("[privacy.authors.amber-heron]\nopted_out = 'yes'", ["opted_out", "true or false"]),
        (f"[privacy.authors.amber-heron]\nalias = '{'x' * 41}'", ["at most 40 characters"]),
        (
            "[privacy.authors]\namber-heron = true",
            ["amber-heron = true", "write [privacy.authors.amber-heron]"],
        ),
        ("[privacy]\nauthors = 3", ["authors = 3", "section"]),
        ('[model]\nprovider = "gemni"', ['provider = "gemni"', 'Did you mean "gemini"?']),
        ("[model]\nbudget_usd_per_run = -1", ["budget_usd_per_run = -1", "a number, 0 or more"]),
        ('[model]\nbudget_usd_per_month = "5"', ['budget_usd_per_month = "5"', "a number, 0 or more"]),
        ('[model]\napi_version = "1"', ['"" or a version such as "v1"']),
        ('[model]\nbase_url = "localhost:8080"', ["a web address such as"]),
        ('[model]\nmode = "async"', ['"sync", "flex", "batch"']),
        ('[model]\nfallback_models = ["a model"]', ["names of models"]),
        ("[model]\nfallback_models = [3]", ["a list of texts"]),
        ('[model.names]\nposts = ""', ["[model.names] posts", "the name of a model"]),
        ('[model.names]\npost = "x"', ["Did you mean posts?"]),
        ('[people]\nsame = [["Ana"]]', ["[people] same", "two or more names each"]),
        ('[people]\nsame = [["Ana", "Bo"], ["Bo", "Cy"]]', ["every name in one list only"]),
        ('[people]\nsame = "Ana"', ['same = "Ana"', "lists of names"]),
        ("[people]\nsame = [[1, 2]]", ["same = [[1, 2]]", "lists of names"]),
        ("pipeline = 3", ["pipeline = 3", "section"]),
        ("[pipeline]\nbanners = true", ["[pipeline] banners = true", "write [pipeline.banners]"]),
        ("[pipeline\n", ["not valid TOML", "line 1"]),
        ("[site]\ntitle = Holiday", ["not valid TOML", "line 2", "double quotes"]),
    ],
)
def test_a_mistake_is_named_with_what_was_found_and_what_is_allowed(text: str, parts: list[str]) -> None:
    told = complaint(text)
    assert told.startswith("my-blog/egregora.toml")
    for part in parts:
        assert part in told
    assert "\n" not in told


def test_a_key_that_was_pasted_into_the_settings_is_refused_and_not_repeated() -> None:
    for key in ("AIzaSyD-verysecret_0123456789", "Very.Secret"):
        told = complaint(f'[model]\napi_key_env = ["{key}"]')
        assert "names of environment variables" in told
        assert "ecret" not in told
    for text in (
        'api_key = "AIzaSyD-verysecret_0123456789"',
        'google_token = "verysecret"',
        'instructions = ["AIzaSyD-verysecret_0123456789"]',
        'base_url = "https://somebody:verysecret@llm.example.org"',
        'base_url = "https://llm.example.org/v1?key=verysecret"',
    ):
        told = complaint(f"[model]\n{text}")
        assert text.split(" ")[0] in told
        assert "ecret" not in told


def test_all_mistakes_are_told_at_once() -> None:
    told = complaint('[site]\ntimezone = "Mars"\ntitel = "x"\n[pipeline]\nmax_workers = 0\n[modle]\nx = 1')
    assert "has 4 problems" in told
    assert all(part in told for part in ("Mars", "titel", "max_workers = 0", "[modle]"))
    assert len(told.splitlines()) == 5


def test_people_with_several_names_are_kept_as_written() -> None:
    settings = parse_settings('[people]\nsame = [["Ana", "+55 11 98765-4321"], ["B", "b "]]', Path("x"))
    assert settings.people.same == (("Ana", "+55 11 98765-4321"), ("B", "b "))


def test_a_folder_without_settings_is_told_how_to_get_them(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="egregora init"):
        load_settings(tmp_path)


def test_a_file_that_is_not_text_or_not_a_file_is_an_error_and_no_traceback(tmp_path: Path) -> None:
    (tmp_path / SETTINGS_FILE).write_bytes("[site]\ntitle = 'Olá'".encode("latin-1"))
    with pytest.raises(SettingsError, match="UTF-8"):
        load_settings(tmp_path)
    (tmp_path / SETTINGS_FILE).unlink()
    (tmp_path / SETTINGS_FILE).mkdir()
    with pytest.raises(SettingsError, match="can't be read"):
        load_settings(tmp_path)


def test_a_file_saved_by_a_windows_editor_loads(tmp_path: Path) -> None:
    (tmp_path / SETTINGS_FILE).write_bytes(b'\xef\xbb\xbf[site]\r\ntitle = "x"\r\n')
    assert load_settings(tmp_path).site.title == "x"


def test_settings_load_without_the_heavy_libraries() -> None:
    code = "import sys, egregora_resources.site.settings as s; s.Settings(); print(sorted(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    for heavy in ("dagster", "duckdb", "ibis", "mkdocs", "google.genai"):
        assert f"'{heavy}'" not in loaded
