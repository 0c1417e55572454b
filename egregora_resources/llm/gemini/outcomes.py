"""What came of a call, told apart: each kind of trouble has its policy (see `caller`).

Texts of troubles hold codes, names and numbers only: a service's own words may repeat what was sent to it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx2
from google.genai import errors, types

LONG_REST = 90.0
"""Seconds that a server may ask us to wait before we call it out of quota rather than busy."""
DAY_REST = 3600.0
"""Seconds that a key and model rest whose quota of the day is used up, if the server doesn't say."""

REFUSALS = frozenset(
    """SAFETY RECITATION BLOCKLIST PROHIBITED_CONTENT SPII LANGUAGE IMAGE_SAFETY IMAGE_PROHIBITED_CONTENT
    IMAGE_RECITATION MODEL_ARMOR JAILBREAK ESCALATION PUP_LIMITED_DISABLED""".split()  # noqa: SIM905
)


class Trouble(Exception):
    """A call that gave no answer to work with; `str` is safe to log."""


class TryAgain(Trouble):
    """The same call may succeed later: busy, lost, or garbled. `delay`: seconds the server asked for."""

    def __init__(self, what: str, delay: float = 0.0, *, sent: bool = True) -> None:
        super().__init__(what)
        self.delay = delay
        self.billed = sent
        """Whether the service may have worked on it, and charged for it."""


class OutOfQuota(Trouble):
    """This key has no quota left for this model; `delay`: seconds until it may have some."""

    def __init__(self, what: str, delay: float) -> None:
        super().__init__(what)
        self.delay = delay


class KeyRefused(Trouble):
    """The service doesn't accept the key."""


class OtherModel(Trouble):
    """This model won't do it: it refuses, doesn't exist, or doesn't take such requests. Another one may."""


class TooMuch(Trouble):
    """The answer didn't fit, or the question: less of it may. `thought`: there was no text at all."""

    def __init__(self, what: str, *, thought: bool = False, question: bool = False) -> None:
        super().__init__(what)
        self.thought, self.question = thought, question


class Malformed(Trouble):
    """The answer isn't what was asked for. `remark` tells the model what is wrong with it."""

    def __init__(self, what: str, remark: str = "") -> None:
        super().__init__(what)
        self.remark = remark or what


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, and what it took."""

    text: str
    image: bytes = b""
    pages: Mapping[str, str] | None = None
    """Address → retrieval status of pages that the model was to read."""
    input_tokens: int = 0
    output_tokens: int = 0
    """Thoughts included."""
    cached_tokens: int = 0


def trouble_of(error: Exception) -> Trouble:
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


def _of_status(error: errors.APIError) -> Trouble:
    code, status = error.code, str(error.status or "")
    what = f"{code} {status}".strip() if re.fullmatch(r"[A-Z_]{0,40}", status) else str(code)
    details = list(_details(error.details))
    reasons = {str(detail.get("reason", "")) for detail in details}
    message = str(error.message or "")
    if (
        code in (401, 403)
        or reasons & {"API_KEY_INVALID", "API_KEY_EXPIRED"}
        or "API key not valid" in message
    ):
        return KeyRefused(what)
    if code == 429:
        delay = _delay(error, details)
        quotas = " ".join(str(v.get("quotaId", "")) for detail in details for v in _violations(detail))
        if re.search(r"per_?day", quotas, re.IGNORECASE):
            return OutOfQuota(f"{what}, quota of the day", delay or DAY_REST)
        if delay > LONG_REST:
            return OutOfQuota(what, delay)
        return TryAgain(what, delay, sent=False)
    if code in (408, 409, 499) or code >= 500:
        return TryAgain(what, _delay(error, details), sent=code >= 500)
    if code == 400 and re.search(
        r"token count.{0,80}exceed|exceeds the maximum number of tokens", message, re.DOTALL
    ):
        return TooMuch(f"{what}, the question is too long", question=True)
    if code == 413:
        return TooMuch(f"{what}, the question is too long", question=True)
    return OtherModel(what)


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
        Trouble: there is none, or not all of it.
    """
    candidate = response.candidates[0] if response.candidates else None
    if candidate is None:
        feedback = response.prompt_feedback
        if feedback is not None and feedback.block_reason is not None:
            raise OtherModel(f"refused: {_name(feedback.block_reason)}")
        raise TryAgain("an empty answer")
    reason = _name(candidate.finish_reason) if candidate.finish_reason is not None else "STOP"
    parts = (candidate.content.parts if candidate.content else None) or []
    text = "".join(part.text for part in parts if part.text and not part.thought)
    image = next((part.inline_data.data for part in parts if part.inline_data and part.inline_data.data), b"")
    if reason in REFUSALS:
        raise OtherModel(f"refused: {reason}")
    if reason == "MAX_TOKENS":
        raise TooMuch("the answer was cut off", thought=not text)
    if not text and not image:
        raise OtherModel("no picture") if reason == "NO_IMAGE" else TryAgain(f"an empty answer ({reason})")
    if reason not in ("STOP", "FINISH_REASON_UNSPECIFIED"):
        # Unknown, OTHER, MALFORMED_…: what is there may be half of it.
        raise TryAgain(f"an answer that ended with {reason}")
    pages: dict[str, str] = {}
    if candidate.url_context_metadata is not None:
        for page in candidate.url_context_metadata.url_metadata or []:
            pages[page.retrieved_url or ""] = _name(page.url_retrieval_status)
    used = tokens_of(response)
    return Reply(text, image, pages, *used)


def tokens_of(response: types.GenerateContentResponse) -> tuple[int, int, int]:
    """(input, output with thoughts, cached input) tokens that the service counted."""
    usage = response.usage_metadata
    if usage is None:
        return 0, 0, 0
    given = (usage.prompt_token_count or 0) + (usage.tool_use_prompt_token_count or 0)
    made = (usage.candidates_token_count or 0) + (usage.thoughts_token_count or 0)
    return given, made, usage.cached_content_token_count or 0


def _name(value: Any) -> str:
    """An enum's value, also one that this version of the library doesn't know; nothing that isn't a name."""
    name = str(getattr(value, "value", value) or "")
    return name if re.fullmatch(r"[A-Z_]{1,40}", name) else "UNKNOWN"
