"""What is measured in a process of its own: ``python child.py READER EXPORT SMALL`` or ``python child.py import EXPORT SITE``.

The first reads a small export to warm up, and then times an export; the second imports an export into a site. Prints
the count of messages, seconds and CPU seconds as JSON.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from measuring import timed

Read = Callable[[str], int]
"""Reads an export; returns how many messages it holds."""


def egregora() -> Read:
    from egregora_resources.inputs.registry import read_export

    return lambda path: len(read_export(Path(path)).messages)


def whatstk() -> Read:
    chat = import_module("whatstk").WhatsAppChat
    return lambda path: len(chat.from_source(path).df)


def chat_miner() -> Read:
    whatsapp_parser = import_module("chatminer.chatparsers").WhatsAppParser
    logging.disable()

    def read(path: str) -> int:
        parser = whatsapp_parser(path)
        parser.parse_file()
        return len(parser.parsed_messages.get_df())

    return read


def into_site(path: str, site: str) -> int:
    """Imports an export as the command does, up to the windows; returns how many messages the log then has."""
    from egregora_assets.ingestion.imports import import_exports
    from egregora_resources.site.folder import SiteFolder
    from egregora_resources.site.settings import Settings
    from egregora_resources.site.site import Site
    from egregora_resources.warehouse.database import Warehouse

    folder = SiteFolder(Path(site))
    folder.state.mkdir(parents=True, exist_ok=True)
    warehouse = Warehouse(folder.warehouse)
    import_exports(Site(folder, Settings(), warehouse), [Path(path)], chat="Trip")
    return warehouse.rows("SELECT count(*) FROM raw_messages")[0][0]


READERS = {"egregora": egregora, "whatstk": whatstk, "chat-miner": chat_miner}


def main() -> None:
    """See the module."""
    what, first, second = sys.argv[1:]
    if what == "import":
        print(json.dumps(timed(lambda: into_site(first, second))))  # noqa: T201
        return
    read = READERS[what]()
    read(second)
    print(json.dumps(timed(lambda: read(first))))  # noqa: T201


if __name__ == "__main__":
    main()
