"""Jobs: the two things that the sensor and an operator launch. What is in them is decided by the graph."""

from __future__ import annotations

from collections.abc import Sequence

import dagster as dg

from egregora_assets.graph.dagster_internals import AssetJob

IMPORT_JOB, WRITE_JOB = "import_exports", "write_windows"


def site_jobs(stages: Sequence[str]) -> list[AssetJob]:
    """`import_exports` reads the inbox; `write_windows` takes windows through all stages and builds the site."""
    return [
        dg.define_asset_job(
            IMPORT_JOB, selection=["exports"], description="Imports every new file of the inbox."
        ),
        dg.define_asset_job(
            WRITE_JOB,
            selection=list(stages),
            description="Takes windows through all stages and builds the site.",
        ),
    ]
