"""Tests, mirroring the two packages. Names are sentences; parts are real: DuckDB, MkDocs, Dagster."""
