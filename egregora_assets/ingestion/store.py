"""Storing new exports: read, merge with what is known, store media, obey commands, lay the windows out.

Everything of one export is committed in one transaction; the bytes of media are stored before it, where a
second try finds them.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb
import pyarrow.compute as pc

from egregora_assets.ingestion.report import Imported, ImportReport
from egregora_assets.ingestion.same_chat import site_chat_with
from egregora_assets.windowing.layout import lay_out_again
from egregora_resources.chat_log import Merged, join_persons, merge_export
from egregora_resources.chat_log.erase import without_forgotten
from egregora_resources.inputs.export import Export, InputError, Member
from egregora_resources.inputs.registry import read_nonempty_export
from egregora_resources.media.store import MediaStore
from egregora_resources.people import load_forgotten, obey_commands
from egregora_resources.privacy.forgotten import Forgotten
from egregora_resources.progress import Progress
from egregora_resources.site.site import Site
from egregora_resources.warehouse.exports import (
    StoredMedia,
    imported_exports,
    known_media,
    put_lines_not_understood,
    put_media,
)
from egregora_resources.warehouse.facts import keep_first_fact, put_fact
from egregora_resources.warehouse.people import forgotten_names

LANGUAGE_SAMPLE = 400
"""Messages whose language stands for the chat's."""


def store_exports(
    site: Site,
    given: Sequence[Path | Export],
    *,
    chat: str | None,
    date_order: str | None,
    progress: Progress,
) -> ImportReport:
    """Stores files that are not yet known; see `egregora_assets.ingestion.imports.import_exports`."""
    report = ImportReport()
    with ThreadPoolExecutor(1) as beside:
        first = site.warehouse.fact("language") is None
        if first:
            beside.submit(_load_language_model)
        forgotten = _forgotten(site)
        exports: list[Export] = []
        site_chat = site.warehouse.fact("chat") or ""
        for one in given:
            if isinstance(one, Export):
                export = one
            else:
                progress.say(f"Reading {one.name}")
                export = read_nonempty_export(
                    one,
                    chat=chat or site.settings.input.chat or None,
                    date_order=date_order or site.settings.input.date_order,
                )
            if len(export.messages) == 0:
                raise InputError(f"{export.source} holds no message of a chat.")
            export = without_forgotten(export, forgotten)
            site_chat = site_chat_with(site.warehouse, site_chat, exports, export, wanted=chat)
            exports.append(export)
        language = beside.submit(_language, exports[0]) if first else None
        for export in exports:
            media = _store_media(site, export, progress)
            with site.warehouse.transaction() as connection:
                merged = _merge(connection, site, export, media)
                if language:
                    keep_first_fact(connection, "language", language.result())
                report.command_errors = obey_commands(connection)
                report.layout = lay_out_again(connection, site.settings)
                put_fact(connection, "chat", site_chat)
            notices = pc.call_function("sum", [export.messages["is_system"]]).as_py()
            report.files.append(
                Imported(
                    file=export.source.name,
                    known=False,
                    chat=site_chat,
                    messages=len(export.messages) - notices,
                    notices=notices,
                    merged=merged,
                    media=sum(bool(file.id) for file in media),
                    warnings=(*export.warnings, *_damaged(media)),
                )
            )
    return report


def _forgotten(site: Site) -> Forgotten:
    """Those who were forgotten: their messages and names are taken out of an export before anything else."""
    with site.warehouse.connect() as connection:
        if not forgotten_names(connection):
            return Forgotten((), str)
        return load_forgotten(connection, site.pseudonyms(connection))


def obey_settings(site: Site, wanted: str) -> None:
    """Obeys a changed ``[people] same`` or ``[privacy.authors]``, for what was imported before it changed.

    Args:
        wanted: fingerprint of what they say, noted as the fact ``same``.
    """
    with site.warehouse.transaction() as connection:
        if imported_exports(connection):
            pseudonyms = site.pseudonyms(connection)
            if join_persons(connection, pseudonyms=pseudonyms, same=site.settings.people.same).joined:
                obey_commands(connection)
            lay_out_again(connection, site.settings)
        put_fact(connection, "same", wanted)


def _merge(
    connection: duckdb.DuckDBPyConnection,
    site: Site,
    export: Export,
    media: Sequence[StoredMedia],
) -> Merged:
    pseudonyms = site.pseudonyms(connection)
    merged = merge_export(
        connection, export, pseudonyms=pseudonyms, same=site.settings.people.same, modified=export.modified
    )
    put_lines_not_understood(connection, export.digest, export.not_understood)
    put_media(connection, export.digest, media)
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


def _store_media(site: Site, export: Export, progress: Progress) -> list[StoredMedia]:
    """Puts the media that the chat refers to into the store, but for contacts.

    A zip's member of the name, size and checksum of a file that came before is that file: it isn't read again.
    """
    known = known_media(site.warehouse)
    names = set(export.messages["attachment"].drop_null().unique().to_pylist())
    wanted = [
        member
        for name in sorted(names)
        if (member := export.media.get(name)) and not name.lower().endswith(".vcf")
    ]
    if not wanted:
        return []
    store = MediaStore(site.folder.media)
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
