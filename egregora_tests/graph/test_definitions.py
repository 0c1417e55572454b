"""Claims about `build_definitions`: it opens nothing, and its resources can be swapped."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
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
from egregora_resources.warehouse.database import Warehouse


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


BROKEN = '[people]\nsame = "Wilhelmina Quackenbush"\n[pipeline.enrichment]\nmax_urls_per_window = -1\n'


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """A site whose settings were good when its definitions were last loaded, and aren't any more."""
    site = tmp_path / "blog"
    SiteFolder(site).state.mkdir(parents=True)
    SiteFolder(site).settings.write_text("[pipeline.enrichment]\nmax_urls_per_window = 3\n")
    build_definitions(site, stages=STAGES[:3])
    build_definitions(site)
    SiteFolder(site).settings.write_text(BROKEN)
    return site


def test_settings_that_cant_be_read_make_no_asset_stale(broken: Path) -> None:
    versions = code_versions(build_definitions(broken))
    SiteFolder(broken).settings.write_text("[pipeline.enrichment]\nmax_urls_per_window = 3\n")
    assert versions == code_versions(build_definitions(broken))
    SiteFolder(broken).settings.write_text("")
    assert versions != code_versions(build_definitions(broken))


@pytest.mark.parametrize("text", [BROKEN, "[pipeline", "[Wilhelmina]\n"])
def test_with_settings_that_cant_be_read_every_step_and_tick_says_so_and_does_nothing(
    broken: Path, text: str
) -> None:
    SiteFolder(broken).settings.write_text(text)
    definitions = build_definitions(broken)
    dg.Definitions.validate_loadable(definitions)
    job = definitions.resolve_implicit_global_asset_job_def()
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions("window", ["2025-01-06"])
        for asset, window in (("exports", None), ("windows", "2025-01-06"), ("posts", "2025-01-06")):
            result = job.execute_in_process(
                instance=instance,
                asset_selection=[dg.AssetKey(asset)],
                partition_key=window,
                raise_on_error=False,
            )
            (failure,) = [event.step_failure_data for event in result.all_events if event.is_step_failure]
            told = str(failure.error)
            assert "egregora.toml" in told
            assert "`egregora status` says" in told
            assert "Wilhelmina" not in told
        context = dg.build_sensor_context(
            instance,
            definitions=definitions,
            resources={
                name: definitions.resources[name] for name in ("warehouse", "llm") if definitions.resources
            },
        )
        answer = definitions.resolve_sensor_def("inbox")(context)
        assert isinstance(answer, dg.SkipReason)
        assert "egregora.toml" in str(answer.skip_message)
    assert not SiteFolder(broken).warehouse.exists()


def mistaken_prompt(folder: SiteFolder) -> None:
    folder.settings.write_text('[model]\nprovider = "gemini"\n')
    folder.prompts.mkdir()
    (folder.prompts / "posts.jinja").write_text("{% for Wilhelmina Quackenbush %}")


def unreadable_provider(folder: SiteFolder) -> None:
    folder.provider.write_bytes(b"\xff\xfe")


@pytest.mark.parametrize(
    ("spoil", "file"),
    [
        (mistaken_prompt, r"prompts/posts\.jinja, line 1 can't be used"),
        (unreadable_provider, r"\.egregora/provider.*can't be read"),
    ],
)
def test_a_prompt_or_provider_that_cant_be_read_leaves_the_location_up_and_makes_nothing_stale(
    tmp_path: Path, spoil: Callable[[SiteFolder], None], file: str
) -> None:
    folder = SiteFolder(tmp_path / "blog")
    folder.state.mkdir(parents=True)
    before = code_versions(build_definitions(folder.root))
    spoil(folder)
    definitions = build_definitions(folder.root)
    assert code_versions(definitions) == before
    with dg.DagsterInstance.ephemeral() as instance:
        result = definitions.resolve_implicit_global_asset_job_def().execute_in_process(
            instance=instance, asset_selection=[dg.AssetKey("exports")], raise_on_error=False
        )
    (failure,) = [event.step_failure_data for event in result.all_events if event.is_step_failure]
    assert re.search(file, str(failure.error))
    assert "`egregora status` says" in str(failure.error)
    assert "Wilhelmina" not in str(failure.error)
    assert str(tmp_path) not in str(failure.error)


def specs(site: Path) -> dict[str, dg.AssetSpec]:
    return {spec.key.path[0]: spec for spec in build_definitions(site).resolve_all_asset_specs()}


def test_every_asset_has_an_owner_and_says_what_its_text_is(tmp_path: Path) -> None:
    for name, spec in specs(tmp_path).items():
        assert list(spec.owners) == ["team:egregora"]
        wanted = {"exports": "raw", "windows": "none"}.get(name, "pseudonymised")
        assert spec.tags["egregora/text"] == wanted


@pytest.mark.parametrize("provider", ["gemini", "offline"])
def test_gemini_is_a_kind_of_what_gemini_writes_and_of_nothing_else(tmp_path: Path, provider: str) -> None:
    (tmp_path / "egregora.toml").write_text(f'[model]\nprovider = "{provider}"\n')
    written = {name for name, spec in specs(tmp_path).items() if "gemini" in spec.kinds}
    assert written == ({stage.name for stage in STAGES if stage.task} if provider == "gemini" else set())


def test_assets_that_are_tables_show_their_columns(tmp_path: Path) -> None:
    with_columns: dict[str, list[str]] = {}
    for name, spec in specs(tmp_path).items():
        if schema := spec.metadata.get("dagster/column_schema"):
            with_columns[name] = [column.name for column in schema.columns]
    assert with_columns.keys() == {"exports", "windows", "messages"}
    warehouse = Warehouse(tmp_path / "warehouse.duckdb")
    for name, table in (("exports", "export_files"), ("windows", "windows"), ("messages", "messages")):
        assert with_columns[name] == [row[0] for row in warehouse.rows(f"DESCRIBE {table}")]
