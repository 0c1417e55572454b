"""Cleaning, addresses, quotes and drawings: the small promises that pages rest on."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from egregora_resources.publishing.html_blocks import speech
from egregora_resources.publishing.locale import strings_for
from egregora_resources.publishing.plain_text import one_line, spoken, web_address
from egregora_resources.publishing.safe_svg import plain_svg, safe_svg
from egregora_resources.publishing.slugs import SAFE_SLUG, path_segment, slugify, topic_slug


@pytest.mark.parametrize(
    ("title", "slug"),
    [
        ("Who brings the big pan?", "who-brings-the-big-pan"),
        ("São João à moda da avó", "sao-joao-a-moda-da-avo"),
        ("Straße, Œuvre & Łódź", "strasse-oeuvre-lodz"),
        ("Ana's pan — don’t ask", "anas-pan-dont-ask"),
        ("x" * 200, "x" * 60),
        ("a long title " * 20, "a-long-title-a-long-title-a-long-title-a-long-title-a-long"),
        ("Привет, мир", "2025-01-13"),
        ("週末のパエリア 2025", "2025-01-13"),
        ("🎉🎉", "2025-01-13"),
        ("../../etc/passwd", "etc-passwd"),
    ],
)
def test_slugs_are_ascii_words_and_other_scripts_fall_back_on_the_date(title: str, slug: str) -> None:
    assert slugify(title, "2025-01-13") == slug


@given(st.text(max_size=300))
def test_whatever_the_title_the_slug_is_a_plain_path_of_one_part(title: str) -> None:
    for slug in (slugify(title), path_segment(title, "post"), topic_slug(title)):
        assert SAFE_SLUG.fullmatch(slug)
        assert len(slug) <= 120


def test_names_that_are_not_slugs_keep_apart() -> None:
    assert path_segment("Ana!", "person") != path_segment("Ana?", "person")
    assert path_segment("amber-heron", "person") == "amber-heron"


@given(st.text(max_size=200))
def test_one_line_is_one_line_without_markup_or_anything_invisible(text: str) -> None:
    line = one_line(text)
    assert "\n" not in line
    assert not set(line) & set('<>"\u202e\u2066\u200b\ufeff\x00')
    line.encode("utf-8")
    assert one_line(line) == line


def test_speech_keeps_lines_joined_emoji_and_persian_joiners() -> None:
    said = "a\r\nb\u2028c 👨\u200d👩\u200d👧 می\u200cخواهم 🏴\U000e0067\U000e0062\U000e007f"
    assert spoken(said) == "a\nb\nc 👨\u200d👩\u200d👧 می\u200cخواهم 🏴\U000e0067\U000e0062\U000e007f"
    assert spoken("pass\u200dword \U000e0041x") == "password x"


def test_stacked_accents_are_cut_to_two() -> None:
    assert len(spoken("e" + "\u0301\u0302\u0303\u0304\u0305" * 40)) <= 3


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "//evil.example",
        "http://a b",
        'https://a"b',
        "https://a<b",
        "x",
        "",
    ],
)
def test_only_plain_web_addresses_are_links(url: str) -> None:
    assert web_address(url) == ""
    assert web_address("https://a.b/c?d=1&e=2#f") == "https://a.b/c?d=1&e=2#f"


@pytest.mark.parametrize(
    ("said", "html"),
    [
        ("*bold* _it_ ~gone~", "<strong>bold</strong> <em>it</em> <del>gone</del>"),
        ("2*3*4 snake_case_name a ~ b ~", "2*3*4 snake_case_name a ~ b ~"),
        ("`*not bold*`", "<code>*not bold*</code>"),
        ("```a\n_b_```", "<code>a<br>_b_</code>"),
        ('<b>&amp;"', "&lt;b&gt;&amp;amp;&quot;"),
        ("(see https://x.org/a_b_c).", '(see <a href="https://x.org/a_b_c">https://x.org/a_b_c</a>).'),
        ("@amber-heron's", '<a class="eg-mention" href="u">Ana &lt;3</a>&#x27;s'),
        ("@red-crab ok", '<span class="eg-mention">someone</span> ok'),
        ("me@some-host.org", "me@some-host.org"),
        ("# a\n1. b", "# a<br>1. b"),
    ],
)
def test_speech_renders_whatsapps_marks_and_nothing_else(said: str, html: str) -> None:
    assert speech(said, {"amber-heron": ["Ana <3", "u"]}, "someone") == html


SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9">{}</svg>'


@pytest.mark.parametrize(
    "part",
    [
        "<script>1</script>",
        '<rect onload="x()"/>',
        "<foreignObject/>",
        '<image href="https://evil.example/x.png"/>',
        '<use href="other.svg#a"/>',
        '<a href="https://evil.example"><rect/></a>',
        '<rect fill="url(https://evil.example/#a)"/>',
        "<style>@import 'x.css'</style>",
        "<style>rect{background:url(//evil.example)}</style>",
        '<rect style="background:url(&quot;x.png&quot;)"/>',
        "<animate/>",
        '<set attributeName="href" to="javascript:1"/>',
        "<rect",
        '<x:script xmlns:x="http://www.w3.org/1999/xhtml">1</x:script>',
    ],
)
def test_a_drawing_that_could_do_more_than_draw_is_refused(part: str) -> None:
    assert safe_svg(SVG.format(part)) is None


def test_entities_and_other_documents_are_refused() -> None:
    assert safe_svg('<!DOCTYPE svg [<!ENTITY a "b">]>' + SVG.format("&a;")) is None
    assert safe_svg("<html/>") is None
    assert safe_svg("") is None


def test_a_plain_drawing_is_kept_and_the_substitute_is_one() -> None:
    drawing = SVG.format(
        '<defs><linearGradient id="g"><stop offset="0" stop-color="#fff"/></linearGradient></defs>'
        '<rect width="9" height="9" fill="url(#g)"/><text x="1">A &amp; B</text>'
    )
    assert safe_svg(drawing) is not None
    assert "url(#g)" in (safe_svg(drawing) or "")
    assert safe_svg(plain_svg("2025-01-13-1")) is not None


def test_spans_of_time_read_as_people_write_them() -> None:
    english, portuguese, german = strings_for("en"), strings_for("pt-BR"), strings_for("de")
    monday, sunday = datetime(2025, 1, 13), datetime(2025, 1, 20)
    assert english.span(monday, sunday) == "13–19 January 2025"
    assert english.span(monday, datetime(2025, 2, 3, 9)) == "13 January – 3 February 2025"
    assert (
        english.span(datetime(2024, 12, 30), datetime(2025, 1, 5, 9)) == "30 December 2024 – 5 January 2025"
    )
    assert portuguese.span(monday, sunday) == "13–19 de janeiro de 2025"
    assert german.span(monday, monday) == "13. Januar 2025"
    assert english.count("messages", 1) == "1 message"
    assert german.count("messages", 1204) == "1.204 Nachrichten"
