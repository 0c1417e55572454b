"""How close to ideal a run of many windows comes, and what failures cost it: `make bench-llm`.

The service is the fault server of the tests: real HTTP through the real client, an answer a second. Ideal is
calls × latency ÷ concurrency.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from egregora_tests.llm.fault_server import MIXED, FaultServer
from egregora_tests.llm.many_windows import run_windows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--windows", type=int, default=200)
    parser.add_argument("--latency", type=float, default=1.0, help="seconds a call")
    parser.add_argument("--concurrency", type=int, default=8)
    parser.add_argument("--faults", type=float, default=0.0, help="share of calls that fail, in every way")
    options = parser.parse_args()
    os.environ["GOOGLE_API_KEY"] = "bench"
    with (
        tempfile.TemporaryDirectory() as folder,
        FaultServer(latency=options.latency, rate=options.faults, kinds=MIXED) as server,
    ):
        run = run_windows(server, Path(folder), options.windows, concurrency=options.concurrency)
    ideal = len(server.seen) * options.latency / options.concurrency
    faults = Counter(seen.fault for seen in server.seen if seen.fault)
    print(f"windows   {len(run.outcome.done)} done, {len(run.outcome.failed)} failed")  # noqa: T201
    print(f"calls     {len(server.seen)}, of which {sum(faults.values())} failed: {dict(faults)}")  # noqa: T201
    print(f"peak      {server.peak} in flight, {options.concurrency} allowed")  # noqa: T201
    print(f"wall      {run.seconds:.1f} s, {run.seconds / ideal:.2f} × ideal ({ideal:.1f} s)")  # noqa: T201


if __name__ == "__main__":
    main()
