"""`write`: import, plan, run, build, summary, on the same graph and instance that the Dagster UI shows."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import AcquireReturnProxy, FileLock, Timeout

from egregora_assets.display import shows_names
from egregora_assets.estimates import priced, this_month
from egregora_assets.importing import import_exports, import_inbox, relayout
from egregora_assets.making import describe
from egregora_assets.plan import Plan, make_plan
from egregora_assets.progress import Progress, Silent
from egregora_assets.stage import PipelineContext
from egregora_assets.window_layout import MANY_WINDOWS, active_windows
from egregora_assets.withdrawal import withdraw
from egregora_resources.errors import UserError
from egregora_resources.llm import gemini
from egregora_resources.llm.pricing import dollars
from egregora_resources.llm.providers import check_provider, record_provider, wanted_provider
from egregora_resources.llm.spending import spent
from egregora_resources.llm.store import LlmStore
from egregora_resources.results import load_results
from egregora_resources.settings import Settings, load_settings
from egregora_resources.site_folder import SiteFolder
from egregora_resources.warehouse import Warehouse

if TYPE_CHECKING:
    import dagster as dg


class NotConfirmed(UserError):
    """The owner was asked and said no, or there was nobody to ask."""


@dataclass
class WriteReport:
    """What a write came to."""

    imported: list[str] = field(default_factory=list[str])
    """A sentence a file."""
    unread: list[str] = field(default_factory=list[str])
    """A sentence for each file of the inbox that couldn't be imported; the others were."""
    windows_written: list[str] = field(default_factory=list[str])
    failed: dict[str, str] = field(default_factory=dict[str, str])
    skipped: dict[str, str] = field(default_factory=dict[str, str])
    degraded: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    """Stage → windows in which a fallback made it."""
    stopped: str = ""
    """Why the run ended before its end: what the owner has to put right."""
    unwritten: list[str] = field(default_factory=list[str])
    """Windows that were due and weren't begun, or weren't finished, because the run stopped."""
    posts: int = 0
    """Posts on the site."""
    pages: int = 0
    usd: float = 0.0
    """Of all calls, those of windows that failed included."""
    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    month_usd: float = 0.0
    """What the site has cost in this calendar month (UTC)."""
    seconds: float = 0.0
    nothing_to_do: bool = False
    site_index: Path = Path()


def write_site(
    site: Path,
    exports: Sequence[Path],
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
        site: folder with an egregora.toml.
        exports: files or folders; read where they are, not copied.
        chat: which chat of an export with several, or: it is the site's chat under another name.
        date_order: as ``[input] date_order``, for these files.
        yes: don't ask before settings make many windows be written again.
        recut: cut windows of count or bytes anew.
        confirm: asks the owner; None when there is nobody to ask.
        progress: shows what is going on.

    Raises:
        UserError: something that the owner has to put right; nothing was changed, and nothing is lost.
    """
    started = time.monotonic()
    progress = progress or Silent()
    folder = SiteFolder(site)
    settings = load_settings(site)
    folder.make_state()
    with the_one_writer(folder, progress):
        check_provider(settings, folder)
        record_provider(settings, folder)
        warehouse = Warehouse(folder.warehouse)
        # Asked before the import, so that a no leaves everything as it was.
        if not _ask_about_layout(settings, warehouse, recut, yes, confirm):
            _ask_about_settings(make_plan(PipelineContext(settings, site, warehouse)), yes, confirm)
        report = WriteReport(site_index=folder.built / "index.html")
        imported = import_exports(
            folder, settings, warehouse, exports, chat=chat, date_order=date_order, progress=progress
        )
        dropped, unread = import_inbox(folder, settings, warehouse, progress)
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
        relayout(settings, warehouse, recut=recut)
        context = PipelineContext(settings, site, warehouse)
        # Before anything else is done: what may no longer be shown goes, even if all that follows fails.
        if withdrawn := withdraw(context):
            progress.say(withdrawn.sentence())
        if open_names := shows_names(context.people.members):
            progress.say(
                f"[privacy] level: pages call {len(open_names)} of the people by the names that the exports print."
            )
        plan = priced(context, make_plan(context))
        ask_to_send(folder, settings, plan, yes, confirm)
        run_graph(folder, context, plan, progress, report)
    count(report, context)
    report.seconds = time.monotonic() - started
    return report


def count(report: WriteReport, context: PipelineContext) -> None:
    """What there is now."""
    report.posts = context.storage.rows(
        "SELECT count(*) FROM documents JOIN windows ON window_key = key WHERE stage = 'posts' AND NOT retired"
    )[0][0]
    report.pages = sum(1 for _ in context.folder.built.rglob("*.html"))
    report.month_usd = this_month(context).usd


def the_one_writer(folder: SiteFolder, progress: Progress) -> AcquireReturnProxy:
    """The lock of the one process that changes a site; waits for it, and says so."""
    lock = FileLock(folder.write_lock)
    with suppress(Timeout):
        return lock.acquire(timeout=0.2)
    progress.say(f"Another `egregora write` is working on {folder.root}; waiting until it is done.")
    return lock.acquire()


def _ask_about_layout(
    settings: Settings, warehouse: Warehouse, recut: bool, yes: bool, confirm: Callable[[str], bool] | None
) -> bool:
    """Whether the layout changes."""
    change = relayout(settings, warehouse, recut=recut, dry_run=True)
    if change and change.large and not yes:
        _ask(str(change), confirm)
    return change is not None


def _ask_about_settings(plan: Plan, yes: bool, confirm: Callable[[str], bool] | None) -> None:
    touched = list(
        dict.fromkeys(
            row.window
            for row in plan.rows
            if "settings changed" in row.reason or "model changed" in row.reason
        )
    )
    if len(touched) > MANY_WINDOWS and not yes:
        _ask(
            f"Settings changed that {len(touched)} windows were written with; these would be written again.",
            confirm,
        )


def ask_to_send(
    folder: SiteFolder, settings: Settings, plan: Plan, yes: bool, confirm: Callable[[str], bool] | None
) -> None:
    """Tells the owner, once for a site and service, what leaves the machine, to whom, and what it will cost.

    Raises:
        NotConfirmed: they don't agree, or there is nobody to ask; nothing was sent.
    """
    model = settings.model
    if wanted_provider(settings, folder) == "offline" or not plan.stale or gemini.agreed(model, folder):
        return
    if not yes:
        _ask(
            _what_leaves(settings, plan),
            confirm,
            instead=f"agree with --yes, or with [model] send_without_asking = true in {folder.settings}; or have it "
            'written on this machine, with provider = "offline" there',
            outcome=f'nothing was sent. With [model] provider = "offline" in {folder.settings} it is written on this '
            "machine",
        )
    gemini.agree(model, folder)


def _what_leaves(settings: Settings, plan: Plan) -> str:
    """What is sent, to whom, and at what price."""
    model, windows = settings.model, len(plan.stale)
    seen = (
        "Addresses of shared links are sent, too, to be read there, and pictures, films and voice messages with all "
        "that is seen and heard in them; other files are not. "
        if settings.pipeline.enrichment.enabled
        else ""
    )
    limits = [
        f"{dollars(usd)} a {what} ([model] budget_usd_per_{what})"
        for usd, what in ((model.budget_usd_per_run, "run"), (model.budget_usd_per_month, "month"))
        if usd
    ]
    return (
        f"{windows:,} window{' is' if windows == 1 else 's are'} to be written by a model. For this the chat's text is "
        f"sent to {gemini.service(model)}, with pseudonyms for names, and without the numbers and addresses that "
        f"[privacy] takes out. {seen}What the service does with it is a matter of your contract with it. "
        + (f"{plan.cost.sentence()} " if plan.cost else "")
        + (
            f"It stops before it costs more than {' or '.join(limits)}. "
            if limits
            else "There is no budget. "
        )
        + "".join(f"{warning} " for warning in plan.warnings)
        + "You are asked once for this site."
    )


def _ask(
    text: str,
    confirm: Callable[[str], bool] | None,
    *,
    instead: str = "add --yes to go ahead, or undo the change",
    outcome: str = "nothing was changed",
) -> None:
    if confirm is None:
        raise NotConfirmed(f"{text} There is no terminal to ask at: {instead}.")
    if not confirm(f"{text} Go ahead?"):
        raise NotConfirmed(f"{text} Not done, as you wished; {outcome}.")


def run_graph(
    folder: SiteFolder, context: PipelineContext, plan: Plan, progress: Progress, report: WriteReport
) -> None:
    """Carries a plan out on the site's graph; where the owner wants windows anew, these alone."""
    for sentence in [plan.cost.sentence(), *plan.warnings] if plan.cost and plan.cost.stages else ():
        progress.say(sentence)
    progress.say("Starting")

    from egregora_assets.definitions import build_definitions
    from egregora_assets.events import report_missing
    from egregora_assets.exports import untold_windows
    from egregora_assets.instance import site_instance
    from egregora_assets.partitions import WINDOW_PARTITIONS, covering_range
    from egregora_assets.processes import stop_dead_runs
    from egregora_assets.stages import STAGES
    from egregora_resources.configurable import LlmResource

    warehouse = context.storage
    with site_instance(folder.root) as instance:
        stop_dead_runs(instance)
        llm = LlmResource(site=str(folder.root), fresh=bool(context.redo), budget=uuid.uuid4().hex)
        definitions = build_definitions(folder.root, progress=progress, llm=llm, redo=context.redo)
        # Before the graph is told of changed windows: see `report_missing`.
        report_missing(warehouse, instance, folder, STAGES, _code_versions(context))
        if untold_windows(context.config, warehouse, instance):
            told = _materialize(instance, definitions, ["exports"])
            if not told.success:
                raise _run_failed(told)
        if plan.nothing_to_do:
            report.nothing_to_do = True
            return
        keys = instance.get_dynamic_partitions(WINDOW_PARTITIONS)
        active = [window.key for window in active_windows(warehouse)]
        # Where only the site is to be built anew, any one window carries the build.
        wanted = plan.stale or active[-1:]
        # What the owner wants anew is a matter of these windows alone: a run each, and none of what lies between.
        spans = [covering_range(keys, part) for part in ([[w] for w in wanted] if context.redo else [wanted])]
        stages = [stage.name for stage in STAGES] if plan.stale else ["site"]
        before = spent(LlmStore(folder.llm))
        report.nothing_to_do = not any(spans)
        for span in filter(None, spans):
            part = [row for row in plan.rows if row.window in span] if context.redo else plan.rows
            result = _materialize(instance, definitions, stages, span)
            _summarise(report, warehouse, replace(plan, rows=part), result)
            if report.stopped:
                break
        after = spent(LlmStore(folder.llm))
        if after.calls > before.calls:
            # With what failed calls and windows cost.
            report.calls, report.usd = after.calls - before.calls, after.usd - before.usd
            report.input_tokens = after.input_tokens - before.input_tokens
            report.output_tokens = after.output_tokens - before.output_tokens
        done = {*report.windows_written, *report.failed}
        report.unwritten = [window for window in plan.stale if report.stopped and window not in done]


def _code_versions(context: PipelineContext) -> dict[str, str]:
    from egregora_assets.chain import code_versions_of
    from egregora_assets.stages import STAGES

    return code_versions_of(context.config, STAGES, context)


def _materialize(
    instance: dg.DagsterInstance,
    definitions: dg.Definitions,
    assets: Sequence[str],
    span: tuple[str, str] | None = None,
) -> dg.ExecuteInProcessResult:
    import dagster as dg

    from egregora_assets.processes import process_tags

    tags = process_tags()
    if span:
        tags |= {"dagster/asset_partition_range_start": span[0], "dagster/asset_partition_range_end": span[1]}
    job = definitions.resolve_implicit_global_asset_job_def()
    result = job.execute_in_process(
        instance=instance,
        asset_selection=[dg.AssetKey(name) for name in assets],
        tags=tags,
        raise_on_error=False,
        run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
    )
    if any(_interrupted(event) for event in result.all_events):
        # Dagster takes Ctrl-C for a failed step; for the owner it is still Ctrl-C.
        raise KeyboardInterrupt
    return result


def _interrupted(event: dg.DagsterEvent) -> bool:
    error = event.step_failure_data.error if event.is_step_failure else None
    return error is not None and error.cls_name in ("DagsterExecutionInterruptedError", "KeyboardInterrupt")


def _summarise(
    report: WriteReport, warehouse: Warehouse, plan: Plan, result: dg.ExecuteInProcessResult
) -> None:
    from egregora_assets.chain import STOPPED

    results = [r for r in load_results(warehouse).values() if r.run_id == result.run_id]
    for r in results:
        if r.status == "failed":
            report.failed[r.window] = f"{r.stage}: {r.error}"
        if r.status == "skipped" and r.stage == "posts":
            report.skipped[r.window] = r.note
        if r.status == "done" and r.degraded:
            report.degraded.setdefault(r.stage, []).append(r.window)
    failure = next((event.step_failure_data for event in result.all_events if event.is_step_failure), None)
    told = dict(failure.user_failure_data.metadata) if failure and failure.user_failure_data else {}
    if STOPPED in told:
        report.stopped = str(told[STOPPED].value)
    else:
        # Of what couldn't be made anew no failure is stored.
        for window in told.keys() & {row.window for row in plan.rows}:
            report.failed.setdefault(window, str(told[window].value))
    made = {r.window for r in results if r.stage == "posts" and r.status != "failed"}
    report.windows_written += [
        window
        for window in plan.stale
        if window not in report.failed and (window in made or not report.stopped)
    ]
    for r in results:
        report.usd += r.usage.usd
        report.calls += r.usage.calls
        report.input_tokens += r.usage.input_tokens
        report.output_tokens += r.usage.output_tokens
    if not result.success and not report.failed and not report.stopped:
        raise _run_failed(result)


def _run_failed(result: dg.ExecuteInProcessResult) -> UserError:
    return UserError(
        f"The run {result.run_id[:8]} failed before any window did. Open the Dagster UI with `egregora dev` to see why; "
        "what was finished is kept, and the next write continues."
    )
