"""`messages[w]`: one window, anonymised. The only stage that reads raw messages.

Notices, commands, retracted messages and everything of members who opted out stay behind; names, numbers and
addresses leave the text.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any, ClassVar

from egregora_assets.pipeline.context import Made, WindowWork
from egregora_assets.pipeline.stage import Stage
from egregora_resources.document import Message
from egregora_resources.media.kinds import kind_by_name
from egregora_resources.people import said_of
from egregora_resources.privacy import scrubber
from egregora_resources.privacy.commands import parse_command
from egregora_resources.privacy.names import index
from egregora_resources.site.settings import Settings

HIDDEN_TEXT = {"location": "[location]", "contact": "[contact]", "view_once": "[view once]"}
"""What stands for messages whose content is never shown."""

PLACELESS_KINDS = frozenset({"notice", "deleted"})


class MessagesStage(Stage):
    name: ClassVar[str] = "messages"
    after: ClassVar[tuple[str, ...]] = ()
    code: ClassVar[str] = f"1/{scrubber.VERSION}/{index.VERSION}"
    description: ClassVar[str] = (
        "The window's messages, anonymised: no names, numbers, addresses, commands or opted-out members."
    )
    kinds: ClassVar[frozenset[str]] = frozenset({"duckdb", "ibis"})

    def reads(self, settings: Settings) -> Any:
        return settings.privacy.model_dump(mode="json", exclude={"level", "authors"})

    async def make(self, work: WindowWork) -> Made:
        return Made(messages=await asyncio.to_thread(anonymise, work))


def anonymise(work: WindowWork) -> list[Message]:
    """The messages of a window that may leave the raw tables, cleaned."""
    context = work.context
    people, scrub = context.people, context.scrubber.scrub
    messages: list[Message] = []
    for row in work.raw_messages().to_pylist():
        member = people.by_name.get(row["name"] or "")
        if member is None or member.opted_out or row["kind"] in PLACELESS_KINDS or row["deleted"]:
            continue
        text = said_of(row["text"], media_omitted=row["media_omitted"])
        if "egregora" in text.lower() and parse_command(text) is not None:
            continue
        data = _scrub_data(json.loads(row["data"]), scrub) if row["data"] and row["kind"] == "poll" else None
        media, known = None, context.file_of(row["id"], row["attachment"])
        if row["kind"] == "media" and not (known and known[0]):
            why = "omitted" if row["attachment"] is None else "missing" if known is None else "damaged"
            media, data = f"{why}-{row['id']}", {"file": kind_by_name(row["attachment"] or "")}
        elif known and known[1] != "contact":
            media = known[0] or None
        messages.append(
            Message(
                id=row["id"],
                time=row["ts"],
                author=member.token,
                kind=row["kind"],
                text=HIDDEN_TEXT.get(row["kind"]) or scrub(text),
                media=media,
                edited=row["edited"],
                data=data,
            )
        )
    return messages


def _scrub_data(value: Any, scrub: Any) -> Any:
    """Cleans every text inside a poll's particulars."""
    if isinstance(value, str):
        return scrub(value)
    if isinstance(value, dict):
        return {key: _scrub_data(inner, scrub) for key, inner in value.items()}
    if isinstance(value, list):
        return [_scrub_data(inner, scrub) for inner in value]
    return value
