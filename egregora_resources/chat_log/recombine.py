"""Rows of the log made anew from what all exports have, where a new export may change them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

import duckdb
import pyarrow as pa

from egregora_resources.chat_log.combine import fold
from egregora_resources.chat_log.id_ranges import Changes, Span
from egregora_resources.chat_log.placement import POSITIONS
from egregora_resources.chat_log.rows import ROW, SAID, MessageRow, Version

SEGMENTS_AT_ONCE = 20_000

LOG_SCHEMA = pa.schema(
    [
        ("id", pa.int64()),
        ("ts", pa.timestamp("us")),
        ("name", pa.string()),
        ("kind", pa.string()),
        ("text", pa.string()),
        ("attachment", pa.string()),
        ("edited", pa.bool_()),
        ("deleted", pa.bool_()),
        ("media_omitted", pa.bool_()),
        ("data", pa.string()),
    ]
)


def rank_exports(con: duckdb.DuckDBPyConnection, naming: Mapping[str, str]) -> dict[str, Span]:
    """Notes in `ranks` which export ends later, and in `naming` how the log prints names."""
    con.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE ranks AS
        SELECT digest, first_id, last_id, row_number() OVER (
            ORDER BY last_id // {POSITIONS}, modified NULLS LAST, messages, sequence) - 1 AS rank
        FROM export_files WHERE first_id IS NOT NULL
        """
    )
    table = {"name": pa.array(naming, pa.string()), "printed": pa.array(naming.values(), pa.string())}
    con.register("names_in_log", pa.table(table))
    con.execute("CREATE OR REPLACE TEMP TABLE naming AS SELECT * FROM names_in_log")
    con.unregister("names_in_log")
    rows = con.execute("SELECT digest, first_id, last_id FROM ranks ORDER BY rank").fetchall()
    return {digest: Span(first_id, last_id) for digest, first_id, last_id in rows}


def recombine(
    con: duckdb.DuckDBPyConnection, digest: str, span: Span, spans: Mapping[str, Span], changes: Changes
) -> None:
    """Makes the rows of special minutes from all exports' versions, and writes those that are other."""
    con.execute(
        """
        CREATE OR REPLACE TEMP TABLE folding AS
        WITH known AS (
            SELECT m.minute, coalesce(k.segment, m.minute) AS segment
            FROM (SELECT DISTINCT minute FROM minute_members) m
            LEFT JOIN knot_parts k ON m.minute BETWEEN k.first_minute AND k.last_minute
        )
        FROM known WHERE segment IN (SELECT segment FROM known WHERE minute IN (SELECT minute FROM special))
        """
    )
    ranked = list(spans.values())
    own = list(spans).index(digest) if digest in spans else -1
    first, last = span.minutes
    segments = con.execute("SELECT DISTINCT segment FROM folding ORDER BY 1").fetchnumpy()["segment"]
    for start in range(0, len(segments), SEGMENTS_AT_ONCE):
        some = segments[start : start + SEGMENTS_AT_ONCE]
        bounds = int(some[0]), int(some[-1])
        before = dict(_log(con, bounds))
        gone: list[int] = []
        fresh: list[MessageRow] = []
        for segment, versions in _versions(con, bounds, ranked):
            rows, sources = fold(versions)
            old = before.pop(segment, [])
            if own >= 0:
                newer = sum(have == frozenset({own}) for have in sources)
                changes.new += newer
                changes.absent += sum(
                    own not in have and first <= row.minute <= last
                    for row, have in zip(rows, sources, strict=True)
                )
            else:
                newer = 0
            if rows == old:
                continue
            was, now = {row.id: row for row in old}, {row.id: row for row in rows}
            left = [row for row in old if now.get(row.id) != row]
            came = [row for row in rows if was.get(row.id) != row]
            other = Counter(row[1:] for row in came) - Counter(row[1:] for row in left)
            changes.changed += max(0, other.total() - newer)
            gone += [row.id for row in left]
            fresh += came
            ids = {row.id for row in (*left, *came)}
            for _, group in groupby(sorted(ids), key=lambda one: one // POSITIONS):
                run = list(group)
                changes.touch(run[0], run[-1])
        _write(con, gone, fresh)


def _log(con: duckdb.DuckDBPyConnection, bounds: tuple[int, int]) -> Iterator[tuple[int, list[MessageRow]]]:
    rows = con.execute(
        f"""
        SELECT f.segment, l.* FROM folding f
        JOIN (SELECT {SAID} FROM raw_messages) l ON l.id // {POSITIONS} = f.minute
        WHERE f.segment BETWEEN ? AND ? ORDER BY f.segment, l.id
        """,
        bounds,
    ).fetchall()
    for segment, group in groupby(rows, key=lambda row: row[0]):
        yield segment, [MessageRow(*row[1:]) for row in group]


def _versions(
    con: duckdb.DuckDBPyConnection, bounds: tuple[int, int], spans: Sequence[Span]
) -> Iterator[tuple[int, list[Version]]]:
    rows = con.execute(
        f"""
        SELECT f.segment, r.rank, v.* REPLACE (coalesce(n.printed, v.name) AS name) FROM folding f
        JOIN minute_members m USING (minute) JOIN ranks r USING (digest)
        JOIN (SELECT minute, digest, {SAID} FROM minute_versions) v ON v.minute = m.minute AND v.digest = m.source
        LEFT JOIN naming n ON n.name = v.name
        WHERE f.segment BETWEEN ? AND ? ORDER BY f.segment, r.rank, v.id
        """,
        bounds,
    ).fetchall()
    for segment, of_segment in groupby(rows, key=lambda row: row[0]):
        versions: list[Version] = []
        for rank, of_export in groupby(of_segment, key=lambda row: row[1]):
            said = [MessageRow(*row[4:]) for row in of_export]
            first_id, last_id = spans[rank]
            versions.append(Version(rank, said[0].id == first_id, said[-1].id == last_id, said))
        yield segment, versions


def _write(con: duckdb.DuckDBPyConnection, gone: list[int], fresh: list[MessageRow]) -> None:
    if gone:
        con.register("gone", pa.table({"id": pa.array(gone, pa.int64())}))
        con.execute("DELETE FROM raw_messages WHERE id IN (FROM gone)")
        con.unregister("gone")
    if fresh:
        columns: list[Sequence[Any]] = list(zip(*fresh, strict=True))
        columns[1] = [second * 1_000_000 for second in columns[1]]
        arrays = [pa.array(column, kind) for column, kind in zip(columns, LOG_SCHEMA.types, strict=True)]
        con.register("fresh", pa.table(arrays, schema=LOG_SCHEMA))
        con.execute(f"INSERT INTO raw_messages ({ROW}) SELECT {ROW} FROM fresh")
        con.unregister("fresh")
