"""Texts that two exports print under different names: the evidence that the names are one person's."""

from __future__ import annotations

import duckdb
import pyarrow as pa

from egregora_resources.chat_log.order import POSITIONS
from egregora_resources.chat_log.persons import Persons

SPOKEN = "name IS NOT NULL AND kind <> 'notice' AND NOT deleted AND NOT media_omitted AND text <> ''"


def note_common_texts(con: duckdb.DuckDBPyConnection, digest: str, persons: Persons) -> bool:
    """Adds to `common_texts` what the incoming export and earlier ones have in common under other names.

    Counted is a text that exactly one person says in that minute in either export, where neither of the two
    occurs in the other's export at all: whom both phones print is known to be somebody else.

    Returns:
        False if no two names can be one person's.
    """
    con.register(
        "person_of",
        pa.table(
            {
                "name": pa.array(persons.parents, pa.string()),
                "person": pa.array([persons.root(name) for name in persons.parents], pa.string()),
            }
        ),
    )
    con.execute(
        """
        CREATE OR REPLACE TEMP TABLE cast_list AS
        SELECT DISTINCT n.digest, p.person FROM export_names n JOIN person_of p USING (name)
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
                SELECT i.minute, i.text, any_value(p.person) AS person
                FROM (SELECT minute, text, printed FROM incoming WHERE {SPOKEN}) i
                JOIN person_of p ON p.name = i.printed
                WHERE i.minute IN (SELECT minute FROM differing)
                GROUP BY ALL HAVING count(DISTINCT p.person) = 1
            ), elsewhere AS (
                SELECT e.digest, d.minute, l.name, l.text
                FROM differing d
                JOIN (SELECT id // {POSITIONS} AS minute, name, text FROM raw_messages WHERE {SPOKEN}) l USING (minute)
                JOIN export_files e ON d.minute BETWEEN e.first_id // {POSITIONS} AND e.last_id // {POSITIONS}
                WHERE d.minute NOT IN (SELECT minute FROM minute_members)
                UNION ALL
                SELECT m.digest, m.minute, v.name, v.text FROM minute_members m
                JOIN (FROM minute_versions WHERE {SPOKEN}) v ON v.minute = m.minute AND v.digest = m.source
                WHERE m.minute IN (SELECT minute FROM differing)
            ), there AS (
                SELECT x.digest, x.minute, x.text, any_value(p.person) AS person FROM elsewhere x
                JOIN person_of p USING (name) WHERE x.digest <> $digest
                GROUP BY ALL HAVING count(DISTINCT p.person) = 1
            )
            SELECT DISTINCT t.person, h.person, md5(h.text), length(h.text)
            FROM here h JOIN there t ON h.minute = t.minute AND h.text = t.text AND h.person <> t.person
            SEMI JOIN missing ON missing.person = t.person
            ANTI JOIN cast_list c ON c.digest = t.digest AND c.person = h.person
            """,
            {"digest": digest},
        )
    con.unregister("person_of")
    return possible
