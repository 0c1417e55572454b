"""Facts about people: when they were active, who they talked with, about what, in which words."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from datetime import timedelta

from egregora_resources.llm.offline.analysis import Reading, read
from egregora_resources.llm.offline.titles import presentable, tags_of
from egregora_resources.llm.offline.tokenizer import PERSON, Utterance, meaningful
from egregora_resources.llm.tasks import Observation, Observations, Stretch

TURN = timedelta(minutes=30)
WORDS = 8
TOPICS = 6


def observe(stretch: Stretch) -> Observations:
    """An observation for each author who said or shared something."""
    reading = read(stretch)
    by_author: dict[str, list[Utterance]] = defaultdict(list)
    for utterance in reading.utterances:
        by_author[utterance.said.author].append(utterance)
    shared = Counter(link.message for link in stretch.links)
    pictured = Counter(picture.message for picture in stretch.pictures)
    turns = _turns(reading)
    words = {author: _own_words(own, reading) for author, own in by_author.items()}
    everyone: Counter[str] = Counter()
    for own in words.values():
        everyone.update(own)
    people: list[Observation] = []
    for author in sorted(by_author):
        own = by_author[author]
        links = sum(shared[u.said.id] for u in own)
        pictures = sum(pictured[u.said.id] for u in own)
        if not (any(u.substance for u in own) or links or pictures):
            continue
        hours = [0] * 24
        for utterance in own:
            hours[utterance.said.time.hour] += 1
        people.append(
            Observation(
                person=author,
                messages=len(own),
                words=sum(u.words for u in own),
                first=own[0].said.time,
                last=own[-1].said.time,
                hours=hours,
                talks_with=dict(sorted(turns[author].items(), key=lambda pair: (-pair[1], pair[0]))),
                topics=_topics(author, reading),
                favourite_words=_favourites(words[author], everyone),
                links=links,
                pictures=pictures,
                language=reading.language,
            )
        )
    return Observations(people=people)


def _turns(reading: Reading) -> dict[str, Counter[str]]:
    """Who followed or named whom: turns exchanged within half an hour, and mentions."""
    turns: dict[str, Counter[str]] = defaultdict(Counter)
    authors = {utterance.said.author for utterance in reading.utterances}
    before: Utterance | None = None
    for utterance in reading.utterances:
        author = utterance.said.author
        if before and before.said.author != author and utterance.said.time - before.said.time <= TURN:
            turns[author][before.said.author] += 1
            turns[before.said.author][author] += 1
        for token in PERSON.findall(utterance.said.text):
            if token[1:] in authors and token[1:] != author:
                turns[author][token[1:]] += 1
        before = utterance
    return turns


def _own_words(own: list[Utterance], reading: Reading) -> Counter[str]:
    """Nouns and names this person used, in lower case as written most."""
    counts: Counter[str] = Counter()
    for utterance in own:
        for chunk in utterance.chunks:
            for word in chunk:
                low = word.lower()
                if len(low) > 2 and meaningful(low, reading.lexicon) and reading.evidence.noun_like(low):
                    counts[low] += 1
    return counts


def _favourites(own: Counter[str], everyone: Counter[str]) -> dict[str, int]:
    """The words a person says more than the others do."""
    total, all_words = sum(own.values()) or 1, sum(everyone.values()) or 1
    ranked = sorted(
        (-count * math.log2(1 + (count / total) / (everyone[word] / all_words)), word)
        for word, count in own.items()
        if count > 1 and presentable(word)
    )
    return {word: own[word] for _, word in ranked[:WORDS]}


def _topics(author: str, reading: Reading) -> list[str]:
    """Names of the topics in which this person said something."""
    found: list[str] = []
    for topic in reading.topics:
        own = [u for u in topic.utterances if u.said.author == author and u.substance]
        if len(own) < 2:
            continue
        keys = {key for u in own for key in reading.evidence.found.get(u.index, ())}
        theirs = [phrase for phrase in topic.phrases if phrase.key in keys]
        found += [tag for tag in tags_of(theirs, (), reading.evidence, most=2) if tag not in found]
    return found[:TOPICS]
