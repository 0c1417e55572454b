"""Titles and tags: a name from the chat, two names, or a short sentence quoted as it was written."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import pairwise

from egregora_resources.llm.offline.keyphrases import Evidence, Key, Phrase
from egregora_resources.llm.offline.language import Lexicon
from egregora_resources.llm.offline.tokenizer import (
    MARKS,
    MARKUP,
    PERSON,
    PLACEHOLDER,
    TOKEN,
    UNSPACED,
    URL,
    Utterance,
    fluent,
    meaningful,
    sentences,
)
from egregora_resources.llm.offline.topics import Weights, vector
from egregora_resources.llm.offline.wording import Wording, sentence

LONGEST = 72
STUMBLING = 0.03
"""Share of hesitations and repetitions from which a chat counts as spoken language."""
WRITTEN_SENTENCE, SPOKEN_SENTENCE = 0.6, 1.25
"""How good a sentence has to be as a headline to be preferred to names."""
SPOKEN_SENTENCE_OR_WORDS = 0.6
"""The same in spoken language where the names are single words ("Dog and tail"); when written, any will do."""
SAFE = re.compile(rf"(?:[\w\s'’,.!?:()%£€+–—…¿¡،؟。、！？・ー\-]|[{MARKS}])+")
UNSAFE = re.compile(r"[_\n]")


@dataclass(frozen=True, slots=True)
class Title:
    """A title and the names it is made of (empty for a quoted sentence)."""

    text: str
    names: frozenset[str] = frozenset()
    score: float = 0.0
    message: int | None = None
    """Index of the message that the sentence is quoted from."""


def title_of(
    phrases: Sequence[Phrase],
    utterances: Sequence[Utterance],
    evidence: Evidence,
    weight: Weights,
    wording: Wording,
    taken: Collection[str],
) -> Title:
    """The best title that isn't taken: in a fluent chat what somebody said, in spoken language the names.

    Single words tell little, so that a sentence needn't be as good to be preferred to them.
    """
    telling = [utterance for utterance in utterances if utterance.substance]
    stumbling = sum(utterance.disfluency for utterance in telling) / (len(telling) or 1)
    spoken = stumbling > STUMBLING
    # Three words of a speaker are mostly what was left of a sentence.
    said = best_sentence(telling, evidence, _about(telling, phrases, weight), taken, fewest=3 + spoken)
    names = _names(phrases, wording, taken)
    enough = SPOKEN_SENTENCE if spoken else WRITTEN_SENTENCE
    if names is None or (not spoken and len(names.names) == 1 and " " not in names.text):
        enough = 0.0
    elif not evidence.lexicon.capital_nouns and not any(" " in name for name in names.names):
        enough = SPOKEN_SENTENCE_OR_WORDS if spoken else 0.0
    if said and said.score >= enough:
        return said
    if names:
        return names
    day = wording["fallback_title"].format(day=wording.day(utterances[0].said.time))
    text, number = sentence(day), 2
    while text.lower() in taken:
        text, number = f"{sentence(day)} ({number})", number + 1
    return Title(text)


def _names(phrases: Sequence[Phrase], wording: Wording, taken: Collection[str]) -> Title | None:
    """One or two names that tell the topic."""
    free = [p for p in phrases if p.surface.lower() not in taken and presentable(p.surface)]
    if not free:
        return None
    strong = [
        p for p in free if p.size > 1 and (p.count > 2 or p.people > 1) and p.score >= 0.4 * free[0].score
    ]
    first = strong[0] if strong else free[0]
    for second in [*strong, *free[:8]]:
        text = f"{first.surface} {wording['and']} {second.surface}"
        if set(second.key) & set(first.key) or second.score < 0.4 * first.score or len(text) > LONGEST:
            continue
        return Title(sentence(text), frozenset({first.surface, second.surface}))
    return Title(sentence(first.surface), frozenset({first.surface}))


def _about(utterances: Sequence[Utterance], phrases: Sequence[Phrase], weight: Weights) -> dict[str, float]:
    """How much each term is what the topic is about, up to one."""
    centre = vector(utterances, weight)
    for rank, phrase in enumerate(phrases[:8]):
        for term in phrase.key:
            centre[term] = centre.get(term, 0.0) * (1.9 - 0.1 * rank)
    most = max(centre.values(), default=1.0) or 1.0
    return {term: value / most for term, value in centre.items()}


def safe(text: str) -> bool:
    """Plain words and plain punctuation: nothing that Markdown, HTML or YAML would take for its own."""
    return bool(SAFE.fullmatch(text)) and not UNSAFE.search(text)


def presentable(surface: str) -> bool:
    """Words of a title or tag, and nothing else."""
    return (
        len(surface) > 2
        and not UNSAFE.search(surface)
        and not any(len(word) > 30 for word in surface.split())
    )


def best_sentence(
    utterances: Sequence[Utterance],
    evidence: Evidence,
    about: Weights,
    taken: Collection[str],
    fewest: int = 3,
) -> Title | None:
    """The sentence of `fewest` words or more that would stand best as a headline, in quotation marks."""
    lexicon = evidence.lexicon
    opening, closing = lexicon.quotes[0], lexicon.quotes[-1]
    gap = "\u00a0" if lexicon.language == "fr" else ""
    best: Title | None = None
    for place, utterance in enumerate(utterances):
        early = 0.1 * (1 - place / len(utterances))
        for said in _quotable(utterance.said.text, lexicon):
            score = _headline(said, evidence, about, fewest)
            if not score:
                continue
            score += early + 0.02 * min(utterance.substance, 10) - 2 * utterance.disfluency
            text = f"{opening}{gap}{sentence(said.rstrip('.。।!！…, '))}{gap}{closing}"
            if score > (best.score if best else 0.0) and text.lower() not in taken:
                best = Title(text, score=score, message=utterance.index)
    return best


def _quotable(text: str, lexicon: Lexicon) -> list[str]:
    """The sentences of a message, and what stands before the first comma of each; without an "Okay, " at its start."""
    found: list[str] = []
    for said in sentences(text):
        head, comma, tail = said.partition(",")
        if comma and all(word in lexicon.small_talk for word in head.lower().split()):
            said = tail.strip()
            head, comma, tail = said.partition(",")
        found.append(said)
        if comma and len(head.split()) > 4:
            found.append(head)
    return found


def _headline(said: str, evidence: Evidence, about: Weights, fewest: int) -> float:
    """How well a sentence would do as a title; zero if it wouldn't."""
    if (
        len(said) > LONGEST
        or any(p.search(said) for p in (URL, PERSON, PLACEHOLDER, MARKUP))
        or not safe(said)
    ):
        return 0.0
    lexicon = evidence.lexicon
    words = [match["word"].replace("’", "'") for match in TOKEN.finditer(said) if match["word"]]
    lows = [word.lower() for word in words]
    if any(UNSPACED.search(word) for word in words):
        return min(len(said), 24) / 24 * 0.6 if 6 <= len(said) <= 36 else 0.0
    if not fewest <= len(lows) <= 11 or lows[0] in lexicon.openers:
        return 0.0
    chatter = lexicon.small_talk - lexicon.stop
    if any(low in lexicon.hesitations or low in chatter for low in lows) or any(
        a == b for a, b in [*pairwise(lows), *zip(lows, lows[2:], strict=False)]
    ):
        return 0.0
    if lexicon.known and fluent(lows, lexicon) != lows:
        return 0.0
    if lows[-1] in lexicon.prepositions | lexicon.determiners | lexicon.joiners | lexicon.openers:
        return 0.0
    if any(low in evidence.called for low in lows) or any(
        len(low) == 1 and low not in "aioeyuàé" for low in lows
    ):
        return 0.0
    telling = [low for low in lows if meaningful(low, lexicon) and low not in lexicon.weak]
    if len(telling) < 2:
        return 0.0
    score = sum(about.get(lexicon.stem(low), 0.0) for low in set(telling)) / len(lows) ** 0.4
    score += 0.2 * any(low in lexicon.finite for low in lows) + 0.1 * (said[-1] in ".!?…")
    score -= 0.1 * (not said[0].isupper()) + 0.12 * (lows[0] in lexicon.verb_cues)
    return max(score - 0.08 * max(0, 5 - len(lows)), 0.0)


def tags_of(
    phrases: Sequence[Phrase], vocabulary: Collection[str], evidence: Evidence, most: int = 5
) -> list[str]:
    """Up to five tags in lower case, after the second only what tells a topic by itself; a known spelling is kept."""
    spellings = {
        tuple(evidence.lexicon.stem(word) for word in known.lower().split()): known
        for known in sorted(vocabulary)
    }
    tags: list[str] = []
    stems: list[Key] = []
    for phrase in phrases:
        overlap = any(set(phrase.key) & set(other) for other in stems)
        if (
            not presentable(phrase.surface)
            or overlap
            or (len(stems) > 1 and (phrase.score < 0.3 * phrases[0].score or not phrase.telling))
        ):
            continue
        tags.append(spellings.get(phrase.key, phrase.surface).lower())
        stems.append(phrase.key)
        if len(tags) == most:
            break
    return tags
