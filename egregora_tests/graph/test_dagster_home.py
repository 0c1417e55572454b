"""Claims about a site's dagster.yaml: it is the owner's, and what has to be in it is."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from egregora_assets.graph.dagster_home import CONFIGURATION, SECTIONS, InstanceError, prepare
from egregora_assets.graph.dagster_instance import site_instance
from egregora_resources.site.folder import SiteFolder


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The file of a site that has been opened once."""
    prepare(tmp_path)
    return SiteFolder(tmp_path).dagster / "dagster.yaml"


def test_a_new_site_gets_the_configuration_and_keeps_it(file: Path, tmp_path: Path) -> None:
    assert file.read_text() == CONFIGURATION
    changed = file.stat().st_mtime_ns
    prepare(tmp_path)
    assert file.stat().st_mtime_ns == changed


def test_what_the_owner_added_stays_word_for_word(file: Path, tmp_path: Path) -> None:
    text = (
        CONFIGURATION
        + "\n# mine\nretention:\n  sensor:\n    purge_after_days: 3\nrun_monitoring: {enabled: true}\n"
    )
    file.write_text(text)
    prepare(tmp_path)
    assert file.read_text() == text
    with site_instance(tmp_path) as instance:
        assert instance.run_monitoring_enabled


def test_what_is_missing_is_added_at_the_end_and_comments_stay(file: Path, tmp_path: Path) -> None:
    file.write_text("# mine\ntelemetry: {enabled: false}  # never\nnux:\n  enabled: false")
    prepare(tmp_path)
    text = file.read_text()
    assert text.startswith("# mine\ntelemetry: {enabled: false}  # never\nnux:\n  enabled: false\n\n")
    assert yaml.safe_load(text) == {**yaml.safe_load(CONFIGURATION), "nux": {"enabled": False}}


def test_a_storage_of_the_owners_own_is_used_and_ours_isnt_put_beside_it(file: Path, tmp_path: Path) -> None:
    file.write_text(f"storage:\n  sqlite:\n    base_dir: {tmp_path / 'elsewhere'}\n")
    with site_instance(tmp_path) as instance:
        assert instance.get_runs_count() == 0
    known = yaml.safe_load(file.read_text())
    assert known.keys() == {"storage", "local_artifact_storage", "compute_logs", "telemetry"}
    assert (tmp_path / "elsewhere").is_dir()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("run_storage: [", "not valid YAML: .* in line 1.*remove the file"),
        ("- run_storage\n", "holds no sections"),
        (CONFIGURATION + "retentoin: 4\n", 'unexpected config entry "retentoin"'),
        (CONFIGURATION + "run_monitoring:\n  enabled: perhaps\n", "run_monitoring:enabled"),
        (CONFIGURATION + "storage:\n  sqlite:\n    base_dir: here\n", "storage: beside run_storage:"),
        (
            CONFIGURATION.replace("SqliteRunStorage", "InMemoryRunStorage"),
            "run_storage: is in memory, where no other process finds it",
        ),
        ("{nux: {enabled: false}}\n", "lacks run_storage:.*Add these lines"),
        (CONFIGURATION + "concurrency: 4\n", "can't be used: .*holds a value of another kind"),
        (CONFIGURATION + "instance_class: {module: nowhere, class: X}\n", "can't be used: .*module nowhere"),
    ],
)
def test_what_cant_be_used_is_told_with_file_and_key_and_left_alone(
    file: Path, tmp_path: Path, text: str, words: str
) -> None:
    file.write_text(text)
    with pytest.raises(InstanceError, match=f"(?s){file}.*{words}"):
        prepare(tmp_path)
    assert file.read_text() == text
    assert {path.name for path in file.parent.glob("dagster*")} == {"dagster.yaml"}


def test_a_storage_that_cant_be_opened_is_told_in_a_sentence(file: Path, tmp_path: Path) -> None:
    file.write_text("storage:\n  sqlite:\n    base_dir: {env: NOWHERE_AT_ALL}\n")
    with (
        pytest.raises(InstanceError, match=f"can't open the instance that {file} describes"),
        site_instance(tmp_path),
    ):
        pass


def test_an_empty_storage_is_told_in_a_sentence(file: Path, tmp_path: Path) -> None:
    file.write_text("storage:\n")
    with pytest.raises(InstanceError, match=f"{file} can't be used: .*a section that is empty"):
        prepare(tmp_path)


def test_a_file_that_is_completed_keeps_its_mode_and_stays_the_link_it_is(file: Path, tmp_path: Path) -> None:
    own = tmp_path / "elsewhere" / "mine.yaml"
    own.parent.mkdir()
    own.write_text("nux: {enabled: false}\n")
    own.chmod(0o600)
    file.unlink()
    file.symlink_to(own)
    prepare(tmp_path)
    assert file.readlink() == own
    assert own.stat().st_mode & 0o777 == 0o600
    assert yaml.safe_load(own.read_text()) == {**yaml.safe_load(CONFIGURATION), "nux": {"enabled": False}}
    assert list(own.parent.iterdir()) == [own]


def test_a_file_that_cant_be_completed_where_its_link_leads_is_told(file: Path, tmp_path: Path) -> None:
    file.unlink()
    file.symlink_to(tmp_path / "nowhere" / "mine.yaml")
    with pytest.raises(InstanceError, match=r"(?s)lacks run_storage:.*Add these lines"):
        prepare(tmp_path)


def test_a_removed_file_is_written_again(file: Path, tmp_path: Path) -> None:
    file.unlink()
    prepare(tmp_path)
    assert yaml.safe_load(file.read_text()) == yaml.safe_load("".join(SECTIONS.values()))
