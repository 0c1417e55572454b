"""A small magazine for the tests of this folder: three people, four posts, a window without one, some media."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from egregora_resources.document import Message
from egregora_resources.publishing.content import LinkView, MediaView, Person, Post, Site, WindowView

MONDAY = datetime(2025, 1, 13, 9, 12)
PICTURE = MediaView(
    "photo", "image", "media/photo.png", "media/photo-small.png", 800, 500, "A paella on a terrace table"
)
BANNER = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1200 630"><rect width="1200" height="630" fill="hsl({0} 40% 40%)"/>'
    '<circle cx="340" cy="330" r="260" fill="hsl({0} 55% 62%)"/><path d="M0 470Q600 300 1200 500V630H0z" fill="hsl({0} 45% 24%)"/></svg>'
)


def message(number: int, author: str, text: str, *, minutes: int = 0, media: str | None = None) -> Message:
    return Message(number, MONDAY + timedelta(minutes=minutes or number * 7), author, "text", text, media)


def paella(**changes: object) -> Post:
    """A post with a quote of every sort, a picture, a voice message, a missing video and a link."""
    messages = [
        message(
            1, "amber-heron", "So who brings the *big pan* on Sunday?\nThe one from last year was too small."
        ),
        message(
            2,
            "blue-fox",
            "Me! @amber-heron you said _never again_ 😂 ~no~ yes. See https://example.org/pan_1?q=1.",
        ),
        message(3, "green-otter", "Look at this one", media="photo"),
        message(4, "amber-heron", "", media="voice"),
        message(
            5, "green-otter", "   indented\n- a list\n# not a heading\n> not a quote\n```code_is code```"
        ),
    ]
    body = """It began with a pan. @amber-heron asked, and within the hour **everybody** had an opinion, @grey-unknown too.

{quote 1}

{quote 2}

## The pan arrives

Then @green-otter sent a picture, and the matter was settled.

{quote 3}

{quote 4}

{picture clip}

{link https://example.org/paella}

{quote 5}

> The rice knows.

1. Rice
2. Saffron, as `@amber-heron` wrote
"""
    post = Post(
        id="2025-01-13-1",
        slug="who-brings-the-big-pan",
        window="2025-01-13",
        title="Who brings the big pan?",
        dek="Forty messages about a paella, three pans, and one promise that @blue-fox will not keep.",
        body=body,
        start=MONDAY,
        end=MONDAY + timedelta(days=2),
        language="en",
        category="Food & Drink",
        tags=("Paella", "Sundays", "São João"),
        people=("amber-heron", "blue-fox", "green-otter"),
        messages={one.id: one for one in messages},
        media={
            "photo": PICTURE,
            "voice": MediaView("voice", "audio", "media/voice.opus", size=21_000),
            "clip": MediaView("clip", "video", None),
        },
        links={
            "https://example.org/paella": LinkView(
                "https://example.org/paella", "Paella, step by step", "What to do when the rice sticks."
            )
        },
        banner=BANNER.format(20),
        banner_alt="A sun over a hill",
    )
    return replace(post, **changes)  # type: ignore[arg-type]


def posts() -> list[Post]:
    later = MONDAY + timedelta(days=7)
    return [
        paella(),
        paella(
            id="2025-01-20-1",
            slug="the-night-train",
            window="2025-01-20",
            title="The night train to Lisbon, and why nobody slept on it, least of all the conductor",
            dek="A journey told in voice messages.",
            start=later,
            end=later + timedelta(hours=3),
            category="Travel",
            tags=("Lisbon", "Sundays"),
            people=("blue-fox", "green-otter"),
            banner=BANNER.format(215),
            automatic=False,
        ),
        paella(
            id="2025-01-20-2",
            slug="um-jardim",
            window="2025-01-20",
            title="Um jardim na varanda",
            dek="Tomates, manjericão e um gato.",
            language="pt",
            start=later + timedelta(days=1),
            end=later + timedelta(days=1, hours=3),
            category="Home",
            tags=("Garden",),
            people=("green-otter",),
            banner=BANNER.format(130),
        ),
        paella(
            id="2025-02-03-1",
            slug="a-small-lamp",
            window="2025-02-03",
            title="A small lamp for a long winter",
            dek="What to read when it is dark at four.",
            start=later + timedelta(days=14),
            end=later + timedelta(days=14, hours=5),
            category="Home",
            tags=("Books", "Winter"),
            people=("amber-heron", "green-otter"),
            banner="",
            so_far=True,
        ),
    ]


def people() -> dict[str, Person]:
    weeks = [("2025-01-13", 41), ("2025-01-20", 12), ("2025-01-27", 3), ("2025-02-03", 25)]
    hours = [0, 0, 0, 0, 0, 0, 1, 4, 9, 14, 7, 5, 11, 8, 4, 3, 5, 8, 13, 21, 26, 17, 6, 2]
    found = [
        Person(
            "amber-heron",
            "Ana Souza",
            bio="Tea, trains and too many pans.",
            interests="cooking, night trains",
            website="https://ana.example/blog?a=1&b=2",
            twitter="@ana_s",
            messages=1204,
            words=9310,
            first=MONDAY,
            last=MONDAY + timedelta(days=21),
            hours=hours,
            weeks=weeks,
            topics=("Paella", "Books"),
            talks_with=(("blue-fox", 31), ("green-otter", 1)),
            favourite_words=(("saffron", 12), ("sunday", 9)),
            notes=(("2025-01-13", "Asked for the pan, and argued with @blue-fox about its size."),),
            portrait="The one who asks first. She and @blue-fox rarely agree.\n\n## In short\n\nAlways *early*.",
        ),
        Person("blue-fox", "Bruno", messages=811, words=4203, hours=hours, weeks=weeks),
        Person("green-otter", "green otter", messages=99, words=420),
    ]
    return {person.token: person for person in found}


def windows() -> list[WindowView]:
    everybody = ("amber-heron", "blue-fox", "green-otter")
    return [
        WindowView(
            "2025-01-13",
            "13–19 January 2025",
            MONDAY,
            MONDAY,
            41,
            everybody,
            ("who-brings-the-big-pan",),
        ),
        WindowView(
            "2025-01-20",
            "20–26 January 2025",
            MONDAY + timedelta(days=7),
            MONDAY + timedelta(days=14),
            1012,
            everybody[1:],
            ("the-night-train", "um-jardim"),
        ),
        WindowView(
            "2025-01-27",
            "27 January – 2 February 2025",
            MONDAY + timedelta(days=14),
            MONDAY + timedelta(days=21),
            3,
            everybody[:1],
            (),
            "Too little was said.",
        ),
        WindowView(
            "2025-02-03",
            "3–9 February 2025",
            MONDAY + timedelta(days=21),
            MONDAY + timedelta(days=28),
            25,
            everybody[:2],
            ("a-small-lamp",),
        ),
    ]


def magazine(**changes: object) -> Site:
    site = Site(
        "The Long Table",
        "What a group of friends talks about, from week to week.",
        "en",
        posts(),
        people(),
        windows(),
    )
    return replace(site, **changes)  # type: ignore[arg-type]


def media_for_magazine() -> Callable[[Path], None]:
    """What the media store does: files below ``docs/media/``."""
    from PIL import Image

    def put(docs: Path) -> None:
        folder = docs / "media"
        folder.mkdir(exist_ok=True)
        for name, size in (("photo.png", (800, 500)), ("photo-small.png", (400, 250))):
            if not (folder / name).exists():
                Image.new("RGB", size, (196, 132, 60)).save(folder / name)
        if not (folder / "voice.opus").exists():
            (folder / "voice.opus").write_bytes(b"OggS")

    return put
