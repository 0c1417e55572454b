"""Claims about `egregora serve` and `egregora dev`."""

from __future__ import annotations

import http.client
import os
import subprocess
import sys
import threading
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
import yaml
from dagster import AssetCheckResult

from egregora_assets.cli import servers, sites
from egregora_assets.graph.dagster_home import CONFIGURATION, prepare
from egregora_resources.errors import UserError

ROOT = Path(__file__).parents[2]


@pytest.fixture
def port(tmp_path: Path) -> Generator[int]:
    built = tmp_path / "site"
    (built / "posts").mkdir(parents=True)
    (built / "index.html").write_text("<h1>front page</h1>")
    (built / "posts" / "index.html").write_text("posts")
    (built / "media").mkdir()
    (built / "media" / "cat.svg").write_text("<svg/>")
    (tmp_path / "egregora.toml").write_text("secret")
    with servers.open_server(built, 0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def get(port: int, path: str, host: str = "localhost") -> tuple[int, str, http.client.HTTPMessage]:
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request("GET", path, headers={"Host": f"{host}:{port}"})
    answer = connection.getresponse()
    return answer.status, answer.read().decode(), answer.headers


def test_the_built_blog_is_shown_and_nothing_else(port: int) -> None:
    assert get(port, "/")[:2] == (200, "<h1>front page</h1>")
    assert get(port, "/posts/")[:2] == (200, "posts")
    assert get(port, "/media/cat.svg")[2]["Content-Type"] == "image/svg+xml"
    for path in ("/../egregora.toml", "/%2e%2e/egregora.toml", "/media/", "/nowhere"):
        status, text, _ = get(port, path)
        assert status == 404
        assert "secret" not in text


def test_a_rebuilt_page_is_seen_at_once(port: int) -> None:
    assert get(port, "/")[2]["Cache-Control"] == "no-store"


def test_a_foreign_name_pointed_at_this_machine_sees_nothing(port: int) -> None:
    assert get(port, "/", host="evil.example")[0] == 403
    assert get(port, "/", host="127.0.0.1")[0] == 200


def test_only_this_machine_can_reach_it(port: int, tmp_path: Path) -> None:
    with servers.open_server(tmp_path, 0) as server:
        assert server.server_address[0] == "127.0.0.1"


def test_without_a_port_the_next_free_one_is_taken_and_a_named_one_must_be_free(tmp_path: Path) -> None:
    with servers.open_server(tmp_path, None) as first, servers.open_server(tmp_path, None) as second:
        assert first.server_address[1] != second.server_address[1]
        with pytest.raises(UserError, match="Choose another with --port"):
            servers.open_server(tmp_path, first.server_address[1])


def test_dev_opens_dagster_on_the_sites_own_instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site = tmp_path / "blog"
    sites.make(site)
    started: dict[str, Any] = {}

    def start(program: str, arguments: list[str], environment: dict[str, str]) -> None:
        started.update(program=program, arguments=arguments, environment=environment, folder=Path.cwd())

    monkeypatch.setattr(os, "execve", start)
    monkeypatch.chdir(tmp_path)
    with servers.open_server(tmp_path, 0) as taken:
        port = taken.server_address[1]
        with pytest.raises(UserError, match=f"Port {port} can't be used.*Choose another with --port"):
            servers.dev(Path("blog"), port)
    assert not started
    servers.dev(Path("blog"), port)
    assert started["program"] == sys.executable
    assert started["arguments"][1:4] == ["-m", "dagster", "dev"]
    assert "egregora_assets.definitions" in started["arguments"]
    assert started["arguments"][-2:] == ["--port", str(port)]
    assert started["folder"] == site
    home = site / ".egregora" / "dagster"
    assert started["environment"]["DAGSTER_HOME"] == str(home)
    assert started["environment"]["EGREGORA_SITE"] == str(site)
    assert (home / "dagster.yaml").exists()


def test_dev_tells_of_a_storage_that_cant_be_opened_and_starts_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = tmp_path / "blog"
    sites.make(site)
    configuration = Path(prepare(site)["DAGSTER_HOME"]) / "dagster.yaml"
    storage = "storage: {custom: {module: not_installed, class: Storage, config: {}}}\n"
    configuration.write_text(storage)
    with servers.open_server(tmp_path, 0) as free:
        port = free.server_address[1]
    monkeypatch.chdir(tmp_path)
    with pytest.raises(
        UserError, match=f"can't open the instance that {configuration} describes.*not_installed"
    ):
        servers.dev(site, port)
    assert Path.cwd() == tmp_path


def test_the_repositorys_dagster_files_and_the_commands_name_the_same_instance(tmp_path: Path) -> None:
    assert (ROOT / "dagster.yaml").read_text() == CONFIGURATION
    assert "EGREGORA_DAGSTER=${EGREGORA_SITE:-my-blog}/.egregora/dagster" in (ROOT / ".env").read_text()
    workspace = yaml.safe_load((ROOT / "workspace.yaml").read_text())
    assert workspace["load_from"] == [{"python_module": "egregora_assets.definitions"}]
    folder = prepare(tmp_path)["EGREGORA_DAGSTER"]
    assert folder == str(tmp_path / ".egregora" / "dagster")


def test_an_instance_keeps_everything_inside_the_site(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dagster import DagsterInstance, asset, materialize

    for name, value in prepare(tmp_path / "blog").items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)

    @asset
    def anything() -> None: ...

    with DagsterInstance.from_config(str(tmp_path / "blog" / ".egregora" / "dagster")) as instance:
        assert materialize([anything], instance=instance).success
        assert instance.get_runs_count() == 1
        assert not instance.telemetry_enabled
    assert [path.name for path in tmp_path.iterdir()] == ["blog"]
    assert [path.name for path in (tmp_path / "blog").iterdir()] == [".egregora"]


def test_an_instance_whose_making_was_killed_is_made_anew(tmp_path: Path) -> None:
    site = tmp_path / "blog"
    made = tmp_path / "made"
    code = (
        "import sys, os, threading, time; from pathlib import Path\n"
        "from sqlalchemy import event; from sqlalchemy.engine import Engine\n"
        "import dagster\n"
        "left = [int(sys.argv[2])]\n"
        "@event.listens_for(Engine, 'before_cursor_execute')\n"
        "def _(c, cursor, statement, *rest):\n"
        "    left[0] -= statement.lstrip().startswith('CREATE')\n"
        "    if left[0] < 0: os._exit(9)\n"
        "from egregora_assets.graph.dagster_home import prepare\n"
        "prepare(Path(sys.argv[1]))\n"
        "Path(sys.argv[3]).touch()\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    for statements in (1, 12, 30, 10_000):
        assert not made.exists()
        subprocess.run(
            [sys.executable, "-c", code, site, str(statements), made], env=environment, check=False
        )
    assert made.exists()

    from dagster import DagsterInstance, asset, asset_check, materialize

    @asset
    def anything() -> None: ...

    @asset_check(asset=anything)
    def fine() -> AssetCheckResult:
        return AssetCheckResult(passed=True)

    with pytest.MonkeyPatch.context() as patch:
        for name, value in prepare(site).items():
            patch.setenv(name, value)
        with DagsterInstance.from_config(str(site / ".egregora" / "dagster")) as instance:
            assert materialize([anything, fine], instance=instance).success
