"""Which provider a site uses: named in the settings, or resolved once from what is there, and recorded."""

from __future__ import annotations

import os
from pathlib import Path

from egregora_resources.errors import UserError
from egregora_resources.llm.offline import OfflineProvider
from egregora_resources.llm.protocol import Provider
from egregora_resources.settings import Settings
from egregora_resources.site_folder import SiteFolder

KEYS = ("GOOGLE_API_KEY", "GEMINI_API_KEY")


class ProviderMissing(UserError):
    """The provider that is wanted can't be used here."""


def wanted_provider(settings: Settings, folder: SiteFolder) -> str:
    """Name of the provider: as set, as recorded, or as ``auto`` would be resolved now."""
    if settings.model.provider != "auto":
        return settings.model.provider
    if folder.provider.exists():
        return folder.provider.read_text(encoding="utf-8").strip()
    return "offline"


def record_provider(settings: Settings, folder: SiteFolder) -> str:
    """Resolves ``auto`` for good, at the first write."""
    name = wanted_provider(settings, folder)
    if settings.model.provider == "auto" and not folder.provider.exists():
        temporary = folder.provider.with_suffix(".new")
        temporary.write_text(name + "\n", encoding="utf-8")
        Path(temporary).replace(folder.provider)
    return name


def make_provider(settings: Settings, folder: SiteFolder) -> Provider:
    """The provider itself.

    Raises:
        ProviderMissing: it needs a key that isn't there, or isn't part of this version.
    """
    name = wanted_provider(settings, folder)
    if name == "offline":
        return OfflineProvider()
    keys = " or ".join(KEYS)
    found = "is set" if any(os.environ.get(key) for key in KEYS) else "is not set"
    raise ProviderMissing(
        f'[model] provider = "{name}" in {folder.settings}: this version of Egregora has the offline provider only '
        f'({keys} {found}). Set provider = "offline" or "auto".'
    )
