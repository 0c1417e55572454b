"""One room for queries: who writes SQL, who reads the log as sent, and what is loaded by a command that only looks."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

from egregora_assets.stages import STAGES
from egregora_tests.architecture.test_rooms import MODULES, imports
from egregora_tests.fresh_site import days, store_results
from egregora_tests.small_site import SmallSite

SQL = re.compile(
    r"\b(SELECT\s|INSERT\s+(OR\s+\w+\s+)?INTO\s|DELETE\s+FROM\s|UPDATE\s+\w+\s+SET\s|DROP\s+TABLE\s"
    r"|CREATE\s+(OR\s+REPLACE\s+)?(TEMP\s+)?(TABLE|VIEW)\s|FROM\s+[a-z_]+\s+(WHERE|JOIN)\s)"
)
ROOMS_WITH_SQL = (
    "egregora_resources.warehouse",  # everybody's queries
    "egregora_resources.chat_log",  # the merge
    "egregora_resources.llm",  # the answers' own database
)
READERS_OF_THE_LOG = {
    "egregora_assets.ingestion.same_chat",  # import
    "egregora_assets.leak_check.check",  # the privacy check
    "egregora_assets.pipeline.open_window",  # hands `messages` the rows of its window
    "egregora_assets.windowing.log",  # the windows' fingerprints
    "egregora_assets.windowing.people_named",  # the windows' fingerprints
    "egregora_resources.people",  # import: commands in the chat
}


def test_sql_is_written_in_the_rooms_that_own_the_tables_alone() -> None:
    writing = {
        module
        for module, tree in MODULES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and SQL.search(node.value)
    }
    assert {module for module in writing if not module.startswith(ROOMS_WITH_SQL)} == set()


def test_the_log_as_sent_is_read_by_those_who_must_alone() -> None:
    readers = {
        module for module, tree in MODULES.items() if "egregora_resources.warehouse.raw_log" in imports(tree)
    }
    assert readers == READERS_OF_THE_LOG


def test_who_only_looks_loads_neither_ibis_nor_pandas(tmp_path: Path) -> None:
    site = SmallSite(tmp_path / "blog", pipeline={"window_unit": "days", "window_size": 1})
    site.get(days(3))
    store_results(site.context(), STAGES)
    looking = (
        "import sys\nfrom pathlib import Path\n"
        "from egregora_assets.pipeline.context import PipelineContext\n"
        "from egregora_assets.pipeline.plan import make_plan\n"
        "from egregora_assets.erasure.withdrawal import withdrawals_due\n"
        "from egregora_assets.stages import STAGES\n"
        "from egregora_resources.site.settings import Settings\n"
        "from egregora_resources.warehouse.database import Warehouse\n"
        "root = Path(sys.argv[1])\n"
        "settings = Settings.model_validate({'pipeline': {'window_unit': 'days', 'window_size': 1}})\n"
        "context = PipelineContext(settings, root, Warehouse(root / '.egregora' / 'warehouse.duckdb'))\n"
        "assert make_plan(context, STAGES).nothing_to_do and not withdrawals_due(context)\n"
        "sys.exit(' '.join(sorted({'ibis', 'pandas'} & sys.modules.keys())))\n"
    )
    looked = subprocess.run(
        [sys.executable, "-c", looking, str(site.folder.root)], capture_output=True, text=True, check=False
    )
    assert looked.stderr.strip() == ""
