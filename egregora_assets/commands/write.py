"""`write`: import, plan, run, build, summary, on the same graph and instance that the Dagster UI shows."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from egregora_assets.commands.consent import ask_about_layout, ask_about_loss, ask_about_settings, ask_to_send
from egregora_assets.commands.lost_warehouse import is_lost
from egregora_assets.commands.report import WriteReport, count
from egregora_assets.commands.run_graph import run_graph
from egregora_assets.costs.estimates import priced
from egregora_assets.erasure.unfinished import resume
from egregora_assets.erasure.withdrawal import withdraw
from egregora_assets.ingestion.imports import import_exports, import_inbox
from egregora_assets.leak_check.names_on_pages import shows_names
from egregora_assets.pipeline.context import PipelineContext
from egregora_assets.pipeline.plan import make_plan
from egregora_assets.stages import STAGES
from egregora_assets.windowing.layout import relayout
from egregora_resources.errors import describe
from egregora_resources.inputs.export import Export
from egregora_resources.llm.providers import check_provider, record_provider
from egregora_resources.progress import Progress, Silent
from egregora_resources.site.site import Site
from egregora_resources.warehouse.migrations import remove_backups


def write_site(
    root: Path,
    exports: Sequence[Path | Export],
    *,
    chat: str | None = None,
    date_order: str | None = None,
    yes: bool = False,
    recut: bool = False,
    confirm: Callable[[str], bool] | None = None,
    progress: Progress | None = None,
) -> WriteReport:
    """Imports exports (and what lies in the inbox), writes what is new or changed, and builds the site.

    Args:
        root: folder with an egregora.toml.
        exports: files or folders, read where they are, not copied; or what was read of them already.
        chat: which chat of an export with several, or: it is the site's chat under another name.
        date_order: as ``[input] date_order``, for these files.
        yes: don't ask before settings make many windows be written again, or a site whose warehouse was lost is begun
            anew.
        recut: cut windows of count or bytes anew.
        confirm: asks the owner; None when there is nobody to ask.
        progress: shows what is going on.

    Raises:
        UserError: something that the owner has to put right; nothing is lost. What was imported by then stays: a no at
            the question before anything is sent keeps the import, and the next run goes on from there.
    """
    started = time.monotonic()
    progress = progress or Silent()
    site = Site.open(root)
    site.folder.make_state()
    with site.writing(progress):
        if is_lost(site):
            given = [one.source if isinstance(one, Export) else one for one in exports]
            ask_about_loss(site, given, yes, confirm)
            site.warehouse.create()
        check_provider(site)
        record_provider(site)
        resume(site, progress)
        # Asked before the import, so that a no leaves everything as it was.
        if not ask_about_layout(site, recut, yes, confirm):
            ask_about_settings(make_plan(PipelineContext.of(site), STAGES), yes, confirm)
        report = WriteReport(site_index=site.folder.built / "index.html")
        imported = import_exports(site, exports, chat=chat, date_order=date_order, progress=progress)
        dropped, unread = import_inbox(site, progress)
        files = [*imported.files, *dropped.files]
        report.imported = [file.sentence() for file in files]
        report.unread = [
            f"{path.name} in the inbox was not imported: {describe(error)}" for _, path, error in unread
        ]
        for file in files:
            for warning in file.warnings:
                progress.say(warning)
        if ignored := dropped.ignored_commands() or imported.ignored_commands():
            progress.say(ignored)
        relayout(site, recut=recut)
        context = PipelineContext.of(site)
        # Before anything else is done: what may no longer be shown goes, even if all that follows fails.
        if withdrawn := withdraw(context):
            progress.say(withdrawn.sentence())
        if open_names := shows_names(context.people.members):
            progress.say(
                f"[privacy] level: pages call {len(open_names)} of the people by the names that the exports print."
            )
        plan = priced(context, make_plan(context, STAGES))
        ask_to_send(site, plan, yes, confirm)
        run_graph(context, plan, progress, report)
        if not (report.failed or report.stopped):
            remove_backups(site.warehouse.path)
    count(report, context)
    report.seconds = time.monotonic() - started
    return report
