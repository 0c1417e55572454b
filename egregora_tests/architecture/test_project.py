"""The project as others pick it up: where bundled things come from, which licences it builds on."""

from __future__ import annotations

import random
import re
import subprocess
import sys
import tomllib
from fnmatch import fnmatchcase
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from egregora_tests.architecture.test_rooms import MODULES, PACKAGES, ROOT, imports


def test_the_notice_says_where_everything_that_is_bundled_comes_from() -> None:
    lines = (ROOT / "NOTICE").read_text("utf-8").splitlines()
    named = {line for line in lines if line.startswith(PACKAGES)}
    bundled = {
        str(path.relative_to(ROOT))
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and path.suffix not in (".py", ".pyc") and path.name != "py.typed"
    }
    assert {path for path in bundled if not any(fnmatchcase(path, pattern) for pattern in named)} == set()
    assert {pattern for pattern in named if not any(fnmatchcase(path, pattern) for path in bundled)} == set()


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/privacy.md"])
def test_what_a_document_links_to_or_names_by_its_path_is_there(name: str) -> None:
    document = ROOT / name
    text = document.read_text("utf-8")
    named = [document.parent / link for link in re.findall(r"\]\((?!https?:)(.+?)\)", text)]
    named += [ROOT / path for path in re.findall(r"`((?:egregora_|demo_chat|\.ci|\.github)[\w./-]*)`", text)]
    assert [str(path) for path in named if not path.exists()] == []


def test_what_a_docstring_names_by_its_file_is_there() -> None:
    files = [path for package in PACKAGES for path in (ROOT / package).rglob("*.*")]
    named = {
        (str(path.relative_to(ROOT)), name)
        for path in files
        if path.suffix == ".py"
        for name in re.findall(r"`(\w+\.(?:py|tsv|sql))`", path.read_text("utf-8"))
    }
    known = {path.name for path in files}
    assert {(path, name) for path, name in named if name not in known} == set()


def test_what_is_imported_is_a_dependency_by_name() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    declared = {canonicalize_name(Requirement(text).name) for text in project["dependencies"]}
    by_module = packages_distributions()
    imported = {name.partition(".")[0] for tree in MODULES.values() for name in imports(tree)}
    foreign = imported - {*sys.stdlib_module_names, *PACKAGES}
    assert {name for name in foreign if not declared & set(map(canonicalize_name, by_module[name]))} == set()


def test_every_target_of_the_makefile_is_one_whether_or_not_a_file_has_its_name() -> None:
    text = (ROOT / "Makefile").read_text("utf-8")
    targets = re.findall(r"^([a-z-]+):", text, re.MULTILINE)
    [phony] = re.findall(r"^\.PHONY: (.*)$", text, re.MULTILINE)
    assert set(phony.split()) == set(targets)


def test_hosted_ci_runs_on_every_python_that_the_project_file_names() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    named = [name.rpartition(" ")[2] for name in project["classifiers"] if " Python :: " in name]
    [job] = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text("utf-8"))["jobs"].values()
    assert job["strategy"]["matrix"]["python"] == named
    assert project["requires-python"] == f">={named[0]}"
    assert {"run": ".ci/run"} in job["steps"]


def test_what_a_test_draws_by_lot_is_drawn_again_from_its_seed(
    monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    monkeypatch.setenv("EGREGORA_SEED", "seven")
    assert request.getfixturevalue("chance").random() == random.Random("seven").random()


def licence_check(*requirements: str, packages: Path | None = None) -> subprocess.CompletedProcess[str]:
    """What CI calls, with further packages installed."""
    return subprocess.run(
        [sys.executable, ROOT / ".ci" / "licences.py", *requirements],
        env={"PYTHONPATH": str(packages or "")}, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_the_licence_of_every_dependency_allows_apache_2_0() -> None:
    done = licence_check()
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("metadata", "told"),
    [
        ("License-Expression: GPL-3.0-or-later", "It can't be a dependency"),
        ("License-Expression: MIT AND AGPL-3.0-only", "It can't be a dependency"),
        (
            "Classifier: License :: OSI Approved :: GNU General Public License v3 (GPLv3)",
            "It can't be a dependency",
        ),
        ("License: Proprietary", "list it with a reason"),
        ("License: UNKNOWN", "list it with a reason"),
        ("Summary: Says nothing.", "list it with a reason"),
        ("License-Expression: LGPL-2.1-or-later OR MPL-2.0", ""),
        ("License: BSD", ""),
    ],
)
def test_a_dependency_of_a_dependency_under_another_licence_is_refused(
    tmp_path: Path, metadata: str, told: str
) -> None:
    for name, more in (("harmless", "License: MIT\nRequires-Dist: deeper"), ("deeper", metadata)):
        folder = tmp_path / f"{name}-1.0.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(
            f"Metadata-Version: 2.4\nName: {name}\nVersion: 1.0\n{more}\n", "utf-8"
        )
    done = licence_check("harmless", packages=tmp_path)
    assert done.returncode == (1 if told else 0), done.stdout + done.stderr
    assert told in done.stdout
    assert ("deeper: " in done.stdout) == bool(told)
