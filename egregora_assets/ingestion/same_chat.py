"""Which chat an export belongs to: told by its name; where that isn't known, by what is said in it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

import pyarrow as pa

from egregora_assets.ingestion.report import DifferentChat
from egregora_resources.inputs.export import Export
from egregora_resources.warehouse.database import Warehouse
from egregora_resources.warehouse.raw_log import texts_in_common

TELLING_LETTERS = 5
"""A text as long as this is no word that is said all the time."""
TELLING_TEXTS = 3
"""So many texts, in hours of which the site knows what was said, and none of them is known."""

_SPELLING = re.compile(r"[\s\\/:*?\"<>|_.\-\ufe0f\u200d]+")
"""What phones leave out or replace, where a chat's name becomes a file's."""


def site_chat_with(
    warehouse: Warehouse, site_chat: str, earlier: Sequence[Export], export: Export, *, wanted: str | None
) -> str:
    """The site's chat, now that this export comes to it.

    Args:
        site_chat: the chat's name so far, or "" where nothing told it.
        earlier: exports that come with this one and aren't in the warehouse yet.
        wanted: what the owner says it is.

    Raises:
        DifferentChat: it is another chat's.
    """
    chat = site_chat or export.chat or wanted or ""
    if wanted is not None:
        return chat
    if site_chat and export.chat:
        if _spelled(export.chat) != _spelled(site_chat):
            raise DifferentChat(
                f"{export.source} is an export of “{export.chat}”, and this site is about “{site_chat}”. "
                f'Give another --site for it, or --chat "{export.chat}" if it is the same chat under another name.'
            )
    elif _says_other_things(warehouse, earlier, export):
        what = f"chat “{chat}”" if chat else "chat"
        raise DifferentChat(
            f"{export.source} says nothing that this site knows, though both are of the same time: "
            "it seems to be another chat. "
            f'Give another --site for it, or --chat "{chat or "…"}" if it is an export of this site’s {what}.'
        )
    return chat


def _spelled(chat: str) -> str:
    return _SPELLING.sub("", unicodedata.normalize("NFC", chat)).casefold()


def _says_other_things(warehouse: Warehouse, earlier: Sequence[Export], export: Export) -> bool:
    """Whether both speak in the same hours, and have not a single text of a minute in common."""
    columns = ["timestamp", "kind", "text"]
    known = [one.messages.select(columns) for one in earlier]
    with warehouse.connect() as connection:
        apart, common = texts_in_common(
            connection,
            export.messages.select(columns),
            pa.concat_tables([export.messages.schema.empty_table().select(columns), *known]),
            letters=TELLING_LETTERS,
        )
    return apart >= TELLING_TEXTS and not common
