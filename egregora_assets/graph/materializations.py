"""Telling the asset graph: every finished stage of a window is a materialization of its own.

The tags carry versions and provenance, so that Dagster's staleness is ours. Metadata holds
numbers, ids and a link to a local page, never text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import dagster as dg

from egregora_assets.graph.dagster_internals import newest_event, provenance
from egregora_assets.graph.partitions import WINDOW_PARTITIONS
from egregora_assets.graph.run_owners import in_flight
from egregora_assets.pipeline.stage import Stage
from egregora_resources.progress import Progress
from egregora_resources.publishing.post_page import post_url
from egregora_resources.site.folder import SiteFolder
from egregora_resources.site.site import Site
from egregora_resources.warehouse.results import (
    StageResult,
    load_results,
    mark_reported,
)
from egregora_resources.warehouse.windows import window_contents

EXPORTS, WINDOWS = "exports", "windows"
CODE = "1"
"""Code version of these two."""
EXPORTS_VERSION = "imported"
"""The constant data version of `exports`: were it to change, all windows would look stale."""
_MANY = 100
"""Events that take more than a moment to write."""
_Thing = TypeVar("_Thing")


class Reporter:
    """Turns stored results into events.

    Args:
        instance: the site's Dagster instance.
        site: in whose warehouse metadata is looked up.
        stages: of the graph.
        code_versions: by stage's name, as in the asset specs.
        log: writes an event; `context.log_event` inside a step, else the instance's runless reporting.
        selected: stages that the run makes itself; events of the others count as read when the run looked.
    """

    def __init__(
        self,
        instance: dg.DagsterInstance,
        site: Site,
        stages: Sequence[Stage],
        code_versions: Mapping[str, str],
        *,
        log: Callable[[dg.AssetMaterialization], None] | None = None,
        selected: Iterable[str] = (),
    ) -> None:
        self._instance, self._site = instance, site
        self._stages = {stage.name: stage for stage in stages}
        self._code_versions = code_versions
        self._log = log or instance.report_runless_asset_event
        self._selected = set(selected)
        self._seen = newest_event(instance)
        self._versions: dict[tuple[str, str], str] = {}
        self._facts: dict[str, dict[str, Any]] = {}

    def snapshot_inputs(self, results: Iterable[StageResult], windows: Mapping[str, str]) -> None:
        """Snapshots the data versions of the inputs; called before they are read.

        Args:
            results: everything stored.
            windows: data versions of the windows.
        """
        self._seen = newest_event(self._instance)
        self._versions.update({(r.stage, r.window): r.data_version for r in results})
        self._versions.update({(WINDOWS, key): version for key, version in windows.items()})
        self._facts = window_facts(self._site)

    def report(self, result: StageResult) -> None:
        """Writes the event of a result; a failure has none."""
        if result.status == "failed":
            return
        self._versions[result.stage, result.window] = result.data_version
        if result.stage == "posts":
            self._facts |= window_facts(self._site, result.window)
        self._write(result, metadata_of(result))

    def report_again(self, result: StageResult) -> None:
        """Writes the event of a result that was found fresh: a run that planned it has to say so."""
        self._write(result, {"status": result.status, "reason": "fresh: kept as it is", "seconds": 0.0})

    def _write(self, result: StageResult, metadata: Mapping[str, Any]) -> None:
        now = newest_event(self._instance)
        inputs = {
            name: (
                self._versions.get((name, result.window), ""),
                now if name in self._selected else self._seen,
            )
            for name in (*self._stages[result.stage].after, WINDOWS)
        }
        self._log(
            dg.AssetMaterialization(
                result.stage,
                partition=result.window,
                metadata={**self._facts.get(result.window, {}), **metadata},
                tags=provenance(result.data_version, self._code_versions[result.stage], inputs),
            )
        )


def metadata_of(result: StageResult) -> dict[str, Any]:
    """What a result's event tells of how it was made. Notes of a model are left out: they may hold its words."""
    usage = result.usage
    known: dict[str, Any] = {
        "status": result.status,
        "reason": result.reason or "asked for",
        "seconds": result.seconds,
        "calls": usage.calls,
        "tokens": usage.input_tokens + usage.output_tokens,
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "usd": usage.usd,
        "documents": result.documents,
    }
    if result.status == "skipped":
        known["skipped_because"] = result.note
    if result.degraded:
        known["degraded"] = result.degraded
    return known


def window_facts(site: Site, window: str | None = None) -> dict[str, dict[str, Any]]:
    """Metadata that all events of a window carry: what it holds, and its page (its first post, or the archive)."""
    return {
        held.key: {
            "messages": held.messages,
            "people": held.people,
            "first_message": held.first.isoformat(" ", "minutes"),
            "last_message": held.last.isoformat(" ", "minutes"),
            "posts": len(held.slugs),
            "page": dg.MetadataValue.url(page_address(site.folder, held.slugs[0] if held.slugs else "")),
        }
        for held in window_contents(site.warehouse, window)
    }


def page_address(folder: SiteFolder, slug: str) -> str:
    """Address of a post's page on this machine; of the archive, which lists every window, without a post."""
    return (folder.built.resolve() / (post_url(slug) if slug else "archive/index.html")).as_uri()


def report_missing(
    site: Site,
    instance: dg.DagsterInstance,
    stages: Sequence[Stage],
    code_versions: Mapping[str, str],
    progress: Progress | None = None,
) -> int:
    """Reports stored results whose events a killed run didn't write; returns how many.

    Called before an import tells of changed windows: an event says that all that was told before it had been read.
    Results of windows without a key wait until they have one; those of runs in flight are left to these.
    """
    order = [stage.name for stage in stages]
    unreported = load_results(site.warehouse, unreported=True).values()
    if not unreported:
        return 0
    known, busy = set(instance.get_dynamic_partitions(WINDOW_PARTITIONS)), in_flight(instance)
    missing = [r for r in unreported if r.stage in order and r.window in known and r.run_id not in busy]
    reporter = Reporter(instance, site, stages, code_versions, selected=order)
    reporter.snapshot_inputs(load_results(site.warehouse).values(), {})
    for result in counted(
        sorted(missing, key=lambda r: order.index(r.stage)), "results told to Dagster", progress
    ):
        reporter.report(result)
    mark_reported(site.warehouse, missing)
    return len(missing)


def counted(things: Sequence[_Thing], task: str, progress: Progress | None) -> Iterator[_Thing]:
    """The things, one by one; whoever watches is told how many are done, where they take more than a moment."""
    if progress is None or len(things) < _MANY:
        yield from things
        return
    progress.start(task, len(things))
    for thing in things:
        yield thing
        progress.advance(task)
    progress.finish(task)
