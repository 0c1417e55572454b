"""Tests, mirroring the two packages. Names are sentences; parts are real: DuckDB, MkDocs, Dagster."""

HANG = 900
"""Seconds after which something hangs. On a busy machine everything else takes its time, and is no fault."""
