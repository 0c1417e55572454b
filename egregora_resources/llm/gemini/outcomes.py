"""What came of a call, told apart: each kind of trouble has its policy (see `caller`).

Texts of troubles hold codes, names and numbers only: a service's own words may repeat what was sent to it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx2
from google.genai import errors, types

from egregora_resources.llm.pricing import IMAGE_TOKENS

LONG_REST = 90.0
"""Seconds that a server may ask us to wait before we call it out of quota rather than busy."""
DAY_REST = 3600.0
"""Seconds that a key and model rest whose quota of the day is used up, if the server doesn't say."""

REFUSALS = frozenset(
    """SAFETY RECITATION BLOCKLIST PROHIBITED_CONTENT SPII LANGUAGE IMAGE_SAFETY IMAGE_PROHIBITED_CONTENT
    IMAGE_RECITATION MODEL_ARMOR JAILBREAK ESCALATION PUP_LIMITED_DISABLED""".split()  # noqa: SIM905
)


TOO_LONG = re.compile(
    r"""token\ count.{0,80}exceed | exceeds\ the\ maximum\ number\ of\ tokens | too\ (long|many\ tokens)
    | context.{0,20}(length|window|size) | maximum.{0,30}tokens""",
    re.IGNORECASE | re.DOTALL | re.VERBOSE,
)
"""How services say that a question is too long for the model."""
NO_ROOM = re.compile(
    r"max[ _-]?(output|completion|new)?[ _-]?tokens|tokens?.{0,80}completion", re.IGNORECASE | re.DOTALL
)
"""How they say that the answer was to have more room than the model has, besides the question."""
NO_MODEL = re.compile(
    r"(invalid|unknown|no such) model\b|\bmodels?\b.{0,80}(not found|n[o']t exist|not available)",
    re.IGNORECASE | re.DOTALL,
)
"""How they say that there is no such model."""
THOUGHTS = re.compile(r"(?s)^\s*<think(?:ing)?>.*?</think(?:ing)?>")
"""How small models think aloud, where the service doesn't keep that apart."""

BROKEN_OFF = frozenset(
    """OTHER IMAGE_OTHER MALFORMED_FUNCTION_CALL MALFORMED_RESPONSE UNEXPECTED_TOOL_CALL TOO_MANY_TOOL_CALLS
    MISSING_THOUGHT_SIGNATURE CONTINUATION ERROR""".split()  # noqa: SIM905
)


class CallFailure(Exception):
    """A call that gave no answer to work with; `str` is safe to log."""


class TryAgain(CallFailure):
    """The same call may succeed later: busy, lost, or garbled. `delay`: seconds the server asked for."""

    def __init__(
        self, what: str, delay: float = 0.0, *, sent: bool = True, busy: bool = False, answered: bool = False
    ) -> None:
        super().__init__(what)
        self.delay = delay
        self.busy = busy
        """Whether there were too many calls, rather than something wrong with this one."""
        self.answered = answered
        """Whether the service works, and the model has nothing to say."""
        self.billed = sent
        """Whether the service may have worked on it, and charged for it."""


class OutOfQuota(CallFailure):
    """This key has no quota left for this model; `delay`: seconds until it may have some."""

    def __init__(self, what: str, delay: float) -> None:
        super().__init__(what)
        self.delay = delay


class KeyRefused(CallFailure):
    """The service doesn't accept the key."""


class OtherModel(CallFailure):
    """This model won't do it: it refuses, doesn't exist, or doesn't take such requests. Another one may."""


class UnsupportedRequest(OtherModel):
    """The model can't do such things: it isn't there, or it or its server doesn't take them."""

    def __init__(
        self, what: str, *, missing: bool = False, nowhere: bool = False, form: bool = False
    ) -> None:
        super().__init__(what)
        self.missing = missing
        """There is no such model."""
        self.nowhere = nowhere
        """There is nothing for such requests at this address."""
        self.form = form
        """The request itself is refused: it may do without what isn't the conversation's own words."""


class TooMuch(CallFailure):
    """The answer didn't fit, or the question: less of it may. `thought`: there was no text at all."""

    def __init__(
        self, what: str, *, thought: bool = False, question: bool = False, room: bool = False
    ) -> None:
        super().__init__(what)
        self.thought, self.question = thought, question
        self.room = room
        """Whether it may do to want a shorter answer."""


class Malformed(CallFailure):
    """The answer isn't what was asked for. `remark` tells the model what is wrong with it."""

    def __init__(self, what: str, remark: str = "", *, form: bool = False) -> None:
        super().__init__(what)
        self.remark = remark or what
        self.form = form
        """Whether it isn't even of the form that was asked for."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, and what it took."""

    text: str
    image: bytes = b""
    pages: Mapping[str, str] | None = None
    """Address → retrieval status of pages that the model was to read."""


def failure_of(error: Exception) -> CallFailure:
    """What an exception of the client means."""
    if isinstance(error, errors.APIError):
        return _of_status(error)
    if isinstance(error, TimeoutError | httpx2.TimeoutException):
        return TryAgain(
            "no answer in time", sent=not isinstance(error, httpx2.ConnectTimeout | httpx2.PoolTimeout)
        )
    if isinstance(error, httpx2.ConnectError):
        return TryAgain("no connection", sent=False)
    if isinstance(error, httpx2.TransportError | httpx2.DecodingError | OSError):
        return TryAgain(f"the connection broke ({type(error).__name__})")
    # Half a body, or one that isn't JSON: json.JSONDecodeError and pydantic's ValidationError are ValueErrors.
    if isinstance(error, ValueError | TypeError | AttributeError | KeyError):
        return TryAgain(f"an answer that can't be read ({type(error).__name__})")
    raise error


def _of_status(error: errors.APIError) -> CallFailure:
    code, status = error.code, str(error.status or "")
    what = f"{code} {status}".strip() if re.fullmatch(r"[A-Z_]{0,40}", status) else str(code)
    details = list(_details(error.details))
    reasons = {str(detail.get("reason", "")) for detail in details}
    # In whatever form: compatible services have errors of their own.
    words = json.dumps(error.details, default=str, ensure_ascii=False)
    if (
        code in (401, 402, 403)
        or reasons & {"API_KEY_INVALID", "API_KEY_EXPIRED"}
        or "API key not valid" in words
    ):
        return KeyRefused(what)
    if code == 429:
        delay = _delay(error, details)
        quotas = " ".join(str(v.get("quotaId", "")) for detail in details for v in _violations(detail))
        if re.search(r"per_?day", quotas, re.IGNORECASE):
            return OutOfQuota(f"{what}, quota of the day", delay or DAY_REST)
        if delay > LONG_REST:
            return OutOfQuota(what, delay)
        return TryAgain(what, delay, sent=False, busy=True)
    room = NO_ROOM.search(words) is not None
    if code == 413 or (code in (400, 422, 500) and (room or TOO_LONG.search(words))):
        return TooMuch(f"{what}, the question is too long", question=True, room=room)
    if code in (400, 404, 422) and NO_MODEL.search(words):
        return UnsupportedRequest(what, missing=True)
    if code in (404, 405, 501):
        return UnsupportedRequest(what, nowhere=True)
    if code in (408, 409, 499) or code >= 500:
        delay = _delay(error, details)
        return TryAgain(what, delay, sent=code >= 500, busy=delay > 0)
    return UnsupportedRequest(what, form=code in (400, 422))


def _details(body: Any) -> Iterator[Mapping[str, Any]]:
    error = body.get("error", body) if isinstance(body, Mapping) else {}
    details = error.get("details") if isinstance(error, Mapping) else None
    for detail in details if isinstance(details, list) else []:
        if isinstance(detail, Mapping):
            yield detail


def _violations(detail: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    found = detail.get("violations")
    return [v for v in found if isinstance(v, Mapping)] if isinstance(found, list) else []


def _delay(error: errors.APIError, details: list[Mapping[str, Any]]) -> float:
    """Seconds that the server wants us to wait: RetryInfo, or the Retry-After header."""
    for detail in details:
        stated = re.fullmatch(r"(\d+(?:\.\d+)?)s", str(detail.get("retryDelay", "")))
        if stated:
            return float(stated[1])
    headers = getattr(error.response, "headers", None) or {}
    after = str(headers.get("retry-after", "")).strip()
    if re.fullmatch(r"\d+(\.\d+)?", after):
        return float(after)
    try:
        until = parsedate_to_datetime(after)
    except (TypeError, ValueError):
        return 0.0
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return max((until - datetime.now(UTC)).total_seconds(), 0.0)


def read(response: types.GenerateContentResponse) -> Reply:
    """The answer in a response.

    Raises:
        CallFailure: there is none, or not all of it.
    """
    candidate = response.candidates[0] if response.candidates else None
    if candidate is None:
        feedback = response.prompt_feedback
        if feedback is not None and feedback.block_reason is not None:
            raise OtherModel(f"refused: {_name(feedback.block_reason)}")
        raise TryAgain("an empty answer", answered=True)
    reason = _name(candidate.finish_reason) if candidate.finish_reason is not None else "STOP"
    parts = (candidate.content.parts if candidate.content else None) or []
    text = THOUGHTS.sub("", "".join(part.text for part in parts if part.text and not part.thought)).strip()
    image = next((part.inline_data.data for part in parts if part.inline_data and part.inline_data.data), b"")
    if reason in REFUSALS:
        raise OtherModel(f"refused: {reason}")
    if reason in ("MAX_TOKENS", "LENGTH"):
        raise TooMuch("the answer was cut off", thought=not text)
    if not text and not image:
        if reason == "NO_IMAGE":
            raise OtherModel("no picture")
        raise TryAgain(f"an empty answer ({reason})", answered=True)
    if reason in BROKEN_OFF:
        # What is there may be half of it.
        raise TryAgain(f"an answer that ended with {reason}", answered=True)
    # Reasons that nobody knows are those of other services: whether the answer is whole is seen in it.
    pages: dict[str, str] = {}
    if candidate.url_context_metadata is not None:
        for page in candidate.url_context_metadata.url_metadata or []:
            pages[page.retrieved_url or ""] = _name(page.url_retrieval_status)
    return Reply(text, image, pages)


def tokens_of(response: types.GenerateContentResponse, asked: int) -> tuple[int, int, int]:
    """(input, output with thoughts, cached input) tokens that the service counted; estimated, where it doesn't count.

    `asked`: estimated tokens of the request.
    """
    usage = response.usage_metadata
    if usage is None or not (usage.prompt_token_count or usage.total_token_count):
        contents = [candidate.content for candidate in response.candidates or [] if candidate.content]
        written = sum(len((part.text or "").encode()) for content in contents for part in content.parts or [])
        drawn = any(part.inline_data for content in contents for part in content.parts or [])
        return asked, IMAGE_TOKENS if drawn else written // 4, 0
    given = (usage.prompt_token_count or 0) + (usage.tool_use_prompt_token_count or 0)
    made = (usage.candidates_token_count or 0) + (usage.thoughts_token_count or 0)
    return given, made, usage.cached_content_token_count or 0


def _name(value: Any) -> str:
    """An enum's value, also one that this version of the library doesn't know; nothing that isn't a name."""
    name = str(getattr(value, "value", value) or "").upper()
    return name if re.fullmatch(r"[A-Z_]{1,40}", name) else "UNKNOWN"
