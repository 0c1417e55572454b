"""Reading one chat out of a container: finds its text, parses it, and says what is odd about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from egregora_resources.inputs.container import (
    LARGEST_TEXT,
    ContainedFile,
    Listing,
    composed,
    digest,
    list_container,
)
from egregora_resources.inputs.export import DATE_ORDERS, Export, InputError, Member
from egregora_resources.inputs.whatsapp.chat_name import chat_name, is_chat_text, stem_is_plain
from egregora_resources.inputs.whatsapp.header import sight
from egregora_resources.inputs.whatsapp.parse import Parsed, parse
from egregora_resources.inputs.whatsapp.text import NotText, blocks

_CUTS = (40_000, 10_000)
_NEAR = 0.0025
_PEEK = 1 << 16
_MOST_REASONS = 3


def looks_right(path: Path) -> bool:
    """Whether `path` holds a chat's text."""
    try:
        return bool(_texts(list_container(path)))
    except InputError:
        return False


def read(path: Path, *, chat: str | None, date_order: str) -> Export:
    """See `egregora_resources.inputs.registry.read_export`."""
    listing = list_container(path)
    text = _chosen(path, listing, chat)
    if text.size > LARGEST_TEXT:
        raise InputError(f"{text.path} in {path} is over {LARGEST_TEXT >> 20} MB, which no chat's text is.")
    label = chat_name(text.name, text.parents)
    warnings = list(listing.warnings)
    media = _media(listing, text, warnings)
    try:
        with ThreadPoolExecutor(1) as beside:
            content = beside.submit(digest, path)
            parsed = parse(text.opener, label=label, members=_Names(media), wanted=DATE_ORDERS[date_order])
    except NotText as error:
        raise InputError(
            f"{path if text.path == path.name else f'{text.path} in {path}'} {error}. "
            "Give the export as it came from the phone, not saved again by another program."
        ) from error
    except OSError as error:
        raise InputError(f"{path} can't be read: {error.strerror or error}.") from error
    warnings += parsed.warnings
    for name in parsed.messages["attachment"].drop_null().unique().to_pylist() if media else ():
        if name not in media and (member := media.get(composed(name))):
            media[name] = replace(member, name=name)
    return Export(
        source=path,
        digest=content.result(),
        chat=parsed.chat,
        messages=parsed.messages,
        media=media,
        date_order=parsed.order.name,
        confidence=parsed.order.confidence,
        evidence=parsed.order.evidence,
        not_understood=tuple(parsed.not_understood),
        warnings=(*warnings, *_oddities(parsed)),
        modified=text.modified,
    )


class _Names:
    """The names of the files beside a chat's text, which may put accents together where it doesn't."""

    def __init__(self, media: Mapping[str, Member]) -> None:
        self._media = media

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and composed(name) in self._media


def _texts(listing: Listing) -> list[ContainedFile]:
    """The chats' texts: by their names; if none is named so, those that read like one."""
    texts = [file for file in listing.files if file.name.lower().endswith(".txt")]
    if len(texts) > 1:
        named = [file for file in texts if is_chat_text(file.name)]
        return named or [file for file in texts if _reads_like_chat(file)]
    return texts


def _reads_like_chat(file: ContainedFile) -> bool:
    try:
        with file.opener() as stream:
            block, _ = next(blocks(stream, [], _PEEK))
    except (NotText, InputError, OSError):
        return False
    return any(sight(line) for line in block.decode("utf-8", "replace").split("\n")[:50])


def _chosen(path: Path, listing: Listing, chat: str | None) -> ContainedFile:
    single = not path.is_dir() and len(listing.files) == 1 and listing.files[0].parents == ()
    texts = listing.files if single else _texts(listing)
    if not texts:
        raise InputError(_no_chat(path, listing))
    if len(texts) == 1:
        return texts[0]
    names = {text.path: chat_name(text.name, text.parents) or _by_place(text) for text in texts}
    chats = ", ".join(f"“{name}”" for name in sorted(set(names.values())))
    if chat is None and len(set(names.values())) > 1:
        raise InputError(f"{path} holds {len(texts)} chats: {chats}. Say which one with --chat.")
    chat = chat or names[texts[0].path]
    matching = [text for text in texts if chat in (names[text.path], text.path, text.name)]
    matching = matching or [text for text in texts if names[text.path].casefold() == chat.casefold()]
    if not matching:
        raise InputError(f"{path} holds no chat “{chat}”, but {chats}.")
    if len(matching) > 1:
        paths = ", ".join(text.path for text in matching)
        raise InputError(f"{path} holds several chats “{chat}”: {paths}. Give one of these paths as --chat.")
    return matching[0]


def _by_place(text: ContainedFile) -> str:
    """What to call a chat of several that doesn't say its name: its folder."""
    return text.parents[-1] if text.parents[1:] and stem_is_plain(text.name) else text.path


def _no_chat(path: Path, listing: Listing) -> str:
    what = "folder" if path.is_dir() else "zip"
    if not listing.files and not listing.warnings:
        return f"{path} is an empty {what}. Give the zip that WhatsApp's “Export chat” made."
    return " ".join(
        [
            f"{path} holds no chat: none of its files is a .txt.",
            *listing.warnings[:_MOST_REASONS],
            "Give the zip that WhatsApp's “Export chat” made.",
        ]
    )


def _media(listing: Listing, text: ContainedFile, warnings: list[str]) -> dict[str, Member]:
    media: dict[str, Member] = {}
    twice = 0
    for file in listing.files:
        if file is text or file.parents[: len(text.parents)] != text.parents or is_chat_text(file.name):
            continue
        if file.name in media:
            twice += 1
            continue
        media[file.name] = file.member()
    if twice:
        files = "One file has" if twice == 1 else f"{twice:,} files have"
        warnings.append(f"{files} the name of another one; the first of each was taken.")
    return media


def _oddities(parsed: Parsed) -> Sequence[str]:
    count = len(parsed.messages)
    found: list[str] = []
    for cut in _CUTS:
        if abs(count - cut) <= cut * _NEAR:
            found.append(
                f"It holds {count:,} messages. WhatsApp cuts exports at about {cut:,} without saying so; "
                "older messages may be missing."
            )
    return found
