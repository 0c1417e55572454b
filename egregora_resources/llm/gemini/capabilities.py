"""What models and the services in front of them have turned out to take, so that nothing is tried again and again in vain.

Few compatible services do all that Google's does, and few small models all that large ones do. What is learnt here holds
for a run: the next one may find another model or server under the same name.
"""

from __future__ import annotations

from collections import Counter

from egregora_resources.llm.gemini.outcomes import CallFailure, Malformed, TooMuch, UnsupportedRequest
from egregora_resources.llm.gemini.request import Ask, RequestStyle

UNFIT = 3
"""Requests in a row of a kind that a model doesn't take, without one that it took: then it gets no more of that kind."""


class Experience:
    """What is known of the models of a run."""

    def __init__(self) -> None:
        self.missing: dict[str, UnsupportedRequest] = {}
        """Models that aren't there."""
        self.manners: dict[str, RequestStyle] = {}
        """Model → how it has to be asked, once that is known."""
        self.rooms: dict[str, int] = {}
        """Model → output tokens that its server has room for."""
        self.answered = False
        """Whether anything was answered at all."""
        self._unfit: Counter[tuple[str, str]] = Counter()
        """(model, kind of request) → requests in a row that it didn't take."""
        self._nowhere: set[tuple[str, str]] = set()
        """Those for which there was nothing at the address."""
        self._too_long: dict[str, int] = {}
        """Model → estimated tokens of the shortest question that was too long."""

    def foresee(self, ask: Ask, model: str) -> None:
        """Spares calls whose end is known.

        Raises:
            CallFailure: that end.
        """
        if model in self.missing:
            raise self.missing[model]
        if self._unfit[model, ask.needs] >= UNFIT:
            nowhere = (model, ask.needs) in self._nowhere
            raise UnsupportedRequest("not asked, because it took no such request before", nowhere=nowhere)
        if not ask.needs and ask.tokens() >= self._too_long.get(model, ask.tokens() + 1):
            raise TooMuch("the question is too long", question=True)

    def failed(self, ask: Ask, model: str, trouble: CallFailure) -> None:
        """Notes what a trouble tells of later requests."""
        if isinstance(trouble, UnsupportedRequest) and trouble.missing:
            self.missing[model] = trouble
        elif isinstance(trouble, UnsupportedRequest) or (ask.needs and isinstance(trouble, Malformed)):
            self._unfit[model, ask.needs] += 1
            if isinstance(trouble, UnsupportedRequest) and trouble.nowhere:
                self._nowhere.add((model, ask.needs))
        elif isinstance(trouble, TooMuch) and trouble.question and not ask.needs:
            self._too_long[model] = min(ask.tokens(), self._too_long.get(model, ask.tokens()))

    def succeeded(self, ask: Ask, model: str) -> None:
        """Notes that the model takes such requests."""
        self.answered = True
        self._unfit[model, ask.needs] = 0
