"""The house: what may import what. The order of the rooms is the order in which one message travels, from below."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("egregora_assets", "egregora_resources")

ORDER = [
    "egregora_resources.errors",
    "egregora_resources.cldr",
    "egregora_resources.usage",
    "egregora_resources.progress",
    "egregora_resources.process_owner",
    "egregora_resources.document",
    "egregora_resources.inputs",
    "egregora_resources.privacy",
    "egregora_resources.warehouse",
    "egregora_resources.chat_log",
    "egregora_resources.site",
    "egregora_resources.people",
    "egregora_resources.publishing",
    "egregora_resources.media",
    "egregora_resources.llm",
    "egregora_resources.document_kinds",
    "egregora_resources.dagster_resources",
    "egregora_assets.demo",
    "egregora_assets.windowing",
    "egregora_assets.pipeline",
    "egregora_assets.messages",
    "egregora_assets.media",
    "egregora_assets.enrichments",
    "egregora_assets.digests",
    "egregora_assets.profiles",
    "egregora_assets.posts",
    "egregora_assets.banners",
    "egregora_assets.costs",
    "egregora_assets.leak_check",
    "egregora_assets.site",
    "egregora_assets.erasure",
    "egregora_assets.stages",
    "egregora_assets.ingestion",
    "egregora_assets.graph",
    "egregora_assets.windows",
    "egregora_assets.exports",
    "egregora_assets.definitions",
    "egregora_assets.commands",
    "egregora_assets.cli",
]
"""From the ground up: a room imports what stands before it, and nothing behind it, not even inside a function."""

MOST_ENTRIES = 24
DAGSTER_AT_HOME = ("egregora_assets.graph",)
DAGSTER_AS_GUEST = {
    "egregora_assets.definitions",
    "egregora_assets.exports",
    "egregora_assets.windows",
    "egregora_resources.dagster_resources",
}
NOT_FOR_THE_ENGINE = (
    "erasure",
    "leak_check",
    "ingestion",
    "graph",
    "commands",
    "cli",
    "stages",
    "definitions",
)


def modules() -> dict[str, ast.Module]:
    return {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): ast.parse(
            path.read_text("utf-8")
        )
        for package in PACKAGES
        for path in sorted((ROOT / package).rglob("*.py"))
    }


MODULES = modules()


def imports(tree: ast.Module) -> Iterator[str]:
    """Full names of what a module imports, wherever in it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            for name in node.names:
                whole = f"{node.module}.{name.name}"
                yield whole if whole in MODULES else node.module
        elif isinstance(node, ast.Import):
            yield from (name.name for name in node.names)


def room(module: str) -> str:
    return ".".join(module.split(".")[:2])


def test_every_room_has_its_place_in_the_order() -> None:
    assert {room(module) for module in MODULES} - set(PACKAGES) == set(ORDER)


def test_imports_run_one_way() -> None:
    floor = {name: number for number, name in enumerate(ORDER)}
    up = [
        f"{module} imports {imported}"
        for module, tree in MODULES.items()
        for imported in imports(tree)
        if room(imported) in floor and floor[room(imported)] > floor.get(room(module), -1)
    ]
    assert up == []


def test_no_two_modules_import_each_other() -> None:
    seen = {module: set(imports(tree)) for module, tree in MODULES.items()}
    # A package and what is in it are one door.
    both = [(a, b) for a in seen for b in seen[a] if a < b and a in seen.get(b, ()) and not b.startswith(a)]
    assert both == []


def test_dagster_is_imported_by_the_graph_and_its_guests_alone() -> None:
    guests = {
        module
        for module, tree in MODULES.items()
        if any(name.split(".")[0] in ("dagster", "dagster_duckdb") for name in imports(tree))
        and not module.startswith(DAGSTER_AT_HOME)
    }
    # Only for the type checker, or when there is something to do: no command loads it to look.
    lazy = {"egregora_assets.commands.run_graph", "egregora_assets.cli.servers"}
    assert guests - lazy == DAGSTER_AS_GUEST


def test_the_engine_knows_no_stage_no_erasure_and_no_graph() -> None:
    stages = {"messages", "media", "enrichments", "digests", "profiles", "posts", "banners", "site"}
    foreign = [
        f"{module} imports {imported}"
        for module, tree in MODULES.items()
        if module.startswith("egregora_assets.pipeline")
        for imported in imports(tree)
        if room(imported).removeprefix("egregora_assets.") in stages.union(NOT_FOR_THE_ENGINE)
    ]
    assert foreign == []


def test_the_package_opens_on_the_assets_and_on_few_rooms() -> None:
    entries = [path.name for path in (ROOT / "egregora_assets").iterdir() if path.name != "__pycache__"]
    assert len(entries) <= MOST_ENTRIES, entries


@pytest.mark.parametrize("package", PACKAGES)
def test_every_room_says_what_belongs_there_and_what_does_not(package: str) -> None:
    for path in (ROOT / package).glob("*/__init__.py"):
        said = ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""
        assert len(said.split(". ")) + said.count(".\n") >= 2, path


def test_tests_mirror_the_rooms() -> None:
    rooms = {name.rpartition(".")[2] for name in ORDER} | {"architecture", "assets", "cases", "e2e", "frozen"}
    folders = {path.name for path in (ROOT / "egregora_tests").iterdir() if path.is_dir()}
    assert folders - {"__pycache__"} <= rooms


def test_no_public_function_takes_the_parts_of_a_site_side_by_side() -> None:
    """A `Site` is handed on whole; only `Site` itself and what it is made by take it apart."""
    parts = {"SiteFolder", "Settings", "Warehouse"}
    trains = [
        f"{module}.{node.name}"
        for module, tree in MODULES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("_")
        if len(
            parts
            & {ast.unparse(a.annotation) for a in [*node.args.args, *node.args.kwonlyargs] if a.annotation}
        )
        > 1
    ]
    assert trains == []
