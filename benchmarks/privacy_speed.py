"""How long the proof takes: 1,000 authors, 100 of whom opted out, against a site of 1,000 different posts.

Run: python benchmarks/privacy_speed.py [posts]
"""

from __future__ import annotations

import random
import sys
import time

from egregora_resources.privacy.leak_detector import LeakDetector
from egregora_resources.privacy.names.index import Person
from egregora_resources.privacy.page_text import text_of_page
from egregora_resources.privacy.scrubber import ScrubRules

SYLLABLES = ("ba", "ce", "di", "fo", "gu", "ka", "le", "mi", "no", "pu", "ra", "se", "ti", "vo", "zu")


def word(chance: random.Random) -> str:
    return "".join(chance.choices(SYLLABLES, k=chance.randint(1, 4)))


def main() -> None:
    posts = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000
    chance = random.Random(1)
    vocabulary = [word(chance) for _ in range(20_000)]

    def sentence() -> str:
        return " ".join(chance.choices(vocabulary, k=12))

    people = [
        Person(
            f"a-{n}", (f"{word(chance).title()}x{n} {word(chance).title()}y{n}", f"+55 11 9{80000000 + n}"), n < 100
        )
        for n in range(1_000)
    ]  # fmt: skip
    theirs = [(f"a-{n % 100}", sentence()) for n in range(10_000)]
    others = [sentence() for _ in range(90_000)]
    pages = [
        "<nav>Home Archive Topics People About</nav>"
        + "".join(f"<h2>{sentence()}</h2><p>{sentence()} at 10:30. {sentence()}</p>" for _ in range(20))
        for _ in range(posts)
    ]
    began = time.process_time()
    detector = LeakDetector(people, ScrubRules("BR"), theirs, others)
    ready = time.process_time()
    found = sum(len(detector.find(text_of_page(page))) for page in pages)
    done = time.process_time()
    size = sum(map(len, pages)) / 1e6
    print(f"reading what 1,000 people wrote (100,000 messages): {ready - began:.1f} CPU s")  # noqa: T201
    print(f"proving {posts} pages ({size:.1f} MB): {done - ready:.1f} CPU s, {found} found")  # noqa: T201


if __name__ == "__main__":
    main()
