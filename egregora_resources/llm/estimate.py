"""What a plan would cost, in numbers and in words. How it is guessed is in `estimates.py`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from egregora_resources.llm.pricing import dollars, known
from egregora_resources.site.settings import ModelSettings


@dataclass(frozen=True, slots=True)
class StageEstimate:
    """One stage's share of an estimate.

    Attributes:
        windows: in which it is to be run and has something to do.
        learnt_from: windows whose recorded usage corrected the guess.
    """

    stage: str
    model: str
    windows: int
    calls: int
    input_tokens: int
    output_tokens: int
    usd: float
    learnt_from: int


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a plan would cost, about.

    Attributes:
        stages: those with anything to send, in the order of the graph.
        month_usd: US dollars that the site has cost in this calendar month (UTC) so far.
    """

    stages: Sequence[StageEstimate]
    month_usd: float = 0.0

    @property
    def calls(self) -> int:
        return sum(stage.calls for stage in self.stages)

    @property
    def input_tokens(self) -> int:
        return sum(stage.input_tokens for stage in self.stages)

    @property
    def output_tokens(self) -> int:
        return sum(stage.output_tokens for stage in self.stages)

    @property
    def usd(self) -> float:
        return sum(stage.usd for stage in self.stages)

    def sentence(self) -> str:
        """The total in words."""
        return f"It will take about {self}."

    def __str__(self) -> str:
        return amounts(self.calls, self.input_tokens, self.output_tokens, self.usd)

    def warnings(self, model: ModelSettings) -> list[str]:
        """A sentence for models without a known price, and one for each budget that the estimate doesn't fit."""
        sentences: list[str] = []
        if unknown := sorted({stage.model for stage in self.stages if not known(stage.model)}):
            sentences.append(
                f"Nobody here knows what {' and '.join(unknown)} really costs: it is counted like the dearest Gemini "
                "model, so that the budgets hold in any case."
            )
        ends = "The run would stop when it is reached, keep what is done, and continue with the next write."
        if 0 < model.budget_usd_per_run < self.usd:
            sentences.append(
                f"That is more than [model] budget_usd_per_run, {dollars(model.budget_usd_per_run)}. {ends}"
            )
        left = model.budget_usd_per_month - self.month_usd
        if model.budget_usd_per_month and self.usd > left:
            sentences.append(
                f"That is more than what is left of [model] budget_usd_per_month, {dollars(max(left, 0))} of "
                f"{dollars(model.budget_usd_per_month)}. {ends}"
            )
        return sentences

    def to_json(self) -> dict[str, Any]:
        """For `plan --json`."""
        return {
            "stages": [asdict(stage) for stage in self.stages],
            "calls": self.calls,
            "input_tokens": self.input_tokens,
            "output_tokens": self.output_tokens,
            "usd": self.usd,
            "month_usd": self.month_usd,
        }


def amounts(calls: int, input_tokens: int, output_tokens: int, usd: float) -> str:
    """Calls, tokens and price in words."""
    return (
        f"{calls:,} call{'' if calls == 1 else 's'} ({_tokens(input_tokens)} tokens in, {_tokens(output_tokens)} out) "
        f"for {dollars(usd)}"
    )


def _tokens(count: int) -> str:
    if count >= 9_950_000:
        return f"{count / 1e6:,.0f} M"
    if count >= 995_000:
        return f"{count / 1e6:.1f} M"
    return f"{count / 1e3:.0f} k" if count >= 9_950 else f"{count:,}"
