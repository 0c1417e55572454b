"""The root of the errors that are meant for the owner; each room derives its own from it."""

from __future__ import annotations

import traceback
from pathlib import Path


class UserError(Exception):
    """Something the owner can put right. The text is a full sentence for them: what, where, what to do.

    Attributes:
        outline: the same in a sentence without what was found, which may be somebody's name, or where the file lies:
            for what is kept, such as an event of a run.
    """

    def __init__(self, text: str, outline: str = "") -> None:
        super().__init__(text)
        self.outline = outline or text


def describe(error: BaseException) -> str:
    """A sentence about a failure that is safe to log: an unforeseen exception's own text may hold words of the chat."""
    if isinstance(error, UserError | ProviderError):
        return str(error)
    ours = [frame for frame in traceback.extract_tb(error.__traceback__) if "egregora" in frame.filename]
    where = f" in {Path(ours[-1].filename).name}, line {ours[-1].lineno}" if ours else ""
    return f"unforeseen {type(error).__name__}{where}"


class ProviderError(Exception):
    """A task failed; the message is safe to log (ids and numbers, no text of chat or model)."""


class RunStopped(UserError):
    """No task can be done any more until the owner acts: no valid key, no budget, no quota, no consent."""
