"""Finding a site's folder, making a new one, and refusing what isn't one."""

from __future__ import annotations

import tempfile
from pathlib import Path

from egregora_resources.errors import UserError
from egregora_resources.site.folder import SiteFolder

_IGNORED = (".egregora/", "inbox/")


def chosen(site: Path | None) -> Path:
    """The folder named with --site, or the default."""
    if site is not None:
        return site
    return Path() if SiteFolder(Path()).settings.exists() else Path("my-blog")


def existing(site: Path | None) -> Path:
    """The same, for commands that need a site to be there."""
    folder = chosen(site)
    if not SiteFolder(folder).settings.exists():
        raise UserError(
            f"There is no site in {folder} (no egregora.toml). Name one with --site, or make one with "
            f"`egregora write EXPORT --site {folder}`."
        )
    return folder


def is_new(site: Path) -> bool:
    """Whether a site is still to be made here; `UserError` if the folder is something else."""
    if SiteFolder(site).settings.exists():
        return False
    if not site.exists():
        return True
    if not site.is_dir():
        raise UserError(f"{site} is a file. --site names the folder of the blog.")
    # `dagster dev` or `dg check defs` at the repository's root may have made a Dagster instance there first.
    if any(path.name != SiteFolder(site).state.name for path in site.iterdir()):
        raise UserError(
            f"{site} has other files in it and isn't a site yet. Name another folder with --site, "
            f"or make this one a site with `egregora init {site}`."
        )
    return True


def make(site: Path, provider: str = "auto") -> None:
    """Makes a site: settings with all defaults written out, an inbox, and a .gitignore for what is private."""
    from egregora_resources.site.settings import machine_timezone, settings_template

    folder = SiteFolder(site)
    if folder.settings.exists():
        raise UserError(f"There already is a site in {site}; nothing was changed.")
    try:
        if not folder.inbox.exists():
            folder.inbox.mkdir(parents=True)
            folder.inbox.chmod(0o700)
        _ignore_private(site / ".gitignore")
        folder.settings.write_text(
            settings_template(timezone=machine_timezone(), provider=provider), encoding="utf-8"
        )
    except OSError as error:
        raise UserError(f"A site can't be made in {site}: {error.strerror}. Choose another folder.") from None


def check_writable(site: Path) -> None:
    """`UserError` if files can't be made in the site's folder."""
    folder = SiteFolder(site)
    for place in (folder.root, folder.state):
        if not place.exists():
            continue
        try:
            with tempfile.TemporaryFile(dir=place):
                pass
        except OSError as error:
            raise UserError(
                f"The folder {place} can't be written to: {error.strerror}. Check its rights, "
                "or copy the site to a folder of yours."
            ) from None


def _ignore_private(path: Path) -> None:
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    missing = [line for line in _IGNORED if line not in text.splitlines()]
    if text and not text.endswith("\n"):
        text += "\n"
    if missing:
        path.write_text(text + "\n".join(missing) + "\n", encoding="utf-8")
