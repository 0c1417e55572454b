"""The tasks, done by models: what each is asked, how its answer is checked, and what is done when there is none."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict
from functools import partial
from typing import TypeVar

from egregora_resources.llm.cache import Subjects
from egregora_resources.llm.gemini.answer_checks import Noted, fitting, notes_of, posts_of, with_tokens
from egregora_resources.llm.gemini.answer_schemas import (
    WireDigest,
    WireMerges,
    WirePeople,
    WirePosts,
    parse,
    schema_of,
)
from egregora_resources.llm.gemini.caller import Caller
from egregora_resources.llm.gemini.outcomes import Malformed, Reply
from egregora_resources.llm.gemini.request import Ask, Unanswered
from egregora_resources.llm.gemini.transcript import halves, page_of, subjects_of
from egregora_resources.llm.offline import OfflineProvider, profiles
from egregora_resources.llm.offline.tokenizer import PERSON
from egregora_resources.llm.prompting import Prompts, fence, one_line
from egregora_resources.llm.protocol import Answer
from egregora_resources.llm.tasks import Digest, Merges, Observations, Posts, PostsInput, Stretch, Task, Terms

log = logging.getLogger("egregora.llm")
Output = TypeVar("Output")

MOST_HALVED = 5
"""Times that a stretch is halved at most, because the question is too long: into 32 parts."""
MOST_CUT_OFF = 2
"""The same, because the answer is: one that a quarter of the stretch leads to is the loop of a model gone astray."""


class WritingTasks:
    """Digests, profiles and posts: the tasks over a stretch of conversation.

    Args:
        caller: the way to the service.
        prompts: of the site.
        models: a task's models, in order of preference.
        fallback: what does a task that no model does; None for nobody.
    """

    def __init__(
        self,
        caller: Caller,
        prompts: Prompts,
        models: Callable[[Task], Sequence[str]],
        fallback: OfflineProvider | None,
    ) -> None:
        self._caller, self._prompts, self._models, self._fallback = caller, prompts, models, fallback
        self._told: set[str] = set()

    async def digest(self, stretch: Stretch) -> Answer[Digest]:
        """What the stretch was about."""

        async def once(part: Stretch) -> Answer[Digest]:
            page = page_of(part)

            def check(reply: Reply, *, salvage: bool) -> tuple[Digest, str]:
                wire = parse(WireDigest, reply.text, salvage=salvage)
                summary = fitting(with_tokens(wire.summary.strip(), page), page, salvage=salvage)
                if not summary:
                    raise Malformed("the digest has no summary")
                topics = [one_line(fitting(topic, page, salvage=salvage))[:80] for topic in wire.topics]
                topics = list(dict.fromkeys(filter(None, topics)))
                spoke = list(dict.fromkeys(said.author for said in part.messages))
                digest = Digest(
                    window=part.window, summary=summary, topics=topics[:10], people=spoke, language=page.language
                )  # fmt: skip
                return digest, reply.text

            ask = Ask(
                "digests",
                self._prompts.fill("digests", **page.values()),
                subjects_of(part, page),
                schema_of(WireDigest),
            )
            return await self._caller.ask(ask, self._models("digests"), check)

        def join(one: Digest, two: Digest) -> Digest:
            return one.model_copy(
                update={
                    "summary": f"{one.summary}\n{two.summary}",
                    "topics": list(dict.fromkeys([*one.topics, *two.topics])),
                    "people": list(dict.fromkeys([*one.people, *two.people])),
                }
            )

        return await self._in_parts(stretch, once, join, self._fallback and self._fallback.digest)

    async def observe(self, stretch: Stretch) -> Answer[Observations]:
        """The facts, counted here; the notes, written by a model, in one call for all people."""
        facts = profiles.observe(stretch)
        if not facts.people:
            return Answer(facts)

        async def once(part: Stretch) -> Answer[dict[str, Noted]]:
            page = page_of(part)

            def check(reply: Reply, *, salvage: bool) -> tuple[dict[str, Noted], str]:
                wire = parse(WirePeople, reply.text, salvage=salvage)
                return notes_of(wire, part, page, salvage=salvage), reply.text

            ask = Ask(
                "profiles",
                self._prompts.fill("profiles", **page.values(), portraits=part.portraits),
                subjects_of(part, page),
                schema_of(WirePeople),
            )
            return await self._caller.ask(ask, self._models("profiles"), check)

        def join(one: dict[str, Noted], two: dict[str, Noted]) -> dict[str, Noted]:
            both = {person: (one.get(person, Noted()), two.get(person, Noted())) for person in {*one, *two}}
            return {
                person: Noted([*early.notes, *late.notes], late.portrait or early.portrait)
                for person, (early, late) in both.items()
            }

        async def nothing(part: Stretch) -> Answer[dict[str, Noted]]:
            del part
            return Answer({})

        answer = await self._in_parts(stretch, once, join, nothing if self._fallback else None)
        people = [
            person.model_copy(update=asdict(answer.output.get(person.person, Noted())))
            for person in facts.people
        ]
        return Answer(Observations(people=people), answer.usage, answer.degraded)

    async def write(self, request: PostsInput) -> Answer[Posts]:
        """The posts of the stretch."""

        async def once(part: Stretch) -> Answer[Posts]:
            page = page_of(part)
            memory = [
                f"[{digest.window}] {one_line(digest.summary)} ({one_line(', '.join(digest.topics))})"
                for digest in request.memory
            ]
            fill = partial(
                self._prompts.fill,
                "posts",
                **page.values(),
                instructions=request.instructions.strip(),
                memory=len(memory),
                fenced_memory=fence("conversation-memory", "\n".join(memory)),
                so_far=part.so_far,
                part=part.part,
                parts=part.parts,
            )
            known = page.people | {person for digest in request.memory for person in digest.people}
            known |= {token[1:] for digest in request.memory for token in PERSON.findall(digest.summary)}

            def check(reply: Reply, *, salvage: bool) -> tuple[Posts, str]:
                return posts_of(reply.text, part, page, known, salvage=salvage), reply.text

            ask = Ask(
                "posts",
                fill(vocabulary=[one_line(term) for term in request.vocabulary]),
                subjects_of(part, page, request.memory),
                schema_of(WirePosts),
                # A tag that other windows brought makes no window stale, so it doesn't have one paid again either.
                named=fill(vocabulary=[]),
            )
            return await self._caller.ask(ask, self._models("posts"), check)

        def join(one: Posts, two: Posts) -> Posts:
            posts = [*one.posts, *two.posts]
            return Posts(posts=posts, nothing_because="" if posts else one.nothing_because)

        async def extract(part: Stretch) -> Answer[Posts]:
            return await OfflineProvider().write(request.model_copy(update={"stretch": part}))

        return await self._in_parts(request.stretch, once, join, extract if self._fallback else None)

    async def merge(self, request: Terms, models: Sequence[str]) -> Answer[Merges]:
        """Which of the new terms give way, and to what."""
        names, new = {*request.known, *request.new}, set(request.new)

        def check(reply: Reply, *, salvage: bool) -> tuple[Merges, str]:
            wire = parse(WireMerges, reply.text, salvage=salvage)
            asked = [one for one in wire.merges if one.term in new]
            found = {one.term: one.stays for one in asked}
            # What it made up does no harm: only terms that were asked about give way, and only to others.
            stays = {t: s for t, s in found.items() if s in names and s not in found}
            return Merges(stays=stays), reply.text

        prompt = self._prompts.fill(
            "vocabulary",
            known=fence("terms", "\n".join(map(one_line, request.known))),
            new=fence("new-terms", "\n".join(map(one_line, request.new))),
        )
        subjects = Subjects(authors=tuple(request.people), messages=tuple(request.messages))
        ask = Ask("vocabulary", prompt, subjects, schema_of(WireMerges))
        return await self._caller.ask(ask, models, check, vital=False)

    async def _in_parts(
        self,
        stretch: Stretch,
        once: Callable[[Stretch], Awaitable[Answer[Output]]],
        join: Callable[[Output, Output], Output],
        fallback: Callable[[Stretch], Awaitable[Answer[Output]]] | None,
        halved: int = 0,
    ) -> Answer[Output]:
        """Asks for the whole; where that is too much, for its halves; where no model answers, the fallback.

        `halved`: how often that has been done.
        """
        try:
            return await once(stretch)
        except Unanswered as none:
            often = MOST_HALVED if none.too_long else MOST_CUT_OFF if none.cut_off else 0
            parts = halves(stretch) if halved < often else None
            if parts:
                one, two = await asyncio.gather(
                    *(self._in_parts(part, once, join, fallback, halved + 1) for part in parts)
                )
                return Answer(
                    join(one.output, two.output),
                    none.usage + one.usage + two.usage,
                    one.degraded or two.degraded,
                )
            if fallback is None:
                raise
            if str(none) not in self._told:
                # Once: what a model can't do it can't do in any window.
                self._told.add(str(none))
                log.warning("%s: %s; extracted offline instead", stretch.window, none)
            answer = await fallback(stretch)
            return Answer(answer.output, none.usage, "offline")
