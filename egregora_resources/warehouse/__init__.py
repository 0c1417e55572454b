"""The site's database: connection, tables, stored results, claims, compaction.

The one room that names tables for everybody. Only the merge (`chat_log/`) and the answers' own database (`llm/`) have
SQL of their own.
"""
