"""Merging an export into the one log of the chat.

The log is a function of the set of exports: minutes in which all exports that cover them agree are stored
once, as rows of `raw_messages` (if one clock shows seconds and another doesn't, that is no difference: the log
has them); for the others `minute_versions` keeps what each export has, and `fold`
makes the rows from all of them anew whenever one is added. So an import costs reading the export, and
folding the minutes where it differs from what is known.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np
import pyarrow as pa

from egregora_resources.chat_log import persons as who
from egregora_resources.chat_log import versions
from egregora_resources.chat_log.id_ranges import Changes, Span
from egregora_resources.chat_log.placement import Knot, place
from egregora_resources.chat_log.shared_texts import note_common_texts

if TYPE_CHECKING:
    from egregora_resources.inputs.export import Export


@dataclass(frozen=True)
class Merged:
    """What an import did to the log.

    Attributes:
        new: messages that no earlier export had.
        changed: messages that read otherwise than before.
        absent: known messages of the time the export covers that it doesn't have; they are kept.
        touched: ranges of message ids, first and last, outside of which nothing was written.
        joined: author ids that turned out to be one person: the one kept, the one given up.
        renamed: the log prints some people under other names than before, wherever they speak.
        new_names: names seen for the first time, in order of appearance.
    """

    new: int = 0
    changed: int = 0
    absent: int = 0
    touched: tuple[tuple[int, int], ...] = ()
    joined: tuple[tuple[str, str], ...] = ()
    renamed: bool = False
    new_names: tuple[str, ...] = ()


def merge_export(
    con: duckdb.DuckDBPyConnection,
    export: Export,
    *,
    pseudonyms: who.Pseudonyms,
    same: Sequence[Sequence[str]] = (),
    modified: datetime | None = None,
) -> Merged:
    """Adds an export to the log, inside the caller's transaction.

    An export whose digest is known changes nothing but what `same` newly says.

    Args:
        pseudonyms: gives new people their ids.
        same: names that the owner says are one person.
        modified: when the phone wrote the file, if known; breaks ties between exports that end together.
    """
    persons, changes, told = _join_told(con, pseudonyms, same)
    if con.execute("SELECT 1 FROM export_files WHERE digest = ?", [export.digest]).fetchone():
        return _merged(changes, told)
    known_names = frozenset(persons.parents)
    incoming = _Incoming.read(export)
    new_names = [name for name in incoming.names if name not in known_names]
    who.add_names(persons, new_names, pseudonyms)
    who.join_told(persons, same)
    _store_file(con, export, incoming, modified)
    if incoming.span is None:
        return _merged(changes, told)
    incoming.offer(con, persons.printed(among=known_names))
    versions.find_differing(con, export.digest, incoming.span, seconds=incoming.seconds)
    if note_common_texts(con, export.digest, persons) and who.join_evident(con, persons):
        incoming.offer(con, persons.printed(among=known_names))
        versions.find_differing(con, export.digest, incoming.span, seconds=incoming.seconds)
    found = who.settle_persons(con, persons, new_names, pseudonyms)
    naming = persons.printed()
    incoming.offer(con, naming)
    more = versions.store(
        con,
        export.digest,
        incoming.span,
        incoming.knots,
        naming,
        everywhere=bool(found.joined),
        seconds=incoming.seconds,
    )
    con.unregister("incoming")
    con.execute(
        "UPDATE export_files SET new_messages = ?, changed_messages = ?, absent_messages = ? WHERE digest = ?",
        [more.new, more.changed, more.absent, export.digest],
    )
    return _merged(changes.and_then(more), told, found, tuple(new_names))


def join_persons(
    con: duckdb.DuckDBPyConnection, *, pseudonyms: who.Pseudonyms, same: Sequence[Sequence[str]]
) -> Merged:
    """Makes one person of those that the owner says are one, in the log as it stands; in the caller's transaction."""
    _, changes, told = _join_told(con, pseudonyms, same)
    return _merged(changes, told)


def _join_told(
    con: duckdb.DuckDBPyConnection, pseudonyms: who.Pseudonyms, same: Sequence[Sequence[str]]
) -> tuple[who.Persons, Changes, who.Settled]:
    persons = who.known_persons(con)
    who.join_told(persons, same)
    told = who.settle_persons(con, persons, (), pseudonyms)
    changes = versions.recombine_all(con, persons.printed()) if told.joined else Changes()
    return persons, changes, told


def _merged(
    changes: Changes,
    told: who.Settled,
    found: who.Settled | None = None,
    new_names: tuple[str, ...] = (),
) -> Merged:
    return Merged(
        changes.new,
        changes.changed,
        changes.absent,
        tuple(changes.ranges()),
        told.joined + (found.joined if found else ()),
        told.renamed or (found is not None and found.renamed),
        new_names,
    )


@dataclass(frozen=True)
class _Incoming:
    """An export's messages in order, as columns of the log."""

    columns: pa.Table
    author: pa.DictionaryArray
    knots: tuple[Knot, ...]
    seconds: bool
    """Its clock shows them."""

    @staticmethod
    def read(export: Export) -> _Incoming:
        messages = export.messages
        seconds = messages["timestamp"].cast(pa.timestamp("s")).cast(pa.int64())
        minutes = np.floor_divide(seconds.to_numpy(), 60)
        placement = place(minutes)
        author = messages["author"].combine_chunks().dictionary_encode()
        columns: dict[str, Any] = {
            "id": placement.ids,
            "minute": minutes,
            "ts": messages["timestamp"].cast(pa.timestamp("us")),
        }
        for name in ("kind", "text", "attachment", "edited", "deleted", "media_omitted", "data"):
            columns[name] = messages[name]
        shows_seconds = bool(np.any(minutes * 60 != seconds.to_numpy()))
        return _Incoming(pa.table(columns), author, placement.knots, shows_seconds)

    @property
    def names(self) -> list[str]:
        """Printed names in order of appearance."""
        return [name for name in self.author.dictionary.to_pylist() if name is not None]

    @property
    def span(self) -> Span | None:
        ids = self.columns["id"]
        return Span(ids[0].as_py(), ids[-1].as_py()) if len(ids) else None

    def offer(self, con: duckdb.DuckDBPyConnection, naming: Mapping[str, str]) -> None:
        """Makes the relation `incoming`, with people under the names that the log prints."""
        printed = self.author.dictionary
        in_log = pa.array([naming.get(name) for name in printed.to_pylist()], pa.string())
        table = self.columns.append_column("printed", self.author).append_column(
            "name", pa.DictionaryArray.from_arrays(self.author.indices, in_log)
        )
        # DuckDB reads the chunks of a table in parallel.
        con.register("incoming", pa.Table.from_batches(table.to_batches(max_chunksize=122_880)))


def _store_file(
    con: duckdb.DuckDBPyConnection, export: Export, incoming: _Incoming, modified: datetime | None
) -> None:
    if modified is not None and modified.tzinfo is not None:
        modified = modified.astimezone(UTC).replace(tzinfo=None)
    stamps = incoming.columns["ts"]
    span = incoming.span
    con.execute(
        """
        INSERT INTO export_files (digest, sequence, file_name, chat, messages, first_message, last_message,
            first_id, last_id, seconds, modified, date_order, confidence, not_understood,
            new_messages, changed_messages, absent_messages, imported_at)
        SELECT ?, coalesce(max(sequence), 0) + 1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0, 0, ? FROM export_files
        """,
        [
            export.digest,
            export.source.name,
            export.chat,
            len(stamps),
            stamps[0].as_py() if span else None,
            stamps[-1].as_py() if span else None,
            span.first_id if span else None,
            span.last_id if span else None,
            incoming.seconds,
            modified,
            export.date_order,
            export.confidence,
            len(export.not_understood),
            datetime.now(UTC).replace(tzinfo=None),
        ],
    )
    for position, name in enumerate(incoming.names):
        con.execute("INSERT INTO export_names VALUES (?, ?, ?)", [export.digest, name, position])
