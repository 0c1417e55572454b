"""The proof: it finds what leaked, says whose and where, and never repeats it."""

from __future__ import annotations

import time

from egregora_resources.privacy.leak_detector import Leak, LeakDetector
from egregora_resources.privacy.names.index import NameIndex, Person
from egregora_resources.privacy.page_text import text_of_page
from egregora_resources.privacy.scrubber import Scrubber, ScrubRules

LAURA, DAVID, ROSE = "amber-heron", "calm-otter", "neat-eagle"
PEOPLE = [
    Person(LAURA, ("Laura Bennett",)),
    Person(DAVID, ("David Okafor", "+44 7700 900123"), opted_out=True),
    Person(ROSE, ("Rose Heron",)),
]
SECRET = "we should hide the fish under the old bridge. Ask Laura about it, please!"
COMMON = "see you all tomorrow morning at ten then"


def detector(**more: object) -> LeakDetector:
    return LeakDetector(
        PEOPLE,
        ScrubRules("GB"),
        [(DAVID, SECRET), (DAVID, COMMON), (DAVID, "ok"), (DAVID, "我们明天把那条大鱼藏在老桥下面吧")],
        ["well, " + COMMON, "we should hide the cat", "under the old bridge"],
        allowed=tuple(more.get("allowed", ())),  # type: ignore[arg-type]
    )


def test_names_numbers_and_addresses_are_found_with_their_lines() -> None:
    text = "Laura wrote\nto @amber-heron\n\nat x@example.com or 020 7946 0958, not 07700 900123\nDavid OKAFOR"
    assert detector().find(text, "index.html") == [
        Leak("name", "index.html, line 1", LAURA),
        Leak("e-mail", "index.html, line 4"),
        Leak("phone", "index.html, line 4"),
        Leak("phone", "index.html, line 4", DAVID),
        Leak("name", "index.html, line 5", DAVID),
    ]


def test_a_clean_text_has_no_leaks() -> None:
    text = f"@amber-heron said, on 2025-10-28, that [name] rose. Rose is a colour. {COMMON}, under the old bridge."
    assert detector().find(text) == []


def test_pseudonyms_as_shown_and_chosen_aliases_are_no_leaks() -> None:
    assert detector().find("Amber Heron and Neat Eagle") == []
    assert detector().find("so said Laura") == [Leak("name", "line 1", LAURA)]
    assert detector(allowed=["Laura", "Queen Laura B."]).find("so said Laura, Queen Laura B") == []
    assert detector(allowed=["Laura"]).find("Laura Bennett") == [Leak("name", "line 1", LAURA)]


def test_a_name_in_a_script_without_spaces_is_found_beside_others_and_allowed_where_it_is_an_alias() -> None:
    people = [*PEOPLE, Person("kind-crane", ("李小明",)), Person("bold-crane", ("김민수",))]
    for allowed, leaks in (((), ["kind-crane", "bold-crane"]), (["小明"], ["bold-crane"])):
        found = LeakDetector(people, ScrubRules(), allowed=allowed).find(
            "Amber Heron 问小明\f민수야 Neat Eagle"
        )
        assert [leak.person_token for leak in found] == leaks


def test_what_only_somebody_who_opted_out_wrote_is_found_in_any_dress() -> None:
    found = [Leak("verbatim", "line 2", DAVID)]
    for quote in (
        "hide the fish under the old",
        "HIDE the *fish* — under “the” old",
        "we should hide the fish",
        "fish under the old bridge",
        "under the old bridge. Ask Amber Heron about it",
        "把那条大鱼藏在老桥下面吧",
    ):
        assert detector().find(f"He said:\n{quote} …") == found, quote


def test_what_others_wrote_too_or_what_is_too_short_is_nobodys_secret() -> None:
    for quote in (COMMON, "hide the fish", "ok", "under the old bridge", "the cat hid the fish", "大鱼"):
        assert detector().find(quote) == [], quote


def test_a_run_of_words_does_not_go_on_in_the_next_paragraph() -> None:
    assert detector().find("we should hide the\n\nfish under the old") == []
    assert detector().find(text_of_page("<p>we should hide the</p><p>fish under the old</p>")) == []
    assert len(detector().find("we should hide the\nfish under the old")) > 0


def test_a_leak_never_holds_what_leaked() -> None:
    leaks = detector().find(
        f"{SECRET}\nLaura Bennett laura@example.com +44 20 7946 0958 4111 1111 1111 1111", "a.html"
    )
    assert len(leaks) > 4
    for word in ("Laura", "Bennett", "example.com", "7946", "4111", "fish", "bridge"):
        assert word.lower() not in repr(leaks).lower()


def test_a_page_is_read_as_people_and_machines_read_it() -> None:
    page = """<!doctype html><html><head>
<title>Lau<b>ra</b></title><meta name="description"
  content="call 020 7946 0958"><style>.a{left:02079460958px}</style>
<script>var n = "Laura"; x = 02079460958;</script>
<script type="application/json">{"by": "David Okafor"}</script>
</head><body><!-- Laura --><a href="mailto:x&#64;example.com">mail</a>
<svg viewBox="0 0 1600 900"><path d="M555 123 4567 L020 7946 0958"/><text>R&#111;se Heron</text></svg>
<td>555</td><td>123</td><td>4567</td><img alt="Laura&nbsp;Bennett" src="/a/laura-bennett.jpg">
</body></html>"""
    found = {(leak.kind, leak.where) for leak in detector().find(text_of_page(page))}
    assert found == {
        ("name", "line 2"),
        ("phone", "line 3"),
        ("name", "line 5"),
        ("name", "line 6"),
        ("e-mail", "line 6"),
        ("name", "line 7"),
        ("name", "line 8"),
    }


def test_an_initial_that_stands_for_a_picture_is_no_part_of_the_name_behind_it() -> None:
    face = '<a><span class="eg-face eg-h3" aria-hidden="true">Z</span>Zuzu Bennett</a>'
    assert detector(allowed=["Zuzu Bennett"]).find(text_of_page(face)) == []
    assert detector().find(text_of_page("<p><span>Laura</span> Bennett</p>")) != []


def test_what_the_scrubber_leaves_the_detector_accepts() -> None:
    texts = [
        "Laura's number is +44 7700 900456",
        "ask Laura Bennett",
        "x@y.org",
        "Rose, can you?",
        "Will you?",
    ]
    scrubber = Scrubber(ScrubRules("GB"), NameIndex(PEOPLE))
    for text in texts:
        assert detector().find(text) or text == "Will you?"
        assert detector().find(scrubber.scrub(text)) == []


def test_a_thousand_people_against_a_thousand_posts_takes_seconds() -> None:
    people = [Person(f"a{i}", (f"Firstname{i} Surname{i}", f"+55 11 9{80000000 + i}")) for i in range(1_000)]
    mine = [
        (f"a{i % 10}", f"secret number {i} of many things that I alone know about {i * 7}")
        for i in range(5_000)
    ]
    others = [f"we talked about topic {i} for a while and then went on to {i + 1}" for i in range(20_000)]
    page = "".join(f"<p>they talked about topic {i} and everybody agreed at 10:30</p>\n" for i in range(60))
    begin = time.process_time()
    finder = LeakDetector(people, ScrubRules("BR"), mine, others)
    for _ in range(1_000):
        assert finder.find(text_of_page(page)) == []
    assert time.process_time() - begin < 20
