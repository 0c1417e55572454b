"""Claims about `build_definitions`: it opens nothing, and its resources can be swapped."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import dagster as dg
import pytest

from egregora_assets.definitions import build_definitions
from egregora_assets.graph.safe_failures import redacted_failures
from egregora_assets.stages import STAGES
from egregora_resources.dagster_resources import LlmResource, WarehouseResource
from egregora_resources.llm.offline import OfflineProvider
from egregora_resources.llm.protocol import Provider
from egregora_resources.llm.tasks import Task
from egregora_resources.site.folder import SiteFolder
from egregora_resources.site.settings import Settings


class NewerProvider(OfflineProvider):
    def model(self, task: Task) -> str:
        return f"newer {task}"


class NewerLlm(LlmResource):
    def provider(self, settings: Settings) -> Provider:
        del settings
        return NewerProvider()


def code_versions(definitions: dg.Definitions) -> dict[str, str | None]:
    return {spec.key.path[0]: spec.code_version for spec in definitions.resolve_all_asset_specs()}


def test_definitions_open_neither_folder_nor_warehouse(tmp_path: Path) -> None:
    site = tmp_path / "nowhere"
    definitions = build_definitions(site)
    dg.Definitions.validate_loadable(definitions)
    assert not site.exists()
    assert code_versions(definitions).keys() == {"exports", "windows", *(stage.name for stage in STAGES)}
    assert all(code_versions(definitions).values())


def test_another_provider_changes_the_code_version_of_just_the_stages_that_ask_it(tmp_path: Path) -> None:
    before = code_versions(build_definitions(tmp_path))
    after = code_versions(build_definitions(tmp_path, llm=NewerLlm(site=str(tmp_path))))
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {stage.name for stage in STAGES if stage.task}


def test_the_import_goes_into_the_warehouse_that_was_swapped_in(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere.duckdb"
    folder = SiteFolder(tmp_path / "blog")
    folder.inbox.mkdir(parents=True)
    folder.state.mkdir()
    definitions = build_definitions(folder.root, warehouse=WarehouseResource(database=str(elsewhere)))
    with dg.DagsterInstance.ephemeral() as instance:
        job = definitions.resolve_implicit_global_asset_job_def()
        result = job.execute_in_process(instance=instance, asset_selection=[dg.AssetKey("exports")])
    assert result.success
    assert elsewhere.exists()
    assert not folder.warehouse.exists()


@pytest.mark.parametrize("error", [ValueError("Ana said: hello"), OSError("Ana.zip"), KeyError("Ana")])
def test_an_unforeseen_error_is_told_without_a_word_of_the_chat(error: Exception) -> None:
    with pytest.raises(dg.Failure) as told, redacted_failures():
        raise error
    assert "Ana" not in str(told.value.description)
    assert type(error).__name__ in str(told.value.description)
    assert told.value.__suppress_context__


def test_stages_of_one_s_own_are_assets(tmp_path: Path) -> None:
    first: Sequence[str] = [stage.name for stage in STAGES[:3]]
    assert code_versions(build_definitions(tmp_path, stages=STAGES[:3])).keys() == {
        "exports",
        "windows",
        *first,
    }
