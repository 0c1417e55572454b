"""A server that speaks the Gemini protocol over real HTTP, and goes wrong in every way that the real one does.

Answers are made from the request: a digest, a post or notes that fit the schema and the numbered conversation.
"""

from __future__ import annotations

import base64
import io
import json
import random
import re
import select
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

from PIL import Image

RETRYABLE = (
    "429", "429-header", "503", "500", "408", "timeout", "disconnect", "half-body", "half-json", "empty",
    "no-text", "broken-off",
)  # fmt: skip
"""The same call succeeds when it is repeated."""
REASKED = ("truncated", "not-json", "wrong-schema", "bad-number", "bad-person")
"""The model has to be told what is wrong."""
REFUSED = ("blocked", "SAFETY", "RECITATION", "SPII", "PROHIBITED_CONTENT")
"""The model won't."""
MIXED = ("429", "503", "timeout", "disconnect", "half-body", "truncated", "not-json", "empty", "SAFETY")
"""What the real world is made of."""

RETRY_DELAY = 0.2


@dataclass
class Seen:
    """A request as the server got it."""

    path: str
    key: str
    body: dict[str, Any]
    time: float
    fault: str

    @property
    def model(self) -> str:
        return re.split(r"models/|:", self.path)[1] if "models/" in self.path else ""

    @property
    def system(self) -> str:
        return "".join(part["text"] for part in self.body.get("systemInstruction", {}).get("parts", []))

    @property
    def texts(self) -> list[str]:
        return [part["text"] for turn in self.body["contents"] for part in turn["parts"] if "text" in part]

    @property
    def task(self) -> str:
        return task_of(self.body)


def task_of(body: dict[str, Any]) -> str:
    """What a request asks for, by the form of the answer that it wants."""
    config = body.get("generationConfig", {})
    if config.get("responseModalities") == ["IMAGE"]:
        return "banners"
    if body.get("tools"):
        return "links"
    names = {
        "posts": "posts",
        "summary": "digests",
        "people": "profiles",
        "files": "media",
        "merges": "vocabulary",
    }
    wanted = config.get("responseJsonSchema") or _spelled(body)
    wanted = wanted.get("properties", {})
    return next((task for name, task in names.items() if name in wanted), "?")


def _spelled(body: dict[str, Any]) -> dict[str, Any]:
    """The schema in the words of a request that has none beside them."""
    words = "".join(part.get("text", "") for turn in body["contents"] for part in turn["parts"])
    _, met, rest = words.rpartition("of this schema: ")
    return json.JSONDecoder().raw_decode(rest)[0] if met else {}


@dataclass
class FaultServer:
    """Use as a context manager.

    Args:
        latency: seconds that an answer takes.
        script: faults of the first calls, one each ("" for none); a pair of a task and a fault waits for that task.
        rate: of later calls that go wrong, each in one of the `kinds`, chosen by a seeded generator.
        keys: that are accepted; empty for any.
        always: request → fault for each such call; None decides nothing.
        says: request → text of the answer; None for a good one.
        answers: request → status and body of the answer; None for the usual.
    """

    latency: float = 0.0
    script: list[str] = field(default_factory=list[str])
    rate: float = 0.0
    kinds: Sequence[str] = MIXED
    keys: Sequence[str] = ()
    always: Callable[[Seen], str | None] = lambda seen: None
    says: Callable[[Seen], str | None] = lambda seen: None
    answers: Callable[[Seen], tuple[int, Any] | None] = lambda seen: None
    hang: float = 2.0
    seen: list[Seen] = field(default_factory=list[Seen])
    answered: Counter[str] = field(default_factory=Counter[str])
    """Body → how often it got a good answer."""
    jobs: dict[str, list[Any]] = field(default_factory=dict[str, list[Any]])
    """Batch job → path and requests."""
    batches_end: bool = True
    batch_fault: str = ""
    """missing, swapped or error: the first answer of a job; failed, expired or cancelled: the job; none: no jobs."""
    refused_jobs: list[int] = field(default_factory=list[int])
    """Status codes that the first jobs are refused with."""
    peak: int = 0
    _flying: int = 0

    def __post_init__(self) -> None:
        self._random = random.Random(7)
        self._lock = threading.Lock()

    def __enter__(self) -> FaultServer:
        server = self

        class Handler(_Handler):
            faults = server

        self._http = _Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(
            target=self._http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
        )
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.shutdown()
        self._http.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_port}"

    def calls(self, task: str = "") -> list[Seen]:
        """The requests for a task, in order."""
        return [seen for seen in self.seen if not task or seen.task == task]

    def new_job(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Takes a batch job."""
        with self._lock:
            name = f"job{len(self.jobs)}"
            self.jobs[name] = [path, body["batch"]["inputConfig"]["requests"]["requests"]]
        return {"name": f"batches/{name}", "metadata": {"state": "BATCH_STATE_PENDING"}}

    def job(self, name: str) -> dict[str, Any]:
        """A batch job as it stands: it has ended once `batches_end` says so."""
        path, requests = self.jobs[name]
        if not self.batches_end:
            return {"name": f"batches/{name}", "metadata": {"state": "BATCH_STATE_RUNNING"}}
        answers: list[Any] = []
        for number, request in enumerate(requests):
            seen = Seen(path, "", request["request"], 0.0, "")
            answer = _good(seen)
            part = answer["candidates"][0]["content"]["parts"][0]
            echo = re.findall(r"request_id: (\w+)", seen.texts[-1])[-1]
            echo = "another" if self.batch_fault == "swapped" and number == 0 else echo
            part["text"] = json.dumps({"request_id": echo, **json.loads(part["text"])})
            if self.batch_fault == "error" and number == 0:
                answers.append({"error": {"code": 13, "message": "No."}, "metadata": request["metadata"]})
            elif self.batch_fault != "missing" or number:
                answers.append({"response": answer, "metadata": request["metadata"]})
        if self.batch_fault in ("failed", "expired", "cancelled"):
            state = f"BATCH_STATE_{self.batch_fault.upper()}"
            return {"name": f"batches/{name}", "metadata": {"state": state}}
        output = {"inlinedResponses": {"inlinedResponses": answers[::-1]}}
        state = "PARTIALLY_SUCCEEDED" if self.batch_fault == "error" else "SUCCEEDED"
        return {"name": f"batches/{name}", "metadata": {"state": f"BATCH_STATE_{state}", "output": output}}

    def take(self, path: str, key: str, body: dict[str, Any]) -> Seen:
        """Notes a request and decides what comes of it."""
        with self._lock:
            seen = Seen(path, key, body, time.monotonic(), "")
            always = self.always(seen)
            if self.keys and key not in self.keys:
                seen.fault = "400-key"
            elif always is not None:
                seen.fault = always
            elif self.script:
                seen.fault = self.script.pop(0)
            elif self._random.random() < self.rate:
                seen.fault = self._random.choice(self.kinds)
            self.seen.append(seen)
            self._flying += 1
            self.peak = max(self.peak, self._flying)
            return seen

    def done(self, seen: Seen) -> None:
        """An answer is on its way."""
        with self._lock:
            self._flying -= 1
            if not seen.fault:
                self.answered[json.dumps([seen.path, seen.body], sort_keys=True)] += 1


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that hang up are part of the game."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    faults: FaultServer

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""

    def do_GET(self) -> None:
        self._reply(200, self.faults.job(self.path.rsplit("/", 1)[-1]), {})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or b"{}")
        if self.path.endswith(":batchGenerateContent"):
            if self.faults.batch_fault == "none":
                self._reply(404, {"detail": "Not Found"}, {})
            elif self.faults.refused_jobs:
                code = self.faults.refused_jobs.pop(0)
                self._reply(code, _error(code, "SOME_STATUS"), {})
            else:
                self._reply(200, self.faults.new_job(self.path, body), {})
            return
        seen = self.faults.take(self.path, self.headers.get("x-goog-api-key", ""), body)
        try:
            time.sleep(self.faults.latency)
            answer = self._answer(seen)
        finally:
            self.faults.done(seen)
        if answer is not None:
            self._reply(*answer)

    def _answer(self, seen: Seen) -> tuple[int, Any, dict[str, str]] | None:
        if (own := self.faults.answers(seen)) is not None:
            return *own, {}
        match seen.fault:
            case "429":
                detail = {
                    "@type": "type.googleapis.com/google.rpc.RetryInfo",
                    "retryDelay": f"{RETRY_DELAY}s",
                }
                return 429, _error(429, "RESOURCE_EXHAUSTED", [detail]), {}
            case "429-header":
                return 429, _error(429, "RESOURCE_EXHAUSTED"), {"Retry-After": str(RETRY_DELAY)}
            case "429-day":
                violation = {"quotaId": "GenerateRequestsPerDayPerProjectPerModel"}
                detail = {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [violation]}
                return 429, _error(429, "RESOURCE_EXHAUSTED", [detail]), {}
            case "400-key":
                return 400, _error(400, "INVALID_ARGUMENT", [{"reason": "API_KEY_INVALID"}]), {}
            case "400-long":
                text = (
                    "The input token count (2000000) exceeds the maximum number of tokens allowed (1048576)."
                )
                return 400, _error(400, "INVALID_ARGUMENT", text=text), {}
            case "404":
                text = f"models/{seen.model} is not found for API version v1beta, or is not supported for generateContent."
                return 404, _error(404, "NOT_FOUND", text=text), {}
            case "400" | "401" | "403" | "408" | "500" | "503":
                return int(seen.fault), _error(int(seen.fault), "SOME_STATUS"), {}
            case "timeout":
                # Until the client hangs up: a call that it gave up isn't in flight any more.
                select.select([self.connection], [], [], self.faults.hang)
                self.close_connection = True
                return None
            case "disconnect":
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)
                return None
            case "half-body":
                text = json.dumps(response(good_text(seen))).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text[: len(text) // 2])
                self.close_connection = True
                self.wfile.flush()
                self.connection.shutdown(socket.SHUT_RDWR)
                return None
            case _:
                said = self.faults.says(seen) if not seen.fault else None
                return 200, _body(seen) if said is None else response(said), {}

    def _reply(self, status: int, value: Any, headers: dict[str, str]) -> None:
        text = value if isinstance(value, bytes) else json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        for name, header in headers.items():
            self.send_header(name, header)
        self.end_headers()
        self.wfile.write(text)


def _error(code: int, status: str, details: Sequence[Any] = (), text: str = "No.") -> dict[str, Any]:
    return {"error": {"code": code, "message": text, "status": status, "details": list(details)}}


def response(text: str, reason: str = "STOP", **more: Any) -> dict[str, Any]:
    """A whole answer."""
    return {
        "candidates": [
            {
                "content": {"role": "model", "parts": [{"text": text}]},
                "finishReason": reason,
                "index": 0,
                **more,
            }
        ],
        "usageMetadata": usage(),
    }


def usage() -> dict[str, int]:
    """What the server says it counted."""
    return {
        "promptTokenCount": 1000,
        "candidatesTokenCount": 100,
        "thoughtsTokenCount": 50,
        "totalTokenCount": 1150,
    }


def _body(seen: Seen) -> Any:
    match seen.fault:
        case "half-json":
            text = json.dumps(response(good_text(seen))).encode()
            return text[: len(text) // 2]
        case "empty":
            return {}
        case "no-text":
            return {
                "candidates": [{"content": {"role": "model", "parts": []}, "finishReason": "STOP"}],
                "usageMetadata": usage(),
            }
        case "blocked":
            return {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}, "usageMetadata": usage()}
        case "SAFETY" | "RECITATION" | "SPII" | "PROHIBITED_CONTENT" as reason:
            return {"candidates": [{"finishReason": reason}], "usageMetadata": usage()}
        case "broken-off":
            return response(good_text(seen)[:40], "OTHER")
        case "unknown-reason":
            return response(good_text(seen), "end_turn")
        case "max-tokens":
            return response(good_text(seen)[:40], "MAX_TOKENS")
        case "thought-out":
            return {
                "candidates": [{"content": {"role": "model"}, "finishReason": "MAX_TOKENS"}],
                "usageMetadata": usage(),
            }
        case "truncated":
            return response(good_text(seen)[:-7])
        case "not-json":
            return response("Certainly! Here is what you asked for.")
        case "wrong-schema":
            return response('{"surprise": 1}')
        case "bad-number":
            return response(good_text(seen, number=99_999))
        case "bad-person":
            return response(good_text(seen, person="@purple-unicorn"))
        case "unread":
            metadata = {
                "urlMetadata": [{"retrievedUrl": "x", "urlRetrievalStatus": "URL_RETRIEVAL_STATUS_PAYWALL"}]
            }
            return response("A lucky guess\nIt must be about boats.", urlContextMetadata=metadata)
        case _:
            return _good(seen)


def _good(seen: Seen) -> dict[str, Any]:
    if seen.task == "banners":
        picture = {
            "inlineData": {"mimeType": "image/png", "data": base64.b64encode(picture_bytes()).decode()}
        }
        return {
            "candidates": [{"content": {"role": "model", "parts": [picture]}, "finishReason": "STOP"}],
            "usageMetadata": {"promptTokenCount": 50, "candidatesTokenCount": 1290},
        }
    if seen.task == "links":
        url = re.search(r"Address: (\S+)", seen.texts[-1])
        metadata = {
            "urlMetadata": [
                {"retrievedUrl": url[1] if url else "", "urlRetrievalStatus": "URL_RETRIEVAL_STATUS_SUCCESS"}
            ]
        }
        return response("How to build a boat\nA guide in ten steps.", urlContextMetadata=metadata)
    return response(good_text(seen))


def picture_bytes(size: tuple[int, int] = (1376, 768), kind: str = "PNG") -> bytes:
    """A picture as an image model gives it."""
    out = io.BytesIO()
    Image.new("RGB", size, "teal").save(out, kind)
    return out.getvalue()


def good_text(seen: Seen, number: int = 1, person: str = "") -> str:
    """An answer that fits the question; `number` is what it cites."""
    texts = "\n".join(seen.texts)
    speakers = re.findall(r"(?m)^\[(\d+)\] \d\d:\d\d @([\w-]+):", texts)
    who = person or (f"@{speakers[0][1]}" if speakers else "somebody")
    match seen.task:
        case "posts":
            blocks = [
                {"type": "prose", "text": f"It began with {who}."},
                {"type": "quote", "message": number},
            ]
            section = {"heading": "How it began", "blocks": blocks, "sources": [1]}
            post = {
                "title": "A day in the garden", "dek": "Boards were bought.", "category": "Garden",
                "tags": ["boards", "compost"], "sections": [section],
            }  # fmt: skip
            value: Any = {"posts": [post], "nothing_because": ""}
        case "digests":
            topics = ["raised bed", "compost heap"] if number == 1 else [str(number)] * 40
            value = {"summary": f"They talked; {who} began.", "topics": topics}
        case "profiles":
            notes = [{"text": f"{who} brings boards.", "sources": [number]}]
            portrait = f"{who} keeps the shed. Asks first." if "Give also a portrait" in texts else ""
            value = {"people": [{"person": who, "notes": notes, "portrait": portrait}]}
        case "media":
            found = re.search(r"There are (\d+) files", texts)
            count = int(found[1]) if found else 0
            files = [
                {"number": n, "alt": f"A thing, the {n}th.", "summary": "It is seen.", "text": ""}
                for n in range(number, number + count)
            ]
            value = {"files": files}
        case _:
            value = {"merges": []}
    return json.dumps(value)
