"""How long-running work reports what it is doing. The terminal's bars are in `cli/terminal.py`."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Told about progress, from any thread. Texts hold window keys and numbers, never text of the chat."""

    def say(self, text: str) -> None:
        """A line of information."""
        ...

    def start(self, task: str, total: int | None) -> None:
        """A task such as "windows" begins, with so many things to do; again with a better total."""
        ...

    def advance(self, task: str, by: int = 1, detail: str = "") -> None:
        """`by` more things of the task are done; `detail` says which, e.g. a window's key."""
        ...

    def finish(self, task: str) -> None:
        """The task is over."""
        ...


class Silent:
    """Nobody is watching."""

    def say(self, text: str) -> None: ...

    def start(self, task: str, total: int | None) -> None: ...

    def advance(self, task: str, by: int = 1, detail: str = "") -> None: ...

    def finish(self, task: str) -> None: ...
