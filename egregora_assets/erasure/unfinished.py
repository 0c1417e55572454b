"""The last part of a forgetting: files go, and the warehouse is rewritten. One that was killed is finished from here.

Whoever is about to import does that first (`resume`): the command and the asset `exports`.
"""

from __future__ import annotations

import json

from egregora_assets.erasure.personal_data import FILES, Erasure
from egregora_resources.people import load_forgotten
from egregora_resources.progress import Progress, Silent
from egregora_resources.site.site import Site
from egregora_resources.warehouse.compaction import remove_unfinished, rewrite
from egregora_resources.warehouse.facts import drop_fact

UNFINISHED = "forgetting"
"""Fact: ids of what is still to be removed of somebody who was forgotten."""


def resume(site: Site, progress: Progress | None = None) -> None:
    """Finishes what a killed `forget` left, if anything; a look that takes a moment otherwise."""
    if site.warehouse.fact(UNFINISHED) is not None:
        with site.importing(progress or Silent()):
            finish_forgetting(site)


def finish_forgetting(site: Site) -> dict[str, int]:
    """Removes the files of a person already erased from the warehouse, and rewrites it; counts by kind of file.

    Does nothing when there is nothing left to do. The caller holds the site's import lock.
    """
    unfinished = site.warehouse.fact(UNFINISHED)
    if unfinished is None:
        return {}
    kept = json.loads(unfinished)
    with site.warehouse.connect() as connection:
        forgotten = load_forgotten(connection, site.pseudonyms(connection))
    erasure = Erasure(
        author_id="", token=kept["token"], names=(), forgotten=forgotten, windows=(),
        messages=kept["messages"], media=kept["media"],
    )  # fmt: skip
    removed = {place.what: place.forget(site.folder, erasure) for place in FILES}
    rewrite(site.warehouse)
    with site.warehouse.transaction() as connection:
        drop_fact(connection, UNFINISHED)
    remove_unfinished(site.warehouse.path)
    return removed
