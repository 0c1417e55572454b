"""What was imported: `export_files`, the lines not understood, and the attachments that came with each export.

Raw: file names may hold people's names. Read by the import, and by whoever asks whether a window is still running.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import duckdb
import pyarrow as pa

from egregora_resources.warehouse.reading import Source, fetch


def imported_exports(source: Source) -> dict[str, str]:
    """Digest → file name of the files that were imported, in the order of import."""
    return dict(fetch(source, "SELECT digest, file_name FROM export_files ORDER BY sequence"))


class ExportClock(NamedTuple):
    """When an export was made, as far as is known."""

    modified: datetime | None
    """By the phone's clock."""
    imported: datetime
    """In UTC."""
    last_message: datetime | None
    """By the chat's own clock."""


def export_clocks(source: Source) -> list[ExportClock]:
    """Of every export."""
    return [
        ExportClock(*row)
        for row in fetch(source, "SELECT modified, imported_at, last_message FROM export_files")
    ]


def put_lines_not_understood(
    connection: duckdb.DuckDBPyConnection, digest: str, lines: Sequence[str]
) -> None:
    """Keeps lines of an export as they stand."""
    for line in lines:
        connection.execute("INSERT INTO lines_not_understood VALUES (?, ?)", [digest, line])


class StoredMedia(NamedTuple):
    """A file that came with an export; `id` is empty if it couldn't be read."""

    name: str
    id: str
    kind: str
    extension: str
    size: int
    crc: int | None


def put_media(connection: duckdb.DuckDBPyConnection, digest: str, media: Sequence[StoredMedia]) -> None:
    """Notes the files that came with an export; those that are noted already stay."""
    if media:
        connection.register("came", pa.table(list(zip(*media, strict=True)), StoredMedia._fields))
        connection.execute("INSERT OR IGNORE INTO media SELECT ?, * FROM came", [digest])
        connection.unregister("came")


def known_media(source: Source) -> dict[tuple[str, int, int | None], StoredMedia]:
    """Files of zips that are in the media store, by name, size and checksum."""
    rows = fetch(
        source,
        "SELECT name, id, kind, extension, size, crc FROM media WHERE crc IS NOT NULL AND id <> ''",
    )
    return {(row[0], row[4], row[5]): StoredMedia(*row) for row in rows}
