"""Picks the messages that tell a topic: central, full, fluent, and not saying the same thing twice (MMR)."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Sequence

from egregora_resources.llm.offline.tokenizer import UNSPACED, URL, Utterance
from egregora_resources.llm.offline.topics import Weights, cosine, vector

FEWEST, MOST = 5, 14
ANSWER_MINUTES = 20
NEIGHBOUR = 0.08
"""What a message gains next to a quoted one: an exchange reads better than scattered lines."""
FIGURE = re.compile(r"\d")


def scores(utterances: Sequence[Utterance], weight: Weights, linked: Collection[int]) -> dict[int, float]:
    """How telling each message of substance is, by its index."""
    telling = [utterance for utterance in utterances if utterance.substance]
    telling = [utterance for utterance in telling if _full(utterance, linked)] or telling
    centre = vector(telling, weight)
    found: dict[int, float] = {}
    for utterance in telling:
        central = cosine(vector([utterance], weight), centre)
        length = math.log2(1 + min(utterance.substance, 14)) / 4
        score = central + length
        score -= 0.1 * max(0, min(utterance.words, 180) - 60) / 60
        if 2 < utterance.words < 5:
            score -= 0.25
        score -= 1.3 * max(0.0, utterance.disfluency - 0.03)
        score += 0.08 * utterance.question
        score += 0.06 * bool(FIGURE.search(utterance.said.text))
        score += 0.25 * (utterance.said.id in linked or bool(URL.search(utterance.said.text)))
        score -= 0.12 * _fragment(utterance)
        found[utterance.index] = score
    return found


def _full(utterance: Utterance, linked: Collection[int]) -> bool:
    """More than a word or two, however telling."""
    unspaced = UNSPACED.search(utterance.said.text)
    return utterance.words > 2 or bool(unspaced) or utterance.said.id in linked


def _fragment(utterance: Utterance) -> bool:
    """Begins in the middle of a sentence or breaks off before its end."""
    text = utterance.said.text.strip()
    formal = any(mark in text for mark in ".!?") and text[:1].isupper()
    return not formal and utterance.words > 3 and text[:1].islower()


def pick(
    utterances: Sequence[Utterance], weight: Weights, linked: Collection[int], most: int = MOST
) -> list[Utterance]:
    """The messages to quote, in the order they were written."""
    ranked = scores(utterances, weight, linked)
    if not ranked:
        return []
    by_index = {utterance.index: utterance for utterance in utterances}
    wanted = min(most, max(FEWEST, round(len(ranked) * 0.4)), len(ranked))
    vectors = {index: vector([by_index[index]], weight) for index in ranked}
    chosen: list[int] = []
    redundancy = dict.fromkeys(ranked, 0.0)
    while len(chosen) < wanted:
        left = [index for index in ranked if index not in chosen]
        best = max(left, key=lambda index: (ranked[index] - 0.55 * redundancy[index], -index))
        chosen.append(best)
        for near in (best - 1, best + 1):
            if near in ranked:
                ranked[near] += NEIGHBOUR
        for index in left:
            redundancy[index] = max(redundancy[index], cosine(vectors[index], vectors[best]))
    _ask_what_was_answered(chosen, ranked, by_index, most)
    _answer_questions(chosen, ranked, by_index, most)
    return [by_index[index] for index in sorted(chosen)]


def _answer_questions(
    chosen: list[int], ranked: dict[int, float], by_index: dict[int, Utterance], most: int
) -> None:
    """A quoted question is followed by what was answered, if somebody did soon."""
    for index in sorted(chosen):
        question = by_index[index]
        if not question.question or len(chosen) >= most:
            continue
        for near in range(index + 1, index + 4):
            answer = by_index.get(near)
            if answer is None or answer.said.author == question.said.author or near not in ranked:
                continue
            minutes = (answer.said.time - question.said.time).total_seconds() / 60
            if minutes <= ANSWER_MINUTES and answer.substance >= 2 and near not in chosen:
                chosen.append(near)
            break


def _ask_what_was_answered(
    chosen: list[int], ranked: dict[int, float], by_index: dict[int, Utterance], most: int
) -> None:
    """A quoted answer follows its question, if that came just before."""
    for index in sorted(chosen):
        before = by_index.get(index - 1)
        if before is None or before.index in chosen or before.index not in ranked or len(chosen) >= most:
            continue
        minutes = (by_index[index].said.time - before.said.time).total_seconds() / 60
        if (
            before.question
            and before.said.author != by_index[index].said.author
            and minutes <= ANSWER_MINUTES
        ):
            chosen.append(before.index)
