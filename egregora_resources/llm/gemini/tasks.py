"""The tasks, done by models: what each is asked, how its answer is checked, and what is done when there is none."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from egregora_resources.llm.cache import Subjects
from egregora_resources.llm.gemini.asking import Ask, Unanswered
from egregora_resources.llm.gemini.caller import Caller
from egregora_resources.llm.gemini.outcomes import Malformed, Reply
from egregora_resources.llm.gemini.reading import Page, halves, page_of, subjects_of
from egregora_resources.llm.gemini.wire import (
    WireDigest,
    WireMerges,
    WirePeople,
    WirePicture,
    WirePost,
    WirePosts,
    WireProse,
    WireQuote,
    parse,
    schema_of,
)
from egregora_resources.llm.offline import OfflineProvider, portraits
from egregora_resources.llm.offline.words import PERSON
from egregora_resources.llm.prompting import Prompts, fence, one_line
from egregora_resources.llm.protocol import (
    Answer,
    Block,
    Digest,
    LinkUse,
    Merges,
    Observations,
    PictureUse,
    PostDraft,
    Posts,
    PostsInput,
    Prose,
    Quote,
    Section,
    Stretch,
    Task,
    Terms,
)

Output = TypeVar("Output")

_HOST = re.compile(
    r"(?:https?:[/\\\s]*|[/\\]{2,}\s*|\bwww\.|mailto:[^\s@]*@)([\w-]+(?:\.[\w-]+)+)", re.IGNORECASE
)
"""The host of an address, however it is written; a browser takes many ways for one."""


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

    async def digest(self, stretch: Stretch) -> Answer[Digest]:
        """What the stretch was about."""

        async def once(part: Stretch) -> Answer[Digest]:
            page = page_of(part)

            def check(reply: Reply) -> tuple[Digest, str]:
                wire = parse(WireDigest, reply.text)
                check_people(wire.summary, page)
                check_addresses(" ".join([wire.summary, *wire.topics]), page)
                topics = list(dict.fromkeys(filter(None, (one_line(topic)[:80] for topic in wire.topics))))
                spoke = list(dict.fromkeys(said.author for said in part.messages))
                digest = Digest(
                    window=part.window, summary=wire.summary.strip(), topics=topics[:10], people=spoke, language=page.language
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
        facts = portraits.observe(stretch)
        if not facts.people:
            return Answer(facts)

        async def once(part: Stretch) -> Answer[dict[str, list[str]]]:
            page = page_of(part)

            def check(reply: Reply) -> tuple[dict[str, list[str]], str]:
                return notes_of(parse(WirePeople, reply.text), part, page), reply.text

            ask = Ask(
                "profiles",
                self._prompts.fill("profiles", **page.values()),
                subjects_of(part, page),
                schema_of(WirePeople),
            )
            return await self._caller.ask(ask, self._models("profiles"), check)

        def join(one: dict[str, list[str]], two: dict[str, list[str]]) -> dict[str, list[str]]:
            return {person: [*one.get(person, []), *two.get(person, [])] for person in {*one, *two}}

        async def nothing(part: Stretch) -> Answer[dict[str, list[str]]]:
            del part
            return Answer({})

        answer = await self._in_parts(stretch, once, join, nothing if self._fallback else None)
        people = [
            person.model_copy(update={"notes": answer.output.get(person.person, [])})
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
            prompt = self._prompts.fill(
                "posts",
                **page.values(),
                instructions=request.instructions.strip(),
                vocabulary=[one_line(term) for term in request.vocabulary],
                memory=len(memory),
                fenced_memory=fence("conversation-memory", "\n".join(memory)),
                so_far=part.so_far,
                part=part.part,
                parts=part.parts,
            )
            known = page.people | {person for digest in request.memory for person in digest.people}
            known |= {token[1:] for digest in request.memory for token in PERSON.findall(digest.summary)}

            def check(reply: Reply) -> tuple[Posts, str]:
                wire = parse(WirePosts, reply.text)
                posts = [_draft(post, part, page, known) for post in wire.posts]
                # A model that fell into a loop gives the same again and again.
                posts = [post for n, post in enumerate(posts) if post not in posts[:n]]
                return Posts(
                    posts=posts, nothing_because="" if posts else one_line(wire.nothing_because)
                ), reply.text

            ask = Ask("posts", prompt, subjects_of(part, page, request.memory), schema_of(WirePosts))
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

        def check(reply: Reply) -> tuple[Merges, str]:
            asked = [one for one in parse(WireMerges, reply.text).merges if one.term in new]
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
    ) -> Answer[Output]:
        """Asks for the whole; where that is too much, for its halves; where no model answers, the fallback."""
        try:
            return await once(stretch)
        except Unanswered as none:
            parts = halves(stretch) if none.too_much else None
            if parts:
                one, two = await asyncio.gather(
                    *(self._in_parts(part, once, join, fallback) for part in parts)
                )
                return Answer(
                    join(one.output, two.output),
                    none.usage + one.usage + two.usage,
                    one.degraded or two.degraded,
                )
            if fallback is None:
                raise
            answer = await fallback(stretch)
            return Answer(answer.output, none.usage, "offline")


def check_people(text: str, page: Page, known: frozenset[str] | set[str] = frozenset()) -> None:
    """Refuses text that names people who aren't there.

    Raises:
        Malformed: telling the model whom it invented.
    """
    invented = sorted({token for token in PERSON.findall(text) if token[1:] not in page.people | known})
    if invented:
        raise Malformed(
            f"it names {len(invented)} people who aren't there",
            f"Nobody is called {', '.join(invented[:5])}. Use the tokens of the conversation exactly.",
        )


def check_addresses(text: str, page: Page) -> None:
    """Refuses text with an address that nobody shared: somebody may have talked the model into it.

    Raises:
        Malformed: telling the model so.
    """
    shared = " ".join([page.conversation, *(link.url for link in page.links)]).casefold()
    foreign = sorted({host for host in _HOST.findall(text) if host.casefold() not in shared})
    if foreign:
        raise Malformed(
            f"it gives {len(foreign)} addresses that nobody shared",
            f"Nobody shared {', '.join(foreign[:5])}. Write no addresses; show links as blocks, by number.",
        )


def notes_of(wire: WirePeople, part: Stretch, page: Page) -> dict[str, list[str]]:
    """Person → notes that rest on something the person said."""
    notes: dict[str, list[str]] = {}
    for person in wire.people:
        name = person.person.strip().lstrip("@")
        for note in person.notes:
            check_people(note.text, page)
            check_addresses(note.text, page)
            rests = [
                n for n in note.sources if n <= len(part.messages) and part.messages[n - 1].author == name
            ]
            if rests:
                notes.setdefault(name, []).append(one_line(note.text))
    return notes


def _draft(wire: WirePost, part: Stretch, page: Page, known: frozenset[str]) -> PostDraft:
    """A post with real ids.

    Raises:
        Malformed: it quotes, cites, shows or names what isn't there.
    """
    text = "\n".join(
        [wire.title, wire.dek, *(s.heading for s in wire.sections)]
        + [block.text for s in wire.sections for block in s.blocks if isinstance(block, WireProse)]
    )
    check_people(text, page, known)
    check_addresses(" ".join([text, wire.category, *wire.tags]), page)
    missing: list[str] = []
    shown = set[str]()

    def message(number: int) -> int:
        if number <= len(part.messages):
            return part.messages[number - 1].id
        missing.append(f"message [{number}]")
        return 0

    sections: list[Section] = []
    for section in wire.sections:
        blocks: list[Block] = []
        for block in section.blocks:
            if (same := block.model_dump_json()) in shown:
                continue
            shown.add(same)
            if isinstance(block, WireProse):
                blocks.append(Prose(text=block.text.strip()))
            elif isinstance(block, WireQuote):
                blocks.append(Quote(message=message(block.message)))
            elif isinstance(block, WirePicture):
                if block.picture <= len(page.pictures):
                    blocks.append(PictureUse(id=page.pictures[block.picture - 1].id))
                else:
                    missing.append(f"picture [{block.picture}]")
            elif block.link <= len(page.links):
                blocks.append(LinkUse(url=page.links[block.link - 1].url))
            else:
                missing.append(f"link [{block.link}]")
        sources = sorted({message(number) for number in section.sources})
        if not blocks:
            continue
        sections.append(Section(heading=one_line(section.heading), blocks=blocks, sources=sources))
    if missing:
        raise Malformed(
            f"a post cites {len(missing)} things that aren't in its window",
            f"There is no {', '.join(missing[:8])}. Messages go from [1] to [{len(part.messages)}], pictures from [1] "
            f"to [{len(page.pictures)}], links from [1] to [{len(page.links)}].",
        )
    quoted = {b.message for s in sections for b in s.blocks if isinstance(b, Quote)}
    named = [said.author for said in part.messages if said.id in quoted]
    named += [token[1:] for token in PERSON.findall(text) if token[1:] in page.people]
    tags = [one_line(tag).strip("# ").lower()[:40] for tag in wire.tags]
    return PostDraft(
        title=one_line(wire.title)[:200],
        dek=one_line(wire.dek),
        category=one_line(wire.category).lower(),
        tags=list(dict.fromkeys(filter(None, tags)))[:8],
        people=list(dict.fromkeys(named)),
        sections=sections,
        language=page.language,
    )
