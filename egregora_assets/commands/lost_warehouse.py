"""What is lost with a site's warehouse, what can be imported again from where, and what would be paid for again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from egregora_resources.llm.database import LlmStore
from egregora_resources.llm.pricing import dollars
from egregora_resources.llm.spending import paid_windows, spent
from egregora_resources.site.folder import SiteFolder
from egregora_resources.site.inbox import inbox_files
from egregora_resources.site.site import Site
from egregora_resources.warehouse.database import WarehouseLost, WarehouseUnreadable, has_traces, was_lost
from egregora_resources.warehouse.imported_files import imported_files


def look_at(root: Path) -> Site:
    """`Site.look_at`, for commands that tell the owner how the site is: it opens the warehouse.

    Raises:
        UserError: as `Site.look_at`; about a warehouse that is lost or damaged it says all there is to say.
    """
    folder = SiteFolder(root)
    try:
        site = Site.look_at(root)
        if not is_lost(site):
            return site
    except WarehouseLost:
        pass
    except WarehouseUnreadable as error:
        raise WarehouseUnreadable(f"{error} {sources(folder)}") from None
    raise WarehouseLost(f"{loss(folder)} {HOW_TO_GO_ON}")


def is_lost(site: Site) -> bool:
    """Whether the warehouse is gone, or was begun anew and hasn't got its chat back."""
    path = site.warehouse.path
    return was_lost(path) or (has_traces(path) and site.warehouse.empty())


HOW_TO_GO_ON = (
    "Put the file back from a copy of the site's folder, and nothing is lost. Or begin anew: egregora write EXPORT …, "
    "with all exports that there are."
)


def loss(folder: SiteFolder, exports: Sequence[Path] = ()) -> str:
    """Sentences about a site whose warehouse is gone.

    Args:
        exports: what the owner named to import, beside what lies in the inbox.
    """
    posts = sum(1 for _ in folder.built.glob("posts/*/index.html"))
    pages = f"{posts:,} {'post' if posts == 1 else 'posts'}" if posts else "the posts"
    return (
        f"The database {folder.warehouse} is gone, though this site was written before. Lost with it: {pages}, of which "
        f"only the pages in {folder.built} are left, until the next build replaces them; what you decided about people "
        "and posts; which names belong to one person; and who opted out by your hand or was forgotten: an import brings "
        f"them back, until you say so again. {sources(folder, exports)} {_cost(folder)}"
    )


def sources(folder: SiteFolder, exports: Sequence[Path] = ()) -> str:
    """From which files the chat can be imported again, and which of those that were read before are gone."""
    ready = [*exports, *inbox_files(folder.inbox)]
    names = {path.name for path in ready}
    others = [path for path in imported_files(folder.warehouse) if path.name not in names]
    there = [path for path in others if path.is_absolute() and path.exists()]
    gone = [path for path in others if path not in there]
    told = [
        f"{what}: {', '.join(map(str, paths))}."
        for what, paths in (
            ("Can be imported again", ready),
            ("Was read before, is still there, and has to be named to be imported", there),
            ("Was read before, and isn't where it was", gone),
        )
        if paths
    ]
    return " ".join(told) or "There is no export in the inbox, and which ones were read isn't known."


def _cost(folder: SiteFolder) -> str:
    store = LlmStore(folder.llm)
    windows, kept = paid_windows(store)
    if not windows:
        return "No model was paid for it: to write it again costs time alone."
    return (
        f"A model wrote about {windows:,} {'window' if windows == 1 else 'windows'}, for {dollars(spent(store).usd)} in "
        f"all. Answers about {kept:,} of them are kept in {folder.llm}: where the same is asked again, they cost "
        "nothing. All else would have to be paid for again."
    )
