"""Which windows are stale, in which stages, and why: the one function that everybody asks.

`wanted_parts` says what a result would be made from now; a result is fresh when it was made from the same. The
command, the runner, the sensor and the checks use it, and `code_version` of the assets is computed from the same
parts, so that the Dagster UI agrees.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, TypeAlias

from egregora_assets.pipeline.context import PipelineContext, WindowWork
from egregora_assets.pipeline.open_window import running_window, window_works
from egregora_assets.pipeline.stage import FinalStage, Stage
from egregora_resources.document import fingerprint
from egregora_resources.llm.estimate import Estimate
from egregora_resources.site.site import Site
from egregora_resources.warehouse.results import StageResult, load_results
from egregora_resources.warehouse.windows import active_windows

Action: TypeAlias = Literal["run", "fresh"]

UPSTREAM = "upstream changed"
ASKED = "asked for"
CLOSED = "window is no longer running"
WITHDRAWN = "somebody opted out, or retracted a message, in a window that it remembers"
TAKEN_BACK = "withdrawn: somebody opted out, or retracted a message"
_WORDS = {
    "window": "messages changed",
    "code": "stage's code changed",
    "settings": "settings changed",
    "prompt": "prompt changed",
    "model": "model changed",
    "so_far": CLOSED,
    "memory": WITHDRAWN,
}


@dataclass(frozen=True, slots=True)
class PlanRow:
    """What would be done for one stage of one window, and why."""

    window: str
    stage: str
    action: Action
    reason: str


@dataclass(frozen=True)
class Plan:
    """Everything that the next run would do.

    Attributes:
        rows: every stage of every window, in the order of the log and the graph.
        site: why the site has to be built anew though no window changed; empty if it hasn't.
        before: sentences about what a write would do first, after which the rest of the plan may be another one.
        degraded: (window, stage) → the fallback that made what is there; done again only when the owner asks.
        cost: what it would cost, about; None where nothing is sent to anybody.
        warnings: sentences about budgets that the cost doesn't fit.
    """

    rows: Sequence[PlanRow]
    site: str = ""
    before: Sequence[str] = ()
    degraded: Mapping[tuple[str, str], str] = field(default_factory=dict[tuple[str, str], str])
    cost: Estimate | None = None
    warnings: Sequence[str] = ()

    @property
    def stale(self) -> list[str]:
        """Windows with something to run, in the order of the log."""
        return list(dict.fromkeys(row.window for row in self.rows if row.action == "run"))

    @property
    def nothing_to_do(self) -> bool:
        return not self.stale and not self.site and not self.before

    @cached_property
    def _by_window(self) -> Mapping[str, list[PlanRow]]:
        rows: dict[str, list[PlanRow]] = {}
        for row in self.rows:
            rows.setdefault(row.window, []).append(row)
        return rows

    def stages(self, window: str) -> list[PlanRow]:
        """What is to be run for a window."""
        return [row for row in self._by_window.get(window, ()) if row.action == "run"]

    def to_json(self) -> dict[str, Any]:
        """For `plan --json`."""
        return {
            "windows": {
                window: [{"stage": row.stage, "action": row.action, "reason": row.reason} for row in rows]
                for window, rows in self._by_window.items()
            },
            "stale": self.stale,
            "reasons": Counter(row.reason for row in self.rows if row.action == "run"),
            "site": self.site,
            "before": list(self.before),
            "degraded": [
                {"window": window, "stage": stage, "by": by} for (window, stage), by in self.degraded.items()
            ],
            "estimate": self.cost.to_json() if self.cost else None,
            "warnings": list(self.warnings),
            "nothing_to_do": self.nothing_to_do,
        }


def make_plan(context: PipelineContext, stages: Sequence[Stage]) -> Plan:
    """Compares what is wanted with what is stored, without making anything."""
    results = load_results(context.storage)
    windows = active_windows(context.storage)
    rows: list[PlanRow] = []
    for work in window_works(context, windows):
        rows += _plan_window(context, stages, work, results)
    site = ""
    if windows and all(row.action == "fresh" for row in rows):
        final = next((stage for stage in stages if isinstance(stage, FinalStage)), None)
        site = final.due(context) if final else ""
    degraded = {
        (row.window, row.stage): results[row.stage, row.window].degraded
        for row in rows
        if row.action == "fresh" and results[row.stage, row.window].degraded
    }
    return Plan(rows, site, degraded=degraded)


def wanted_parts(stage: Stage, work: WindowWork, upstream: Mapping[str, str]) -> dict[str, str]:
    """What a result of this stage and window would be made from now.

    Args:
        upstream: data version of each stage that this one reads.
    """
    context = work.context
    parts = stage_parts(stage, context)
    parts["window"] = work.version if not stage.after else ""
    parts.update(stage.depends(work))
    parts.update({f"from:{name}": upstream.get(name, "") for name in stage.after})
    return {key: value for key, value in parts.items() if value}


def stage_parts(stage: Stage, context: PipelineContext) -> dict[str, str]:
    """The parts that are the same for all windows: what the asset's code version is made of."""
    if stage.task is None:
        return stage.version_parts(context.config, "")
    parts = stage.version_parts(context.config, context.llm.model(stage.task))
    return parts | ({"prompt": prompt} if (prompt := context.llm.prompt(stage.task)) else {})


def code_version(stage: Stage, context: PipelineContext) -> str:
    """The asset's code version."""
    return fingerprint(stage_parts(stage, context))


def due_again(stage: Stage, work: WindowWork) -> str:
    """Why a result is to be made anew though it is what is wanted: the owner asked for it."""
    return ASKED if (stage.name, work.key) in work.context.redo else ""


def difference(stored: StageResult | None, parts: Mapping[str, str], *, keep: bool = False) -> str:
    """Why a stored result isn't what is wanted, or an empty string if it is; `keep` wants what is there."""
    if stored is None:
        return "new"
    if stored.status == "failed":
        return "failed last time"
    if stored.status == "withdrawn":
        return TAKEN_BACK
    if (keep and stored.status == "done") or stored.fingerprint == fingerprint(dict(parts)):
        return ""
    changed = [key for key in sorted({*stored.parts, *parts}) if stored.parts.get(key) != parts.get(key)]
    sources = [key.removeprefix("from:") for key in changed if key.startswith("from:")]
    words = [_WORDS.get(key, f"{key} changed") for key in changed if not key.startswith("from:")]
    if sources:
        words.append(f"{UPSTREAM}: {', '.join(sources)}")
    return "; ".join(words)


def _plan_window(
    context: PipelineContext,
    stages: Sequence[Stage],
    work: WindowWork,
    results: Mapping[tuple[str, str], StageResult],
) -> list[PlanRow]:
    del context
    versions: dict[str, str] = {}
    running: set[str] = set()
    rows: list[PlanRow] = []
    for stage in stages:
        stored = results.get((stage.name, work.key))
        keep = stage.is_frozen(work.context.config) and stored is not None and stored.status == "done"
        due = [] if keep else sorted(running.intersection(stage.after))
        reason = due_again(stage, work) or difference(stored, wanted_parts(stage, work, versions), keep=keep)
        if (due and reason in ("", "new")) or (due and reason.startswith(UPSTREAM)):
            reason = "new" if stored is None else f"{UPSTREAM}: {', '.join(due)}"
        if reason:
            running.add(stage.name)
        elif stored:
            versions[stage.name] = stored.data_version
        rows.append(PlanRow(work.key, stage.name, "run" if reason else "fresh", reason))
    return rows


def told_versions(site: Site) -> dict[str, str]:
    """Data version of ``windows[w]`` by window: what it holds, and whether it is still running."""
    active = active_windows(site.warehouse)
    running = running_window(site, active)
    return {w.key: fingerprint(w.version, "running") if w.key == running else w.version for w in active}
