"""CPU seconds to build sites of several sizes: ``python benchmarks/site_speed.py [posts …]``.

The target is 1,000 plain posts in at most 10 CPU seconds, and twice the posts in no more than twice the time.
Exits with 1 when the target is missed.
"""

from __future__ import annotations

import argparse
import logging
import random
import sys
import tempfile
from datetime import datetime, timedelta
from pathlib import Path

from measuring import say, timed

from egregora_resources.document import Message
from egregora_resources.publishing.build import build_site
from egregora_resources.publishing.content import Person, Post, Site, WindowView

TARGET_SECONDS = 10.0
TARGET_POSTS = 1_000
WORDS = [
    "tea",
    "river",
    "bicycle",
    "garden",
    "lamp",
    "winter",
    "market",
    "bread",
    "song",
    "window",
    "train",
    "letter",
    "harbour",
    "kite",
    "stone",
]
TOPICS = [f"{first} {second}".title() for first in WORDS[:8] for second in WORDS[8:]]
PEOPLE = [f"{first}-{second}" for first in ("amber", "blue", "green", "grey") for second in WORDS[:8]]


def sentence(dice: random.Random, words: int) -> str:
    return " ".join(dice.choices(WORDS, k=words)).capitalize() + "."


def plain_site(posts: int) -> Site:
    """`posts` posts of some 300 words with five quotes each, 32 people, 56 topics, a window for every post."""
    dice = random.Random(7)
    first = datetime(2015, 1, 5, 9)
    written: list[Post] = []
    windows: list[WindowView] = []
    for number in range(posts):
        start = first + timedelta(days=number * 3)
        key = start.date().isoformat()
        people = dice.sample(PEOPLE, 5)
        messages = {
            index: Message(index, start + timedelta(minutes=index), person, "text", sentence(dice, 14))
            for index, person in enumerate(people)
        }
        paragraphs = [f"{sentence(dice, 50)} @{people[0]} {sentence(dice, 8)}" for _ in messages]
        quotes = [f"{{quote {index}}}" for index in messages]
        written.append(
            Post(
                id=f"{key}-1",
                slug=f"{dice.choice(WORDS)}-{number}",
                window=key,
                title=sentence(dice, 7),
                dek=sentence(dice, 18),
                body="\n\n".join(part for pair in zip(paragraphs, quotes, strict=True) for part in pair),
                start=start,
                end=start + timedelta(days=2),
                category=dice.choice(TOPICS[:6]),
                tags=dice.sample(TOPICS, 4),
                people=people,
                messages=messages,
            )
        )
        windows.append(WindowView(key, key, start, start, 5, people, [written[-1].slug]))
    shown = {token: Person(token, token.title(), messages=posts) for token in PEOPLE}
    return Site("Benchmark", "A site of plain posts.", "en", written, shown, windows)


def measure(posts: int) -> float:
    """CPU seconds of one build from nothing."""
    site = plain_site(posts)
    with tempfile.TemporaryDirectory() as folder:
        report, _, seconds = timed(lambda: build_site(site, Path(folder)))
        unchanged, _, again = timed(lambda: build_site(site, Path(folder)))
        say(
            f"{posts:>6} posts: {seconds:6.2f} CPU s, {report.pages} pages, {report.bytes / 1e6:.1f} MB; "
            f"again: {again:.2f} CPU s, {unchanged.changed} files changed"
        )
    return seconds


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("posts", nargs="*", type=int, default=[500, TARGET_POSTS, 2 * TARGET_POSTS])
    logging.disable(logging.INFO)
    measured = {posts: measure(posts) for posts in parser.parse_args().posts}
    return int(measured.get(TARGET_POSTS, 0.0) > TARGET_SECONDS)


if __name__ == "__main__":
    sys.exit(main())
