"""WhatsApp's exports: zips, folders and text files of phones of every language."""

from __future__ import annotations

from pathlib import Path

from egregora_resources.inputs.export import Export


class WhatsApp:
    """The input adapter."""

    name = "whatsapp"

    def sniff(self, path: Path) -> bool:
        """A text file, or a container that holds one."""
        from egregora_resources.inputs.whatsapp.read import looks_right

        return looks_right(path)

    def read(self, path: Path, *, chat: str | None, date_order: str) -> Export:
        """The chat in `path`; see `egregora_resources.inputs.registry.read_export`."""
        from egregora_resources.inputs.whatsapp.read import read

        return read(path, chat=chat, date_order=date_order)
