"""Which provider a site uses: named in the settings, or resolved once from what is there, and recorded."""

from __future__ import annotations

import os
from pathlib import Path

from egregora_resources.llm import gemini
from egregora_resources.llm.gemini import GeminiProvider
from egregora_resources.llm.offline import OfflineProvider
from egregora_resources.llm.protocol import Provider
from egregora_resources.site.settings import SettingsError
from egregora_resources.site.site import Site


def wanted_provider(site: Site) -> str:
    """Name of the provider: as set, as recorded, or as ``auto`` would be resolved now.

    Raises:
        SettingsError: what was recorded can't be read.
    """
    if site.settings.model.provider != "auto":
        return site.settings.model.provider
    if site.folder.provider.exists():
        try:
            return site.folder.provider.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            raise SettingsError(
                f"{site.folder.provider}, which holds the provider's name, can't be read. Make it readable, or name "
                'the provider in egregora.toml: [model] provider = "offline" or "gemini".',
                ".egregora/provider, which holds the provider's name, can't be read; `egregora status` says what to do.",
            ) from None
    # Who names the variables of keys means them to be used: that none is set is for `check_provider` to say.
    keyed = site.settings.model.api_key_env or any(os.environ.get(name, "").strip() for name in gemini.KEYS)
    return "gemini" if keyed else "offline"


def record_provider(site: Site) -> str:
    """Resolves ``auto`` for good, at the first write."""
    name = wanted_provider(site)
    if site.settings.model.provider == "auto" and not site.folder.provider.exists():
        temporary = site.folder.provider.with_suffix(".new")
        temporary.write_text(name + "\n", encoding="utf-8")
        Path(temporary).replace(site.folder.provider)
    return name


def make_provider(site: Site, *, fresh: bool = False, budget: str = "") -> Provider:
    """The provider itself. Opens nothing, and needs no key until it is given a task.

    Args:
        fresh: ask a service anew for what it has answered before.
        budget: as for `GeminiProvider`.
    """
    if wanted_provider(site) == "gemini":
        return GeminiProvider(site, fresh=fresh, budget=budget)
    return OfflineProvider()


def check_provider(site: Site) -> None:
    """Says before a run what would stop it at its first task.

    Raises:
        KeyMissing: the provider needs a key that isn't there.
    """
    if wanted_provider(site) == "gemini":
        gemini.keys(site.settings.model, site.folder)
