"""A site's `egregora.toml`: its sections and keys, their defaults and limits, and reading it strictly.

Attribute paths are key paths: ``settings.pipeline.enrichment.max_urls_per_window``. What a key means to the
owner is said in `settings_template.toml`, which `init` writes and which a test holds against these classes.
How a mistake is put into words is the business of `settings_problems.py`.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Literal, TypeAlias
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from tzlocal import get_localzone_name

from egregora_resources.errors import UserError
from egregora_resources.site.settings_problems import places, problems

SETTINGS_FILE = "egregora.toml"

WindowUnit: TypeAlias = Literal["days", "hours", "messages", "bytes"]
DateOrder: TypeAlias = Literal["auto", "day-first", "month-first", "year-first"]
ProviderName: TypeAlias = Literal["auto", "offline", "gemini"]
PrivacyLevel: TypeAlias = Literal["strict", "standard", "open"]


class SettingsError(UserError):
    """The settings file is missing, unreadable or wrong; the text lists everything that is wrong in it."""


def _known_timezone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (OSError, ValueError, LookupError):
        raise ValueError('an IANA time zone such as "Europe/Lisbon", "America/Sao_Paulo" or "UTC"') from None
    return name


def _known_language(code: str) -> str:
    if code != "auto":
        from egregora_resources.cldr import language_codes

        if code not in language_codes():
            raise ValueError('"auto" or a two-letter ISO 639-1 code such as "en", "pt", "es" or "de"')
    return code


def _known_region(code: str) -> str:
    if code:
        from phonenumbers import SUPPORTED_REGIONS

        if code not in SUPPORTED_REGIONS:
            raise ValueError(
                '"" or a two-letter ISO 3166 country code in capitals such as "BR", "DE" or "US"'
            )
    return code


def _as_tuples(value: object) -> object:
    if not isinstance(value, list):
        return value
    return tuple(tuple(item) if isinstance(item, list) else item for item in value)


def _distinct_people(groups: tuple[tuple[str, ...], ...]) -> tuple[tuple[str, ...], ...]:
    seen: set[str] = set()
    for group in groups:
        if len(group) < 2 or not all(name.strip() for name in group):
            raise ValueError('lists of two or more names each, such as [["Ana", "Ana Silva"]]')
        for name in group:
            if name in seen:
                raise ValueError("every name in one list only, and once")
            seen.add(name)
    return groups


def _web_address(address: str) -> str:
    if address and not re.fullmatch(r"https?://[^\s/?#@]+(/[^\s?#]*)?", address):
        raise ValueError('"" or a web address such as "https://llm.example.org/gemini"')
    return address.rstrip("/")


def _variable_names(names: tuple[str, ...]) -> tuple[str, ...]:
    if not all(re.fullmatch(r"[A-Z_][A-Z0-9_]{2,63}", name) for name in names):
        raise ValueError('names of environment variables, such as ["GEMINI_API_KEY"], and never a key itself')
    return names


_MODEL_NAME = r"[A-Za-z0-9][\w.:/-]{0,127}"


def _known_models(names: tuple[str, ...]) -> tuple[str, ...]:
    if not all(re.fullmatch(_MODEL_NAME, name) for name in names):
        raise ValueError('names of models, such as ["gemini-3.8-flash"]')
    return names


def _known_model(name: str) -> str:
    if not re.fullmatch(_MODEL_NAME, name):
        raise ValueError('the name of a model, such as "gemini-3.8-flash"')
    return name


ModelName: TypeAlias = Annotated[str, AfterValidator(_known_model)]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class SiteSettings(_Section):
    """`[site]`: what the blog is called and how it tells the time."""

    title: str = ""
    """Empty: the chat's name."""
    description: str = ""
    timezone: Annotated[str, AfterValidator(_known_timezone)] = "UTC"
    """Anchors the windows to the calendar; `init` writes the machine's own zone."""
    language: Annotated[str, AfterValidator(_known_language)] = "auto"


class InputSettings(_Section):
    """`[input]`: how exports are read."""

    source: Literal["whatsapp"] = "whatsapp"
    date_order: DateOrder = "auto"
    chat: str = ""
    """The chat to take when exports hold several; empty: the only one."""


class PeopleSettings(_Section):
    """`[people]`: who is who."""

    same: Annotated[
        tuple[tuple[str, ...], ...], BeforeValidator(_as_tuples), AfterValidator(_distinct_people)
    ] = ()
    """Printed names that belong to one person, a list each."""


class EnrichmentSettings(_Section):
    """`[pipeline.enrichment]`: what is found out about links and media."""

    enabled: bool = True
    max_urls_per_window: int = Field(default=5, ge=0, le=100)


class ProfilesSettings(_Section):
    """`[pipeline.profiles]`: the portraits of the people."""

    enabled: bool = True
    update_on_new_messages: bool = True


class BannersSettings(_Section):
    """`[pipeline.banners]`: the picture above each post."""

    enabled: bool = True
    batch_size: int = Field(default=5, ge=1, le=100)


class PipelineSettings(_Section):
    """`[pipeline]`: the windows of conversation and the stages that work on them."""

    window_unit: WindowUnit = "days"
    window_size: int = Field(default=7, ge=1, le=1_000_000_000)
    max_workers: int = Field(default=4, ge=1, le=64)
    """Windows in flight."""
    write_open_window: bool = True
    min_messages: int = Field(default=8, ge=0)
    """A window with fewer messages is kept but not written about."""
    max_prompt_tokens: int = Field(default=100_000, ge=1_000, le=1_048_576)
    max_parts: int = Field(default=8, ge=1, le=100)
    split: bool = True
    enrichment: EnrichmentSettings = EnrichmentSettings()
    profiles: ProfilesSettings = ProfilesSettings()
    banners: BannersSettings = BannersSettings()

    @field_validator("window_size")
    @classmethod
    def _size_fits_unit(cls, size: int, info: ValidationInfo) -> int:
        unit = info.data.get("window_unit")
        most = {"hours": 24, "days": 36_500}.get(str(unit))
        if most and size > most:
            raise ValueError(f'a whole number from 1 to {most} when window_unit is "{unit}"')
        return size


class ModelNames(_Section):
    """`[model.names]`: which model does which task."""

    posts: ModelName = "gemini-3.8-flash"
    profiles: ModelName = "gemini-3.5-flash-lite"
    digests: ModelName = "gemini-3.5-flash-lite"
    enrichments: ModelName = "gemini-3.5-flash-lite"
    vocabulary: ModelName = "gemini-3.5-flash-lite"
    banners: ModelName = "gemini-3.1-flash-lite-image"


class ModelSettings(_Section):
    """`[model]`: who writes, through which door, and what it may cost."""

    provider: ProviderName = "auto"
    instructions: str = ""
    """What the owner wants the writer to heed."""
    base_url: Annotated[str, AfterValidator(_web_address)] = ""
    """Of a compatible service; empty: Google's own."""
    api_version: str = Field(default="", pattern=r"^(v\d\w*)?$")
    """Empty: the library's own, or v1beta where `base_url` is set."""
    api_key_env: Annotated[tuple[str, ...], BeforeValidator(_as_tuples), AfterValidator(_variable_names)] = ()
    """Names of environment variables that hold keys; empty: GOOGLE_API_KEY, else GEMINI_API_KEY."""
    fallback_models: Annotated[
        tuple[str, ...], BeforeValidator(_as_tuples), AfterValidator(_known_models)
    ] = ("gemini-3.8-flash", "gemini-3.5-flash-lite")
    """Models for text that are tried in this order where a task's own refuses, fails or is out of quota."""
    offline_fallback: bool = True
    """What no model writes is extracted by the offline provider, and marked so."""
    mode: Literal["sync", "flex", "batch"] = "sync"
    concurrency: int = Field(default=8, ge=1, le=256)
    """Calls in flight."""
    requests_per_minute: int = Field(default=0, ge=0)
    """0: no limit of ours."""
    tokens_per_minute: int = Field(default=0, ge=0)
    """0: no limit of ours."""
    timeout_seconds: int = Field(default=300, ge=1, le=3600)
    max_output_tokens: int = Field(default=32_768, ge=256, le=1_048_576)
    """Of one answer, the model's thinking included."""
    enable_caching: bool = True
    budget_usd_per_run: float = Field(default=10.0, ge=0)
    """US dollars; 0: no limit."""
    budget_usd_per_month: float = Field(default=30.0, ge=0)
    """US dollars over all runs of the site in a calendar month (UTC); 0: no limit."""
    send_without_asking: bool = False
    """The owner agrees here, not on the terminal, to send anonymised text to the service."""
    names: ModelNames = ModelNames()


class AuthorSettings(_Section):
    """`[privacy.authors.PSEUDONYM]`: what holds for one person, whatever else was decided."""

    level: Literal["", "strict", "standard", "open"] = ""
    """Empty: the site's."""
    alias: str = Field(default="", max_length=40)
    """Empty: their own, if they set one."""
    opted_out: bool = False


class PrivacySettings(_Section):
    """`[privacy]`: what is taken out of the text before anything else sees it, and what pages show of people."""

    level: PrivacyLevel = "standard"
    region: Annotated[str, AfterValidator(_known_region)] = ""
    """Country whose phone numbers are written without a country code."""
    scrub_emails: bool = True
    scrub_phones: bool = True
    scrub_cards: bool = True
    scrub_ibans: bool = True
    scrub_national_ids: bool = True
    authors: Mapping[str, AuthorSettings] = {}
    """By pseudonym, as a token: ``amber-heron``."""


class Settings(_Section):
    """All of `egregora.toml`."""

    site: SiteSettings = SiteSettings()
    input: InputSettings = InputSettings()
    people: PeopleSettings = PeopleSettings()
    pipeline: PipelineSettings = PipelineSettings()
    model: ModelSettings = ModelSettings()
    privacy: PrivacySettings = PrivacySettings()


def load_settings(site: Path) -> Settings:
    """The settings of the site in folder `site`; `SettingsError` lists all that is wrong with its file."""
    path = site / SETTINGS_FILE
    try:
        return parse_settings(path.read_bytes().decode("utf-8-sig"), path)
    except FileNotFoundError:
        raise SettingsError(
            f"There is no {SETTINGS_FILE} in {site}. Make a site there with `egregora init {site}`, "
            "or name an existing one with --site."
        ) from None
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path} is not UTF-8 text (byte {error.start}). Save it as UTF-8.") from None
    except OSError as error:
        raise SettingsError(f"{path} can't be read: {error.strerror}.") from None


def parse_settings(text: str, path: Path) -> Settings:
    """The settings in `text`; `path` is named in errors."""
    try:
        values = tomllib.loads(text.replace("\r\n", "\n"))
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(
            f"{path} is not valid TOML: {error}. Text values stand in double quotes.",
            f"{path.name} is not valid TOML. `egregora status` says where.",
        ) from None
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        wrong = ", ".join(sorted(places(error.errors(), Settings)))
        raise SettingsError(
            _report(path, problems(error.errors(), values, Settings)),
            f"{path.name} has mistakes in {wrong}. `egregora status` says which.",
        ) from None


def settings_template(*, title: str = "", timezone: str = "UTC", provider: str = "auto") -> str:
    """The text of a new `egregora.toml`: every key with its default, or with these values, and what it does."""
    text = files("egregora_resources.site").joinpath("settings_template.toml").read_text(encoding="utf-8")
    text = text.replace('\ntitle = ""', f"\ntitle = {_quoted(title)}", 1)
    text = text.replace('\nprovider = "auto"', f"\nprovider = {_quoted(provider)}", 1)
    return text.replace('\ntimezone = "UTC"', f"\ntimezone = {_quoted(timezone)}", 1)


def machine_timezone() -> str:
    """The IANA name of this machine's time zone; "UTC" where it can't be told."""
    try:
        return _known_timezone(get_localzone_name() or "UTC")
    except (LookupError, OSError, ValueError):
        return "UTC"


def _quoted(text: str) -> str:
    """A TOML string."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "")


def _report(path: Path, found: Sequence[str]) -> str:
    if len(found) == 1:
        return f"{path}: {found[0]}"
    return f"{path} has {len(found)} problems:\n" + "\n".join(f"  {problem}" for problem in found)
