"""What models' answers are held against: the conversation that they are about.

An answer that isn't right is refused with a remark for the model. Where it won't be asked again, what doesn't fit is left
out instead, as long as something stays.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from egregora_resources.llm.gemini.answer_schemas import (
    WireBlock,
    WirePeople,
    WirePicture,
    WirePost,
    WirePosts,
    WireProse,
    WireQuote,
    parse,
)
from egregora_resources.llm.gemini.outcomes import Malformed
from egregora_resources.llm.gemini.transcript import Page
from egregora_resources.llm.offline.language import clearly_other
from egregora_resources.llm.offline.tokenizer import PERSON
from egregora_resources.llm.prompting import one_line
from egregora_resources.llm.tasks import (
    Block,
    LinkUse,
    PictureUse,
    PostDraft,
    Posts,
    Prose,
    Quote,
    Section,
    Stretch,
)

LONGEST_TITLE, LONGEST_DEK, LONGEST_CATEGORY = 200, 600, 60
_HOST = re.compile(
    r"(?:https?:[/\\\s]*|[/\\]{2,}\s*|\bwww\.|mailto:[^\s@]*@)([\w-]+(?:\.[\w-]+)+)", re.IGNORECASE
)
"""The host of an address, however it is written; a browser takes many ways for one."""


def check_text(text: str, page: Page, known: Collection[str] = ()) -> None:
    """Refuses text that names people who aren't there, or gives an address that nobody shared.

    Raises:
        Malformed: telling the model what it invented, or was talked into.
    """
    invented = sorted(
        {token for token in PERSON.findall(text) if token[1:] not in page.people and token[1:] not in known}
    )
    if invented:
        raise Malformed(
            f"it names {len(invented)} people who aren't there",
            f"Nobody is called {', '.join(invented[:5])}. Use the tokens of the conversation exactly.",
        )
    shared = " ".join([page.conversation, *(link.url for link in page.links)]).casefold()
    foreign = sorted({host for host in _HOST.findall(text) if host.casefold() not in shared})
    if foreign:
        raise Malformed(
            f"it gives {len(foreign)} addresses that nobody shared",
            f"Nobody shared {', '.join(foreign[:5])}. Write no addresses; show links as blocks, by number.",
        )


def check_language(texts: Sequence[str], page: Page) -> None:
    """Refuses text in another language than was asked for.

    Raises:
        Malformed: naming both.
    """
    other = clearly_other(texts, page.language)
    if other:
        raise Malformed(
            f"it is in {other}, not in {page.language}",
            f"It is in the language with the ISO code {other}. Write everything in {page.language}.",
        )


def with_tokens(text: str, page: Page) -> str:
    """Text in which people stand as their tokens, where a model left out the sign or wrote one like a name."""
    tokens = sorted((token for token in page.people if "-" in token), key=len, reverse=True)
    if not tokens:
        return text
    named = re.compile(rf"(?<![\w@/-])@?({'|'.join(map(re.escape, tokens))})(?![\w-])", re.IGNORECASE)
    return named.sub(lambda match: f"@{match[1].lower()}", text)


def fitting(text: str, page: Page, known: Collection[str] = (), *, salvage: bool) -> str:
    """A text that passes `check_text`: the whole, or with `salvage` those of its sentences that do.

    Raises:
        Malformed: the text doesn't pass; with `salvage` never.
    """
    if not salvage:
        check_text(text, page, known)
        return text
    kept: list[str] = []
    for piece in re.split(r"(?<=[.!?…。！？।])(\s+)", text):
        try:
            check_text(piece, page, known)
        except Malformed:
            continue
        kept.append(piece)
    return "".join(kept).strip()


@dataclass
class Noted:
    """What was noted of a person."""

    notes: list[str] = field(default_factory=list[str])
    portrait: str = ""


def notes_of(wire: WirePeople, part: Stretch, page: Page, *, salvage: bool) -> dict[str, Noted]:
    """Person → notes that rest on something the person said; without any, there is no portrait either."""
    noted: dict[str, Noted] = {}
    for person in wire.people:
        name = person.person.strip().lstrip("@").lower()
        for note in person.notes:
            text = fitting(with_tokens(one_line(note.text), page), page, salvage=salvage)
            rests = [
                n for n in note.sources if n <= len(part.messages) and part.messages[n - 1].author == name
            ]
            if rests and text:
                noted.setdefault(name, Noted()).notes.append(text)
        if part.portraits and name in noted:
            text = fitting(with_tokens(person.portrait.strip(), page), page, salvage=salvage)
            noted[name].portrait = text or noted[name].portrait
    check_language([text for one in noted.values() for text in (*one.notes, one.portrait)], page)
    return noted


def posts_of(text: str, part: Stretch, page: Page, known: Collection[str], *, salvage: bool) -> Posts:
    """The posts in an answer, with real ids.

    Args:
        known: people who may be named besides those of the conversation.

    Raises:
        Malformed: they quote, cite, show or name what isn't there; with `salvage`, only if nothing else is left.
    """
    wire = parse(WirePosts, text, salvage=salvage)
    drafts: list[PostDraft] = []
    trouble: Malformed | None = None if wire.posts else _pruned_away(text)
    for post in wire.posts:
        try:
            draft = _draft(post, part, page, known, salvage=salvage)
        except Malformed as malformed:
            if not salvage:
                raise
            trouble = malformed
            continue
        # A model that fell into a loop gives the same again and again.
        if draft not in drafts:
            drafts.append(draft)
    if trouble and not drafts:
        raise trouble
    return Posts(posts=drafts, nothing_because="" if drafts else one_line(wire.nothing_because)[:600])


def _pruned_away(text: str) -> Malformed | None:
    """The trouble with an answer of which salvaging left nothing."""
    try:
        parse(WirePosts, text)
    except Malformed as malformed:
        return malformed
    return None


def _draft(wire: WirePost, part: Stretch, page: Page, known: Collection[str], *, salvage: bool) -> PostDraft:
    title, dek, category = one_line(wire.title), one_line(wire.dek), one_line(wire.category).lower()
    long = [
        f"{name} has {len(text)} letters of at most {most}"
        for name, text, most in (
            ("title", title, LONGEST_TITLE), ("dek", dek, LONGEST_DEK), ("category", category, LONGEST_CATEGORY),
        )
        if len(text) > most
    ]  # fmt: skip
    if long and not salvage:
        raise Malformed("something in it is too long", f"It is too long: {', '.join(long)}.")
    title = _clipped(with_tokens(title, page), LONGEST_TITLE)
    # A post has to be called something.
    check_text(title, page, known)
    dek = _clipped(fitting(with_tokens(dek, page), page, known, salvage=salvage), LONGEST_DEK)
    category = fitting(category, page, known, salvage=salvage) if len(category) <= LONGEST_CATEGORY else ""
    tags = [
        fitting(one_line(tag), page, known, salvage=salvage).strip("# ").lower()[:40] for tag in wire.tags
    ]
    sections = _sections(wire, part, page, known, salvage=salvage)
    if not sections:
        raise Malformed("a post without a body", "A post needs sections with blocks in them.")
    prose = [b.text for s in sections for b in s.blocks if isinstance(b, Prose)]
    check_language([title, dek, *prose], page)
    text = "\n".join([title, dek, *(section.heading for section in sections), *prose])
    quoted = {b.message for s in sections for b in s.blocks if isinstance(b, Quote)}
    named = [said.author for said in part.messages if said.id in quoted]
    named += [token[1:] for token in PERSON.findall(text) if token[1:] in page.people]
    return PostDraft(
        title=title,
        dek=dek,
        category=category,
        tags=list(dict.fromkeys(filter(None, tags)))[:8],
        people=list(dict.fromkeys(named)),
        sections=sections,
        language=page.language,
    )


def _sections(
    wire: WirePost, part: Stretch, page: Page, known: Collection[str], *, salvage: bool
) -> list[Section]:
    """The sections of a post with real ids; blocks of what isn't there are left out, or else refused together."""
    missing: list[str] = []
    shown = set[str]()
    sections: list[Section] = []
    for section in wire.sections:
        heading = fitting(with_tokens(one_line(section.heading), page), page, known, salvage=salvage)
        blocks: list[Block] = []
        for one in section.blocks:
            if (same := one.model_dump_json()) in shown:
                continue
            shown.add(same)
            block = _block(one, part, page)
            if block is None:
                missing.append(_named(one))
            elif not isinstance(block, Prose):
                blocks.append(block)
            elif text := fitting(block.text, page, known, salvage=salvage):
                blocks.append(Prose(text=text))
        absent = [number for number in section.sources if number > len(part.messages)]
        missing += [f"message [{number}]" for number in absent]
        sources = sorted({part.messages[number - 1].id for number in section.sources if number not in absent})
        if blocks:
            sections.append(Section(heading=_clipped(heading, LONGEST_TITLE), blocks=blocks, sources=sources))
    unfounded = [n for n, section in enumerate(sections, 1) if not (section.sources or _shows(section))]
    if unfounded and not salvage:
        raise Malformed(
            f"{len(unfounded)} sections of a post tell no sources",
            f"Section {unfounded[0]} has no sources. List for each the numbers of the messages it is made from.",
        )
    if missing and not salvage:
        raise Malformed(
            f"a post cites {len(missing)} things that aren't in its window",
            f"There is no {', '.join(missing[:8])}. Messages go from [1] to [{len(part.messages)}], pictures from [1] "
            f"to [{len(page.pictures)}], links from [1] to [{len(page.links)}].",
        )
    return sections


def _shows(section: Section) -> bool:
    """Whether a section has something of the conversation itself in it."""
    return any(isinstance(block, Quote | PictureUse) for block in section.blocks)


def _block(wire: WireBlock, part: Stretch, page: Page) -> Block | None:
    """A block with real ids; None if it shows what isn't there."""
    if isinstance(wire, WireProse):
        return Prose(text=with_tokens(wire.text.strip(), page))
    if isinstance(wire, WireQuote):
        found = part.messages[wire.message - 1 : wire.message]
        return Quote(message=found[0].id) if found else None
    if isinstance(wire, WirePicture):
        pictures = page.pictures[wire.picture - 1 : wire.picture]
        return PictureUse(id=pictures[0].id) if pictures else None
    links = page.links[wire.link - 1 : wire.link]
    return LinkUse(url=links[0].url) if links else None


def _named(wire: WireBlock) -> str:
    return " ".join(f"{kind} [{number}]" for kind, number in wire.model_dump(exclude={"type"}).items())


def _clipped(text: str, most: int) -> str:
    """Text of at most so many letters, cut between words where there are any."""
    if len(text) <= most:
        return text
    cut = text[: most - 1]
    return f"{cut.rsplit(' ', 1)[0] if ' ' in cut[most // 2 :] else cut}…"
