"""The files of a chat: kept once each, byte for byte, and made fit for the site.

On disk, below ``<site>/.egregora/media``::

    originals/ab/abcd…      the file as it was in the export, named by its SHA-256, read-only
    derived/ab/abcd…/       what is published instead of it, and a note of what that is
    incoming/               files being written; leftovers of a killed process go at the next start

Pictures are only ever published as they were encoded here (`media.pictures`). Voice messages, films and
documents are published as they are, hard-linked, so that they take no space a second time; where the file
system has no hard links, as clones or copies. A film whose boxes tell a place or a name is published as a
blanked copy (`media.mp4`).

What is *not* stripped: recording times in films, tags in Matroska, AVI, Ogg, MP3, FLAC, WAV and AMR, and
everything inside documents: author names in PDF and office files, EXIF of pictures in them.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import os
import re
import secrets
import shutil
import stat
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from threading import BoundedSemaphore
from typing import Any, BinaryIO

from egregora_resources.media import film_metadata, pictures
from egregora_resources.media.kinds import FILMS, HEAD, LINKED, Kind, recognise, why_not
from egregora_resources.process_owner import Owner
from egregora_resources.publishing.content import MediaView

CHUNK = 1 << 20
RECIPE = 1
"""Counts up when what `media` makes of a file changes, so that everything is made anew."""

FOLDER = "media"
"""Below ``docs/``, where published files stand."""

NOT_THERE = "This file isn’t in the export."
EMPTY = "An empty file."
DAMAGED = "This file is damaged in the export."

_ID = re.compile(r"[0-9a-f]{24}")
_decoding = BoundedSemaphore(2)
"""A picture of the largest allowed size takes a quarter of a gigabyte while it is open."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A file in the store. `extension` (without dot) follows from its bytes, not from the sender's name."""

    id: str
    kind: Kind
    size: int
    extension: str


class MediaStore:
    """The media of one site. Safe to use from several threads, and from several processes at once.

    Example:
        >>> store = MediaStore(site / ".egregora" / "media")
        >>> with zip.open("IMG-20250113-WA0001.jpg") as stream:
        ...     stored = store.add("IMG-20250113-WA0001.jpg", stream)
        >>> view = store.view(stored.id, stored.kind, stored.extension)
        >>> store.publish([view], site / "docs")
    """

    def __init__(self, root: Path) -> None:
        self._originals = root / "originals"
        self._derived = root / "derived"
        self._incoming = root / "incoming"
        root.mkdir(parents=True, exist_ok=True, mode=0o700)
        for folder in (self._originals, self._derived, self._incoming):
            folder.mkdir(exist_ok=True)
        self._clear_leftovers()

    def add(self, name: str, stream: BinaryIO) -> Stored:
        """Keeps the bytes of `stream`, once, whatever they are called; `name` only helps to tell their kind.

        An error of the stream (a zip member that fails its checksum) comes through, and nothing is kept.
        """
        digest, size, head = hashlib.sha256(), 0, b""
        with self._writing() as (path, file):
            while chunk := stream.read(CHUNK):
                digest.update(chunk)
                size += file.write(chunk)
                head += chunk[: HEAD - len(head)]
            sha256 = digest.hexdigest()
            original = self._originals / sha256[:2] / sha256
            if not original.is_file() or original.stat().st_size != size:
                _settle(path, file, original)
        kind, extension = recognise(head, Path(name).suffix.removeprefix("."))
        return Stored(sha256[:24], kind, size, extension)

    def view(self, id: str, kind: str, extension: str) -> MediaView:
        """The file as a page shows it; what has to be made for that is made once.

        `kind` and `extension` are those of `Stored`; they are checked against the bytes. Anything that
        can't or mustn't be shown gives a view without path whose `missing` says so. Where a picture moves,
        its thumbnail stands still.
        """
        original = self.original(id)
        if original is None:
            return _placeholder(id, kind, NOT_THERE)
        size = original.stat().st_size
        with original.open("rb") as file:
            recognised = recognise(file.read(HEAD), extension)
        if not size:
            return _placeholder(id, kind, EMPTY)
        if recognised.kind in {"image", "sticker"} and kind in {"image", "sticker"}:
            return self._recall(id, recognised.kind) or self._make_picture(id, recognised.kind, original)
        if recognised != (kind, extension) or extension not in LINKED.get(kind, ()):
            return _placeholder(id, kind, why_not(kind, extension))
        if extension in FILMS:
            note = f"{kind}-{extension}"
            return self._recall(id, note) or self._make_film(id, note, kind, extension, original)
        return MediaView(id, kind, f"{FOLDER}/{id}.{extension}", size=size)

    def publish(self, views: Iterable[MediaView], docs: Path) -> int:
        """Puts the files of these views, and no others, into ``docs/media``.

        What a view names is checked and, if need be, made again first; so an old view can't publish
        an original in place of its blanked copy. Returns how many files were put, replaced or removed.
        """
        folder = docs / FOLDER
        wanted: dict[str, Path] = {}
        for view in views:
            if view.path is None:
                continue
            now = self.view(view.id, view.kind, Path(view.path).suffix.removeprefix("."))
            for path in filter(None, (now.path, now.thumbnail)):
                source = self._source(now.id, Path(path).name)
                if source is not None:
                    wanted[Path(path).name] = source
        changed = 0
        if wanted:
            folder.mkdir(parents=True, exist_ok=True)
        for old in list(folder.iterdir()) if folder.is_dir() else []:
            if old.name not in wanted and (old.is_symlink() or not old.is_dir()):
                _remove(old)
                changed += 1
        return changed + sum(_put(source, folder / name) for name, source in sorted(wanted.items()))

    def delete(self, id: str) -> bool:
        """Removes the original and all that was made of it; the next `publish` removes what is published.

        Returns whether there was an original. What was hard-linked into ``docs/`` stays until then.
        """
        if not _ID.fullmatch(id):
            return False
        # The original first: a publisher working meanwhile must never find it without what stands in for it.
        original = self.original(id)
        if original is not None:
            _remove(original)
        folder = self._folder(id)
        if folder.is_dir():
            for path in folder.iterdir():
                _remove(path)
            folder.rmdir()
        return original is not None

    def shareable(self, id: str) -> tuple[Path, str] | None:
        """(path, extension) of the file as it may be shown to others, e.g. to a model: pictures without metadata."""
        original = self.original(id)
        if original is None:
            return None
        with original.open("rb") as file:
            recognised = recognise(file.read(HEAD), "")
        view = self.view(id, recognised.kind, recognised.extension)
        path = self._source(id, Path(view.path).name) if view.path else None
        return (path, Path(view.path).suffix.removeprefix(".")) if path and view.path else None

    def original(self, id: str) -> Path | None:
        """Where the file stands as it was in the export, e.g. to show it to a model. Read-only."""
        if not _ID.fullmatch(id):
            return None
        return next((path for path in (self._originals / id[:2]).glob(f"{id}*")), None)

    def ids(self) -> Iterator[str]:
        """All files in the store, in the order of their ids."""
        for folder in sorted(self._originals.iterdir()):
            yield from sorted(path.name[:24] for path in folder.iterdir())

    def __contains__(self, id: object) -> bool:
        return isinstance(id, str) and self.original(id) is not None

    def _make_picture(self, id: str, kind: str, original: Path) -> MediaView:
        size = original.stat().st_size
        if size > pictures.MOST_BYTES:
            return _placeholder(id, kind, pictures.TOO_LARGE)
        try:
            with _decoding:
                shown, thumbnail = pictures.render(original.read_bytes(), sticker=kind == "sticker")
        except pictures.PictureError as error:
            return self._remember(id, kind, _placeholder(id, kind, str(error)), {})
        except MemoryError:
            # Perhaps only now: not remembered.
            return _placeholder(id, kind, pictures.TOO_LARGE)
        names = [f"{id}{made.role}.{made.extension}" for made in (shown, thumbnail)]
        files = {name: made.data for name, made in zip(names, (shown, thumbnail), strict=True)}
        for name, data in files.items():
            self._write(self._folder(id) / name, data)
        view = MediaView(
            id,
            kind,
            path=f"{FOLDER}/{names[0]}",
            thumbnail=f"{FOLDER}/{names[1]}",
            width=shown.width,
            height=shown.height,
            size=len(shown.data),
        )
        return self._remember(id, kind, view, {name: len(data) for name, data in files.items()})

    def _make_film(self, id: str, note: str, kind: str, extension: str, original: Path) -> MediaView:
        name, size = f"{id}.{extension}", original.stat().st_size
        try:
            with original.open("rb") as file:
                film = film_metadata.read(file)
        except film_metadata.FilmError as error:
            return self._remember(id, note, _placeholder(id, kind, str(error)), {})
        if film.tells:
            with self._writing() as (path, file), original.open("rb") as source:
                _clone(source, file)
                film_metadata.blank(file, film)
                _settle(path, file, self._folder(id) / name)
        width, height = (film.width, film.height) if kind == "video" else (0, 0)
        view = MediaView(id, kind, f"{FOLDER}/{name}", width=width, height=height, size=size)
        return self._remember(id, note, view, {name: size} if film.tells else {})

    def _remember(self, id: str, note: str, view: MediaView, files: dict[str, int]) -> MediaView:
        facts = {"recipe": RECIPE, "files": files, "view": dataclasses.asdict(view)}
        self._write(self._folder(id) / f"{note}.json", json.dumps(facts, sort_keys=True).encode())
        return view

    def _recall(self, id: str, note: str) -> MediaView | None:
        """What `_remember` wrote, if it is of this recipe and all files are still there in full."""
        try:
            facts: dict[str, Any] = json.loads((self._folder(id) / f"{note}.json").read_bytes())
            files: dict[str, int] = facts["files"]
            whole = all((self._folder(id) / name).stat().st_size == size for name, size in files.items())
            return MediaView(**facts["view"]) if whole and facts["recipe"] == RECIPE else None
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def _folder(self, id: str) -> Path:
        return self._derived / id[:2] / id

    def _source(self, id: str, name: str) -> Path | None:
        """The file to publish under a name that `view` has just given (None: forgotten meanwhile)."""
        derived = self._folder(id) / name
        if derived.is_file():
            return derived
        linked = any(Path(name).suffix.removeprefix(".") in extensions for extensions in LINKED.values())
        return self.original(id) if linked else None

    def _write(self, path: Path, data: bytes) -> None:
        with self._writing() as (temporary, file):
            file.write(data)
            _settle(temporary, file, path)

    @contextlib.contextmanager
    def _writing(self) -> Generator[tuple[Path, BinaryIO]]:
        """A file of our own to write, gone at the end unless `_settle` has moved it to its place."""
        me = Owner.this_process()
        # A colon can't be in a file's name everywhere.
        path = self._incoming / "~".join([me.host, *me.process.split(":"), secrets.token_hex(8)])
        file = path.open("xb+")
        try:
            yield path, file
        finally:
            file.close()
            path.unlink(missing_ok=True)

    def _clear_leftovers(self) -> None:
        """Removes what killed processes were writing; another machine's only when it hasn't grown for hours."""
        for path in self._incoming.iterdir():
            parts = path.name.split("~")
            owner = Owner.read(parts[0], ":".join(parts[1:-1])) or Owner("unknown", 0, 0.0)
            with contextlib.suppress(FileNotFoundError):
                if not owner.alive(datetime.fromtimestamp(path.stat().st_mtime)):
                    path.unlink()


def _placeholder(id: str, kind: str, sentence: str) -> MediaView:
    shown = kind if kind in {"image", "sticker", "video", "audio"} else "document"
    return MediaView(id, shown, path=None, missing=sentence)


def _settle(path: Path, file: BinaryIO, final: Path) -> None:
    """Moves a written file to its final name: in full or not at all, also if the power fails."""
    file.flush()
    os.fsync(file.fileno())
    file.close()
    # Published files share the original's bytes on disk; nobody shall write to them by accident.
    path.chmod(0o444)
    final.parent.mkdir(parents=True, exist_ok=True)
    path.replace(final)
    if hasattr(os, "O_DIRECTORY"):
        folder = os.open(final.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _put(source: Path, target: Path) -> bool:
    """Makes `target` the same file as `source`. Returns whether anything had to be done."""
    if target.is_symlink():
        _remove(target)
    if target.exists():
        here, there = target.stat(), source.stat()
        # A copy is told by size and time; file systems without hard links may round times to two seconds.
        copied = here.st_nlink == 1 and here.st_size == there.st_size
        if target.samefile(source) or (copied and abs(here.st_mtime - there.st_mtime) <= 2):
            return False
        _remove(target)
    try:
        os.link(source, target)
    except FileExistsError:
        raise
    except OSError:
        part = target.with_name(f".{target.name}.part")
        with source.open("rb") as original, part.open("wb") as copy:
            _clone(original, copy)
        os.utime(part, ns=(source.stat().st_atime_ns, source.stat().st_mtime_ns))
        part.replace(target)
    return True


def _clone(source: BinaryIO, target: BinaryIO) -> None:
    """Copies a file, sharing its blocks where the file system can (btrfs, XFS and others do so here)."""
    left = os.fstat(source.fileno()).st_size
    if hasattr(os, "copy_file_range"):
        with contextlib.suppress(OSError):
            while left and (done := os.copy_file_range(source.fileno(), target.fileno(), left)):
                left -= done
    source.seek(-left, os.SEEK_END)
    target.seek(0, os.SEEK_END)
    shutil.copyfileobj(source, target, CHUNK)


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except PermissionError:
        # Windows refuses to delete what is read-only.
        path.chmod(stat.S_IWRITE)
        path.unlink(missing_ok=True)
