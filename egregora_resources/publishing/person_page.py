"""A person's page: their portrait, what they chose to show, and their statistics."""

from __future__ import annotations

import re
from collections.abc import Container, Mapping, Sequence
from datetime import time

from egregora_resources.publishing.charts import bars
from egregora_resources.publishing.content import Person
from egregora_resources.publishing.front_matter import Card, Chart, PersonPage, Ref, write_page
from egregora_resources.publishing.html_blocks import block
from egregora_resources.publishing.plain_text import one_line, web_address
from egregora_resources.publishing.post_page import RenderContext, prose_markdown

_HANDLE = re.compile(r"@?([A-Za-z0-9_]{1,15})")


def person_page(
    person: Person,
    context: RenderContext,
    cards: Sequence[Card],
    windows: Mapping[str, str],
    topics: Container[str],
) -> str:
    """A person's Markdown file.

    Args:
        person: whose page.
        context: what pages share.
        cards: the posts to list.
        windows: labels by window key.
        topics: the addresses of topic pages that exist; other topics are shown without a link.
    """
    words = context.strings
    bio = one_line(context.cast.named(person.bio), 300)
    page = PersonPage(
        title=context.cast[person.token].name,
        description=bio,
        chip=context.chip(person.token),
        facts=_facts(person, context),
        links=_links(person, context),
        charts=_charts(person, context, windows),
        topics=[
            topic if topic.url in topics else Ref(topic.name, "")
            for topic in map(context.topic, dict.fromkeys(name for name in person.topics if name.strip()))
        ],
        talks_with=[
            context.chip(token, words.count("turns", turns))
            for token, turns in person.talks_with
            if token in context.cast
        ],
        words=[(context.cast.named(word), words.number(count)) for word, count in person.favourite_words],
        notes=[(windows.get(key, key), context.cast.named(note)) for key, note in person.notes],
        cards=cards,
    )
    lead = block("lead", {"text": bio}) if bio else ""
    return write_page(page, f"{lead}\n\n{prose_markdown(person.portrait, context)}".strip())


def _facts(person: Person, context: RenderContext) -> list[tuple[str, str]]:
    words = context.strings
    facts: list[tuple[str, str]] = []
    if person.first and person.last:
        facts.append((words["active"], words.span(person.first, person.last)))
    if person.messages:
        counted = [words.count("messages", person.messages)]
        if person.words:
            counted.append(words.count("words", person.words))
        facts.append((words["count"], " · ".join(counted)))
    if person.interests.strip():
        facts.append((words["interests"], context.cast.named(person.interests)))
    return facts


def _links(person: Person, context: RenderContext) -> list[Ref]:
    """Those of their addresses that are safe to follow; anything else they typed isn't shown."""
    links: list[Ref] = []
    if address := web_address(person.website):
        links.append(Ref(address.split("//", 1)[1].rstrip("/"), address, context.strings["website"]))
    handle = _HANDLE.fullmatch(person.twitter.strip())
    if handle:
        links.append(Ref(f"@{handle[1]}", f"https://x.com/{handle[1]}", "X"))
    elif address := web_address(person.twitter):
        links.append(Ref(address.split("//", 1)[1], address, "X"))
    return links


def _charts(person: Person, context: RenderContext, windows: Mapping[str, str]) -> list[Chart]:
    words = context.strings
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
    if not context.strict_times and len(person.hours) == 24:
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
