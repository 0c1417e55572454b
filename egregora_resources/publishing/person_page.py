"""A person's page: the portrait, what they chose to show, and what can be counted."""

from __future__ import annotations

import re
from collections.abc import Container, Mapping, Sequence
from datetime import time

from egregora_resources.publishing.charts import bars
from egregora_resources.publishing.content import Person
from egregora_resources.publishing.front_matter import Card, Chart, PersonPage, Ref, write_page
from egregora_resources.publishing.html_blocks import block
from egregora_resources.publishing.plain_text import one_line, web_address
from egregora_resources.publishing.post_page import Desk, prose_markdown

_HANDLE = re.compile(r"@?([A-Za-z0-9_]{1,15})")


def person_page(
    person: Person,
    desk: Desk,
    cards: Sequence[Card],
    windows: Mapping[str, str],
    topics: Container[str],
) -> str:
    """The Markdown file. `windows` has the labels of windows by key, `topics` the addresses that exist."""
    words = desk.strings
    bio = one_line(desk.cast.named(person.bio), 300)
    page = PersonPage(
        title=desk.cast[person.token].name,
        description=bio,
        chip=desk.chip(person.token),
        facts=_facts(person, desk),
        links=_links(person, desk),
        charts=_charts(person, desk, windows),
        topics=[
            topic if topic.url in topics else Ref(topic.name, "")
            for topic in map(desk.topic, dict.fromkeys(name for name in person.topics if name.strip()))
        ],
        talks_with=[
            desk.chip(token, words.count("turns", turns))
            for token, turns in person.talks_with
            if token in desk.cast
        ],
        words=[(desk.cast.named(word), words.number(count)) for word, count in person.favourite_words],
        notes=[(windows.get(key, key), desk.cast.named(note)) for key, note in person.notes],
        cards=cards,
    )
    lead = block("lead", {"text": bio}) if bio else ""
    return write_page(page, f"{lead}\n\n{prose_markdown(person.portrait, desk)}".strip())


def _facts(person: Person, desk: Desk) -> list[tuple[str, str]]:
    words = desk.strings
    facts: list[tuple[str, str]] = []
    if person.first and person.last:
        facts.append((words["active"], words.span(person.first, person.last)))
    if person.messages:
        counted = [words.count("messages", person.messages)]
        if person.words:
            counted.append(words.count("words", person.words))
        facts.append((words["count"], " · ".join(counted)))
    if person.interests.strip():
        facts.append((words["interests"], desk.cast.named(person.interests)))
    return facts


def _links(person: Person, desk: Desk) -> list[Ref]:
    """Only addresses that can be followed safely; what else was typed isn't shown."""
    links: list[Ref] = []
    if address := web_address(person.website):
        links.append(Ref(address.split("//", 1)[1].rstrip("/"), address, desk.strings["website"]))
    handle = _HANDLE.fullmatch(person.twitter.strip())
    if handle:
        links.append(Ref(f"@{handle[1]}", f"https://x.com/{handle[1]}", "X"))
    elif address := web_address(person.twitter):
        links.append(Ref(address.split("//", 1)[1], address, "X"))
    return links


def _charts(person: Person, desk: Desk, windows: Mapping[str, str]) -> list[Chart]:
    words = desk.strings
    charts = [
        bars(
            words["by_window"],
            words["window"],
            words["count"],
            [(windows.get(key, key), count) for key, count in person.weeks],
            words.number,
            ends=True,
        )
    ]
    if not desk.strict_times and len(person.hours) == 24:
        charts.append(
            bars(
                words["by_hour"],
                words["hour"],
                words["count"],
                [(words.clock(time(hour)), count) for hour, count in enumerate(person.hours)],
                words.number,
                [(hour, str(hour)) for hour in (0, 6, 12, 18, 23)],
            )
        )
    return [chart for chart in charts if chart]
