"""Cleaning, addresses, quotes and drawings: the small promises that pages rest on."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from egregora_resources.cldr import language_codes, locale_of
from egregora_resources.publishing.html_blocks import KINDS, block, render_block
from egregora_resources.publishing.locale import LANGUAGES, strings_for
from egregora_resources.publishing.plain_text import one_line, spoken, web_address
from egregora_resources.publishing.safe_svg import plain_svg, safe_svg
from egregora_resources.publishing.slugs import SAFE_SLUG, path_segment, slugify, topic_slug
from egregora_resources.publishing.speech import speech


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


def typed(text: str) -> dict[str, Any]:
    """What the templates of all blocks read, with `text` wherever somebody may have typed or set something."""
    words = (
        "text",
        "alt",
        "who",
        "when",
        "at",
        "initial",
        "someone",
        "label",
        "missing",
        "size",
        "title",
        "summary",
    )
    data = dict.fromkeys(words, text) | {
        "url": "https://example.org",
        "src": text,
        "href": text,
        "thumb": text,
    }
    return data | {"hue": 1, "w": 8, "h": 5, "people": {"amber-heron": [text, text]}}


@pytest.mark.parametrize("kind", sorted(KINDS))
@pytest.mark.parametrize("media", ["image", "sticker", "video", "audio", "document"])
@pytest.mark.parametrize("source", [{}, {"src": ""}])
def test_what_anybody_typed_is_neither_html_nor_a_template(
    kind: str, media: str, source: dict[str, str]
) -> None:
    text = "@amber-heron <b class='x' id=\"y\"> &amp; {{ 7 * 7 }}{% raw %}"
    file = typed(text) | {"kind": media} | source
    data = typed(text) | {"media": [file] if kind == "quote" else file}
    html = render_block(block(kind, data)) or ""
    assert "<b" not in html.replace("<blockquote", "")
    assert "{{ 7 * 7 }}{% raw %}" in html
    plain = render_block(block(kind, json.loads(json.dumps(data).replace(json.dumps(text)[1:-1], "x")))) or ""
    # Not one more attribute or element than with a harmless text, but for the person who is named.
    unnamed = re.sub(r'<a class="eg-mention"[^>]*>(.*?)</a>', r"\1", html)
    assert re.findall(r'<[^>"]*|"', unnamed) == re.findall(r'<[^>"]*|"', plain)


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


MONDAY, SUNDAY = datetime(2025, 1, 13), datetime(2025, 1, 20)
THIN = "\u2009"


@pytest.mark.parametrize(
    ("language", "days", "months", "years"),
    [
        (
            "en",
            "13–19 January 2025",
            "13 January – 3 February 2025",
            "30 December 2024 – 5 January 2025",
        ),
        (
            "pt-BR",
            "13 – 19 de janeiro de 2025",
            "13 de janeiro – 3 de fevereiro de 2025",
            "30 de dezembro de 2024 – 5 de janeiro de 2025",
        ),
        (
            "de",
            "13.–19. Januar 2025",
            "13. Januar – 3. Februar 2025",
            "30. Dezember 2024 – 5. Januar 2025",
        ),
        (
            "fr",
            "13–19 janvier 2025",
            "13 janvier – 3 février 2025",
            "30 décembre 2024 – 5 janvier 2025",
        ),
        (
            "it",
            "13–19 gennaio 2025",
            "13 gennaio – 3 febbraio 2025",
            "30 dicembre 2024 – 5 gennaio 2025",
        ),
        ("ja", "2025年1月13日～19日", "2025年1月13日～2月3日", "2024年12月30日～2025年1月5日"),
    ],
)
def test_spans_of_time_read_as_people_write_them(language: str, days: str, months: str, years: str) -> None:
    words = strings_for(language)
    assert words.span(MONDAY, SUNDAY).replace(THIN, " ") == days
    assert words.span(MONDAY, datetime(2025, 2, 3, 9)).replace(THIN, " ") == months
    assert words.span(datetime(2024, 12, 30), datetime(2025, 1, 5, 9)).replace(THIN, " ") == years
    assert words.span(MONDAY, MONDAY) == words.day(MONDAY)


@pytest.mark.parametrize(
    ("language", "day", "short", "month", "messages", "size"),
    [
        ("en", "13 March 2025", "13 Mar, 09:05", "March 2025", "1,204 messages", "1.4 MB"),
        ("de", "13. März 2025", "13. März, 09:05", "März 2025", "1.204 Nachrichten", "1,4 MB"),
        ("es", "13 de marzo de 2025", "13 mar, 9:05", "marzo de 2025", "1.204 mensajes", "1,4 MB"),
        ("fr", "13 mars 2025", "13 mars, 09:05", "mars 2025", "1\u202f204 messages", "1,4\u202fMo"),
        ("it", "13 marzo 2025", "13 mar, 09:05", "marzo 2025", "1.204 messages", "1,4 MB"),
        (
            "ru",
            "13 марта 2025\u202fг.",
            "13 мар., 09:05",
            "март 2025\u202fг.",
            "1\u00a0204 messages",
            "1,4 МБ",
        ),
        ("hi", "13 मार्च 2025", "13 मार्च, 09:05", "मार्च 2025", "1,204 messages", "1.4 MB"),
    ],
)
def test_dates_and_numbers_follow_the_language_with_or_without_words_in_it(
    language: str, day: str, short: str, month: str, messages: str, size: str
) -> None:
    words, moment = strings_for(language), datetime(2025, 3, 13, 9, 5)
    assert (words.day(moment), words.short_moment(moment), words.month(moment)) == (day, short, month)
    assert (words.count("messages", 1204), words.size(1_440_000)) == (messages, size)


def test_a_number_agrees_with_the_words_and_not_with_the_dates() -> None:
    assert strings_for("en").count("messages", 0) == "0 messages"
    assert strings_for("fr").count("messages", 0) == "0 messages"
    assert strings_for("pt").count("messages", 0) == "0 mensagem"
    assert strings_for("es").count("messages", 2_000_000) == "2.000.000 de mensajes"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_plural_sentence_has_a_form_for_each_of_its_languages_categories(language: str) -> None:
    wanted = {*locale_of(language).plural_form.rules, "other"}
    plurals = {key: forms for key, forms in strings_for(language).words.items() if isinstance(forms, dict)}
    assert plurals
    assert {key: forms.keys() for key, forms in plurals.items()} == dict.fromkeys(plurals, wanted)


@given(
    st.sampled_from(sorted(language_codes())),
    st.datetimes(datetime(1000, 1, 1), datetime(9000, 1, 1)),
    st.timedeltas(timedelta(0), timedelta(days=800)),
    st.integers(0, 10**9),
)
def test_every_language_that_the_settings_allow_has_dates_and_numbers(
    language: str, start: datetime, long: timedelta, number: int
) -> None:
    words = strings_for(language)
    for text in (words.span(start, start + long), words.day(start), words.month(start)):
        assert str(start.year) in text
    assert str(start.day) in words.short_moment(start)
    assert "".join(filter(str.isdecimal, words.count("messages", number))) == str(number)
    assert words.size(number)


def test_no_line_ends_within_a_number() -> None:
    assert one_line("1\u202f204 \u00a0messages\u00a0of 12\u00a0kB") == "1\u202f204 messages of 12\u00a0kB"
