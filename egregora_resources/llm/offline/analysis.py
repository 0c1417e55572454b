"""A stretch read once: its language, its words, its topics. The tasks all start from here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from egregora_resources.llm.offline import keyphrases, topics
from egregora_resources.llm.offline.keyphrases import Evidence, Key, Phrase
from egregora_resources.llm.offline.language import Lexicon, detect, lexicon, normal_code
from egregora_resources.llm.offline.tokenizer import Utterance, utterance
from egregora_resources.llm.offline.wording import Wording, wording
from egregora_resources.llm.tasks import Digest, Stretch

SUBSTANCE = 4
"""Messages of substance that a post needs."""
TELLING_WORDS = 18
"""Meaningful words that a post needs."""


@dataclass(frozen=True, slots=True)
class Topic:
    """Messages that belong together, and the names of what they are about."""

    utterances: list[Utterance]
    phrases: list[Phrase]

    @property
    def substantial(self) -> bool:
        telling = [u for u in self.utterances if u.substance]
        words = sum(u.substance for u in telling)
        return len(telling) >= SUBSTANCE and words >= TELLING_WORDS


@dataclass(frozen=True, slots=True)
class Reading:
    """What every task needs of a stretch."""

    stretch: Stretch
    language: str
    lexicon: Lexicon
    wording: Wording
    utterances: list[Utterance]
    evidence: Evidence
    weight: dict[str, float]
    topics: list[Topic]
    known: Counter[Key]
    """Names that already stood for a topic in earlier windows."""
    remembered: int
    """Earlier windows that `known` is made of."""


def read(stretch: Stretch, memory: Sequence[Digest] = ()) -> Reading:
    """Read a stretch; `memory` makes names that come up every time tell less."""
    said = sorted(stretch.messages, key=lambda message: (message.time, message.id))
    language = normal_code(stretch.language)
    if language in {"auto", ""}:
        language = detect(message.text for message in said)
    words = lexicon(language)
    utterances = [utterance(message, index, words) for index, message in enumerate(said)]
    evidence = keyphrases.gather(utterances, words)
    known: Counter[Key] = Counter()
    for digest in memory:
        known.update({tuple(words.stem(w) for w in name.lower().split()) for name in digest.topics})
    parts = [Topic(part, keyphrases.rank(part, evidence, known)) for part in topics.cut(utterances)]
    if not any(part.substantial for part in parts) and len(parts) > 1:
        parts = [Topic(utterances, keyphrases.rank(utterances, evidence, known))]
    return Reading(
        stretch,
        language,
        words,
        wording(language),
        utterances,
        evidence,
        topics.weights(utterances),
        parts,
        known,
        len(memory),
    )
