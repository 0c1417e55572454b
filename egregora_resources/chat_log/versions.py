"""What exports have that others have not: found, and stored for each export.

The membership rule everything here keeps: in a minute without rows in `minute_members`, every export whose
time span covers the minute has exactly the log's rows; without the seconds, if its clock shows none. In the others `minute_members` names the exports
that cover it, and `minute_versions` holds what each of them has.

Works on the relation `incoming`: the export being imported, with the names that the log prints.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import duckdb
import numpy as np
import pyarrow as pa

from egregora_resources.chat_log.id_ranges import Changes, Span, disjoint, within, without
from egregora_resources.chat_log.placement import POSITIONS, Knot, Segments
from egregora_resources.chat_log.recombine import rank_exports, recombine
from egregora_resources.chat_log.rows import CONTENT, ROW

_MINUTE = "date_trunc('minute', ts)"
_BY_THE_MINUTE = ROW.replace("ts", _MINUTE, 1)


def find_differing(con: duckdb.DuckDBPyConnection, digest: str, span: Span, *, seconds: bool) -> None:
    """Notes in `differing` the minutes, of those that earlier exports cover, where this one isn't the log.

    Args:
        seconds: its clock shows them.
    """
    con.execute("CREATE OR REPLACE TEMP TABLE differing (minute BIGINT)")
    common = _in_common(con, digest, span)
    to_the_second = within(common, _covered(con, digest, seconds=True)) if seconds else []
    for ranges, exactly in ((to_the_second, True), (without(common, to_the_second), False)):
        row = f"hash({ROW if exactly else _BY_THE_MINUTE}) AS row"
        for bounds in ranges:
            con.execute(
                f"""
                INSERT INTO differing SELECT DISTINCT coalesce(i.id, l.id) // {POSITIONS}
                FROM (SELECT id, {row} FROM incoming WHERE id BETWEEN $1 AND $2) i
                FULL JOIN (SELECT id, {row} FROM raw_messages WHERE id BETWEEN $1 AND $2) l
                ON i.id = l.id WHERE i.row IS DISTINCT FROM l.row
                """,
                bounds,
            )


def _in_common(con: duckdb.DuckDBPyConnection, digest: str, span: Span) -> list[tuple[int, int]]:
    """Ranges of message ids, whole minutes, that both this export and others cover."""
    return within(_covered(con, digest), [(span.first_id // POSITIONS * POSITIONS, _end(span.last_id))])


def _end(message_id: int) -> int:
    return message_id // POSITIONS * POSITIONS + POSITIONS - 1


def _covered(
    con: duckdb.DuckDBPyConnection, digest: str, *, seconds: bool | None = None
) -> list[tuple[int, int]]:
    """Ranges of message ids, whole minutes, that exports other than this one cover.

    Args:
        seconds: only those whose clocks show seconds, or only those whose clocks don't.
    """
    spans = con.execute(
        "SELECT first_id, last_id FROM export_files "
        "WHERE digest <> $1 AND first_id IS NOT NULL AND seconds = coalesce($2, seconds)",
        [digest, seconds],
    ).fetchall()
    return disjoint((first // POSITIONS * POSITIONS, _end(last)) for first, last in spans)


def store(
    con: duckdb.DuckDBPyConnection,
    digest: str,
    span: Span,
    knots: Sequence[Knot],
    naming: Mapping[str, str],
    *,
    everywhere: bool,
    seconds: bool,
) -> Changes:
    """Adds the incoming export to the log and to what is known about exports.

    Args:
        span: of the export.
        knots: of the export.
        naming: the name that the log prints, for every name.
        everywhere: persons known before were joined, so all minutes with versions are folded anew.
        seconds: see `find_differing`.
    """
    changes = Changes()
    spans = rank_exports(con, naming)
    _tie_knots(con, digest, span, knots, everywhere)
    _find_special(con, span, everywhere)
    _keep_versions(con, digest, span)
    if seconds:
        _learn_seconds(con, digest, span, changes)
    _append_plain(con, digest, span, changes)
    if not everywhere:
        _leave_quiet(con, digest, changes)
    recombine(con, digest, span, spans, changes)
    return changes


def recombine_all(con: duckdb.DuckDBPyConnection, naming: Mapping[str, str]) -> Changes:
    """Folds all minutes with versions anew, after persons were joined."""
    changes = Changes()
    spans = rank_exports(con, naming)
    _tie_knots(con, "", Span(0, -1), (), everywhere=True)
    con.execute("CREATE OR REPLACE TEMP TABLE special AS SELECT DISTINCT minute FROM minute_members")
    recombine(con, "", Span(0, -1), spans, changes)
    return changes


def _tie_knots(
    con: duckdb.DuckDBPyConnection, digest: str, span: Span, knots: Sequence[Knot], everywhere: bool
) -> None:
    """Notes in `knot_parts` which minutes can only be put in order together, and if that is to be done."""
    if knots:
        rows = pa.table(
            {
                "first_minute": pa.array([knot.first for knot in knots], pa.int64()),
                "last_minute": pa.array([knot.last for knot in knots], pa.int64()),
                "whole": pa.array([knot.whole for knot in knots], pa.bool_()),
            }
        )
        con.register("knot_rows", rows)
        con.execute(
            "INSERT INTO clock_knots SELECT ?, first_minute, last_minute, whole FROM knot_rows", [digest]
        )
        con.unregister("knot_rows")
    everything = con.execute("SELECT DISTINCT first_minute, last_minute, whole FROM clock_knots").fetchall()
    parts = Segments([Knot(*row) for row in everything]).parts
    first, last = span.minutes
    own = {knot.first for knot in knots}
    starts = [part[0] for part in parts]
    hit = {segment for start, end, segment in parts if everywhere or (start <= last and end >= first)} | {
        parts[int(np.searchsorted(starts, minute, side="right")) - 1][2] for minute in own
    }
    con.register(
        "part_rows",
        pa.table(
            {
                "first_minute": pa.array(starts, pa.int64()),
                "last_minute": pa.array([part[1] for part in parts], pa.int64()),
                "segment": pa.array([part[2] for part in parts], pa.int64()),
                "hit": pa.array([part[2] in hit for part in parts], pa.bool_()),
            }
        ),
    )
    con.execute("CREATE OR REPLACE TEMP TABLE knot_parts AS SELECT * FROM part_rows")
    con.unregister("part_rows")


def _find_special(con: duckdb.DuckDBPyConnection, span: Span, everywhere: bool) -> None:
    """Notes in `special` the minutes of which every export's version is needed."""
    con.execute(
        """
        CREATE OR REPLACE TEMP TABLE special AS SELECT minute FROM differing
        UNION SELECT minute FROM minute_members WHERE ? OR minute BETWEEN ? AND ?
        """,
        [everywhere, *span.minutes],
    )
    if con.execute("SELECT count(*) FROM knot_parts WHERE hit").fetchall()[0][0]:
        con.execute(
            f"""
            INSERT INTO special
            SELECT DISTINCT m.minute FROM (
                SELECT id // {POSITIONS} AS minute FROM raw_messages
                UNION SELECT minute FROM incoming
                UNION SELECT minute FROM minute_members
            ) m JOIN knot_parts k ON k.hit AND m.minute BETWEEN k.first_minute AND k.last_minute
            WHERE m.minute NOT IN (FROM special)
            """
        )


def _keep_versions(con: duckdb.DuckDBPyConnection, digest: str, span: Span) -> None:
    """Stores what each export has in special minutes: for the earlier ones that is what the log has.

    Exports that have the same there share the rows of one of them, their `source`.
    """
    con.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE agreed AS
        SELECT s.minute, e.digest,
            first(e.digest) OVER (PARTITION BY s.minute, e.seconds ORDER BY e.sequence) AS source, e.seconds
        FROM special s JOIN export_files e
        ON s.minute BETWEEN e.first_id // {POSITIONS} AND e.last_id // {POSITIONS}
        WHERE e.digest <> ? AND s.minute NOT IN (SELECT minute FROM minute_members)
        """,
        [digest],
    )
    con.execute(
        f"""
        INSERT INTO minute_versions (minute, digest, {ROW})
        SELECT a.minute, a.digest, l.* REPLACE (CASE WHEN a.seconds THEN l.ts ELSE {_MINUTE} END AS ts) FROM agreed a
        JOIN (SELECT {ROW} FROM raw_messages) l ON l.id // {POSITIONS} = a.minute
        WHERE a.digest = a.source
        """
    )
    con.execute(
        "INSERT INTO minute_members (minute, digest, source) SELECT minute, digest, source FROM agreed"
    )
    con.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE own AS
        SELECT i.minute, coalesce(min(v.digest), $digest) AS source FROM (
            SELECT minute, sum(hash({ROW})) AS rows FROM incoming
            WHERE minute IN (SELECT minute FROM special) GROUP BY minute
        ) i LEFT JOIN (
            SELECT minute, digest, sum(hash(id, ts, coalesce(n.printed, v.name), {CONTENT})) AS rows
            FROM minute_versions v LEFT JOIN naming n ON n.name = v.name
            WHERE minute IN (SELECT minute FROM special) GROUP BY minute, digest
        ) v ON v.minute = i.minute AND v.rows = i.rows GROUP BY i.minute
        """,
        {"digest": digest},
    )
    con.execute(
        f"""
        INSERT INTO minute_versions (minute, digest, {ROW})
        SELECT minute, $digest, id, ts, printed, {CONTENT} FROM incoming
        WHERE minute IN (SELECT minute FROM own WHERE source = $digest)
        """,
        {"digest": digest},
    )
    con.execute(
        """
        INSERT INTO minute_members (minute, digest, source)
        SELECT minute, $digest, source FROM own UNION ALL
        SELECT minute, $digest, $digest FROM special
        WHERE minute BETWEEN $first AND $last AND minute NOT IN (SELECT minute FROM own)
        """,
        {"digest": digest, "first": span.minutes[0], "last": span.minutes[1]},
    )


def _learn_seconds(con: duckdb.DuckDBPyConnection, digest: str, span: Span, changes: Changes) -> None:
    """Adds the seconds to messages that only exports without them had."""
    by_the_minute = without(_in_common(con, digest, span), _covered(con, digest, seconds=True))
    for bounds in by_the_minute:
        con.execute(
            """
            CREATE OR REPLACE TEMP TABLE finer AS
            SELECT i.id, i.ts FROM incoming i JOIN raw_messages l USING (id)
            WHERE i.id BETWEEN ? AND ? AND i.ts <> l.ts AND i.minute NOT IN (SELECT minute FROM special)
            """,
            bounds,
        )
        first_id, last_id, count = con.execute("SELECT min(id), max(id), count(*) FROM finer").fetchall()[0]
        if count:
            con.execute("UPDATE raw_messages SET ts = finer.ts FROM finer WHERE finer.id = raw_messages.id")
            changes.touch(first_id, last_id)
            changes.changed += count


def _leave_quiet(con: duckdb.DuckDBPyConnection, digest: str, changes: Changes) -> None:
    """Takes out of `special` the minutes that folding would leave as they are.

    That is so where this export has nothing, or comes last and has exactly what the one before it has, and
    neither begins or ends there.
    """
    con.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE quiet AS
        WITH counted AS (SELECT minute, digest, count(*) AS messages FROM minute_versions
            WHERE minute IN (SELECT minute FROM special) GROUP BY ALL
        ), latest AS (
            SELECT m.minute, arg_max(v.messages, r.rank) AS messages, arg_max(m.digest, r.rank) AS digest,
                array_agg(m.source ORDER BY r.rank DESC) AS sources,
                array_agg(m.minute IN (r.first_id // {POSITIONS}, r.last_id // {POSITIONS}) ORDER BY r.rank DESC) AS edges
            FROM minute_members m JOIN ranks r USING (digest)
            JOIN counted v ON v.minute = m.minute AND v.digest = m.source GROUP BY m.minute
        )
        SELECT s.minute, CASE WHEN o.minute IS NULL THEN 0 ELSE l.messages END AS messages
        FROM special s LEFT JOIN own o USING (minute) LEFT JOIN latest l USING (minute)
        WHERE (o.minute IS NULL OR (l.digest = ? AND l.sources[1] = l.sources[2] AND NOT l.edges[1] AND NOT l.edges[2]))
        AND NOT EXISTS (FROM knot_parts k WHERE s.minute BETWEEN k.first_minute AND k.last_minute)
        """,
        [digest],
    )
    known = con.execute(
        f"SELECT count(*) FROM raw_messages WHERE id // {POSITIONS} IN (SELECT minute FROM quiet)"
    ).fetchall()[0][0]
    had = con.execute("SELECT coalesce(sum(messages), 0) FROM quiet").fetchall()[0][0]
    changes.absent += int(known - had)
    con.execute("DELETE FROM special WHERE minute IN (SELECT minute FROM quiet)")


def _append_plain(con: duckdb.DuckDBPyConnection, digest: str, span: Span, changes: Changes) -> None:
    """Adds the messages of times that no earlier export covers."""
    apart = con.execute("SELECT count(*) FROM special").fetchall()[0][0]
    start, gaps = span.first_id, list[tuple[int, int]]()
    for first_id, last_id in _covered(con, digest):
        gaps.append((start, min(first_id - 1, span.last_id)))
        start = max(start, last_id + 1)
    for bounds in [*gaps, (start, span.last_id)]:
        if bounds[0] > bounds[1]:
            continue
        # Where that is everything, to sieve it would take as long as to store it.
        plain = "FROM incoming WHERE " + (
            "TRUE" if bounds == span else f"id BETWEEN {bounds[0]} AND {bounds[1]}"
        )
        if apart:
            plain += " AND minute NOT IN (SELECT minute FROM special)"
        first_id, last_id, count = con.execute(f"SELECT min(id), max(id), count(*) {plain}").fetchall()[0]
        if count:
            con.execute(f"INSERT INTO raw_messages ({ROW}) SELECT {ROW} {plain}")
            changes.touch(first_id, last_id)
            changes.new += count
