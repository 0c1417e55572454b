"""Importing exports: what is known already is told by its hash, and what is new is stored (see `storing`).

Knows no Dagster: the asset `exports` and the command share it. Loads nothing that only a new file needs, so that
a known one is told in a fraction of a second.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path

from egregora_assets.ingestion.report import DifferentChat, Imported, ImportReport
from egregora_resources.document import fingerprint
from egregora_resources.inputs.export import Export, InputError
from egregora_resources.inputs.registry import export_digest
from egregora_resources.progress import Progress, Silent
from egregora_resources.site.inbox import inbox_files
from egregora_resources.site.site import Site
from egregora_resources.warehouse.compaction import UNFINISHED
from egregora_resources.warehouse.exports import imported_exports


def import_exports(
    site: Site,
    exports: Sequence[Path | Export],
    *,
    chat: str | None = None,
    date_order: str | None = None,
    progress: Progress | None = None,
) -> ImportReport:
    """Imports files not yet known, in the order given. All are read before anything is stored.

    Args:
        exports: files or folders, or what was read of them already.
        chat: which chat of a file with several, and that it is the site's, whatever its name. ``[input] chat`` in the
            settings only says which: a standing waiver would let any other chat in.
        date_order: as ``[input] date_order``, for these files.

    Raises:
        InputError: a file can't be read as an export; nothing was changed.
        DifferentChat: a file holds another chat than the site's.
    """
    progress = progress or Silent()
    with site.importing(progress):
        _settle(site)
        known = imported_exports(site.warehouse)
        new = [one for one in exports if _digest(one) not in known]
        report = ImportReport()
        if new:
            from egregora_assets.ingestion.store import store_exports

            report = store_exports(site, new, chat=chat, date_order=date_order, progress=progress)
        report.files[:0] = [Imported(_name(one), known=True) for one in exports if one not in new]
    return report


def _digest(export: Path | Export) -> str:
    return export.digest if isinstance(export, Export) else export_digest(export)


def _name(export: Path | Export) -> str:
    return export.source.name if isinstance(export, Export) else export.name


def _settle(site: Site) -> None:
    """Ends a forgetting that was cut short, and obeys changed settings for what was imported before."""
    if site.warehouse.fact(UNFINISHED) is not None:
        from egregora_assets.erasure.personal_data import finish_forgetting

        finish_forgetting(site)
    out = sorted(token for token, author in site.settings.privacy.authors.items() if author.opted_out)
    wanted = fingerprint(site.settings.people.same, out)
    if site.warehouse.fact("same") != wanted:
        from egregora_assets.ingestion.store import obey_settings

        obey_settings(site, wanted)


def import_inbox(
    site: Site, progress: Progress | None = None
) -> tuple[ImportReport, list[tuple[int, Path, Exception]]]:
    """Imports every new file of the inbox; one that can't be imported doesn't keep the others out.

    Returns:
        What was imported; and place in the inbox, path and error of what can't be read or is another chat's.

    Raises:
        Exception: anything that isn't the fault of one file: a damaged secret key, a full disk, a busy warehouse.
    """
    site.check_secret()
    report, unread = ImportReport(), list[tuple[int, Path, Exception]]()
    for place, path in enumerate(inbox_files(site.folder.inbox), 1):
        try:
            report.files += import_exports(site, [path], progress=progress).files
        except (InputError, DifferentChat, zipfile.BadZipFile, EOFError, zlib.error) as error:
            unread.append((place, path, error))  # its media may be cut short, too
        except OSError as error:
            if not _of_file(error, path):
                raise  # the site's own disk, say: full
            unread.append((place, path, error))
    return report, unread


def _of_file(error: OSError, path: Path) -> bool:
    """Whether an error is about reading this file (or what is in this folder)."""
    return isinstance(error.filename, str | Path) and Path(error.filename).is_relative_to(path)


def new_in_inbox(site: Site) -> int:
    """How many files of the inbox were not imported yet; those that can't be read count too."""
    known = imported_exports(site.warehouse)
    new = 0
    for path in inbox_files(site.folder.inbox):
        try:
            new += export_digest(path) not in known
        except InputError:
            new += 1
    return new
