"""A running Dagster UI and its daemon, spoken to as the browser does: GraphQL over HTTP."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from egregora_assets.graph.dagster_home import prepare
from egregora_assets.graph.dagster_instance import site_instance
from egregora_tests import HANG

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
Found = TypeVar("Found")

CHAIN = ("messages", "media", "enrichments", "digests", "profiles", "posts", "banners", "site")
ASSETS = ("exports", "windows", *CHAIN)
OVER = {"SUCCESS", "FAILURE", "CANCELED"}
BACKFILL_OVER = {"COMPLETED", "COMPLETED_SUCCESS", "COMPLETED_FAILED", "FAILED", "CANCELED"}


def until(look: Callable[[], Found | None], what: str) -> Found:
    """What `look` finds, as soon as it finds something."""
    deadline = time.monotonic() + HANG
    while time.monotonic() < deadline:
        found = look()
        if found:
            return found
        time.sleep(0.25)
    raise AssertionError(f"{what}: not within {HANG} seconds")


def environment(site: Path) -> dict[str, str]:
    """Of a process that works on a site."""
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    return {**os.environ, **prepare(site), "PYTHONPATH": path, "COLUMNS": "200"}


class Ui:
    """One site's UI."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}/graphql"
        self._selector: dict[str, str] = {}

    def query(self, text: str, **variables: Any) -> dict[str, Any]:
        """The data of an answer."""
        body = json.dumps({"query": text, "variables": variables}).encode()
        request = urllib.request.Request(self.url, body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=HANG) as answer:
            parsed = json.load(answer)
        assert "errors" not in parsed, parsed["errors"]
        return parsed["data"]

    @property
    def selector(self) -> dict[str, str]:
        """Of the one repository."""
        if not self._selector:
            text = """{ repositoriesOrError { __typename ... on PythonError { message }
                ... on RepositoryConnection { nodes { name location { name } } } } }"""
            nodes = self.query(text)["repositoriesOrError"]["nodes"]
            self._selector = {
                "repositoryName": nodes[0]["name"],
                "repositoryLocationName": nodes[0]["location"]["name"],
            }
        return self._selector

    def reload(self) -> None:
        """Loads the definitions anew, as the UI's button does after a change of code or settings."""
        text = """mutation ($name: String!) { reloadRepositoryLocation(repositoryLocationName: $name) {
            __typename ... on WorkspaceLocationEntry { loadStatus locationOrLoadError { __typename } } } }"""
        answer = self.query(text, name=self.selector["repositoryLocationName"])["reloadRepositoryLocation"]
        assert answer["locationOrLoadError"]["__typename"] == "RepositoryLocation", answer

    def stop_sensor(self) -> None:
        """Turns the inbox sensor off, so that it doesn't launch runs of its own."""
        text = """query ($selector: SensorSelector!) { sensorOrError(sensorSelector: $selector) {
            ... on Sensor { id } } }"""
        found = self.query(text, selector={**self.selector, "sensorName": "inbox"})["sensorOrError"]
        text = "mutation ($id: String!) { stopSensor(id: $id) { __typename ... on PythonError { message } } }"
        assert self.query(text, id=found["id"])["stopSensor"]["__typename"] == "StopSensorMutationResult"

    def ticks(self) -> list[str]:
        """Ids of the sensor's looks."""
        text = """query ($selector: SensorSelector!) { sensorOrError(sensorSelector: $selector) {
            ... on Sensor { sensorState { ticks(limit: 100) { id status } } } } }"""
        found = self.query(text, selector={**self.selector, "sensorName": "inbox"})["sensorOrError"]
        ticks = found["sensorState"]["ticks"]
        assert all(tick["status"] != "FAILURE" for tick in ticks), ticks
        return [tick["id"] for tick in ticks]

    def launch(self, assets: Sequence[str], *, config: Mapping[str, Any] | None = None) -> str:
        """“Materialize” on assets without partitions; the run's id."""
        text = """mutation ($params: ExecutionParams!) { launchPipelineExecution(executionParams: $params) {
            __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message }
            ... on RunConfigValidationInvalid { errors { message } } } }"""
        selector = {
            **self.selector,
            "pipelineName": "__ASSET_JOB",
            "assetSelection": _keys(assets),
            "assetCheckSelection": None,
        }
        params = {"selector": selector, "mode": "default", "runConfigData": dict(config or {})}
        answer = self.query(text, params=params)["launchPipelineExecution"]
        assert answer["__typename"] == "LaunchRunSuccess", answer
        return answer["run"]["runId"]

    def launch_job(self, job: str, partition: str, config: Mapping[str, Any]) -> str:
        """The launchpad's button, with a partition and a config; the run's id."""
        text = """mutation ($params: ExecutionParams!) { launchPipelineExecution(executionParams: $params) {
            __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message }
            ... on RunConfigValidationInvalid { errors { message } } } }"""
        params = {
            "selector": {**self.selector, "pipelineName": job},
            "mode": "default",
            "runConfigData": dict(config),
            "executionMetadata": {"tags": [{"key": "dagster/partition", "value": partition}]},
        }
        answer = self.query(text, params=params)["launchPipelineExecution"]
        assert answer["__typename"] == "LaunchRunSuccess", answer
        return answer["run"]["runId"]

    def retry_run(self, run: str) -> str:
        """“Re-execute from failure” on a run; the new one's id."""
        text = """mutation ($params: ReexecutionParams!) { launchRunReexecution(reexecutionParams: $params) {
            __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } } }"""
        params = {"parentRunId": run, "strategy": "FROM_FAILURE"}
        answer = self.query(text, params=params)["launchRunReexecution"]
        assert answer["__typename"] == "LaunchRunSuccess", answer
        return answer["run"]["runId"]

    def backfill(self, assets: Sequence[str], windows: Sequence[str] | None = None) -> str:
        """“Materialize” on assets with partitions (all windows if none are named); the backfill's id."""
        text = """mutation ($params: LaunchBackfillParams!) { launchPartitionBackfill(backfillParams: $params) {
            __typename ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message } } }"""
        which = {"allPartitions": True} if windows is None else {"partitionNames": list(windows)}
        params = {"assetSelection": _keys(assets), **which}
        answer = self.query(text, params=params)["launchPartitionBackfill"]
        assert answer["__typename"] == "LaunchBackfillSuccess", answer
        return answer["backfillId"]

    def retry(self, backfill: str) -> str:
        """“Retry from failure” on a backfill; the new one's id."""
        text = """mutation ($params: ReexecutionParams!) { reexecutePartitionBackfill(reexecutionParams: $params) {
            __typename ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message } } }"""
        params = {"parentRunId": backfill, "strategy": "FROM_FAILURE"}
        answer = self.query(text, params=params)["reexecutePartitionBackfill"]
        assert answer["__typename"] == "LaunchBackfillSuccess", answer
        return answer["backfillId"]

    def wait_for_run(self, run: str) -> str:
        """A run's final status."""

        def status() -> str | None:
            text = "query ($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }"
            found = self.query(text, id=run)["runOrError"]["status"]
            return found if found in OVER else None

        return until(status, f"run {run} is over")

    def wait_for_backfill(self, backfill: str) -> str:
        """A backfill's final status."""

        def status() -> str | None:
            text = """query ($id: String!) { partitionBackfillOrError(backfillId: $id) {
                ... on PartitionBackfill { status } ... on PythonError { message } } }"""
            found = self.query(text, id=backfill)["partitionBackfillOrError"]["status"]
            return found if found in BACKFILL_OVER else None

        return until(status, f"backfill {backfill} is over")

    def runs(self, tag: tuple[str, str] | None = None) -> list[dict[str, Any]]:
        """Runs, newest first, with tags by name."""
        text = """query ($filter: RunsFilter) { runsOrError(filter: $filter) { ... on Runs { results {
            runId status jobName assetSelection { path } tags { key value } } } } }"""
        tags = [{"key": tag[0], "value": tag[1]}] if tag else []
        runs = self.query(text, filter={"tags": tags})["runsOrError"]["results"]
        return [
            {
                **run,
                "tags": {tag["key"]: tag["value"] for tag in run["tags"]},
                "assets": {key["path"][0] for key in run["assetSelection"] or []},
            }
            for run in runs
        ]

    def partitions(self, asset: str) -> dict[str, str]:
        """Window → materialized, failed or missing, as the asset's page shows it."""
        text = """query ($key: AssetKeyInput!) { assetNodeOrError(assetKey: $key) { ... on AssetNode {
            assetPartitionStatuses { __typename ... on DefaultPartitionStatuses {
                materializedPartitions failedPartitions unmaterializedPartitions materializingPartitions } } } } }"""
        found = self.query(text, key={"path": [asset]})["assetNodeOrError"]["assetPartitionStatuses"]
        assert found["__typename"] == "DefaultPartitionStatuses", found
        assert not found["materializingPartitions"], found
        return (
            dict.fromkeys(found["unmaterializedPartitions"], "missing")
            | dict.fromkeys(found["materializedPartitions"], "materialized")
            | dict.fromkeys(found["failedPartitions"], "failed")
        )

    def stale(self, windows: Sequence[str], assets: Sequence[str] = CHAIN) -> dict[str, set[str]]:
        """Asset → the windows that aren't fresh, asked partition by partition."""
        text = """query ($keys: [AssetKeyInput!]!, $windows: [String!]) { assetNodes(assetKeys: $keys) {
            assetKey { path } staleStatusByPartition(partitions: $windows) } }"""
        nodes = self.query(text, keys=_keys(assets), windows=list(windows))["assetNodes"]
        stale: dict[str, set[str]] = {}
        for node in nodes:
            states = zip(windows, node["staleStatusByPartition"], strict=True)
            names = {window for window, state in states if state != "FRESH"}
            if names:
                stale[node["assetKey"]["path"][0]] = names
        return stale

    def check(self, asset: str, name: str) -> tuple[str, dict[str, Any]]:
        """A check's status on the asset's latest state, and its metadata."""
        text = """query ($key: AssetKeyInput!) { assetNodeOrError(assetKey: $key) { ... on AssetNode {
            assetChecksOrError { ... on AssetChecks { checks { name executionForLatestMaterialization {
            status evaluation { metadataEntries { label ... on IntMetadataEntry { intValue }
            ... on TextMetadataEntry { text } } } } } } } } } }"""
        node = self.query(text, key={"path": [asset]})["assetNodeOrError"]
        checks = {check["name"]: check for check in node["assetChecksOrError"]["checks"]}
        execution = checks[name]["executionForLatestMaterialization"]
        assert execution is not None, f"{name} was never evaluated for the latest {asset}"
        return execution["status"], _entries(execution["evaluation"]["metadataEntries"])

    def metadata(self, asset: str, window: str) -> dict[str, Any]:
        """Label → value of the newest event of a window."""
        text = """query ($key: AssetKeyInput!, $window: [String!]) { assetNodeOrError(assetKey: $key) {
            ... on AssetNode { assetMaterializations(partitions: $window, limit: 1) { metadataEntries { label
                ... on IntMetadataEntry { intValue } ... on FloatMetadataEntry { floatValue }
                ... on TextMetadataEntry { text } ... on UrlMetadataEntry { url } } } } } }"""
        node = self.query(text, key={"path": [asset]}, window=[window])["assetNodeOrError"]
        return _entries(node["assetMaterializations"][0]["metadataEntries"])


def _entries(entries: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return {entry.pop("label"): next(iter(entry.values()), None) for entry in entries}


def _keys(assets: Sequence[str]) -> list[dict[str, list[str]]]:
    return [{"path": [asset]} for asset in assets]


@contextmanager
def running(commands: Sequence[Sequence[str]], site: Path, port: int, log: Path) -> Generator[Ui]:
    """Starts processes on a site, waits until the UI on `port` has loaded the definitions, and ends them all."""
    with log.open("ab") as output:
        processes = [
            subprocess.Popen(
                command, cwd=site, env=environment(site), stdout=output, stderr=output, start_new_session=True
            )
            for command in commands
        ]
    ui = Ui(port)

    def loaded() -> bool:
        assert all(process.poll() is None for process in processes), log.read_text()
        try:
            return bool(ui.selector)
        except (OSError, KeyError, IndexError):
            return False

    try:
        until(loaded, "the UI is up")
        yield ui
    finally:
        for process in processes:
            process.send_signal(signal.SIGINT)
        for process in processes:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def moody_ui(site: Path) -> Generator[Ui]:
    """The webserver and the daemon on `graph.py`. The daemon looks at backfills every 2 seconds instead of 30."""
    with site_instance(site):
        pass  # makes the databases: two processes that do it at once break them; `dagster dev` does it first, too
    port = free_port()
    definitions = ["-f", str(HERE / "graph.py")]
    hasty = (
        "from dagster._daemon import controller; controller.DEFAULT_DAEMON_INTERVAL_SECONDS = 2; "
        "from dagster._daemon.cli import main; main()"
    )
    commands = [
        [sys.executable, "-m", "dagster_webserver", "--host", "127.0.0.1", "--port", str(port), *definitions],
        [sys.executable, "-c", hasty, "run", *definitions],
    ]
    with running(commands, site, port, site / ".egregora" / "ui.log") as ui:
        yield ui


@contextmanager
def egregora_dev(site: Path) -> Generator[Ui]:
    """`egregora dev` on a site."""
    port = free_port()
    command = [sys.executable, "-c", "from egregora_assets.cli import main; main()"]
    with running(
        [[*command, "dev", "--site", str(site), "--port", str(port)]],
        site, port, site / ".egregora" / "ui.log",
    ) as ui:  # fmt: skip
        yield ui
