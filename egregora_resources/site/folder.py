"""Where everything of one site lives. Copying the folder moves the site."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class SiteFolder:
    """The paths inside a site's folder. Only `built` is publishable."""

    root: Path

    @property
    def settings(self) -> Path:
        return self.root / "egregora.toml"

    @property
    def inbox(self) -> Path:
        return self.root / "inbox"

    @property
    def state(self) -> Path:
        return self.root / ".egregora"

    def make_state(self) -> None:
        """Makes the folder of raw names and texts, for the eyes of its owner alone."""
        self.state.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.state.chmod(0o700)

    @property
    def warehouse(self) -> Path:
        return self.state / "warehouse.duckdb"

    @property
    def media(self) -> Path:
        return self.state / "media"

    @property
    def dagster(self) -> Path:
        return self.state / "dagster"

    @property
    def provider(self) -> Path:
        """Remembers what ``provider = "auto"`` was resolved to; a file, so that definitions can read it."""
        return self.state / "provider"

    @property
    def code_versions(self) -> Path:
        """Code versions of the assets, as of the last settings that could be read."""
        return self.state / "code-versions.json"

    @property
    def llm(self) -> Path:
        """What a model service answered, and what it cost."""
        return self.state / "llm.sqlite"

    @property
    def consent(self) -> Path:
        """Names the service that the owner agreed to send anonymised text to."""
        return self.state / "consent"

    @property
    def prompts(self) -> Path:
        """The owner's own prompts."""
        return self.root / "prompts"

    @property
    def write_lock(self) -> Path:
        """Held by the one `egregora write` at a time."""
        return self.state / "write.lock"

    @property
    def import_lock(self) -> Path:
        """Held while exports are merged, by whichever process does it."""
        return self.state / "import.lock"

    @property
    def docs(self) -> Path:
        return self.root / "docs"

    @property
    def built(self) -> Path:
        return self.root / "site"
