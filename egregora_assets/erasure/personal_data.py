"""The one list of places that hold personal text: `forget` walks it, and a test holds it against `tables.sql`.

A new table, file or cache goes either into `PLACES` and `FILES`, with how one person is taken out of it, or into
`IMPERSONAL`, with the reason why nobody is in it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import duckdb

from egregora_assets.pipeline.taxonomy import prune
from egregora_resources.chat_log.erase import erase_labels, erase_names, leave_places
from egregora_resources.llm.cache import ResponseCache
from egregora_resources.llm.database import LlmStore
from egregora_resources.media.store import MediaStore
from egregora_resources.privacy.forgotten import Forgotten
from egregora_resources.site.folder import SiteFolder
from egregora_resources.warehouse import erasure as stored
from egregora_resources.warehouse.erasure import PersonKeys, Trace
from egregora_resources.warehouse.imported_files import erase_files, imported_files
from egregora_resources.warehouse.migrations import remove_backups
from egregora_resources.warehouse.overrides import Override, overrides, put_texts


@dataclass(frozen=True)
class Erasure:
    """Somebody who is to be forgotten, as the warehouse knew them before."""

    author_id: str
    token: str
    names: Sequence[str]
    forgotten: Forgotten
    """Everybody forgotten, this person included."""
    windows: Sequence[str]
    """Keys of the windows in which they speak or are named."""
    messages: Sequence[int]
    media: Sequence[str]
    """Ids of the files that only they sent."""

    @property
    def keys(self) -> PersonKeys:
        """What rows of theirs are found by."""
        return PersonKeys(self.author_id, self.token, self.names, self.windows, self.media)


@dataclass(frozen=True)
class Place:
    """Where the warehouse holds something of people."""

    what: str
    """In words for the owner, after a number."""
    tables: Sequence[str]
    holds: Callable[[duckdb.DuckDBPyConnection, Erasure], int]
    """How much of this person is there."""
    forget: Callable[[duckdb.DuckDBPyConnection, Erasure], object]
    """Takes this person out, in the caller's transaction."""


def _rows(trace: Trace) -> tuple[
    Callable[[duckdb.DuckDBPyConnection, Erasure], int], Callable[[duckdb.DuckDBPyConnection, Erasure], object]
]:  # fmt: skip
    """Counts and deletes rows of one table."""
    return (
        lambda connection, erasure: trace.count(connection, erasure.keys),
        lambda connection, erasure: trace.delete(connection, erasure.keys),
    )


def _said(connection: duckdb.DuckDBPyConnection, erasure: Erasure) -> int:
    return stored.SAID.count(connection, erasure.keys)


def _named(connection: duckdb.DuckDBPyConnection, erasure: Erasure) -> int:
    return stored.NAMED.count(connection, erasure.keys)


def _printed(connection: duckdb.DuckDBPyConnection, erasure: Erasure) -> int:
    return len(erasure.names)


def _forget_printed(connection: duckdb.DuckDBPyConnection, erasure: Erasure) -> None:
    for trace in stored.PRINTED:
        trace.delete(connection, erasure.keys)


def _nothing(connection: duckdb.DuckDBPyConnection, erasure: Erasure) -> int:
    return 0


def _forget_labels(connection: duckdb.DuckDBPyConnection, erasure: Erasure) -> None:
    erase_labels(connection, erasure.forgotten)


def _forget_notes(connection: duckdb.DuckDBPyConnection, erasure: Erasure) -> None:
    stored.clear_remarks(connection, erasure.windows)


def _rewritten(connection: duckdb.DuckDBPyConnection, erasure: Erasure) -> int:
    return len(_changed_overrides(connection, erasure))


def _forget_rewritten(connection: duckdb.DuckDBPyConnection, erasure: Erasure) -> None:
    for override in _changed_overrides(connection, erasure):
        put_texts(connection, override)


def _changed_overrides(connection: duckdb.DuckDBPyConnection, erasure: Erasure) -> list[Override]:
    """What the owner wrote about posts, without this person's names; only where that is another text."""
    written = overrides(connection)
    eraser = erasure.forgotten.eraser({text for one in written for text in (one.title, one.body) if text})

    def clean(text: str | None) -> str | None:
        return eraser.text(text).replace(f"@{erasure.token}", "[name]") if text else text

    cleaned = [one._replace(title=clean(one.title), body=clean(one.body)) for one in written]
    return [new for new, old in zip(cleaned, written, strict=True) if new != old]


PLACES: Sequence[Place] = (
    Place(
        "messages of theirs",
        ("raw_messages", "minute_versions"),
        _said,
        lambda connection, erasure: leave_places(connection, erasure.names, erasure.forgotten),
    ),
    Place(
        "windows in which others name them",
        ("raw_messages", "minute_versions", "media"),
        _named,
        lambda connection, erasure: erase_names(connection, erasure.forgotten),
    ),
    Place("names in files' and the chat's own names", ("export_files", "facts"), _nothing, _forget_labels),
    Place(
        "lines that were not understood",
        ("lines_not_understood",),
        *_rows(stored.LINES_NOT_UNDERSTOOD),
    ),
    Place(
        "texts that told who is who",
        ("common_texts",),
        *_rows(stored.COMMON_TEXTS),
    ),
    Place("printed names", ("authors", "author_names", "export_names"), _printed, _forget_printed),
    Place(
        "decisions",
        ("decisions",),
        *_rows(stored.DECISIONS),
    ),
    Place(
        "media files",
        ("media",),
        *_rows(stored.MEDIA),
    ),
    Place(
        "notes of who is in which window",
        ("window_people",),
        *_rows(stored.PRESENCES),
    ),
    Place(
        "anonymised messages",
        ("messages",),
        *_rows(stored.MESSAGES),
    ),
    Place(
        "posts, portraits and other texts",
        ("documents",),
        *_rows(stored.DOCUMENTS),
    ),
    Place(
        "tags and categories",
        ("vocabulary", "synonyms"),
        _nothing,
        lambda connection, erasure: prune(connection, list(erasure.windows)),
    ),
    Place("texts of the owner's that name them", ("overrides",), _rewritten, _forget_rewritten),
    Place("remarks about windows", ("stage_results",), _nothing, _forget_notes),
)
"""In the order in which they are walked: what others are found by goes last."""

IMPERSONAL: Mapping[str, str] = {
    "minute_members": "minutes and digests of exports",
    "clock_knots": "minutes and digests of exports",
    "windows": "times, counts and hashes",
    "claims": "processes",
    "forgotten": "keyed hashes, which is all that is to stay",
}
"""The other tables, and what they hold instead."""


@dataclass(frozen=True)
class Files:
    """Where something of people lies outside the warehouse."""

    what: str
    forget: Callable[[SiteFolder, Erasure], int]
    """Takes a person out; how much there was. May be called again after it was interrupted."""


def _forget_answers(folder: SiteFolder, erasure: Erasure) -> int:
    return ResponseCache(LlmStore(folder.llm)).delete_for([erasure.token], erasure.messages, erasure.media)


def _forget_media(folder: SiteFolder, erasure: Erasure) -> int:
    if not erasure.media or not folder.media.is_dir():
        return 0
    store = MediaStore(folder.media)
    return sum(store.delete(media) for media in erasure.media)


def _forget_backups(folder: SiteFolder, erasure: Erasure) -> int:
    return remove_backups(folder.warehouse)


def _forget_paths(folder: SiteFolder, erasure: Erasure) -> int:
    listed = {str(path) for path in imported_files(folder.warehouse)}
    return erase_files(folder.warehouse, erasure.forgotten.eraser(listed).text)


FILES: Sequence[Files] = (
    Files("files in the media store", _forget_media),
    Files("kept answers of a model service", _forget_answers),
    Files("copies of the warehouse from before an upgrade", _forget_backups),
    Files("names in the list of imported files", _forget_paths),
)
"""The built site, its pages and its configuration aren't here: `withdrawal` builds them anew without the person."""
