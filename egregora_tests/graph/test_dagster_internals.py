"""What we use of Dagster beside its public interface is there, and does what we take it to do: a claim for each.

After an upgrade of Dagster this is the file to run first.
"""

# No postponed annotations: Dagster reads those of steps.
from collections.abc import Generator
from importlib import import_module
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.definitions.data_version import CachingStaleStatusResolver, StaleStatus
from dagster._core.execution.backfill import BulkActionStatus, PartitionBackfill
from dagster._core.loader import LoadingContextForTest
from dagster._core.storage import tags

from egregora_assets.graph import dagster_internals as internals
from egregora_assets.graph.dagster_home import CONFIGURATION


class Works(dg.Config):
    done: list[str]
    failed: list[str]


WINDOW = dg.DynamicPartitionsDefinition(name="window")


@pytest.fixture
def instance() -> Generator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions("window", ["a", "b", "c"])
        yield instance


def materialize(instance: dg.DagsterInstance, asset: str, partition: str | None, **tags: str) -> None:
    instance.report_runless_asset_event(dg.AssetMaterialization(asset, partition=partition, tags=tags))


def test_a_defined_job_is_an_asset_job() -> None:
    assert isinstance(dg.define_asset_job("everything"), internals.AssetJob)


@pytest.mark.parametrize("section", internals.STORAGES)
def test_a_storage_is_where_the_configuration_says_and_takes_a_folder(section: str) -> None:
    module, name = internals.STORAGES[section]
    assert "base_dir" in getattr(import_module(module), name).config_type()


def test_an_interrupted_step_fails_with_the_error_of_that_name() -> None:
    assert hasattr(import_module("dagster._core.errors"), internals.INTERRUPTED)


def test_the_tag_of_a_backfill_is_dagsters() -> None:
    job = dg.define_asset_job("everything").name
    assert internals.of_backfill(dg.DagsterRun(job_name=job, tags={tags.BACKFILL_ID_TAG: "one"}))
    assert not internals.of_backfill(dg.DagsterRun(job_name=job))


def test_provenance_makes_a_partition_fresh_until_what_it_reads_is_told_again(
    instance: dg.DagsterInstance,
) -> None:
    @dg.asset(code_version="1")
    def exports() -> None: ...

    @dg.asset(deps=[exports], partitions_def=WINDOW, code_version="1")
    def windows() -> None: ...

    @dg.asset(deps=[windows], partitions_def=WINDOW, code_version="2")
    def posts() -> None: ...

    graph = dg.Definitions(assets=[exports, windows, posts]).resolve_asset_graph()

    def stale() -> set[str]:
        resolver = CachingStaleStatusResolver(instance, graph, LoadingContextForTest(instance))
        return {
            key
            for key in "ab"
            if resolver.get_status(dg.AssetKey("posts"), key) != StaleStatus.FRESH
            or resolver.get_status(dg.AssetKey("windows"), key) != StaleStatus.FRESH
        }

    materialize(instance, "exports", None, **internals.provenance("imported", "1", {}))
    for key in "ab":
        materialize(
            instance, "windows", key, **internals.provenance(key, "1", {"exports": ("imported", None)})
        )
    read = internals.newest_event(instance)
    for key in "ab":
        materialize(instance, "posts", key, **internals.provenance("p", "2", {"windows": (key, read)}))
    assert stale() == set()
    materialize(instance, "windows", "b", **internals.provenance("b2", "1", {"exports": ("imported", None)}))
    assert stale() == {"b"}


def test_the_newest_event_is_the_last_one_stored(instance: dg.DagsterInstance) -> None:
    assert internals.newest_event(instance) == 0
    materialize(instance, "posts", "a")
    records = instance.fetch_materializations(dg.AssetKey("posts"), limit=1).records
    assert internals.newest_event(instance) == records[0].storage_id


def test_a_planned_partition_shows_as_failed_with_its_run_and_as_materialized_after_the_next(
    instance: dg.DagsterInstance,
) -> None:
    """In a run of which Dagster itself has planned another partition."""

    @dg.multi_asset(specs=[dg.AssetSpec("posts", skippable=True)], partitions_def=WINDOW)
    def chain(context: dg.AssetExecutionContext, config: Works):
        for key in config.done:
            context.log_event(dg.AssetMaterialization("posts", partition=key))
        for key in config.failed:
            internals.plan_materialization(context, "posts", key)
        if config.failed:
            raise dg.Failure("some failed", allow_retries=False)
        yield from ()

    def run(done: list[str], failed: list[str]) -> dict[str, str | None]:
        job = dg.Definitions(assets=[chain]).resolve_implicit_global_asset_job_def()
        config = {"ops": {"chain": {"config": {"done": done, "failed": failed}}}}
        job.execute_in_process(
            instance=instance, partition_key=done[0], run_config=config, raise_on_error=False
        )
        found = instance.get_status_by_partition(dg.AssetKey("posts"), ["a", "b", "c"], WINDOW) or {}
        return {key: status.value if status else None for key, status in found.items()}

    assert run(["a"], ["c"]) == {"a": "MATERIALIZED", "b": None, "c": "FAILED"}
    assert run(["c"], []) == {"a": "MATERIALIZED", "b": None, "c": "MATERIALIZED"}


def test_the_columns_of_a_table_stand_where_the_ui_looks() -> None:
    known = internals.table_metadata("posts", [dg.TableColumn("id", "BIGINT")])
    assert known["dagster/column_schema"].columns[0].name == "id"
    assert known["dagster/table_name"] == "posts"


def test_a_check_is_of_the_newest_materialization(instance: dg.DagsterInstance) -> None:
    assert internals.evaluation_of(instance, "windows") is None
    materialize(instance, "windows", "a")
    target = internals.evaluation_of(instance, "windows")
    evaluation = dg.AssetCheckEvaluation(
        asset_key=dg.AssetKey("windows"), check_name="fine", passed=True, target_materialization_data=target
    )
    instance.report_runless_asset_event(evaluation)
    assert target
    assert target.storage_id == internals.newest_event(instance) - 1


def test_dagster_says_what_is_wrong_in_its_configuration(tmp_path: Path) -> None:
    file = tmp_path / "dagster.yaml"
    file.write_text(CONFIGURATION)
    assert internals.instance_mistake(tmp_path) == ""
    file.write_text(CONFIGURATION + "retentoin: 4\n")
    assert internals.instance_mistake(tmp_path) == 'Received unexpected config entry "retentoin" at the root.'
    file.write_text(CONFIGURATION + "storage:\n  sqlite:\n    base_dir: here\n")
    assert "storage" in internals.instance_mistake(tmp_path)


def test_a_backfill_is_under_way_until_it_is_over(instance: dg.DagsterInstance) -> None:
    assert not internals.backfill_under_way(instance)
    backfill = PartitionBackfill(
        "one", BulkActionStatus.REQUESTED, False, {}, 0.0, asset_selection=[dg.AssetKey("posts")]
    )
    instance.add_backfill(backfill)
    assert internals.backfill_under_way(instance)
    instance.update_backfill(backfill.with_status(BulkActionStatus.COMPLETED_FAILED))
    assert not internals.backfill_under_way(instance)
