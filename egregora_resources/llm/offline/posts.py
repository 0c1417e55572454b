"""Posts out of topics: title, lead, the telling messages in order, links and pictures in place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime

from egregora_resources.llm.offline import keyphrases, salience, topics
from egregora_resources.llm.offline.analysis import Reading, Topic, read
from egregora_resources.llm.offline.keyphrases import Phrase
from egregora_resources.llm.offline.titles import Title, presentable, tags_of, title_of
from egregora_resources.llm.offline.tokenizer import Utterance
from egregora_resources.llm.offline.wording import sentence
from egregora_resources.llm.tasks import (
    Block,
    LinkUse,
    PictureUse,
    PostDraft,
    Posts,
    PostsInput,
    Prose,
    Quote,
    Section,
)

MOST_PICTURES = 6
MOST_LINKS = 8
SECTION_QUOTES = 5
"""Quotes that a section of its own needs on average."""


def write(request: PostsInput) -> Posts:
    """The posts of a stretch, none if nothing of substance was said."""
    reading = read(request.stretch, request.memory)
    taken: set[str] = set()
    posts: list[PostDraft] = []
    for topic in reading.topics:
        if topic.substantial:
            posts.append(_post(reading, topic, request, taken))
    return Posts(posts=posts, nothing_because="" if posts else _nothing(reading))


def _nothing(reading: Reading) -> str:
    messages = reading.stretch.messages
    if not messages:
        return reading.wording["nothing_empty"]
    if not any(utterance.words for utterance in reading.utterances):
        return reading.wording["nothing_media"]
    return reading.wording["nothing_small_talk"]


def _post(reading: Reading, topic: Topic, request: PostsInput, taken: set[str]) -> PostDraft:
    links = _links_by_message(reading, topic)
    pictures = _pictures_by_message(reading, topic)
    quoted = salience.pick(topic.utterances, reading.weight, links.keys())
    title = title_of(
        topic.phrases, topic.utterances, reading.evidence, reading.weight, reading.wording, taken
    )
    if title.message is not None and title.message not in {utterance.index for utterance in quoted}:
        said = [utterance for utterance in topic.utterances if utterance.index == title.message]
        quoted = sorted([*quoted, *said], key=lambda utterance: utterance.index)
    taken.add(title.text.lower())
    taken.update(name.lower() for name in title.names)
    tags = tags_of(topic.phrases, request.vocabulary, reading.evidence)
    sections = _sections(reading, topic, quoted, links, pictures, title)
    return PostDraft(
        title=title.text,
        dek=_dek(reading, topic, title),
        category=_category(reading, topic),
        tags=tags,
        people=_people(topic, quoted),
        sections=sections,
        language=reading.language,
    )


def _dek(reading: Reading, topic: Topic, title: Title) -> str:
    """How many, by whom, when, about what."""
    wording = reading.wording
    said = [utterance.said for utterance in topic.utterances]
    named = {word for name in title.names for word in name.lower().split()}
    others = [
        phrase.surface
        for phrase in topic.phrases[:8]
        if phrase.telling and presentable(phrase.surface) and not named & set(phrase.surface.lower().split())
    ]
    others = _apart(others)[:3]
    if len(others) == 1 and " " not in others[0]:
        others = []  # "about quiz" says less than nothing
    key = "dek" if not others else ("dek_also" if title.names else "dek_about")
    text = wording[key].format(
        messages=wording.messages(len(said)),
        people=wording.people(len({message.author for message in said})),
        when=wording.when(said[0].time, said[-1].time),
        topics=wording.listing(others),
    )
    return sentence(wording["so_far"].format(dek=text) if reading.stretch.so_far else text)


def _apart(names: Sequence[str]) -> list[str]:
    """Names that share no word."""
    kept: list[str] = []
    words: set[str] = set()
    for name in names:
        own = set(name.lower().split())
        if not own & words:
            kept.append(name)
            words |= own
    return kept


def _category(reading: Reading, topic: Topic) -> str:
    """The name that earlier windows come back to most, if this topic does too."""
    spoken = {
        phrase.key: phrase for phrase in topic.phrases if phrase.count >= 3 and presentable(phrase.surface)
    }
    needed = max(3, 0.4 * reading.remembered)
    often = [(count, key) for key, count in reading.known.items() if count >= needed and key in spoken]
    return spoken[max(often)[1]].surface.lower() if often else ""


def _people(topic: Topic, quoted: Sequence[Utterance]) -> list[str]:
    """Who is quoted or spoke much, most talkative first."""
    spoke: Counter[str] = Counter()
    for utterance in topic.utterances:
        spoke[utterance.said.author] += utterance.substance
    total = sum(spoke.values()) or 1
    present = {utterance.said.author for utterance in quoted}
    present |= {person for person, words in spoke.items() if words >= 0.1 * total}
    return sorted(present, key=lambda person: (-spoke[person], person))


def _sections(
    reading: Reading,
    topic: Topic,
    quoted: Sequence[Utterance],
    links: dict[int, list[str]],
    pictures: dict[int, list[str]],
    title: Title,
) -> list[Section]:
    """One section, or one for each subtopic that has a name of its own."""
    parts = _subtopics(reading, topic, quoted)
    shown = {utterance.index for utterance in quoted}
    wording = reading.wording
    sections: list[Section] = []
    before: datetime | None = None
    used = {word for name in title.names for word in name.lower().split()}
    for number, (part, names) in enumerate(parts):
        heading = _heading(names, used) if len(parts) > 1 and (number or names) else ""
        used |= set(heading.lower().split())
        blocks: list[Block] = []
        for utterance in part:
            said = utterance.said
            own: list[Block] = [Quote(message=said.id)] if utterance.index in shown else []
            own += [PictureUse(id=picture) for picture in pictures.get(said.id, ())]
            own += [LinkUse(url=url) for url in links.get(said.id, ())]
            if own and before is not None and (pause := wording.pause(before, said.time)):
                blocks.append(Prose(text=pause))
            if own:
                before = said.time
            blocks += own
        if blocks:
            sections.append(Section(heading=heading, blocks=blocks, sources=[u.said.id for u in part]))
        elif sections:
            sections[-1].sources.extend(u.said.id for u in part)
    key = "quoted_one" if len(quoted) == 1 else "quoted"
    text = wording[key].format(quoted=wording.number(len(quoted)), n=wording.number(len(topic.utterances)))
    if len(quoted) < len(topic.utterances):
        sections[-1].blocks.append(Prose(text=sentence(text)))
    return sections


def _heading(names: Sequence[Phrase], used: Collection[str]) -> str:
    for phrase in names[:4]:
        if presentable(phrase.surface) and not set(phrase.surface.lower().split()) & set(used):
            return sentence(phrase.surface)
    return ""


def _subtopics(
    reading: Reading, topic: Topic, quoted: Sequence[Utterance]
) -> list[tuple[list[Utterance], list[Phrase]]]:
    """Where a long topic turns, so that each part still quotes enough."""
    whole = [(topic.utterances, topic.phrases)]
    if len(quoted) < 2 * SECTION_QUOTES:
        return whole
    shown = {utterance.index for utterance in quoted}
    parts = topics.cut(topic.utterances, most=len(quoted) // SECTION_QUOTES)
    if len(parts) < 2 or any(sum(u.index in shown for u in part) < 3 for part in parts):
        return whole
    return [(part, keyphrases.rank(part, reading.evidence, reading.known)) for part in parts]


def _links_by_message(reading: Reading, topic: Topic) -> dict[int, list[str]]:
    """Links to show, by message, the first of each address."""
    inside = {utterance.said.id for utterance in topic.utterances}
    found: dict[int, list[str]] = {}
    seen: set[str] = set()
    for link in reading.stretch.links:
        if link.message in inside and link.url not in seen and len(seen) < MOST_LINKS:
            seen.add(link.url)
            found.setdefault(link.message, []).append(link.url)
    return found


def _pictures_by_message(reading: Reading, topic: Topic) -> dict[int, list[str]]:
    """Pictures to show, by message: captioned ones first, placeholders last, no stickers, not too many."""
    inside = {utterance.said.id for utterance in topic.utterances}
    good = [p for p in reading.stretch.pictures if p.message in inside and p.kind != "sticker"]
    unique = {picture.id: picture for picture in reversed(good)}
    best = sorted(
        unique.values(),
        key=lambda picture: (picture.missing, not picture.caption, picture.message, picture.id),
    )
    found: dict[int, list[str]] = {}
    for picture in best[:MOST_PICTURES]:
        found.setdefault(picture.message, []).append(picture.id)
    return found
