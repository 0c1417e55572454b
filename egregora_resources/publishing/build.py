"""Build a `Site` into a folder that can be published: pages, configuration, MkDocs, the swap.

What a page says is decided in `site_pages` and its neighbours; what it looks like, in ``theme/`` and ``blocks/``.
Nothing here reads the warehouse, and nothing is asynchronous: a build is a few seconds of one thread.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml
from filelock import FileLock

from egregora_resources.publishing.atomic_swap import link_or_copy, link_unchanged, recover, remove, swap_in
from egregora_resources.publishing.configuration import mkdocs_configuration
from egregora_resources.publishing.content import BuildReport, MediaView, PublishError, Site
from egregora_resources.publishing.locale import strings_for
from egregora_resources.publishing.safe_markdown import UNRENDERABLE
from egregora_resources.publishing.site_pages import Pages, site_pages

logger = logging.getLogger(__name__)

OWN_FOLDERS = ("posts", "people", "topics", "archive", "about", "assets/banners")
"""Folders below ``docs/`` that hold generated files only: a file that a build doesn't write again is removed."""


def build_site(
    site: Site,
    root: Path,
    *,
    media: Callable[[Path], None] | None = None,
    prove: Callable[[Path], None] | None = None,
) -> BuildReport:
    """Write ``root/docs/`` and build it into ``root/site/``, which changes all at once or not at all.

    Building the same `Site` again changes no file. One build a root at a time: others wait for its lock.

    Args:
        site: what the site shows.
        root: the site's folder, which holds ``docs/``, ``site/`` and ``.egregora/``.
        media: called with ``root/docs``; puts the media store's files below ``docs/media/``. Files there that no
            page refers to are removed.
        prove: called with the folder of the new site before it is published; raises to refuse it. The pages'
            sources below ``docs/`` are then removed too, because they say what the pages say.

    Raises:
        PublishError: MkDocs failed; the published site is unchanged.
        Exception: whatever `prove` raised; the published site is as `prove` left it.
    """
    started = time.perf_counter()
    private = root / ".egregora"
    private.mkdir(parents=True, exist_ok=True)
    with FileLock(private / "build.lock"):
        pages = site_pages(site)
        _write_docs(pages, root / "docs")
        if media:
            media(root / "docs")
        _remove_unused_media(site, root / "docs")
        configuration = _write_configuration(site, private / "mkdocs.yml")
        target, new, old = root / "site", private / "site.new", private / "site.old"
        recover(target, new, old)
        _run_mkdocs(configuration, new)
        _add_media(root / "docs" / "media", new / "media")
        notices = [*pages.notices, *_unrenderable(pages, new)]
        if prove:
            _check(prove, new, [root / "docs" / name for name in pages.files])
        count, size = _measure(new)
        changed = link_unchanged(target, new)
        if changed:
            swap_in(target, new, old)
        else:
            remove(new)
    return BuildReport(count, size, changed, notices, time.perf_counter() - started)


def _check(prove: Callable[[Path], None], new: Path, sources: Iterable[Path]) -> None:
    try:
        prove(new)
    except BaseException:
        remove(new)
        # What the pages were made from says what they say: the next build writes it again.
        for path in sources:
            path.unlink(missing_ok=True)
        raise


def _write_docs(pages: Pages, docs: Path) -> None:
    for name, text in pages.files.items():
        path = docs / name
        data = text if isinstance(text, bytes) else text.encode("utf-8", "replace")
        if not path.is_file() or path.read_bytes() != data:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
    wanted = {docs / name for name in pages.files}
    for folder in OWN_FOLDERS:
        _remove_others(docs / folder, wanted)


def _remove_unused_media(site: Site, docs: Path) -> None:
    views = [view for post in site.posts for view in post.media.values()]
    views += [person.avatar for person in site.people.values() if person.avatar]
    _remove_others(docs / "media", set(_media_files(views, docs)))


def _media_files(views: Iterable[MediaView], docs: Path) -> Iterable[Path]:
    for view in views:
        yield from (docs / path for path in (view.path, view.thumbnail) if path)


def _remove_others(folder: Path, wanted: set[Path]) -> None:
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_dir() and not path.is_symlink():
            if not any(path.iterdir()):
                path.rmdir()
        elif path not in wanted:
            path.unlink()


def _write_configuration(site: Site, path: Path) -> Path:
    configuration = mkdocs_configuration(site, strings_for(site.language))
    text = "# Generated by egregora at every build; changes made here are lost.\n"
    text += yaml.safe_dump(configuration, allow_unicode=True, sort_keys=False, width=1000)
    if not path.is_file() or path.read_text("utf-8") != text:
        path.write_text(text, "utf-8")
    return path


def _run_mkdocs(configuration: Path, new: Path) -> None:
    """``mkdocs build --strict`` without the media, which are hard-linked afterwards rather than copied."""
    os.environ.setdefault("NO_MKDOCS_2_WARNING", "1")  # an advertisement on the owner's terminal otherwise
    from mkdocs.commands.build import build
    from mkdocs.config import load_config

    options: dict[str, Any] = {"site_dir": str(new), "strict": True, "exclude_docs": "/media/\n"}
    try:
        with _muted(logging.getLogger("mkdocs")):
            build(load_config(str(configuration), **options))
    except (Exception, SystemExit) as error:
        remove(new)
        raise PublishError(f"MkDocs could not build the site ({type(error).__name__}).") from None


@contextmanager
def _muted(noisy: logging.Logger) -> Generator[None]:
    """Keep a logger's messages out of every log: MkDocs quotes pages in them. ``strict`` still counts them."""
    silent = logging.NullHandler()
    propagate, noisy.propagate = noisy.propagate, False
    noisy.addHandler(silent)
    try:
        yield
    finally:
        noisy.removeHandler(silent)
        noisy.propagate = propagate


def _add_media(source: Path, target: Path) -> None:
    for path in sorted(source.rglob("*")):
        if path.is_file():
            link_or_copy(path, target / path.relative_to(source))


def _unrenderable(pages: Pages, new: Path) -> list[str]:
    """Ids of the posts that the Markdown extension replaced by its notice."""
    found: list[str] = []
    for source, post in pages.posts.items():
        page = new / (source.removesuffix(".md") + ".html")
        if UNRENDERABLE in page.read_text("utf-8"):
            found.append(post)
    return found


def _measure(folder: Path) -> tuple[int, int]:
    count = size = 0
    for path in folder.rglob("*"):
        if path.is_file():
            count += path.suffix == ".html"
            size += path.stat().st_size
    return count, size
