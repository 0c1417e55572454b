"""The schema of every table and view of `tables.sql`, as Ibis sees it: what the expressions of this room start from.

A test holds it against `tables.sql`. Loading this module loads Ibis.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import ibis

SCHEMAS: Mapping[str, Mapping[str, str]] = {
    "export_files": {
        "digest": "string",
        "sequence": "int32",
        "file_name": "string",
        "chat": "string",
        "messages": "int64",
        "first_message": "timestamp(6)",
        "last_message": "timestamp(6)",
        "first_id": "int64",
        "last_id": "int64",
        "seconds": "boolean",
        "modified": "timestamp(6)",
        "date_order": "string",
        "confidence": "float64",
        "not_understood": "int64",
        "new_messages": "int64",
        "changed_messages": "int64",
        "absent_messages": "int64",
        "imported_at": "timestamp(6)",
    },
    "lines_not_understood": {"digest": "string", "line": "string"},
    "raw_messages": {
        "id": "int64",
        "ts": "timestamp(6)",
        "name": "string",
        "kind": "string",
        "text": "string",
        "attachment": "string",
        "edited": "boolean",
        "deleted": "boolean",
        "media_omitted": "boolean",
        "data": "string",
    },
    "minute_members": {"minute": "int64", "digest": "string", "source": "string"},
    "minute_versions": {
        "minute": "int64",
        "digest": "string",
        "id": "int64",
        "ts": "timestamp(6)",
        "name": "string",
        "kind": "string",
        "text": "string",
        "attachment": "string",
        "edited": "boolean",
        "deleted": "boolean",
        "media_omitted": "boolean",
        "data": "string",
    },
    "clock_knots": {"digest": "string", "first_minute": "int64", "last_minute": "int64", "whole": "boolean"},
    "export_names": {"digest": "string", "name": "string", "position": "int32"},
    "common_texts": {"name": "string", "other": "string", "text_hash": "string", "length": "int32"},
    "authors": {"author_id": "string", "token": "string"},
    "author_names": {"name": "string", "author_id": "string"},
    "decisions": {
        "author_id": "string",
        "source": "string",
        "alias": "string",
        "bio": "string",
        "avatar": "string",
        "interests": "string",
        "website": "string",
        "twitter": "string",
        "opted_out": "boolean",
        "opted_out_at": "int64",
        "level": "string",
    },
    "forgotten": {"hash": "string", "person": "string", "form": "string", "words": "int32"},
    "media": {
        "digest": "string",
        "name": "string",
        "id": "string",
        "kind": "string",
        "extension": "string",
        "size": "int64",
        "crc": "int64",
    },
    "message_media": {
        "message": "int64",
        "attachment": "string",
        "id": "string",
        "kind": "string",
        "extension": "string",
        "size": "int64",
    },
    "windows": {
        "key": "string",
        "ordinal": "int32",
        "first_id": "int64",
        "last_id": "int64",
        "start_time": "timestamp(6)",
        "end_time": "timestamp(6)",
        "messages": "int64",
        "bytes": "int64",
        "content": "string",
        "touched": "string",
        "reported": "string",
        "retired": "boolean",
    },
    "window_people": {"window_key": "string", "author_id": "string", "messages": "int64", "named": "boolean"},
    "messages": {
        "window_key": "string",
        "id": "int64",
        "ts": "timestamp(6)",
        "author": "string",
        "kind": "string",
        "text": "string",
        "media": "string",
        "edited": "boolean",
        "data": "string",
    },
    "documents": {
        "kind": "string",
        "id": "string",
        "window_key": "string",
        "slug": "string",
        "front_matter": "string",
        "body": "string",
        "stage": "string",
    },
    "vocabulary": {"kind": "string", "term": "string", "first_window": "string"},
    "synonyms": {"kind": "string", "term": "string", "stays": "string"},
    "overrides": {
        "post_id": "string",
        "hidden": "boolean",
        "pinned": "boolean",
        "title": "string",
        "body": "string",
    },
    "stage_results": {
        "stage": "string",
        "window_key": "string",
        "status": "string",
        "fingerprint": "string",
        "data_version": "string",
        "parts": "string",
        "reason": "string",
        "note": "string",
        "error": "string",
        "degraded": "string",
        "calls": "int32",
        "input_tokens": "int64",
        "output_tokens": "int64",
        "usd": "float64",
        "seconds": "float64",
        "documents": "int32",
        "finished_at": "timestamp(6)",
        "run_id": "string",
        "reported": "boolean",
    },
    "claims": {
        "window_key": "string",
        "run_id": "string",
        "host": "string",
        "pid": "int32",
        "process_started": "float64",
        "claimed_at": "timestamp(6)",
    },
    "facts": {"key": "string", "value": "string"},
}


def table(name: str) -> Any:
    """A table as an unbound expression. Any: Ibis's stubs don't know the columns of a schema."""
    return ibis.table(SCHEMAS[name], name=name)


_builtin: Any = ibis.udf.scalar.builtin


@_builtin
def strlen(text: str) -> int:
    """UTF-8 bytes of a text, which Ibis can't count."""
    raise NotImplementedError(text)


@_builtin
def regexp_extract_all(text: str, pattern: str) -> list[str]:
    """Every match of a pattern in a text."""
    raise NotImplementedError(text, pattern)
