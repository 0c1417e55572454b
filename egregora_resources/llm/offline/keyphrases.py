"""The names of what a chat is about: noun phrases of one to three words, as the chat writes them.

There is no tagger: whether a word is a noun is read off the chat itself (what stands before it: "the …",
"to …") and off the lexicon. In a language without one, only words that are said together again and again count.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from egregora_resources.llm.offline.language import Lexicon
from egregora_resources.llm.offline.tokenizer import UNSPACED, Utterance, meaningful

Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Phrase:
    """A name: its stems, how the chat writes it, how often and by how many it is said here."""

    key: Key
    surface: str
    count: int
    people: int
    score: float

    @property
    def size(self) -> int:
        return len(self.key)

    @property
    def telling(self) -> bool:
        """Several words, or one that several people keep coming back to."""
        return self.size > 1 or (self.count > 2 and self.people > 1)


@dataclass(slots=True)
class Evidence:
    """What a stretch as a whole tells of its words and phrases."""

    lexicon: Lexicon
    noun: Counter[str] = field(default_factory=Counter[str])
    verb: Counter[str] = field(default_factory=Counter[str])
    quality: Counter[str] = field(default_factory=Counter[str])
    """Said as a quality: "very wide", "it is dark"."""
    tail: Counter[str] = field(default_factory=Counter[str])
    """Stands at the end of its run of meaningful words, as the noun of "rubber buttons" does."""
    capital: Counter[str] = field(default_factory=Counter[str])
    upper: Counter[str] = field(default_factory=Counter[str])
    seen: Counter[str] = field(default_factory=Counter[str])
    called: set[str] = field(default_factory=set[str])
    """Capitalised words that somebody is addressed by or introduces himself with: not for titles."""
    counts: Counter[Key] = field(default_factory=Counter[Key])
    surfaces: dict[Key, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    terms: int = 0
    found: dict[int, list[Key]] = field(default_factory=dict[int, list[Key]])

    def noun_like(self, low: str) -> bool:
        if not self.lexicon.known:
            return True
        if low in self.lexicon.weak or low in self.called:
            return False
        if self.lexicon.capital_nouns and self.capital[low]:
            return self.capital[low] * 2 >= self.seen[low]
        if self.lexicon.capital_nouns and self.seen[low] > 1:
            return False
        noun, verb = self.noun[low], self.verb[low] + self.quality[low]
        endings = self.lexicon.verb_endings
        if endings and endings.search(low) and not self.capital[low]:
            return noun >= 2 and noun > verb
        return noun > verb or (noun == verb and self.capital[low] > 0)

    def stands_alone(self, low: str) -> bool:
        """Is a noun by itself, not only the adjective before one."""
        endings = self.lexicon.quality_endings
        if low in self.lexicon.qualities or (endings and endings.search(low)):
            return False
        if not self.lexicon.known or self.lexicon.head_first:
            return True
        return self.tail[low] * 5 >= self.seen[low] * 3


def gather(utterances: Sequence[Utterance], lexicon: Lexicon) -> Evidence:
    """Read the whole stretch once."""
    evidence = Evidence(lexicon)
    for utterance in utterances:
        for chunk in utterance.chunks:
            _read_roles(chunk, evidence)
        _read_called(utterance.chunks, evidence)
    # A common word that was once shouted alone ("Gate!") isn't a name.
    evidence.called = {low for low in evidence.called if 2 * evidence.capital[low] + 1 >= evidence.seen[low]}
    for utterance in utterances:
        keys: list[Key] = []
        for chunk in utterance.chunks:
            for words in _candidates(chunk, evidence):
                key = tuple(
                    lexicon.stem(word.lower()) for word in words if word.lower() not in lexicon.joiners
                )
                surface = " ".join(words)
                evidence.surfaces[key][surface] += 1
                keys.append(key)
        evidence.found[utterance.index] = keys
        evidence.counts.update(keys)
        evidence.terms += len(utterance.terms)
    return evidence


def _read_roles(chunk: Sequence[str], evidence: Evidence) -> None:
    lexicon = evidence.lexicon
    before = ""
    for position, word in enumerate(chunk):
        low = word.lower()
        evidence.seen[low] += 1
        if position and word[:1].isupper():
            evidence.capital[low] += 1
        if word.isupper() and len(word) > 1:
            evidence.upper[low] += 1
        after = chunk[position + 1].lower() if position + 1 < len(chunk) else ""
        if after in {"one", "ones"} and lexicon.language == "en":
            evidence.quality[low] += 2
        elif not after or not meaningful(after, lexicon) or after in lexicon.weak:
            evidence.tail[low] += 1
        if before in lexicon.determiners:
            evidence.noun[low] += 2
        elif before in lexicon.prepositions:
            evidence.noun[low] += 1
        elif before in lexicon.verb_cues:
            evidence.verb[low] += 2
        elif before in lexicon.quality_cues:
            evidence.quality[low] += 2
        elif before and meaningful(before, lexicon) and evidence.noun[before]:
            evidence.noun[low] += 1
        before = low


def _read_called(chunks: Sequence[Sequence[str]], evidence: Evidence) -> None:
    """Names that somebody goes by: "I'm Craig", "What do you think, Craig?"."""
    if evidence.lexicon.capital_nouns:
        return
    for number, chunk in enumerate(chunks):
        alone = len(chunk) == 1 and number > 0
        for before, word in zip(["", *chunk], chunk, strict=False):
            named = before.lower() in evidence.lexicon.introductions
            if (alone or named) and word[:1].isupper() and word[1:].islower():
                evidence.called.add(word.lower())


def _candidates(chunk: Sequence[str], evidence: Evidence) -> Iterable[tuple[str, ...]]:
    """Runs of meaningful words that may be a name, up to three words long."""
    lexicon = evidence.lexicon
    good = [
        meaningful(word.lower(), lexicon) and word.lower() not in lexicon.weak and not UNSPACED.search(word)
        for word in chunk
    ]
    size = len(chunk)
    for start in range(size):
        if not good[start]:
            continue
        first = chunk[start]
        low = first.lower()
        if len(first) > 2 and evidence.noun_like(low) and evidence.stands_alone(low):
            yield (first,)
        for end in range(start + 2, min(start + 3, size) + 1):
            if not good[end - 1]:
                break
            words = tuple(chunk[start:end])
            head = words[0] if lexicon.head_first else words[-1]
            low = head.lower()
            if evidence.noun_like(low) and evidence.stands_alone(low) and _holds_together(words, evidence):
                yield words
        if (
            start + 2 < size
            and chunk[start + 1].lower() in lexicon.joiners
            and good[start + 2]
            and evidence.noun_like(first.lower())
            and evidence.noun_like(chunk[start + 2].lower())
        ):
            yield tuple(chunk[start : start + 3])


def _holds_together(words: Sequence[str], evidence: Evidence) -> bool:
    """No word of it is rather a verb, and none is a name somebody is called by."""
    lexicon = evidence.lexicon
    if len({lexicon.stem(word.lower()) for word in words}) < len(words):
        return False
    for word in words:
        low = word.lower()
        if low in evidence.called or evidence.verb[low] > evidence.noun[low] + 1 or low.endswith("'s"):
            return False
        endings = lexicon.verb_endings
        if endings and not lexicon.capital_nouns and endings.search(low) and not evidence.noun[low]:
            return False
    return True


def rank(
    utterances: Sequence[Utterance], evidence: Evidence, known: Counter[Key] | None = None, limit: int = 24
) -> list[Phrase]:
    """The names of a topic, most telling first: said often here, by several, and less elsewhere.

    `known` counts earlier windows in which a name already stood for a topic: it tells less each time.
    """
    counts: Counter[Key] = Counter()
    people: dict[Key, set[str]] = defaultdict(set)
    terms = 0
    for utterance in utterances:
        terms += len(utterance.terms)
        for key in evidence.found.get(utterance.index, ()):
            counts[key] += 1
            people[key].add(utterance.said.author)
    rest = max(evidence.terms - terms, 0)
    frequent = any(count > 1 for count in counts.values())
    phrases: list[Phrase] = []
    for key, count in counts.items():
        if count < 2 and (len(key) < 2 or frequent):
            continue
        elsewhere = evidence.counts[key] - count
        lift = (count / (terms + 1)) / ((elsewhere + 0.5) / (rest + 50)) if rest else 4.0
        weight = count**0.75 * math.log2(1.5 + lift) * (1.0, 1.7, 1.8)[min(len(key), 3) - 1]
        weight *= 1 + 0.2 * min(len(people[key]) - 1, 3)
        weight /= 1 + 0.8 * (known[key] if known else 0)
        phrases.append(Phrase(key, surface_of(key, evidence), count, len(people[key]), weight))
    phrases.sort(key=lambda phrase: (-phrase.score, phrase.key))
    return _without_parts(phrases)[:limit]


def _without_parts(phrases: Sequence[Phrase]) -> list[Phrase]:
    """Drop names that are nearly always said as part of a longer one, and longer ones that add nothing."""
    kept: list[Phrase] = []
    for phrase in phrases:
        swallowed = any(
            set(phrase.key) < set(other.key) and other.count >= 0.5 * phrase.count
            for other in phrases
            if other.size > phrase.size
        )
        padded = any(
            set(other.key) < set(phrase.key) and other.count >= 3 * phrase.count
            for other in phrases
            if 1 < other.size < phrase.size
        )
        if not swallowed and not padded:
            kept.append(phrase)
    return kept


def surface_of(key: Key, evidence: Evidence) -> str:
    """How the chat writes a name most; capital letters only if it nearly always has them."""
    surfaces = evidence.surfaces[key]
    folded: Counter[str] = Counter()
    for surface, count in surfaces.items():
        folded[surface.lower()] += count
    best = max(sorted(folded), key=lambda low: folded[low])
    words: list[str] = []
    variants = [surface.split(" ") for surface in sorted(surfaces) if surface.lower() == best]
    for position, low in enumerate(best.split(" ")):
        forms = sorted({variant[position] for variant in variants} - {low})
        shouted = evidence.upper[low] * 2 <= evidence.seen[low]
        forms = [form for form in forms if not (form.isupper() and shouted)]
        always = evidence.capital[low] * 2 > evidence.seen[low]
        acronym = bool(forms) and forms[0].isupper()
        words.append(forms[0] if forms and (always or acronym) else low)
    return " ".join(words)
