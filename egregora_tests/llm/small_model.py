"""A small model behind a server that speaks only a part of the protocol, for `FaultServer(answers=…)`.

The server knows no schemas, tools, pictures or batches, counts no tokens, is called at v1beta only, and has an error
format of its own. The model writes what small models write; which of it is chosen by the words of the request.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from egregora_tests.llm.fault_server import Seen, good_text

Told = tuple[int, Any]


def error(code: int, message: str) -> Told:
    """As servers of other makes put it."""
    return code, {"error": {"message": message, "type": "invalid_request_error", "code": str(code)}}


def said(text: str, reason: str = "stop") -> Told:
    """An answer without a count of tokens, with more in it than anybody asked for."""
    content = {"role": "model", "parts": [{"text": text, "annotations": []}], "audio": None}
    choice = {"content": content, "finishReason": reason, "provider": {"seed": 1}}
    return 200, {"candidates": [choice], "object": "chat.completion", "system_fingerprint": "x"}


def _changed(change: Callable[[dict[str, Any]], Any]) -> Callable[[Seen], str]:
    return lambda seen: json.dumps(change(json.loads(good_text(seen))))


def _in_all_posts(**more: Any) -> Callable[[dict[str, Any]], Any]:
    def change(answer: dict[str, Any]) -> Any:
        return {
            **answer,
            **({"posts": [{**post, **more} for post in answer["posts"]]} if "posts" in answer else {}),
        }

    return change


def _with_blocks(*blocks: dict[str, Any]) -> Callable[[dict[str, Any]], Any]:
    def change(answer: dict[str, Any]) -> Any:
        for post in answer.get("posts", []):
            post["sections"][0]["blocks"] += blocks
        return answer

    return change


def _numbers_as_text(answer: dict[str, Any]) -> Any:
    for post in answer.get("posts", []):
        for section in post["sections"]:
            section["sources"] = [f"[{number}]" for number in section["sources"]]
            for block in section["blocks"]:
                block |= {"message": f"#{block['message']}"} if "message" in block else {}
    for person in answer.get("people", []):
        for note in person["notes"]:
            note["sources"] = ", ".join(f'"{number}"' for number in note["sources"])
    return answer


USABLE: dict[str, Callable[[Seen], str]] = {
    "fenced": lambda seen: f"Sure! Here is the JSON:\n```json\n{good_text(seen)}\n```\nLet me know if you need more.",
    "trailing commas": lambda seen: good_text(seen).replace("]", ",]").replace("}", ",}"),
    "thoughts": lambda seen: f"<think>They want {{JSON}}: {{}}. Hm.</think>\n{good_text(seen)}",
    "schema first": lambda seen: f'{{"type": "object", "properties": {{"posts": {{}}}}}}\n\n{good_text(seen)}',
    "bare list": lambda seen: json.dumps(next(iter(json.loads(good_text(seen)).values()))) if seen.task in ("posts", "profiles") else good_text(seen),
    "line breaks": lambda seen: good_text(seen).replace(". ", ".\n"),
    "numbers as text": _changed(_numbers_as_text),
    "no lists": _changed(_in_all_posts(tags=None, dek=None)),
    "more fields": _changed(lambda answer: {**answer, "confidence": 0.9}),
}  # fmt: skip
"""Good answers in bad clothes: taken at once."""
MENDED: dict[str, Callable[[Seen], str]] = {
    "bad quote": _changed(_with_blocks({"type": "quote", "message": 99_999})),
    "bad picture": _changed(_with_blocks({"type": "picture", "picture": 77}, {"type": "image", "url": "x"})),
    "quote in words": _changed(_with_blocks({"type": "quote", "message": "Hello everybody"})),
    "somebody else": _changed(_with_blocks({"type": "prose", "text": "All is well. @purple-unicorn said so."})),
    "long title": _changed(_in_all_posts(title="A day in the garden " * 20)),
    "no sources": _changed(lambda a: _in_all_posts(sections=[*a["posts"][0]["sections"], {"heading": "", "blocks": [{"type": "prose", "text": "It rained."}]}])(a) if "posts" in a else a),
    "empty section": _changed(lambda a: _in_all_posts(sections=[*a["posts"][0]["sections"], {"heading": "x", "blocks": []}])(a) if "posts" in a else a),
}  # fmt: skip
"""Answers with something wrong in them: asked again, and then taken without it."""
HOPELESS: dict[str, Callable[[Seen], str]] = {
    "chatter": lambda seen: "I am sorry, as a language model I can't do that {at all}.",
    "the schema": lambda seen: (
        '{"type": "object", "properties": {"posts": {"type": "array"}}, "required": ["posts"]}'
    ),
    "no posts in it": _changed(lambda answer: {"posts": [{"title": "Nothing", "sections": []}]}),
    "a loop": lambda seen: '{"posts": [' + '{"title": "' + "and " * 2_000,
}
"""Answers that nothing can be made of: the offline extract takes their place."""


@dataclass
class SmallModel:
    """Answers of the model and its server.

    Args:
        ways: in which it answers, e.g. those of `USABLE`.
        name: of the only model there is.
        context: tokens that question and answer may have together, at four bytes each; 0 for any number.
    """

    ways: Sequence[Callable[[Seen], str]]
    name: str = "tiny"
    context: int = 0

    def __call__(self, seen: Seen) -> Told:
        """Status and body of the answer to a request."""
        config = seen.body.get("generationConfig", {})
        if not seen.path.startswith("/v1beta/models/"):
            return 404, {"detail": "Not Found"}
        if seen.model != self.name:
            return error(404, f'model "{seen.model}" not found, try pulling it first')
        if seen.body.get("tools") or config.get("responseModalities"):
            return error(400, "Unknown field.")
        if any("inlineData" in part for turn in seen.body["contents"] for part in turn["parts"]):
            return error(400, "This model reads words only.")
        asked = len(" ".join([seen.system, *seen.texts]).encode()) // 4
        room = config.get("maxOutputTokens", 0)
        if self.context and asked + room > self.context:
            return error(
                400,
                f"This model's maximum context length is {self.context} tokens. However, you requested {asked + room} "
                f"tokens ({asked} in the messages, {room} in the completion).",
            )
        if not re.search("of this schema: ", "".join(seen.texts)):
            return said("They talked about the garden.")
        chosen = int.from_bytes(hashlib.sha256(seen.texts[0].encode()).digest()[:4]) % len(self.ways)
        return said(self.ways[chosen](seen), "eos")
