"""Requests sent as batch jobs, at half price: gathered, sent together, waited for, also by a later process.

A job's id is stored with the hashes of its requests before it is polled, so that a run that was killed while it
waited finds the job again. Answers are joined by their key and by the id that the model was asked to repeat.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from google import genai
from google.genai import types

from egregora_resources.llm.database import LlmStore
from egregora_resources.llm.gemini.outcomes import CallFailure, KeyRefused, OutOfQuota, TryAgain, failure_of

log = logging.getLogger("egregora.llm")

MOST_REQUESTS = 200
MOST_BYTES = 15 << 20
"""Of a job's requests; the service takes 20 MB."""
GATHER = 5.0
"""Seconds without another request after which those gathered are sent."""
POLL = 30.0
"""Seconds between two looks at a job."""
UNREADABLE = 10
"""Times that a job's state can't be read before its requests are asked by themselves."""
ENDED = frozenset({"SUCCEEDED", "FAILED", "CANCELLED", "EXPIRED", "PARTIALLY_SUCCEEDED"})
ECHO = "request_id"


class NotInBatch(Exception):
    """The job ended without an answer to this request, or isn't taken: it has to be asked by itself."""


class NotSubmitted(TryAgain):
    """The job wasn't taken, but may be later: the request can wait for another one."""


@dataclass(frozen=True)
class Queued:
    """A request on its way into a job."""

    hash: str
    contents: Sequence[types.Content]
    config: types.GenerateContentConfig
    answer: asyncio.Future[types.GenerateContentResponse]

    def inlined(self) -> types.InlinedRequest:
        """As it stands in the job, asking for its id in the answer."""
        config = self.config.model_copy(deep=True)
        schema = dict(config.response_json_schema or {})
        # The id first, so that it is there in an answer that is cut off, too.
        schema["properties"] = {ECHO: {"type": "string"}, **schema["properties"]}
        schema["required"] = [ECHO, *schema.get("required", [])]
        config.response_json_schema = schema
        echo = types.Part(text=f"Begin the answer with {ECHO}: {self.hash[:12]}")
        last = self.contents[-1]
        contents = [*self.contents[:-1], types.Content(role=last.role, parts=[*(last.parts or []), echo])]
        return types.InlinedRequest(contents=contents, config=config, metadata={"key": self.hash})  # pyright: ignore[reportArgumentType]

    @cached_property
    def size(self) -> int:
        """Bytes on the wire, where letters that aren't ASCII are escaped."""
        return len(json.dumps(self.inlined().model_dump(mode="json", exclude_none=True)))


@dataclass
class Batches:
    """Gathers, sends and awaits; belongs to one event loop.

    Args:
        store: where jobs are remembered.
        gather, poll: seconds, see `GATHER` and `POLL`.
    """

    store: LlmStore
    gather: float = GATHER
    poll: float = POLL
    _queues: dict[tuple[str, str], list[Queued]] = field(
        default_factory=dict[tuple[str, str], list[Queued]], init=False
    )
    _timers: dict[tuple[str, str], asyncio.TimerHandle] = field(
        default_factory=dict[tuple[str, str], asyncio.TimerHandle], init=False
    )
    _waiting: dict[str, dict[str, asyncio.Future[types.GenerateContentResponse]]] = field(
        default_factory=dict[str, dict[str, asyncio.Future[types.GenerateContentResponse]]], init=False
    )
    """Job → request → who waits for it."""
    _tasks: set[asyncio.Task[None]] = field(default_factory=set[asyncio.Task[None]], init=False)

    async def ask(
        self,
        client_of: Callable[[str], genai.Client | None],
        key: str,
        model: str,
        request: str,
        contents: Sequence[types.Content],
        config: types.GenerateContentConfig,
    ) -> types.GenerateContentResponse:
        """The answer to a request, out of a job.

        Args:
            client_of: name of an API key → client; None for one that can't be used any more.
            key: to send the request with, unless a job sent earlier has it: a job belongs to its key.

        Raises:
            NotInBatch: the job has no answer to it.
            NotSubmitted: the job couldn't be sent.
            CallFailure: the key can't be used.
        """
        answer = asyncio.get_running_loop().create_future()
        job, sender = await asyncio.to_thread(self._job_of, request)
        if job and (client := client_of(sender)):
            log.info("an earlier run waits for %s already", job)
            self._await(client, job, {request: answer})
            return await answer
        client, queued = client_of(key), Queued(request, contents, config, answer)
        if client is None:
            raise NotSubmitted("the key isn't to be used any more")
        if sum(one.size for one in self._queues.get((key, model), [])) + queued.size > MOST_BYTES:
            self._flush(client, key, model)
        queue = self._queues.setdefault((key, model), [])
        queue.append(queued)
        if timer := self._timers.pop((key, model), None):
            timer.cancel()
        if len(queue) >= MOST_REQUESTS:
            self._flush(client, key, model)
        else:
            loop = asyncio.get_running_loop()
            self._timers[key, model] = loop.call_later(self.gather, self._flush, client, key, model)
        return await answer

    async def forget(self, request: str) -> None:
        """The answer is in safety, or of no use: the job needn't be found again."""
        await asyncio.to_thread(self._forget, request)

    async def close(self) -> None:
        """Stops waiting; the jobs go on, and a later run finds them."""
        for timer in self._timers.values():
            timer.cancel()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _flush(self, client: genai.Client, key: str, model: str) -> None:
        self._timers.pop((key, model), None)
        if queue := self._queues.pop((key, model), []):
            self._start(self._submit(client, key, model, queue))

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _submit(self, client: genai.Client, key: str, model: str, queue: Sequence[Queued]) -> None:
        try:
            job = await client.aio.batches.create(model=model, src=[one.inlined() for one in queue])
            if not job.name:
                raise TryAgain("a batch job without a name")
            await asyncio.to_thread(self._remember, job.name, key, [one.hash for one in queue])
        except Exception as error:
            trouble = _of_submission(error if isinstance(error, CallFailure) else failure_of(error))
            log.warning("%d requests can't be sent as a batch job: %s", len(queue), trouble)
            for one in queue:
                if not one.answer.done():
                    one.answer.set_exception(trouble)
            return
        log.info("%d requests are sent as %s; this may take up to a day", len(queue), job.name)
        self._await(client, job.name, {one.hash: one.answer for one in queue})

    def _await(
        self,
        client: genai.Client,
        job: str,
        answers: dict[str, asyncio.Future[types.GenerateContentResponse]],
    ) -> None:
        if job in self._waiting:
            self._waiting[job].update(answers)
        else:
            self._waiting[job] = dict(answers)
            self._start(self._collect(client, job))

    async def _collect(self, client: genai.Client, job: str) -> None:
        answers: dict[str, types.GenerateContentResponse] = {}
        unreadable = 0
        while unreadable < UNREADABLE:
            try:
                state = await client.aio.batches.get(name=job)
                if _state(state) in ENDED:
                    answers = _answers(state)
                    break
            except Exception as error:
                trouble = failure_of(error)
                if not isinstance(trouble, TryAgain):
                    log.warning("%s can't be asked for (%s)", job, trouble)
                    break
                # A lost connection comes back; a job that the library can't read may stay like that.
                unreadable += isinstance(error, ValueError)
            await asyncio.sleep(self.poll)
        for request, future in self._waiting.pop(job).items():
            if future.done():
                continue
            if request in answers:
                future.set_result(answers[request])
            else:
                future.set_exception(NotInBatch())

    def _job_of(self, request: str) -> tuple[str, str]:
        """The job that holds a request, and the key that it was sent with."""
        with self.store.connect() as connection:
            row = connection.execute(
                "SELECT job, key_name FROM batch_requests WHERE request = ?", [request]
            ).fetchone()
        return row or ("", "")

    def _remember(self, job: str, key: str, requests: Sequence[str]) -> None:
        now = datetime.now(UTC).isoformat(timespec="seconds")
        with self.store.connect() as connection:
            connection.executemany(
                "INSERT OR REPLACE INTO batch_requests VALUES (?, ?, ?, ?)",
                [(request, job, key, now) for request in requests],
            )

    def _forget(self, request: str) -> None:
        with self.store.connect() as connection:
            connection.execute("DELETE FROM batch_requests WHERE request = ?", [request])


def _of_submission(trouble: CallFailure) -> Exception:
    """What a job that wasn't taken means for its requests."""
    if isinstance(trouble, KeyRefused | OutOfQuota):
        return trouble
    if isinstance(trouble, TryAgain):
        return NotSubmitted(str(trouble), trouble.delay, sent=False)
    # Not every service, and not every model, takes jobs.
    return NotInBatch(str(trouble))


def _state(job: types.BatchJob) -> str:
    """Without its prefix: the library passes on those of the service's own names that it doesn't know."""
    return str(getattr(job.state, "value", job.state)).rpartition("STATE_")[2]


def _answers(job: types.BatchJob) -> dict[str, types.GenerateContentResponse]:
    """Request → answer, of those whose key and repeated id agree."""
    found: dict[str, types.GenerateContentResponse] = {}
    for inlined in (job.dest.inlined_responses if job.dest else None) or []:
        key = (inlined.metadata or {}).get("key", "")
        if inlined.response is None or not key:
            continue
        echoed = _echoed(inlined.response)
        if echoed and echoed != key[:12]:
            log.warning("an answer of %s carries the id of another request", job.name)
            continue
        found[key] = inlined.response
    return found


def _echoed(response: types.GenerateContentResponse) -> str:
    """The id in an answer; empty if there is none, e.g. because there is no answer: that is told apart later."""
    candidate = response.candidates[0] if response.candidates else None
    parts = (candidate.content.parts if candidate and candidate.content else None) or []
    try:
        value = json.loads("".join(part.text or "" for part in parts if not part.thought))
        return str(value[ECHO]).strip()
    except (ValueError, KeyError, TypeError):
        return ""
