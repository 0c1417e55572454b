"""What windows hold, in numbers, for estimates: from the log, because a window may be new, and not anonymised yet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from egregora_assets.windowing.splitting import MESSAGE_OVERHEAD_TOKENS, cuts
from egregora_resources.site.settings import PipelineSettings
from egregora_resources.warehouse.database import Warehouse


@dataclass(frozen=True, slots=True)
class WindowSize:
    """What a window holds, in numbers."""

    messages: int
    bytes: int
    people: int
    links: int
    """Links to describe, those among them that an earlier window shared."""
    linking: Sequence[int] = ()
    """Messages that share a link first."""
    files: Sequence[int] = ()
    """Messages with a file that is sent."""
    parts: int = 1
    """In which it is written; 0 where it can't be, because it is too large."""


def window_sizes(storage: Warehouse, pipeline: PipelineSettings) -> dict[str, WindowSize]:
    """By window. Raw messages are counted and measured here, not read."""
    windows = "SELECT key, first_id, last_id FROM windows WHERE NOT retired"
    with storage.connect() as connection:
        links = connection.execute(
            rf"""
            WITH found AS (
                SELECT id, regexp_replace(unnest(regexp_extract_all(text, '(?i)https?://[^\s<>"'']+')),
                    '[.,;:!?…)\]}}*_~]+$|#.*$', '') AS url
                FROM raw_messages WHERE contains(text, '://') AND NOT deleted
            ), described AS (
                SELECT key, url, min(id) AS id FROM found JOIN ({windows}) ON id BETWEEN first_id AND last_id
                GROUP BY key, url QUALIFY row_number() OVER (PARTITION BY key ORDER BY min(id)) <= ?
            ), first AS (SELECT url, min(id) AS id FROM described GROUP BY url)
            SELECT key, count(*), list(first.id) FILTER (WHERE first.id = described.id)
            FROM described JOIN first USING (url) GROUP BY key
            """,
            [pipeline.enrichment.max_urls_per_window],
        ).fetchall()
        files = connection.execute(
            f"""
            SELECT key, list(DISTINCT message) FROM message_media JOIN ({windows})
            ON message BETWEEN first_id AND last_id WHERE id <> '' AND kind <> 'document' GROUP BY key
            """
        ).fetchall()
        rows = connection.execute(
            "SELECT key, messages, bytes, (SELECT count(*) FROM window_people p WHERE p.window_key = key "
            "AND p.messages > 0) FROM windows WHERE NOT retired"
        ).fetchall()
        long = connection.execute(
            f"""
            SELECT key, list(ts ORDER BY id), list((strlen(text) + 3) // 4 + ? ORDER BY id)
            FROM raw_messages JOIN ({windows}) ON id BETWEEN first_id AND last_id
            GROUP BY key HAVING sum((strlen(text) + 3) // 4 + ?) > ?
            """,
            [MESSAGE_OVERHEAD_TOKENS, MESSAGE_OVERHEAD_TOKENS, pipeline.max_prompt_tokens],
        ).fetchall()
    parts = {key: _parts(times, costs, pipeline) for key, times, costs in long}
    shared = {key: (count, first or []) for key, count, first in links}
    attached = dict(files)
    return {
        key: WindowSize(
            messages,
            size,
            people,
            *shared.get(key, (0, [])),
            files=attached.get(key, []),
            parts=parts.get(key, 1),
        )
        for key, messages, size, people in rows
    }


def _parts(times: Sequence[datetime], costs: Sequence[int], pipeline: PipelineSettings) -> int:
    most = pipeline.max_parts if pipeline.split else 1
    if max(costs) > pipeline.max_prompt_tokens:
        return 0
    parts = len(cuts(times, costs, pipeline.max_prompt_tokens, most)) - 1
    return parts if parts <= most else 0
