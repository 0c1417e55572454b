"""Where a window that is too long for a prompt is parted: at its longest silences."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from egregora_resources.document import Message
from egregora_resources.errors import UserError

FULL_CONTEXT_WINDOW_SIZE = 1_048_576
"""Tokens that the largest models take at once; the default budget of a prompt is far below."""


class WindowSizeError(UserError):
    """A window is over the token budget and may not be parted (any further).

    Carries `window`, `tokens`, `budget`, `parts` needed at least and `max_parts` allowed.
    """

    def __init__(self, window: str, tokens: int, budget: int, parts: int, max_parts: int) -> None:
        allowed = "splitting is off" if max_parts <= 1 else f"at most {max_parts} parts are allowed"
        super().__init__(
            f"Window {window} has about {tokens:,} tokens, {budget:,} fit a prompt and {allowed} "
            f"(it would take {parts}). Raise [pipeline] max_prompt_tokens or max_parts, or choose smaller windows."
        )
        self.window, self.tokens, self.budget = window, tokens, budget
        self.parts, self.max_parts = parts, max_parts


class WindowSplitError(UserError):
    """A window has no legal cut: one message alone is over the budget.

    Carries `window`, `message` (its id), `tokens` and `budget`.
    """

    def __init__(self, window: str, message: int, tokens: int, budget: int) -> None:
        super().__init__(
            f"Window {window} can't be parted: message {message} alone has about {tokens:,} tokens "
            f"and {budget:,} fit a prompt. Raise [pipeline] max_prompt_tokens."
        )
        self.window, self.message, self.tokens, self.budget = window, message, tokens, budget


def split_messages(
    window: str,
    messages: Sequence[Message],
    tokens: Callable[[str], int],
    *,
    budget: int,
    max_parts: int,
) -> list[list[Message]]:
    """Parts a window's messages so that each part fits the budget, cut at the longest silences.

    A cut leaves at least a quarter of the tokens on either side where it can, so that parts stay few; where
    silences would still make too many, parts are filled up instead.

    Raises:
        WindowSizeError: more than `max_parts` parts would be needed.
        WindowSplitError: a message alone is over the budget.
    """
    costs = [tokens(message.text) + MESSAGE_OVERHEAD_TOKENS for message in messages]
    total = sum(costs)
    if total > budget and max_parts <= 1:
        raise WindowSizeError(window, total, budget, -(-total // budget), max_parts)
    for message, cost in zip(messages, costs, strict=True):
        if cost > budget:
            raise WindowSplitError(window, message.id, cost, budget)
    edges = cuts([message.time for message in messages], costs, budget, max_parts)
    if len(edges) - 1 > max_parts:
        raise WindowSizeError(window, total, budget, len(edges) - 1, max_parts)
    return [list(messages[a:b]) for a, b in pairwise(edges)]


def cuts(times: Sequence[datetime], costs: Sequence[int], budget: int, max_parts: int) -> list[int]:
    """Where messages of these times and costs are cut, the begin and the end included; none of them is over budget."""
    sums = np.cumsum([0, *costs])
    edges = _split(times, sums, 0, len(times), budget)
    return edges if len(edges) - 1 <= max_parts else _fewest_parts(sums, budget)


MESSAGE_OVERHEAD_TOKENS = 12
"""What a message costs beside its text: id, time, author."""


def _split(times: Sequence[datetime], total: npt.NDArray[np.int64], a: int, b: int, budget: int) -> list[int]:
    whole = int(total[b] - total[a])
    if whole <= budget:
        return [a, b]
    margin = min(whole // 4, max(whole - budget, 0))
    legal = [i for i in range(a + 1, b) if margin <= total[i] - total[a] <= whole - margin] or list(
        range(a + 1, b)
    )
    middle = total[a] + whole / 2
    cut = max(legal, key=lambda i: (times[i] - times[i - 1], -abs(float(total[i]) - middle)))
    return [*_split(times, total, a, cut, budget)[:-1], *_split(times, total, cut, b, budget)]


def _fewest_parts(total: npt.NDArray[np.int64], budget: int) -> list[int]:
    """Cuts that fill every part as far as they can: what is left when silences make too many parts."""
    edges = [0]
    while edges[-1] < len(total) - 1:
        edges.append(int(np.searchsorted(total, total[edges[-1]] + budget, side="right")) - 1)
    return edges
