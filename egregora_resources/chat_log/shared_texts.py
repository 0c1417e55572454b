"""Texts that two exports print under different names: the evidence that the names are one person's."""

from __future__ import annotations

import duckdb
import pyarrow as pa

from egregora_resources.chat_log.persons import ENOUGH_LETTERS, Persons
from egregora_resources.chat_log.placement import POSITIONS

SPOKEN = "name IS NOT NULL AND kind <> 'notice' AND NOT deleted AND NOT media_omitted AND text <> ''"

_TEXT = "md5_number(text) AS text_hash, length(text) AS length"
"""What is compared: a million texts themselves would take half a gigabyte."""


def note_common_texts(con: duckdb.DuckDBPyConnection, digest: str, persons: Persons) -> bool:
    """Adds to `common_texts` what the incoming export and earlier ones have in common under other names.

    Counted is a text that exactly one person says in that minute in either export, where neither of the two
    occurs in the other's export at all: whom both phones print is known to be somebody else.

    Of two names' texts the longest `ENOUGH_LETTERS` are kept. Where there are more, these are enough, whatever else
    there is: so what is left out never decides, and where everybody was renamed it is almost all.

    Returns:
        False if no two names can be one person's.
    """
    roots = [persons.root(name) for name in persons.parents]
    numbers = {root: number for number, root in enumerate(dict.fromkeys(roots))}
    con.register(
        "person_of",
        pa.table(
            {
                "name": pa.array(persons.parents, pa.string()),
                "person": pa.array([numbers[root] for root in roots], pa.int32()),
            }
        ),
    )
    con.register(
        "roots",
        pa.table({"name": pa.array(numbers, pa.string()), "person": pa.array(numbers.values(), pa.int32())}),
    )
    con.execute(
        """
        CREATE OR REPLACE TEMP TABLE cast_list AS
        SELECT DISTINCT e.digest, e.sequence, p.person
        FROM export_names n JOIN person_of p USING (name) JOIN export_files e USING (digest)
        """
    )
    con.execute(
        """
        CREATE OR REPLACE TEMP TABLE missing AS SELECT DISTINCT person FROM cast_list
        WHERE person NOT IN (SELECT person FROM cast_list WHERE digest = ?)
        """,
        [digest],
    )
    possible = con.execute("SELECT count(*) FROM missing").fetchall()[0][0] > 0
    if possible:
        con.execute(
            f"""
            INSERT INTO common_texts (name, other, text_hash, length)
            WITH here AS (
                SELECT i.minute, {_TEXT}, min(p.person) AS person
                FROM (SELECT minute, text, printed FROM incoming WHERE {SPOKEN}) i
                JOIN person_of p ON p.name = i.printed
                WHERE i.minute IN (SELECT minute FROM differing)
                GROUP BY ALL HAVING min(p.person) = max(p.person)
            ), elsewhere AS (
                SELECT e.sequence, d.minute, l.name, {_TEXT}
                FROM differing d
                JOIN (SELECT id // {POSITIONS} AS minute, name, text FROM raw_messages WHERE {SPOKEN}) l USING (minute)
                JOIN export_files e ON d.minute BETWEEN e.first_id // {POSITIONS} AND e.last_id // {POSITIONS}
                WHERE e.digest <> $digest AND d.minute NOT IN (SELECT minute FROM minute_members)
                UNION ALL
                SELECT e.sequence, m.minute, v.name, {_TEXT} FROM minute_members m
                JOIN export_files e USING (digest)
                JOIN (FROM minute_versions WHERE {SPOKEN}) v ON v.minute = m.minute AND v.digest = m.source
                WHERE m.digest <> $digest AND m.minute IN (SELECT minute FROM differing)
            ), there AS (
                SELECT x.sequence, x.minute, x.text_hash, x.length, min(p.person) AS person FROM elsewhere x
                JOIN person_of p USING (name)
                GROUP BY ALL HAVING min(p.person) = max(p.person)
            ), found AS (
                SELECT DISTINCT t.person AS one, h.person AS other, h.text_hash, h.length
                FROM here h JOIN there t USING (minute, text_hash, length)
                SEMI JOIN missing ON missing.person = t.person
                ANTI JOIN cast_list c ON c.sequence = t.sequence AND c.person = h.person
                WHERE h.person <> t.person
            )
            SELECT one.name, other.name, f.text_hash::TEXT, f.length
            FROM found f JOIN roots one ON one.person = f.one JOIN roots other ON other.person = f.other
            QUALIFY row_number() OVER (PARTITION BY f.one, f.other ORDER BY f.length DESC, f.text_hash)
                <= {ENOUGH_LETTERS}
            """,
            {"digest": digest},
        )
    con.unregister("person_of")
    con.unregister("roots")
    return possible
