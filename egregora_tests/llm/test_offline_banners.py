"""Generated banners and notes."""

from __future__ import annotations

import asyncio
from xml.etree import ElementTree

from egregora_resources.llm.offline import OfflineProvider
from egregora_resources.llm.offline.enrichments import readable
from egregora_resources.llm.tasks import Banner, BannerInput, Link, LinkNote, MediaNote, NotesInput, Picture


def banners(*requests: BannerInput) -> list[Banner]:
    return asyncio.run(OfflineProvider().illustrate(requests)).output


def many(count: int) -> list[Banner]:
    return banners(*(BannerInput(post_id=f"2025-01-{n:02d}-1", title="T") for n in range(count)))


def test_a_post_keeps_its_banner_when_it_is_retitled() -> None:
    first, second = banners(
        BannerInput(post_id="2025-01-13-1", title="One"),
        BannerInput(post_id="2025-01-13-1", title="Two", tags=["x"]),
    )
    assert first == second


def test_banners_of_different_posts_differ() -> None:
    assert len({banner.content for banner in many(60)}) == 60
    assert len({banner.alt for banner in many(60)}) >= 7


def test_a_banner_is_one_small_self_contained_picture() -> None:
    identifiers: set[str] = set()
    for banner in many(200):
        root = ElementTree.fromstring(banner.content)
        assert root.attrib["viewBox"] == "0 0 1600 900"
        assert root.attrib["role"] == "img"
        assert len(banner.content) < 13_000
        assert banner.alt.startswith("Abstract banner")
        names = {element.tag.split("}")[1] for element in root.iter()}
        assert names <= {"svg", "defs", "linearGradient", "stop", "rect", "g", "path", "circle"}
        attributes = {name for element in root.iter() for name in element.attrib}
        assert not any(name.startswith("on") or "href" in name for name in attributes)
        identifiers |= {element.attrib["id"] for element in root.iter() if "id" in element.attrib}
    assert len(identifiers) == 200, "several may stand inline on one page"


def test_any_id_has_a_banner() -> None:
    assert all(
        banner.content
        for banner in banners(*(BannerInput(post_id=x, title="") for x in ("", "é🎉", "\ud800")))
    )


def test_a_link_is_named_by_its_address_and_marked_unread() -> None:
    request = NotesInput(
        links=[Link(url="https://en.wikipedia.org/wiki/Clinker_(boat_building)", message=1)],
        media=[Picture(id="a.jpg", message=2, caption="The hull")],
    )
    notes = asyncio.run(OfflineProvider().enrich(request)).output
    assert notes.links == [
        LinkNote(
            url="https://en.wikipedia.org/wiki/Clinker_(boat_building)",
            read=False,
            title="en.wikipedia.org · Clinker (boat building)",
        )
    ]
    assert notes.media == [MediaNote(id="a.jpg", described=False, alt="The hull")]


def test_addresses_without_words_are_named_by_their_host() -> None:
    assert readable("https://www.youtube.com/watch?v=dQw4w9WgXcQ") == "youtube.com"
    assert readable("https://en.wikipedia.org/wiki/2024_YR4") == "en.wikipedia.org · 2024 YR4"
    assert readable("https://youtu.be/dQw4w9WgXcQ") == "youtu.be"
    assert readable("www.example.org/2024/05/our-summer-party.html") == "example.org · our summer party"
    assert readable("http://[broken") == "http://[broken"
    assert readable("") == ""
