"""The merged log as arrays, in the log's order: what laying out windows reads of it, a million messages at a time.

Windows are ranges of rows here, so that counting, fingerprinting and finding speakers are slices instead of joins.
"""

# Arrow has no types:
# pyright: reportUnknownParameterType=false

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from egregora_resources.warehouse.raw_log import log_tables

Integers = npt.NDArray[np.int64]

_TEXTS = ("author", "kind", "text", "attachment", "data", "file")
_FLAGS = ("edited", "deleted", "media_omitted")


@dataclass(frozen=True)
class Log:
    """All raw messages in the order of the log: `columns` has a contiguous array for each."""

    columns: dict[str, pa.Array]

    @classmethod
    def read(cls, connection: duckdb.DuckDBPyConnection) -> Log:
        """The log as it stands, authors by id and attachments with the id of their stored file."""
        table, authors, files = log_tables(connection)
        ids = table["id"].to_numpy()
        if len(ids) and not bool(np.all(ids[1:] > ids[:-1])):
            table = table.take(pa.array(np.argsort(ids)))
        columns = {
            name: _contiguous(table[name])
            for name in ("id", "ts", "kind", "text", "attachment", "data", *_FLAGS)
        }
        columns["author"] = _mapped(table["name"], authors)
        columns["file"] = _placed(columns["id"].to_numpy(), files)
        return cls(columns)

    @cached_property
    def ids(self) -> Integers:
        return self.columns["id"].to_numpy()

    @cached_property
    def sizes(self) -> Integers:
        """UTF-8 bytes of each text."""
        return np.diff(_offsets(self.columns["text"]))

    @cached_property
    def _speakers(self) -> tuple[Integers, list[str]]:
        encoded = self.columns["author"].dictionary_encode()
        return pc.fill_null(encoded.indices, -1).to_numpy().astype(np.int64), encoded.dictionary.to_pylist()

    def fingerprint(self, first: int, last: int) -> str:
        """Hash of everything in the rows `first` to `last` (inclusive); the same in every version of every library.

        Authors go in by id: a contact renamed on the phone is the same person saying the same.
        """
        digest = hashlib.blake2b(digest_size=16)
        for name in ("id", "ts"):
            digest.update(self.columns[name].to_numpy()[first : last + 1].tobytes())
        for name in _FLAGS:
            flags = self.columns[name].slice(first, last - first + 1)
            digest.update(flags.to_numpy(zero_copy_only=False).tobytes())
        for name in _TEXTS:
            for piece in _bytes_of(self.columns[name], first, last + 1):
                digest.update(piece)
        return digest.hexdigest()

    def speakers(self, first: int, last: int) -> dict[str, int]:
        """Author id → number of messages in these rows."""
        codes, authors = self._speakers
        counts = np.bincount(codes[first : last + 1] + 1, minlength=len(authors) + 1)[1:]
        return {authors[n]: int(counts[n]) for n in np.flatnonzero(counts)}


def _contiguous(column: pa.ChunkedArray) -> pa.Array:
    wide = column.cast(pa.large_string()) if pa.types.is_string(column.type) else column
    return wide.combine_chunks() if wide.num_chunks != 1 else wide.chunk(0)


def _mapped(column: pa.ChunkedArray, meaning: dict[str, str]) -> pa.Array:
    """Each value's meaning; None where it has none."""
    encoded = column.combine_chunks().dictionary_encode()
    meant = pa.array([meaning.get(value) for value in encoded.dictionary.to_pylist()], pa.large_string())
    return meant.take(encoded.indices)


def _placed(ids: Integers, files: pa.Table) -> pa.Array:
    """The file of each message, out of a table of both in order of the messages."""
    if len(files) == 0:
        return pa.nulls(len(ids), pa.large_string())
    messages = files["message"].to_numpy()
    places = np.minimum(np.searchsorted(messages, ids), len(messages) - 1)
    return _contiguous(files["id"]).take(pa.array(places, mask=messages[places] != ids))


def _offsets(column: pa.Array) -> Integers:
    buffer = column.buffers()[1]
    whole = np.frombuffer(buffer, np.int64) if buffer else np.zeros(1, np.int64)
    return whole[column.offset : column.offset + len(column) + 1]


def _bytes_of(column: pa.Array, start: int, stop: int) -> Iterator[bytes | memoryview]:
    """Lengths, letters and gaps of the rows `start` to `stop` (exclusive): no two contents give the same bytes."""
    offsets = _offsets(column)[start : stop + 1]
    yield np.diff(offsets).tobytes()
    letters = column.buffers()[2]
    if letters is not None:
        yield memoryview(letters)[int(offsets[0]) : int(offsets[-1])]
    # Of these rows alone: a gap elsewhere is no change here.
    rows = column.slice(start, stop - start)
    if rows.null_count:
        yield rows.is_null().to_numpy(zero_copy_only=False).tobytes()
