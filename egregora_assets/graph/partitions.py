"""The partitions of the graph: one for each window of conversation, registered by the import."""

from __future__ import annotations

from collections.abc import Sequence

import dagster as dg

from egregora_assets.graph.dagster_internals import backfill_under_way
from egregora_assets.graph.run_owners import in_flight

WINDOW_PARTITIONS = "window"
WINDOW = dg.DynamicPartitionsDefinition(name=WINDOW_PARTITIONS)


def sync_partitions(
    instance: dg.DagsterInstance, keys: Sequence[str], *, own_run: str | None = None
) -> tuple[list[str], list[str]]:
    """Registers the keys of the active windows and deletes those of retired ones.

    Deleting a key under a run kills that run, and a backfill launches runs of its keys as it goes: nothing is deleted
    while another run or a backfill is under way; the next call does it.

    Returns:
        Keys added, and keys deleted.
    """
    known = instance.get_dynamic_partitions(WINDOW_PARTITIONS)
    new = [key for key in keys if key not in set(known)]
    if new:
        instance.add_dynamic_partitions(WINDOW_PARTITIONS, new)
    retired = sorted(set(known) - set(keys))
    if not retired or in_flight(instance, own_run=own_run) or backfill_under_way(instance):
        return new, []
    for key in retired:
        instance.delete_dynamic_partition(WINDOW_PARTITIONS, key)
    return new, retired
