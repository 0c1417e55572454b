"""`write --redo`: some stages of some windows made anew, because the owner wants them so.

The cache isn't asked. What was there stays, on the site as well, until what replaces it has been checked.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path

from egregora_assets.commands.consent import ask_to_send
from egregora_assets.commands.report import WriteReport, count
from egregora_assets.commands.run_graph import run_graph
from egregora_assets.costs.estimates import priced
from egregora_assets.pipeline.context import PipelineContext
from egregora_assets.pipeline.plan import make_plan
from egregora_assets.stages import STAGES
from egregora_resources.errors import UserError
from egregora_resources.llm.providers import check_provider
from egregora_resources.progress import Progress, Silent
from egregora_resources.site.site import Site
from egregora_resources.warehouse.database import Warehouse
from egregora_resources.warehouse.windows import active_windows


def redo_windows(
    root: Path,
    stages: Sequence[str],
    windows: Sequence[str],
    *,
    yes: bool = False,
    confirm: Callable[[str], bool] | None = None,
    progress: Progress | None = None,
) -> WriteReport:
    """Makes these stages of these windows anew, and what follows from them; nothing else is worked on.

    Args:
        stages: names of stages that ask a provider.
        windows: keys of windows.
        yes: agree to send text to a service that it was never sent to.
        confirm: asks the owner; None when there is nobody to ask.
        progress: told the price, and what is going on.

    Raises:
        UserError: there is no such stage or window, or something else that the owner has to put right.
    """
    started = time.monotonic()
    progress = progress or Silent()
    site = Site.look_at(root, wait=60)
    with site.writing(progress):
        check_provider(site)
        redo = frozenset(
            (stage, window) for stage in _stages(stages) for window in known(site.warehouse, windows)
        )
        context = PipelineContext.of(site, redo=redo)
        plan = make_plan(context, STAGES)
        rows = [row for row in plan.rows if row.window in windows]
        plan = priced(context, replace(plan, rows=rows, site="", before=()))
        ask_to_send(site, plan, yes, confirm)
        report = WriteReport(site_index=site.folder.built / "index.html")
        run_graph(context, plan, progress, report)
    count(report, context)
    report.seconds = time.monotonic() - started
    return report


def known(warehouse: Warehouse, windows: Sequence[str]) -> Sequence[str]:
    """The windows, once each is known to be there.

    Raises:
        UserError: naming the one that isn't, and those that it may stand for.
    """
    active = [window.key for window in active_windows(warehouse)]
    for window in windows:
        if window not in active:
            near = get_close_matches(window, active, 3) or active[-3:]
            raise UserError(
                f"There is no window {window}. Did you mean {' or '.join(near) or 'to import first'}? "
                "`egregora status` lists them."
            )
    return windows


def _stages(names: Sequence[str]) -> Sequence[str]:
    possible = [stage.name for stage in STAGES if stage.task]
    for name in names:
        if name not in possible:
            raise UserError(
                f"--redo {name}: that isn't a stage that can be made anew. These can: {', '.join(possible)}."
            )
    return names
