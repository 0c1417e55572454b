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
from egregora_resources.warehouse.imported_files import erase_files, imported_files
from egregora_resources.warehouse.migrations import remove_backups


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


def _rows(table: str, where: str, values: Callable[[Erasure], list[object]]) -> tuple[
    Callable[[duckdb.DuckDBPyConnection, Erasure], int], Callable[[duckdb.DuckDBPyConnection, Erasure], object]
]:  # fmt: skip
    """Counts and deletes rows of one table."""

    def holds(connection: duckdb.DuckDBPyConnection, erasure: Erasure) -> int:
        query = f"SELECT count(*) FROM {table} WHERE {where}"
        return int(connection.execute(query, values(erasure)).fetchall()[0][0])

    def forget(connection: duckdb.DuckDBPyConnection, erasure: Erasure) -> object:
        return connection.execute(f"DELETE FROM {table} WHERE {where}", values(erasure))

    return holds, forget


def _said(connection: duckdb.DuckDBPyConnection, erasure: Erasure) -> int:
    query = "SELECT count(*) FROM raw_messages WHERE list_contains(?, name)"
    return int(connection.execute(query, [list(erasure.names)]).fetchall()[0][0])


def _named(connection: duckdb.DuckDBPyConnection, erasure: Erasure) -> int:
    query = "SELECT count(*) FROM window_people WHERE author_id = ? AND named"
    return int(connection.execute(query, [erasure.author_id]).fetchall()[0][0])


def _printed(connection: duckdb.DuckDBPyConnection, erasure: Erasure) -> int:
    return len(erasure.names)


def _forget_printed(connection: duckdb.DuckDBPyConnection, erasure: Erasure) -> None:
    connection.execute("DELETE FROM authors WHERE author_id = ?", [erasure.author_id])
    for table in ("author_names", "export_names"):
        connection.execute(f"DELETE FROM {table} WHERE list_contains(?, name)", [list(erasure.names)])


def _nothing(connection: duckdb.DuckDBPyConnection, erasure: Erasure) -> int:
    return 0


def _forget_labels(connection: duckdb.DuckDBPyConnection, erasure: Erasure) -> None:
    erase_labels(connection, erasure.forgotten)


def _forget_notes(connection: duckdb.DuckDBPyConnection, erasure: Erasure) -> None:
    connection.execute(
        "UPDATE stage_results SET note = '', error = '', parts = '{}' WHERE list_contains(?, window_key)",
        [list(erasure.windows)],
    )


def _rewritten(connection: duckdb.DuckDBPyConnection, erasure: Erasure) -> int:
    return len(_changed_overrides(connection, erasure))


def _forget_rewritten(connection: duckdb.DuckDBPyConnection, erasure: Erasure) -> None:
    for post, title, body in _changed_overrides(connection, erasure):
        connection.execute("UPDATE overrides SET title = ?, body = ? WHERE post_id = ?", [title, body, post])


def _changed_overrides(
    connection: duckdb.DuckDBPyConnection, erasure: Erasure
) -> list[tuple[str, str | None, str | None]]:
    """What the owner wrote about posts, without this person's names; only where that is another text."""
    rows = connection.execute("SELECT post_id, title, body FROM overrides").fetchall()
    eraser = erasure.forgotten.eraser({text for row in rows for text in row[1:] if text})

    def clean(text: str | None) -> str | None:
        return eraser.text(text).replace(f"@{erasure.token}", "[name]") if text else text

    return [
        (post, clean(title), clean(body))
        for post, title, body in rows
        if (clean(title), clean(body)) != (title, body)
    ]


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
        *_rows(
            "lines_not_understood",
            "digest IN (SELECT digest FROM export_names WHERE list_contains(?, name))",
            lambda erasure: [list(erasure.names)],
        ),
    ),
    Place(
        "texts that told who is who",
        ("common_texts",),
        *_rows(
            "common_texts",
            "list_contains($1, name) OR list_contains($1, other)",
            lambda erasure: [list(erasure.names)],
        ),
    ),
    Place("printed names", ("authors", "author_names", "export_names"), _printed, _forget_printed),
    Place(
        "decisions",
        ("decisions",),
        *_rows("decisions", "author_id = ?", lambda erasure: [erasure.author_id]),
    ),
    Place(
        "media files",
        ("media",),
        *_rows("media", "list_contains(?, id)", lambda erasure: [list(erasure.media)]),
    ),
    Place(
        "notes of who is in which window",
        ("window_people",),
        *_rows("window_people", "author_id = ?", lambda erasure: [erasure.author_id]),
    ),
    Place(
        "anonymised messages",
        ("messages",),
        *_rows(
            "messages",
            "author = $1 OR contains(text, $1) OR contains(coalesce(data, ''), $1)",
            lambda erasure: [erasure.token],
        ),
    ),
    Place(
        "posts, portraits and other texts",
        ("documents",),
        *_rows(
            "documents",
            "list_contains($2, window_key) OR contains(id || front_matter || body, $1)",
            lambda erasure: [erasure.token, list(erasure.windows)],
        ),
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
