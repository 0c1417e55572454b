"""Importing exports: read, merge with what is known, store media, obey commands, lay the windows out.

Everything of one export is committed in one transaction; the bytes of media are stored before it, where a
second try finds them. Knows no Dagster: the asset `exports` and the command share it.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
from filelock import FileLock, Timeout

from egregora_assets.places import finish_forgetting
from egregora_assets.progress import Progress, Silent
from egregora_assets.window_layout import LayoutChange, lay_out, layout_fingerprint
from egregora_resources.chat_log import Merged, join_persons, merge_export
from egregora_resources.document import fingerprint
from egregora_resources.errors import UserError
from egregora_resources.forgetting import without_forgotten
from egregora_resources.inbox import inbox_files
from egregora_resources.inputs.export import Export, InputError, Member
from egregora_resources.inputs.registry import export_digest, read_export
from egregora_resources.media_store import MediaStore
from egregora_resources.people import load_people, obey_commands
from egregora_resources.privacy.forgotten import Forgotten
from egregora_resources.settings import Settings
from egregora_resources.site_folder import SiteFolder
from egregora_resources.site_secret import site_pseudonyms
from egregora_resources.warehouse import Warehouse

LANGUAGE_SAMPLE = 400
"""Messages whose language stands for the chat's."""


class DifferentChat(UserError):
    """An export of another chat than the site's."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of one file."""

    file: str
    known: bool
    """The file's content had been imported before."""
    chat: str = ""
    messages: int = 0
    notices: int = 0
    """Lines that the app wrote about the chat."""
    merged: Merged | None = None
    media: int = 0
    warnings: Sequence[str] = ()

    def sentence(self) -> str:
        """For the owner's terminal."""
        if self.known:
            return f"{self.file}: nothing new, this file was imported before"
        merged = self.merged
        assert merged is not None
        read = f"{_count(self.messages, 'message')} and {_count(self.notices, 'notice')} of the app read"
        parts = [
            read,
            "all of them new" if merged.new == self.messages + self.notices else f"{merged.new:,} new",
        ]
        if merged.changed:
            parts.append(f"{merged.changed:,} changed")
        if merged.absent:
            parts.append(f"{merged.absent:,} known ones are missing from it and kept")
        if self.media:
            parts.append(_count(self.media, "media file"))
        return f"{self.file}: {', '.join(parts)}"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun if number == 1 else noun + 's'}"


@dataclass
class ImportReport:
    """What an import came to."""

    files: list[Imported] = field(default_factory=list[Imported])
    layout: LayoutChange | None = None
    command_errors: list[str] = field(default_factory=list[str])


def import_exports(
    folder: SiteFolder,
    settings: Settings,
    warehouse: Warehouse,
    paths: Sequence[Path],
    *,
    chat: str | None = None,
    date_order: str | None = None,
    progress: Progress | None = None,
) -> ImportReport:
    """Imports files not yet known, in the order given. All are read before anything is stored.

    Args:
        chat: which chat of a file with several, and that it is the site's, whatever its name. ``[input] chat`` in the
            settings only says which: a standing waiver would let any other chat in.
        date_order: as ``[input] date_order``, for these files.

    Raises:
        InputError: a file can't be read as an export; nothing was changed.
        DifferentChat: a file holds another chat than the site's.
    """
    progress = progress or Silent()
    report = ImportReport()
    with import_lock(folder, progress), ThreadPoolExecutor(1) as beside:
        finish_forgetting(folder, warehouse)
        _obey_settings(folder, settings, warehouse)
        forgotten = _forgotten(folder, warehouse)
        first = warehouse.fact("language") is None
        known = {row[0] for row in warehouse.rows("SELECT digest FROM export_files")}
        exports: list[Export] = []
        site_chat = warehouse.fact("chat")
        for path in paths:
            if export_digest(path) in known:
                report.files.append(Imported(path.name, known=True))
                continue
            progress.say(f"Reading {path.name}")
            if first:
                beside.submit(_load_language_model)
            export = read_export(
                path,
                chat=chat or settings.input.chat or None,
                date_order=date_order or settings.input.date_order,
            )
            if len(export.messages) == 0:
                raise InputError(
                    f"{path} holds no message of a chat. Export the chat again, and give the zip as it comes."
                )
            export = without_forgotten(export, forgotten)
            site_chat = _check_chat(site_chat, export, wanted=chat)
            exports.append(export)
        language = beside.submit(_language, exports[0]) if first and exports else None
        for export in exports:
            media = _store_media(folder, warehouse, export, progress)
            with warehouse.transaction() as connection:
                merged = _merge(connection, folder, settings, export, media)
                if language:
                    connection.execute(
                        "INSERT OR IGNORE INTO facts VALUES ('language', ?)", [language.result()]
                    )
                report.command_errors = obey_commands(connection)
                report.layout = lay_out_again(connection, settings)
                connection.execute("INSERT OR REPLACE INTO facts VALUES ('chat', ?)", [site_chat])
            notices = pc.call_function("sum", [export.messages["is_system"]]).as_py()
            report.files.append(
                Imported(
                    file=export.source.name,
                    known=False,
                    chat=export.chat,
                    messages=len(export.messages) - notices,
                    notices=notices,
                    merged=merged,
                    media=sum(bool(file.id) for file in media),
                    warnings=(*export.warnings, *_damaged(media)),
                )
            )
    return report


def import_inbox(
    folder: SiteFolder, settings: Settings, warehouse: Warehouse, progress: Progress | None = None
) -> tuple[ImportReport, list[tuple[int, Path, Exception]]]:
    """Imports every new file of the inbox; one that can't be imported doesn't keep the others out.

    Returns:
        What was imported; and place in the inbox, path and error of what can't be read or is another chat's.

    Raises:
        Exception: anything that isn't the fault of one file: a damaged secret key, a full disk, a busy warehouse.
    """
    report, unread = ImportReport(), list[tuple[int, Path, Exception]]()
    for place, path in enumerate(inbox_files(folder.inbox), 1):
        try:
            report.files += import_exports(folder, settings, warehouse, [path], progress=progress).files
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


def new_in_inbox(folder: SiteFolder, warehouse: Warehouse) -> int:
    """How many files of the inbox were not imported yet; those that can't be read count too."""
    known = {row[0] for row in warehouse.rows("SELECT digest FROM export_files")}
    new = 0
    for path in inbox_files(folder.inbox):
        try:
            new += export_digest(path) not in known
        except InputError:
            new += 1
    return new


def _forgotten(folder: SiteFolder, warehouse: Warehouse) -> Forgotten:
    """Those who were forgotten: their messages and names are taken out of an export before anything else."""
    with warehouse.connect() as connection:
        if connection.execute("SELECT 1 FROM forgotten").fetchone() is None:
            return Forgotten((), str)
        return Forgotten.load(connection, site_pseudonyms(connection, folder.state))


def _obey_settings(folder: SiteFolder, settings: Settings, warehouse: Warehouse) -> None:
    """Obeys a changed ``[people] same`` or ``[privacy.authors]``, for what was imported before it changed."""
    out = sorted(token for token, author in settings.privacy.authors.items() if author.opted_out)
    wanted = fingerprint(settings.people.same, out)
    if warehouse.fact("same") == wanted:
        return
    with warehouse.transaction() as connection:
        if connection.execute("SELECT 1 FROM export_files").fetchone():
            pseudonyms = site_pseudonyms(connection, folder.state)
            if join_persons(connection, pseudonyms=pseudonyms, same=settings.people.same).joined:
                obey_commands(connection)
            lay_out_again(connection, settings)
        connection.execute("INSERT OR REPLACE INTO facts VALUES ('same', ?)", [wanted])


def import_lock(folder: SiteFolder, progress: Progress) -> FileLock:
    """One import at a time, whichever process does it."""
    lock = FileLock(folder.import_lock)
    try:
        lock.acquire(timeout=1)
        lock.release()
    except Timeout:
        progress.say("Another process is importing into this site; waiting for it.")
    return lock


def relayout(
    settings: Settings, warehouse: Warehouse, *, recut: bool = False, dry_run: bool = False
) -> LayoutChange | None:
    """Lays the windows out anew if the settings ask for another layout than the stored one.

    Args:
        recut: cut count and byte windows anew even if the settings are the same.
        dry_run: say what would change, and change nothing.
    """
    try:
        with warehouse.transaction() as connection:
            stored = connection.execute("SELECT value FROM facts WHERE key = 'layout'").fetchone()
            if stored is None or not (recut or stored[0] != layout_fingerprint(settings)):
                return None
            change = lay_out_again(connection, settings, recut=recut)
            if dry_run:
                raise _Undo(change)
            return change
    except _Undo as undo:
        return undo.change


class _Undo(Exception):
    def __init__(self, change: LayoutChange) -> None:
        self.change = change


def lay_out_again(
    connection: duckdb.DuckDBPyConnection, settings: Settings, *, recut: bool = False
) -> LayoutChange:
    """Lays the windows out over the log and the people as they stand, in the caller's transaction."""
    people = load_people(connection, settings)
    return lay_out(connection, settings, people.index, people.touching, recut=recut)


def _check_chat(site_chat: str | None, export: Export, *, wanted: str | None) -> str:
    if not site_chat:
        return export.chat or wanted or ""
    if export.chat and export.chat != site_chat and wanted is None:
        raise DifferentChat(
            f"{export.source} is an export of “{export.chat}”, and this site is about “{site_chat}”. "
            f'Give another --site for it, or --chat "{export.chat}" if it is the same chat under another name.'
        )
    return site_chat


def _merge(
    connection: duckdb.DuckDBPyConnection,
    folder: SiteFolder,
    settings: Settings,
    export: Export,
    media: Sequence[StoredMedia],
) -> Merged:
    pseudonyms = site_pseudonyms(connection, folder.state)
    merged = merge_export(
        connection, export, pseudonyms=pseudonyms, same=settings.people.same, modified=export.modified
    )
    for line in export.not_understood:
        connection.execute("INSERT INTO lines_not_understood VALUES (?, ?)", [export.digest, line])
    if media:
        rows = pa.table(list(zip(*media, strict=True)), StoredMedia._fields)
        connection.register("came", rows)
        connection.execute("INSERT OR IGNORE INTO media SELECT ?, * FROM came", [export.digest])
        connection.unregister("came")
    return merged


def _load_language_model() -> None:
    from egregora_resources.llm.offline.language import load_model

    load_model()


def _language(export: Export) -> str:
    """Of the chat, as the beginning of an export tells."""
    from egregora_resources.llm.offline.language import detect

    some = export.messages.slice(0, 10 * LANGUAGE_SAMPLE)
    pairs = zip(some["kind"].to_pylist(), some["text"].to_pylist(), strict=True)
    texts = [text for kind, text in pairs if kind == "text" and len(text) > 20]
    return detect(texts[:LANGUAGE_SAMPLE])


class StoredMedia(NamedTuple):
    """A file that came with an export; `id` is empty if it couldn't be read."""

    name: str
    id: str
    kind: str
    extension: str
    size: int
    crc: int | None


def _store_media(
    folder: SiteFolder, warehouse: Warehouse, export: Export, progress: Progress
) -> list[StoredMedia]:
    """Puts the media that the chat refers to into the store, but for contacts.

    A zip's member of the name, size and checksum of a file that came before is that file: it isn't read again.
    """
    known = {
        (row[0], row[4], row[5]): StoredMedia(*row)
        for row in warehouse.rows(
            "SELECT name, id, kind, extension, size, crc FROM media WHERE crc IS NOT NULL AND id <> ''"
        )
    }
    names = set(export.messages["attachment"].drop_null().unique().to_pylist())
    wanted = [
        member
        for name in sorted(names)
        if (member := export.media.get(name)) and not name.lower().endswith(".vcf")
    ]
    if not wanted:
        return []
    store = MediaStore(folder.media)
    rows: list[StoredMedia] = []
    progress.start("media", len(wanted))
    for member in wanted:
        row = known.get((member.name, member.size, member.crc))
        rows.append(row if row and row.id in store else _store(store, member))
        progress.advance("media")
    progress.finish("media")
    return rows


def _damaged(media: Sequence[StoredMedia]) -> Sequence[str]:
    count = sum(not file.id for file in media)
    if not count:
        return ()
    what = "One media file is" if count == 1 else f"{count:,} media files are"
    return (f"{what} damaged or encrypted in the export; their place on the page says so.",)


def _store(store: MediaStore, member: Member) -> StoredMedia:
    try:
        with member.open() as stream:
            stored = store.add(member.name, stream)
    except InputError:
        # One damaged picture costs that picture: its page says so.
        return StoredMedia(member.name, "", "unsupported", "", member.size, member.crc)
    return StoredMedia(member.name, stored.id, stored.kind, stored.extension, stored.size, member.crc)
