"""The memory of a stretch: for each topic its title and the one message that says most."""

from __future__ import annotations

from collections import Counter

from egregora_resources.llm.offline import salience
from egregora_resources.llm.offline.analysis import read
from egregora_resources.llm.offline.titles import tags_of, title_of
from egregora_resources.llm.tasks import Digest, Stretch

LINES = 4
LINE_LETTERS = 240


def digest(stretch: Stretch) -> Digest:
    """Two to four extracted lines, the topics, the people who said most."""
    reading = read(stretch)
    lines: list[str] = []
    names: list[str] = []
    taken: set[str] = set()
    parts = [topic for topic in reading.topics if topic.substantial] or reading.topics
    for topic in parts:
        names += [tag for tag in tags_of(topic.phrases, (), reading.evidence, most=3) if tag not in names]
        best = salience.pick(topic.utterances, reading.weight, (), most=1)
        if best and len(lines) < LINES:
            title = title_of(
                topic.phrases, topic.utterances, reading.evidence, reading.weight, reading.wording, taken
            )
            taken.add(title.text.lower())
            line = shorten(" ".join(best[0].said.text.split()))
            lines.append(reading.wording["digest"].format(title=title.text, line=line))
    spoke: Counter[str] = Counter()
    for utterance in reading.utterances:
        spoke[utterance.said.author] += utterance.substance
    people = [
        person for person, words in sorted(spoke.items(), key=lambda pair: (-pair[1], pair[0])) if words
    ]
    return Digest(
        window=stretch.window,
        summary="\n".join(lines),
        topics=names[:10],
        people=people[:8],
        language=reading.language,
    )


def shorten(text: str, most: int = LINE_LETTERS) -> str:
    """Cut at a word, with an ellipsis."""
    if len(text) <= most:
        return text
    head = text[: most - 1]
    return (head.rsplit(" ", 1)[0] if " " in head else head).rstrip(",;:. ") + "…"
