"""Hostile texts, and a site that holds each of them in every place where a member or a model can write."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

from egregora_resources.publishing.content import LinkView, MediaView, Person, Post, Site, WindowView

from .magazine import MONDAY, message, paella

CASES = Path(__file__).parents[1] / "cases"


@dataclass(frozen=True)
class Hostile:
    id: str
    place: str
    text: str


def hostile_texts() -> list[Hostile]:
    lines = [
        line
        for name in ("hostile_text.jsonl", "hostile_text_more.jsonl")
        for line in (CASES / name).read_text("utf-8").splitlines()
    ]
    return [Hostile(**json.loads(line)) for line in lines]


def hostile_post(case: Hostile) -> Post:
    """The text as title, dek, body, category, tag, quote, alt text, link title, banner, ids and addresses."""
    said = replace(message(1, f"person-{case.id}", case.text), media="bad")
    return paella(
        id=case.text[:40] or "x",
        slug=f"post-{case.id}",
        window="2025-01-13",
        title=case.text,
        dek=case.text,
        body=f"Before\n\n{case.text}\n\n{{quote 1}}\n\n{{picture bad}}\n\n{{link https://ok.example/}}\n\nsee {case.text}",
        language=case.text[:20],
        category=case.text,
        tags=(case.text, f"tag {case.id}", "All hostile"),
        people=(f"person-{case.id}",),
        messages={1: said},
        media={"bad": MediaView("bad", "image", case.text, case.text, 10, 10, case.text, case.text)},
        links={"https://ok.example/": LinkView("https://ok.example/", case.text, case.text)},
        banner=f'<svg xmlns="http://www.w3.org/2000/svg"><title>{case.text}</title></svg>',
        banner_alt=case.text,
    )


def hostile_person(case: Hostile) -> Person:
    """The text as name, biography, interests, addresses, portrait, notes and favourite words."""
    return Person(
        f"person-{case.id}",
        case.text,
        bio=case.text,
        avatar=MediaView("bad", "image", "media/../../x.png", case.text),
        interests=case.text,
        website=case.text,
        twitter=case.text,
        messages=3,
        weeks=(("2025-01-13", 3), (case.text, 1)),
        hours=[1] * 24,
        topics=(case.text,),
        talks_with=((f"person-{case.id}", 1), (case.text, 2)),
        favourite_words=((case.text, 2),),
        notes=(("2025-01-13", case.text), (case.text, case.text)),
        portrait=case.text,
    )


def hostile_site() -> Site:
    cases = hostile_texts()
    window = WindowView("2025-01-13", cases[0].text, MONDAY, MONDAY, 1, (), (), cases[0].text)
    return Site(
        title=cases[0].text,
        description=cases[0].text,
        language=cases[0].text,
        posts=[hostile_post(case) for case in cases],
        people={f"person-{case.id}": hostile_person(case) for case in cases},
        windows=[
            replace(window, key=case.id, label=case.text, note=case.text, posts=(f"post-{case.id}",))
            for case in cases
        ],
    )
