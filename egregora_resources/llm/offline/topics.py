"""Cuts a stretch into topics: where the vocabulary turns over (TextTiling) and where the chat fell silent."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise

from egregora_resources.llm.offline.tokenizer import Utterance

BLOCK = 9
"""Messages with something to say that are compared on each side of a possible cut."""
MOST = 5
"""Topics of a stretch, at most."""
USUAL = 20
"""Messages of substance in a topic, usually."""
ENOUGH = 7
"""Messages of substance that a topic needs to stand alone."""
CLEAR = 2.5
"""Strength of a cut that stays even between topics shorter than usual: other words, after a day's silence."""

Weights = Mapping[str, float]


def weights(utterances: Sequence[Utterance]) -> dict[str, float]:
    """How telling each term is: rarer ones more, but a term said once is noise."""
    seen: Counter[str] = Counter()
    for utterance in utterances:
        seen.update(set(utterance.terms))
    total = sum(1 for utterance in utterances if utterance.terms) or 1
    return {
        term: math.log(1 + total / count) * (1.0 if count > 1 else 0.4)
        for term, count in sorted(seen.items())
    }


def vector(utterances: Sequence[Utterance], weight: Weights) -> dict[str, float]:
    """Term weights of some messages, of length one."""
    counts: Counter[str] = Counter()
    for utterance in utterances:
        counts.update(utterance.terms)
    raw = {term: (1 + math.log(count)) * weight[term] for term, count in sorted(counts.items())}
    length = math.sqrt(sum(value * value for value in raw.values()))
    return {term: value / length for term, value in raw.items()} if length else {}


def cosine(left: Weights, right: Weights) -> float:
    """Similarity of two vectors of length one."""
    if len(left) > len(right):
        left, right = right, left
    return sum(value * right.get(term, 0.0) for term, value in left.items())


def cut(utterances: Sequence[Utterance], most: int = MOST) -> list[list[Utterance]]:
    """The topics in order, at most `most`. Together they are the whole stretch; one without substance may be among them."""
    if not utterances:
        return []
    weight = weights(utterances)
    telling = [utterance for utterance in utterances if utterance.substance]
    if len(telling) < 2 * ENOUGH:
        return [list(utterances)]
    strengths = _strengths(telling, weight)
    bounds = sorted(_candidates(strengths))
    most = min(most, 4 if len(telling) < 6 * USUAL else MOST)
    target = min(most, max(1, round(len(telling) / USUAL)))
    while bounds:
        sizes = [b - a for a, b in pairwise([0, *bounds, len(telling)])]
        small = [i for i, size in enumerate(sizes) if size < ENOUGH]
        if small:
            at = min(small, key=lambda i: (sizes[i], i))
            sides = [i for i in (at - 1, at) if 0 <= i < len(bounds)]
        elif len(sizes) > target:
            too_many = len(sizes) > most
            sides = [i for i, bound in enumerate(bounds) if too_many or strengths[bound] < CLEAR]
        else:
            break
        if not sides:
            break
        usual = len(telling) / target
        worth = {
            i: strengths[bounds[i]] * math.sqrt(min(sizes[i], sizes[i + 1], usual) / usual) for i in sides
        }
        del bounds[min(sides, key=lambda i: (worth[i], i))]
    starts = [telling[bound].index for bound in bounds]
    return [
        [u for u in utterances if low <= u.index < high]
        for low, high in pairwise([-1, *starts, utterances[-1].index + 1])
    ]


def _strengths(telling: Sequence[Utterance], weight: Weights) -> list[float]:
    """For each position, how much speaks for a cut before it."""
    similar = [1.0]
    for position in range(1, len(telling)):
        before = vector(telling[max(0, position - BLOCK) : position], weight)
        after = vector(telling[position : position + BLOCK], weight)
        similar.append(cosine(before, after))
    strengths = [0.0]
    for position in range(1, len(telling)):
        left = max(similar[max(1, position - BLOCK) : position + 1])
        right = max(similar[position : position + BLOCK])
        depth = (left - similar[position]) + (right - similar[position])
        silence = (telling[position].said.time - telling[position - 1].said.time).total_seconds() / 60
        strengths.append(3 * depth + 0.25 * math.log2(1 + max(silence, 0) / 20))
    return strengths


def _candidates(strengths: Sequence[float]) -> list[int]:
    """Positions that speak louder for a cut than their neighbours."""
    found: list[int] = []
    for position in range(1, len(strengths)):
        near = strengths[max(1, position - 3) : position + 4]
        if strengths[position] == max(near) and not (found and position - found[-1] <= 3):
            found.append(position)
    return found
