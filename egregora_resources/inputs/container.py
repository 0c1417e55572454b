"""What an export comes in: a zip (also zips within it), a folder, or a single text file.

Nothing is ever written to disk: files are listed by their last name and streamed from where they are. Every
container is taken for hostile: links, odd paths, encryption, truncation and bombs end in an `InputError` or
are left out with a warning.
"""

from __future__ import annotations

import hashlib
import io
import os
import stat
import tempfile
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, BinaryIO, cast

from egregora_resources.inputs.export import InputError, Member

LARGEST_TEXT = 512 << 20
"""Bytes of a chat's text: some five million messages, a hundred times what phones export."""
LARGEST_NESTED = 8 << 30
"""Bytes that all zips within a zip may unpack to."""
DEEPEST_NESTING = 3
MOST_MEMBERS = 200_000
SPOOLED = 64 << 20
"""A zip within a zip is unpacked here: in memory up to this size, then in an unnamed temporary file."""
_BLOCK = 1 << 20
_LITTER = ("__MACOSX", ".DS_Store", "Thumbs.db", "desktop.ini")


@dataclass(frozen=True, slots=True)
class ContainedFile:
    """One file of a container.

    Attributes:
        name: composed (NFC): programs of Apple take letters and accents apart.
        path: as the container gives it, that of a zip within it before it; no other file has it.
        parents: names of the containers and folders around it, outermost first.
    """

    name: str
    path: str
    parents: tuple[str, ...]
    size: int
    modified: datetime | None
    opener: Callable[[], BinaryIO] = field(repr=False, compare=False)
    crc: int | None = None

    def member(self) -> Member:
        """As media of an export."""
        return Member(self.name, self.size, self.opener, self.crc)


@dataclass(slots=True)
class Listing:
    """A container's files, and what was left out of them."""

    files: list[ContainedFile] = field(default_factory=list["ContainedFile"])
    warnings: list[str] = field(default_factory=list[str])
    unpacked: int = 0
    """Bytes of the zips within, whatever they say of themselves."""


def list_container(path: Path) -> Listing:
    """All files in `path`, which is a folder, a zip or a single file.

    Raises:
        InputError: it can't be read.
    """
    listing = Listing()
    try:
        if path.is_dir():
            _list_folder(path, listing)
        elif not path.exists():
            raise InputError(f"There is no file {path}.")
        elif not path.is_file():
            raise _neither(path)
        elif _is_zip(path):
            archive = _Archive(path.open("rb"), str(path))
            _list_zip(archive, "", (composed(path.stem),), listing, 0)
        elif path.suffix.lower() == ".zip":
            raise InputError(
                f"{path} is not a complete zip. Copy it from the phone again, or export the chat again."
            )
        elif kind := _other_archive(path):
            raise InputError(
                f"{path} is a {kind} archive, which can't be read here. Unpack it and give the folder, "
                "or give the zip that WhatsApp's “Export chat” made."
            )
        else:
            _list_single(path, listing)
    except OSError as error:
        raise InputError(f"{path} can't be read: {error.strerror or error}.") from error
    return listing


def digest(path: Path) -> str:
    """SHA-256 of the file's bytes; of a folder, of its texts and of its files' names and sizes.

    Raises:
        InputError: it can't be read.
    """
    sha = hashlib.sha256()
    try:
        if path.is_dir():
            listing = Listing()
            _list_folder(path, listing)
            for file in sorted(listing.files, key=lambda one: one.path):
                sha.update(f"{file.path}\0{file.size}\0".encode("utf-8", "surrogateescape"))
                if file.name.lower().endswith(".txt"):
                    with file.opener() as stream:
                        _feed(sha.update, stream)
        elif not path.exists():
            raise InputError(f"There is no file {path}.")
        elif not path.is_file():
            raise _neither(path)  # a pipe or a device would never end
        else:
            with path.open("rb") as stream:
                return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"{path} can't be read: {error.strerror or error}.") from error
    return sha.hexdigest()


def _neither(path: Path) -> InputError:
    return InputError(
        f"{path} is neither a file nor a folder. Give the export's zip, its folder or its .txt."
    )


def _feed(update: Callable[[bytes], object], stream: BinaryIO) -> None:
    while block := stream.read(_BLOCK):
        update(block)


def _is_zip(path: Path) -> bool:
    with path.open("rb") as stream:
        return stream.read(4) in (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08") or zipfile.is_zipfile(stream)


_ARCHIVES = {b"Rar!": "RAR", b"7z\xbc\xaf": "7z", b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ": "xz"}
"""How archives begin that people pack a folder into."""


def _other_archive(path: Path) -> str | None:
    with path.open("rb") as stream:
        head = stream.read(512)
    if head.startswith(b"ustar", 257):
        return "tar"
    return next((kind for magic, kind in _ARCHIVES.items() if head.startswith(magic)), None)


def _list_single(path: Path, listing: Listing) -> None:
    status = path.stat()
    opener = _Opener(lambda: path.open("rb"))
    listing.files.append(ContainedFile(composed(path.name), path.name, (), status.st_size, None, opener))


def _list_folder(folder: Path, listing: Listing) -> None:
    for directory, folders, names in os.walk(folder, followlinks=False):
        folders[:] = sorted(name for name in folders if not _litter(name))
        here = Path(directory)
        parents = tuple(map(composed, (folder.resolve().name, *here.relative_to(folder).parts)))
        for name in sorted(names):
            path = here / name
            if _litter(name):
                continue
            status = path.lstat()
            if not stat.S_ISREG(status.st_mode):
                listing.warnings.append(f"{path} is a link or no regular file; it was left out.")
                continue
            if len(listing.files) >= MOST_MEMBERS:
                raise InputError(f"{folder} holds over {MOST_MEMBERS:,} files. Give the export's own folder.")
            opener = _Opener(lambda path=path: path.open("rb"))
            relative = str(path.relative_to(folder))
            listing.files.append(
                ContainedFile(composed(name), relative, parents, status.st_size, None, opener)
            )
    if not any(file.name.lower().endswith(".txt") for file in listing.files):
        files, listing.files = listing.files, []
        for file in files:
            on_disk = partial(_on_disk, file.opener)
            if not _is_chats_zip(file, on_disk, str(folder / file.path), listing, 1):
                listing.files.append(file)


class _Opener:
    """Opens the same file again and again; a named class so that it shows in a traceback."""

    def __init__(self, opener: Callable[[], BinaryIO]) -> None:
        self._opener = opener

    def __call__(self) -> BinaryIO:
        return self._opener()


@contextmanager
def _broken_zip(where: str) -> Generator[None]:
    try:
        yield
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        raise InputError(
            f"{where} is damaged or not complete ({error}). Copy it from the phone again, or export the chat again."
        ) from error


class _Archive:
    """A zip that stays open for as long as one of its files may be asked for: its list is long, and read once."""

    def __init__(self, file: BinaryIO, where: str) -> None:
        self.where = where
        self._file = file
        with _broken_zip(where):
            self._zip = zipfile.ZipFile(file)
        self.infos = self._zip.infolist()

    def open(self, info: zipfile.ZipInfo) -> IO[bytes]:
        return self._zip.open(info)

    def __del__(self) -> None:
        self._file.close()


def _list_zip(archive: _Archive, above: str, parents: tuple[str, ...], listing: Listing, depth: int) -> None:
    where = archive.where
    if len(archive.infos) + len(listing.files) > MOST_MEMBERS:
        raise InputError(f"{where} holds over {MOST_MEMBERS:,} files, which no chat's export does.")
    texts: set[str] = set()
    for info in archive.infos:
        if info.is_dir():
            continue
        filename = _filename(info)
        if filename.lower().endswith(".txt"):
            if filename in texts:
                listing.warnings.append(f"{where} holds {filename} twice; the first was taken.")
                continue
            texts.add(filename)
        parts = [
            part for part in PurePosixPath(filename.replace("\\", "/")).parts if part not in ("/", "..", ".")
        ]
        if not parts or any(_litter(part) for part in parts):
            continue
        name = parts[-1]
        if stat.S_ISLNK(info.external_attr >> 16):
            listing.warnings.append(f"{name} in {where} is a link; it was left out.")
            continue
        inner = f"{filename} in {where}"
        member = _Opener(lambda info=info, inner=inner: cast(BinaryIO, _ZipStream(archive, info, inner)))
        file = ContainedFile(
            name,
            f"{above}{filename}",
            (*parents, *parts[:-1]),
            info.file_size,
            _moment(info),
            member,
            info.CRC,
        )
        seekable = partial(_spool, member, inner)
        if depth == DEEPEST_NESTING or not _is_chats_zip(file, seekable, inner, listing, depth + 1):
            listing.files.append(file)


def _is_chats_zip(
    file: ContainedFile, seekable: Callable[[Listing], BinaryIO], where: str, listing: Listing, depth: int
) -> bool:
    """Lists a zip within the container, if it holds texts; any other one is a file that somebody sent."""
    if not file.name.lower().endswith(".zip"):
        return False
    inside = Listing(unpacked=listing.unpacked)
    try:
        if not _looks_like_zip(file.opener):
            return False
        archive = _Archive(seekable(inside), where)
        _list_zip(archive, f"{file.path}/", (*file.parents, file.name[:-4]), inside, depth)
    except InputError as error:
        listing.warnings.append(str(error))
        return False
    finally:
        listing.unpacked = inside.unpacked
    listing.warnings += inside.warnings
    if not any(one.name.lower().endswith(".txt") for one in inside.files):
        return False
    listing.files += inside.files
    if len(listing.files) > MOST_MEMBERS:
        raise InputError(f"{where} and others beside it hold over {MOST_MEMBERS:,} files.")
    return True


def _filename(info: zipfile.ZipInfo) -> str:
    # Apple's programs, among others, write UTF-8 without saying so; zipfile then reads it as DOS's letters.
    name = info.filename
    if not info.flag_bits & 0x800:
        with suppress(UnicodeError):
            name = name.encode("cp437").decode("utf-8")
    return composed(name)


def composed(name: str) -> str:
    """A file's name as it is compared: whether accents stand apart from their letters depends on the system."""
    return unicodedata.normalize("NFC", name)


def _looks_like_zip(opener: Callable[[], BinaryIO]) -> bool:
    with opener() as stream:
        return stream.read(4) in (b"PK\x03\x04", b"PK\x05\x06")


def _on_disk(opener: Callable[[], BinaryIO], _: Listing) -> BinaryIO:
    return opener()


def _spool(opener: Callable[[], BinaryIO], where: str, listing: Listing) -> BinaryIO:
    # A zip can only be read where one can seek. What is unpacked is measured, whatever the zip says of itself.
    spool = tempfile.SpooledTemporaryFile(max_size=SPOOLED)  # noqa: SIM115  (the archive closes it)
    with opener() as stream:
        while block := stream.read(_BLOCK):
            listing.unpacked += len(block)
            if listing.unpacked > LARGEST_NESTED:
                spool.close()
                raise InputError(
                    f"What {where} and others beside it unpack to is over {LARGEST_NESTED >> 30} GB; it was not read."
                )
            spool.write(block)
    spool.seek(0)
    return cast(BinaryIO, spool)


class _ZipStream(io.RawIOBase):
    """One member of a zip; zip errors become `InputError`."""

    def __init__(self, archive: _Archive, info: zipfile.ZipInfo, where: str) -> None:
        super().__init__()
        self._where = where
        if info.flag_bits & 0x1:
            raise InputError(f"{where} is encrypted. Unpack it with its password and give the folder.")
        self._left = info.file_size
        with _broken_zip(where):
            self._stream = archive.open(info)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        block = self.read(len(buffer))
        buffer[: len(block)] = block
        return len(block)

    def read(self, size: int = -1) -> bytes:
        with _broken_zip(self._where):
            block = self._stream.read(size)
        self._left -= len(block)
        if self._left < 0:
            raise InputError(f"{self._where} is longer than the zip says; it was not read.")
        return block

    def readall(self) -> bytes:
        return self.read(-1)

    def close(self) -> None:
        if not self.closed:
            self._stream.close()
        super().close()


def _moment(info: zipfile.ZipInfo) -> datetime | None:
    try:
        moment = datetime(*info.date_time)
    except ValueError:
        return None
    return moment if moment.year > 2000 else None  # 1980 is what writers without a clock put


def _litter(name: str) -> bool:
    return name in _LITTER or name.startswith("._")
