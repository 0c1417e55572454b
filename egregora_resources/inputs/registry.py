"""The input adapters, by name, and the choice among them.

A new kind of input is a module with an object of this protocol and one line in `ADAPTERS`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from egregora_resources.inputs.container import digest
from egregora_resources.inputs.export import DATE_ORDERS, Export, InputError
from egregora_resources.inputs.whatsapp import WhatsApp


class InputAdapter(Protocol):
    """Reads one kind of export."""

    name: str

    def sniff(self, path: Path) -> bool:
        """Whether `path` may be of this kind, from a quick look."""
        ...

    def read(self, path: Path, *, chat: str | None, date_order: str) -> Export:
        """The chat in `path`; `InputError` if it can't be read."""
        ...


ADAPTERS: dict[str, InputAdapter] = {"whatsapp": WhatsApp()}


def adapter_for(path: Path) -> InputAdapter:
    """The first adapter that recognises `path`; the only one, where there is one."""
    if len(ADAPTERS) == 1:
        return next(iter(ADAPTERS.values()))  # its own errors say more than "not recognised"
    for adapter in ADAPTERS.values():
        if adapter.sniff(path):
            return adapter
    raise InputError(f"{path} is not an export that Egregora can read ({', '.join(ADAPTERS)}).")


def read_export(path: Path, *, chat: str | None = None, date_order: str | None = "auto") -> Export:
    """Reads an export with the adapter that recognises it.

    Args:
        path: a zip, a text file or a folder.
        chat: which chat, where the container holds several.
        date_order: `auto`, `day-first`, `month-first` or `year-first`.

    Raises:
        InputError: the path can't be read as an export; the text says why and what to do.
    """
    order = date_order or "auto"
    if order not in DATE_ORDERS:
        raise InputError(f"The date order “{order}” is not known. Use one of: {', '.join(DATE_ORDERS)}.")
    path = Path(path)
    return adapter_for(path).read(path, chat=chat, date_order=order)


def read_nonempty_export(path: Path, *, chat: str | None = None, date_order: str | None = "auto") -> Export:
    """Reads an export that is to be imported; see `read_export`.

    Raises:
        InputError: the path can't be read as an export, or there is no message in it.
    """
    export = read_export(path, chat=chat, date_order=date_order)
    if len(export.messages) == 0:
        raise InputError(
            f"{path} holds no message of a chat. Export the chat again, and give the zip as it comes."
        )
    return export


def export_digest(path: Path) -> str:
    """What recognises an export that was imported before, without parsing it.

    Raises:
        InputError: the path can't be read.
    """
    return digest(Path(path))
