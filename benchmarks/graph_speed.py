"""What the graph costs where there is nothing to do: ``python benchmarks/graph_speed.py [windows …]``.

Makes sites whose results are stored as a run would have left them, has the command write each of them once to settle
its Dagster storage, and then measures a `write` that finds nothing to do, as a process of its own, and the plan, in
this one. CPU seconds, because they are the same on a busy machine; the best of several rounds counts.

Exits with 1 if a target is missed; the targets are the constants below.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from measuring import say, timed

sys.path.insert(0, str(Path(__file__).parents[1]))
from egregora_assets.graph.dagster_instance import site_instance
from egregora_assets.graph.partitions import WINDOW_PARTITIONS
from egregora_assets.ingestion.imports import import_exports
from egregora_assets.pipeline.context import PipelineContext
from egregora_assets.pipeline.plan import make_plan
from egregora_assets.stages import STAGES
from egregora_resources.llm.providers import record_provider
from egregora_resources.site.site import Site
from egregora_resources.warehouse.windows import active_windows
from egregora_tests.fresh_site import days, store_results
from egregora_tests.weekly_chat import export

ROUNDS = 3
WRITE_SECONDS = {12: 3.0, 3_650: 6.0}
"""CPU seconds of a `write` with nothing to do, by the number of windows."""
SETTINGS = '[model]\nprovider = "offline"\n\n[pipeline]\nwindow_unit = "days"\nwindow_size = 1\n'


def main() -> int:
    """Makes the sites, measures, prints."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("windows", nargs="*", type=int, help="how many windows (default: 12 3650)")
    options.add_argument("--rounds", type=int, default=ROUNDS)
    given = options.parse_args()
    missed: list[str] = []
    for windows in given.windows or WRITE_SECONDS:
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder) / "blog"
            context = _site(root, windows)
            plans = [
                timed(lambda context=context: make_plan(context, STAGES))[2] for _ in range(given.rounds)
            ]
            _write(root)
            wrote = min(_write(root) for _ in range(given.rounds))
        target = WRITE_SECONDS.get(windows)
        say(
            f"{windows:>6,} windows: nothing to do in {wrote:.2f} CPU s"
            + (f" (target {target:.0f})" if target else "")
            + f"; a plan takes {min(plans) / windows * 1000:.2f} ms a window"
        )
        if target and wrote > target:
            missed.append(f"{windows:,} windows: {wrote:.2f} CPU s, more than {target:.0f}")
    for miss in missed:
        say(f"missed: {miss}")
    return bool(missed)


def _site(root: Path, windows: int) -> PipelineContext:
    """A site of so many days, written, as far as warehouse and Dagster's storage tell."""
    root.mkdir()
    (root / "egregora.toml").write_text(SETTINGS, "utf-8")
    site = Site.open(root)
    site.folder.make_state()
    record_provider(site)
    import_exports(site, [export(root / "exports", days(windows))])
    store_results(PipelineContext.of(site), STAGES)
    with site_instance(root) as instance:
        instance.add_dynamic_partitions(WINDOW_PARTITIONS, [w.key for w in active_windows(site.warehouse)])
    return PipelineContext.of(site)


def _write(root: Path) -> float:
    """CPU seconds of a `write` that has nothing to do, its children's included."""
    before = os.times()
    wrote = subprocess.run(
        [sys.executable, "-m", "egregora_assets.cli", "write", "--site", str(root)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    after = os.times()
    if wrote.returncode or "Nothing to do" not in wrote.stdout:
        raise SystemExit(f"this write had something to do:\n{wrote.stdout[-2000:]}{wrote.stderr[-2000:]}")
    return after.children_user + after.children_system - before.children_user - before.children_system


if __name__ == "__main__":
    sys.exit(main())
