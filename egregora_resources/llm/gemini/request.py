"""A request, whatever model it goes to; what it has cost; and the failure that no model answered it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from google.genai import types

from egregora_resources.document import fingerprint
from egregora_resources.errors import ProviderError
from egregora_resources.llm.cache import Subjects
from egregora_resources.llm.prompting import Prompt
from egregora_resources.usage import Usage


class Unanswered(ProviderError):
    """No model gave an answer to work with, though the service works: refused, malformed or cut off."""

    def __init__(self, what: str, usage: Usage, *, too_long: bool = False, cut_off: bool = False) -> None:
        super().__init__(what)
        self.usage = usage
        self.too_long, self.cut_off = too_long, cut_off
        """Whether a model would answer a shorter question; whether its answer didn't fit."""


@dataclass(frozen=True, slots=True)
class RequestStyle:
    """How a model is asked, by what it and its server have turned out to take."""

    spelled: bool = False
    """The form of the answer stands in the words, too: the model doesn't see what stands beside them."""
    plain: bool = False
    """Nothing stands beside the words: the server refuses that."""


USUAL, SPELLED, PLAIN = RequestStyle(), RequestStyle(spelled=True), RequestStyle(spelled=True, plain=True)


@dataclass(frozen=True)
class Ask:
    """A request, whatever model it goes to."""

    task: str
    prompt: Prompt
    subjects: Subjects
    schema: Mapping[str, Any] | None = None
    """JSON schema of the answer; None for plain text."""
    media: Sequence[tuple[str, bytes]] = ()
    """(MIME type, content)."""
    reads_pages: bool = False
    draws: bool = False
    named: Prompt | None = None
    """What names the answer, where something in the prompt is no reason to ask again."""

    def hash(self, model: str) -> str:
        """Names the answer in the cache."""
        words = self.named or self.prompt
        media = [[kind, fingerprint(content.hex())] for kind, content in self.media]
        flags = [self.reads_pages, self.draws]
        return fingerprint(model, words.system, words.user, self.schema, media, flags)

    @property
    def needs(self) -> str:
        """What it takes besides reading and writing words, which not every model and service can do."""
        kinds = sorted({kind.split("/")[0] for kind, _ in self.media})
        return "pages" if self.reads_pages else "drawing" if self.draws else "+".join(kinds)

    def contents(self, manner: RequestStyle = USUAL) -> list[types.Content]:
        """What is sent: media first, then the words."""
        parts = [types.Part.from_bytes(data=content, mime_type=kind) for kind, content in self.media]
        words = [self.prompt.system] if manner.plain else []
        words += [self.prompt.user]
        words += [self.form()] if manner.spelled and self.schema is not None else []
        return [types.Content(role="user", parts=[*parts, types.Part(text="\n\n".join(words))])]

    def form(self) -> str:
        """The form of the answer, in words."""
        schema = json.dumps(self.schema, ensure_ascii=False, separators=(",", ":"))
        return f"Answer with one JSON object and nothing else, of this schema: {schema}"

    def config(self, limit: int, manner: RequestStyle = USUAL, *, flex: bool) -> types.GenerateContentConfig:
        """How it is to be answered. `limit`: output tokens, thoughts included."""
        config = types.GenerateContentConfig(system_instruction=None if manner.plain else self.prompt.system)
        if self.draws:
            config.response_modalities = ["IMAGE"]
            config.image_config = types.ImageConfig(aspect_ratio="16:9", image_size="1K")
        else:
            config.max_output_tokens = limit
        if self.schema is not None and not manner.plain:
            config.response_mime_type = "application/json"
            config.response_json_schema = dict(self.schema)
        if self.reads_pages:
            config.tools = [types.Tool(url_context=types.UrlContext())]
        if flex:
            config.service_tier = types.ServiceTier.FLEX
        return config

    def tokens(self) -> int:
        """Estimated input tokens."""
        words = len(self.prompt.system.encode()) + len(self.prompt.user.encode())
        seen = sum(max(600, len(content) // 400) for _, content in self.media)
        return words // 4 + seen + (8_000 if self.reads_pages else 0)


@dataclass
class Cost:
    """What one request has cost so far, over all its calls."""

    usage: Usage = field(default_factory=Usage)

    def add(self, reply_tokens: tuple[int, int, int], usd: float) -> None:
        """Adds a call."""
        self.usage += Usage(1, reply_tokens[0], reply_tokens[1], usd)
