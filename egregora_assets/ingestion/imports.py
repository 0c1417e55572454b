"""Importing exports: what is known already is told by its hash, and what is new is stored (see `store`).

Knows no Dagster: the asset `exports` and the command share it. Loads nothing that only a new file needs, so that
a known one is told in a fraction of a second.
"""

from __future__ import annotations

import json
import zipfile
import zlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from egregora_assets.ingestion.report import DifferentChat, Imported, ImportReport
from egregora_resources.document import fingerprint
from egregora_resources.inputs.export import Export, InputError
from egregora_resources.inputs.registry import export_digest
from egregora_resources.people import load_forgotten
from egregora_resources.progress import Progress, Silent
from egregora_resources.site.inbox import inbox_files, look
from egregora_resources.site.site import Site
from egregora_resources.warehouse.database import Warehouse
from egregora_resources.warehouse.exports import imported_exports
from egregora_resources.warehouse.imported_files import note_files
from egregora_resources.warehouse.people import forgotten_names

_OUTCOMES = "inbox"
"""The fact that says what came of the inbox's files."""


@dataclass(frozen=True, slots=True)
class FileOutcome:
    """What came of importing a file of the inbox.

    Attributes:
        place: in the inbox, from 1: names of files may hold people's names.
        error: class of the error; empty if the file was imported.
        final: trying again gives the same until the file changes. An error of the disk isn't final.
    """

    place: int
    error: str = ""
    final: bool = True


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
        digests = [_digest(one) for one in exports]
        new = [one for digest, one in zip(digests, exports, strict=True) if digest not in known]
        report = ImportReport()
        if new:
            from egregora_assets.ingestion.store import store_exports

            report = store_exports(site, new, chat=chat, date_order=date_order, progress=progress)
        _note(site, dict(zip(digests, map(_source, exports), strict=True)))
        report.files[:0] = [Imported(_source(one).name, known=True) for one in exports if one not in new]
    return report


def _digest(export: Path | Export) -> str:
    return export.digest if isinstance(export, Export) else export_digest(export)


def _source(export: Path | Export) -> Path:
    return export.source if isinstance(export, Export) else export


def _note(site: Site, read: Mapping[str, Path]) -> None:
    """Notes beside the warehouse which files are in it; of paths that name somebody forgotten, the cleaned name."""
    with site.warehouse.connect() as connection:
        known = imported_exports(connection)
        if read and forgotten_names(connection):
            forgotten = load_forgotten(connection, site.pseudonyms(connection))
            eraser = forgotten.eraser({str(path) for path in read.values()})
            read = {digest: path for digest, path in read.items() if eraser.text(str(path)) == str(path)}
    note_files(site.warehouse.path, known, read)


def _settle(site: Site) -> None:
    """Obeys changed settings for what was imported before."""
    out = sorted(token for token, author in site.settings.privacy.authors.items() if author.opted_out)
    wanted = fingerprint(site.settings.people.same, out)
    if site.warehouse.fact("same") != wanted:
        from egregora_assets.ingestion.store import obey_settings

        obey_settings(site, wanted)


def import_inbox(
    site: Site, progress: Progress | None = None, *, only: Collection[str] = ()
) -> tuple[ImportReport, list[tuple[int, Path, Exception]]]:
    """Imports every new file of the inbox; one that can't be imported doesn't keep the others out.

    Args:
        only: sightings (see `look`) of files to import; empty: all. A file that has changed since isn't read.

    Returns:
        What was imported; and place in the inbox, path and error of what can't be read or is another chat's.

    Raises:
        Exception: anything that isn't the fault of one file: a damaged secret key, a full disk, a busy warehouse.
    """
    site.check_secret()
    report, unread = ImportReport(), list[tuple[int, Path, Exception]]()
    outcomes, known = dict[str, FileOutcome](), inbox_outcomes(site.warehouse)
    # Taken before a file is read: one that changes meanwhile is another sighting, and will be imported again.
    for place, (sighting, path) in enumerate(look(site.folder.inbox).items(), 1):
        if only and sighting not in only:
            if sighting in known:
                outcomes[sighting] = replace(known[sighting], place=place)
            continue
        try:
            report.files += import_exports(site, [path], progress=progress).files
            outcomes[sighting] = FileOutcome(place)
        except (InputError, DifferentChat, zipfile.BadZipFile, EOFError, zlib.error) as error:
            unread.append((place, path, error))  # its media may be cut short, too
            outcomes[sighting] = FileOutcome(place, type(error).__name__, final=not _of_disk(error))
        except OSError as error:
            if not _of_file(error, path):
                raise  # the site's own disk, say: full
            unread.append((place, path, error))
            outcomes[sighting] = FileOutcome(place, type(error).__name__, final=False)
    if outcomes != known:
        site.warehouse.remember(
            _OUTCOMES, json.dumps({key: asdict(value) for key, value in outcomes.items()})
        )
    return report, unread


def inbox_outcomes(warehouse: Warehouse) -> Mapping[str, FileOutcome]:
    """What came of the inbox's files, by sighting; of one that isn't among them nothing is known yet."""
    return {
        sighting: FileOutcome(**outcome)
        for sighting, outcome in json.loads(warehouse.fact(_OUTCOMES) or "{}").items()
    }


def _of_disk(error: Exception) -> bool:
    """Whether what was read may be whole, and it is the disk (or the network's drive) that failed."""
    return isinstance(error.__cause__, OSError)


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
