"""What the offline provider promises, whatever the chat."""

from __future__ import annotations

import asyncio
import re
import tomllib
import unicodedata
from datetime import datetime, timedelta
from importlib import resources

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from egregora_resources.cldr import calendar_words, locale_of
from egregora_resources.llm.offline import OfflineProvider
from egregora_resources.llm.offline.tokenizer import sentences
from egregora_resources.llm.protocol import Provider
from egregora_resources.llm.tasks import (
    Digest,
    Link,
    LinkUse,
    Observation,
    Picture,
    PictureUse,
    PostDraft,
    Posts,
    PostsInput,
    Prose,
    Quote,
    Said,
    Stretch,
)

from .chats import GARDEN, MONDAY, PEOPLE, REAL_CHAT, garden, real_weeks, stretch

provider: Provider = OfflineProvider()


def write(chat: Stretch) -> Posts:
    return asyncio.run(provider.write(PostsInput(stretch=chat))).output


def digest(chat: Stretch) -> Digest:
    return asyncio.run(provider.digest(chat)).output


def observe(chat: Stretch) -> dict[str, Observation]:
    return {person.person: person for person in asyncio.run(provider.observe(chat)).output.people}


def blocks(post: PostDraft) -> list[object]:
    return [block for section in post.sections for block in section.blocks]


def quotes(post: PostDraft) -> list[int]:
    return [block.message for block in blocks(post) if isinstance(block, Quote)]


def own_words() -> set[str]:
    """All words of the phrase table, and of the calendars of its languages."""
    source = resources.files("egregora_resources.llm.offline") / "phrases.toml"
    found: set[str] = set()
    for language, entry in tomllib.loads(source.read_text(encoding="utf-8")).items():
        found |= words(" ".join(calendar_words(locale_of(language))))
        for value in entry.values():
            found |= words(" ".join(value) if isinstance(value, list) else str(value))
    return found


def words(text: str) -> set[str]:
    text = unicodedata.normalize("NFC", text)
    spelled = text.replace("_ ", "").replace("_", "")
    plain = re.sub(r"[*~`_]+", "", text)
    return {word.casefold() for form in (text, spelled, plain) for word in re.findall(r"[^\W_]+", form)}


OWN_WORDS = own_words()


def assert_honest(chat: Stretch, answer: Posts) -> None:
    """Nothing invented, nothing out of order, nothing out of the window."""
    ids = {said.id: said for said in chat.messages}
    assert answer.posts or answer.nothing_because
    titles = [post.title for post in answer.posts]
    assert len(set(titles)) == len(titles)
    said_words: set[str] = set()
    for said in chat.messages:
        said_words |= words(said.text)
    for post in answer.posts:
        invented = {word for word in words(post.title) if not word.isdigit()} - said_words - OWN_WORDS
        assert not invented
        assert not re.search(r"[<>{}\[\]@|\\`_#\n]", post.title)
        shown = quotes(post)
        assert shown
        times = [(ids[message].time, message) for message in shown]
        assert times == sorted(times)
        assert len(set(shown)) == len(shown)
        assert {message for section in post.sections for message in section.sources} <= ids.keys()
        assert set(shown) <= {message for section in post.sections for message in section.sources}
        assert set(post.people) <= {said.author for said in chat.messages}
        assert all(tag == tag.lower() for tag in post.tags)
        assert len(post.tags) <= 5


# What is written


def test_a_lively_chat_gives_a_post_that_leads_with_who_when_and_what() -> None:
    answer = write(garden())
    assert_honest(garden(), answer)
    (post,) = answer.posts
    assert post.dek.startswith("14 messages by three people on Monday 13 January")
    assert "compost heap" in post.dek + " ".join(post.tags)
    assert {"compost heap", "raised bed"} & set(post.tags)
    assert post.language == "en"


@pytest.mark.parametrize(
    ("language", "said"),
    [("en", "messages by"), ("pt", "mensagens de"), ("es", "mensajes de"), ("de", "Nachrichten von")],
)
def test_the_lead_is_in_the_language_of_the_chat(language: str, said: str) -> None:
    (post,) = write(garden(language)).posts
    assert post.language == language
    assert said in post.dek


@pytest.mark.parametrize("language", ["ja", "hi", "ar"])
def test_a_language_without_a_phrase_table_still_gets_a_post_and_a_title_of_its_own(language: str) -> None:
    (post,) = write(garden(language)).posts
    assert post.language == language
    assert words(post.title) - OWN_WORDS


def test_a_wanted_language_overrides_the_chats_own() -> None:
    (post,) = write(garden("en", language="pt-BR")).posts
    assert post.language == "pt"
    assert "mensagens de três pessoas" in post.dek


def test_small_talk_gives_no_post_and_says_so() -> None:
    answer = write(
        stretch(["Yeah.", "Mm-hmm.", "Okay, thanks!", "Um, right, yeah", "haha", "Good morning all"])
    )
    assert answer.posts == []
    assert answer.nothing_because == "Only small talk: too little was said for a post."


def test_small_talk_is_never_quoted() -> None:
    chat = garden()
    shown = {message for post in write(chat).posts for message in quotes(post)}
    chatter = {said.id for said in chat.messages if said.text in {"Haha nice", "Okay"}}
    assert len(chatter) == 2
    assert not shown & chatter


def test_an_empty_window_and_one_of_media_alone_say_why_they_have_no_post() -> None:
    assert write(stretch([])).nothing_because == "Nobody wrote anything."
    pictures = stretch(["", "", "🎉🎉🎉"])
    assert write(pictures).nothing_because == "Only media, no text that could be quoted."


def test_an_unfinished_window_says_so_far() -> None:
    (post,) = write(garden(so_far=True)).posts
    assert post.dek.startswith("So far: 14 messages")
    (short,) = write(stretch(GARDEN["en"].splitlines()[3:13], so_far=True)).posts
    assert short.dek.startswith("So far: ten messages")


def test_links_and_pictures_stand_where_they_were_shared() -> None:
    lines = GARDEN["en"].splitlines()
    lines[4] += " https://example.org/larch"
    links = [Link(url="https://example.org/larch", message=104)]
    pictures = [
        Picture(id="heap.jpg", message=107, caption="The heap"),
        Picture(id="s", message=107, kind="sticker"),
    ]
    (post,) = write(stretch(lines, links=links, pictures=pictures)).posts
    order = blocks(post)
    link, picture = LinkUse(url="https://example.org/larch"), PictureUse(id="heap.jpg")
    assert order[order.index(link) - 1] == Quote(message=104)
    before = [block.message for block in order[: order.index(picture)] if isinstance(block, Quote)]
    after = [block.message for block in order[order.index(picture) :] if isinstance(block, Quote)]
    assert max(before) <= 107 < min(after)
    assert PictureUse(id="s") not in order


def test_a_quoted_question_is_followed_by_its_answer() -> None:
    (post,) = write(garden()).posts
    shown = quotes(post)
    assert 112 in shown
    assert shown[shown.index(112) + 1] == 113


def test_a_new_day_is_announced_and_no_clock_time_is_written() -> None:
    chat = garden(minutes=180)
    (post,) = write(chat).posts
    prose = [block.text for block in blocks(post) if isinstance(block, Prose)]
    assert "On Tuesday 14 January:" in prose
    assert not re.search(r"\d:\d\d", " ".join([*prose, post.dek]))


def test_two_subjects_with_a_silence_between_become_two_posts() -> None:
    boat = [
        "The ferry to the island leaves at seven in the morning from the old harbour",
        "Tickets for the ferry are cheaper in the harbour office than on the website",
        "The campsite on the island has fourteen pitches and one shower",
        "I reserved two pitches on the campsite under my grandmother's name",
        "The ferry takes bicycles for four euros each, tents are free",
        "Last year the campsite was full of wasps, bring vinegar",
        "The lighthouse on the island opens to visitors on Sunday",
        "We could walk from the campsite to the lighthouse along the cliffs",
        "The cliffs are closed near the lighthouse because of nesting puffins",
        "Puffins on the cliffs are the reason to go to the island at all",
    ] * 2
    chat = garden()
    later = [
        Said(id=500 + n, time=MONDAY + timedelta(days=3, minutes=3 * n), author=PEOPLE[n % 3], text=text)
        for n, text in enumerate(boat)
    ]
    both = chat.model_copy(update={"messages": [*chat.messages, *chat.messages[:0], *later]})
    first, second = write(both).posts
    assert max(quotes(first)) < 500 <= min(quotes(second))


def test_a_days_silence_and_other_words_part_even_a_short_week() -> None:
    harbour = """The ferry to the island leaves at seven from the old harbour
Tickets for the ferry are cheaper in the harbour office
The campsite on the island has fourteen pitches and one shower
I reserved two pitches on the campsite under my grandmother's name
The ferry takes bicycles for four euros each
Last year the campsite was full of wasps, bring vinegar
The lighthouse on the island opens to visitors on Sunday
We could walk from the campsite to the lighthouse along the cliffs
The cliffs near the lighthouse are closed, puffins are nesting"""
    later = [
        Said(id=500 + n, time=MONDAY + timedelta(days=2, minutes=3 * n), author=PEOPLE[n % 3], text=text)
        for n, text in enumerate(harbour.splitlines())
    ]
    week = stretch(GARDEN["en"].splitlines())
    first, second = write(week.model_copy(update={"messages": [*week.messages, *later]})).posts
    assert max(quotes(first)) < 500 <= min(quotes(second))
    assert "9 messages" in second.dek or "nine messages" in second.dek.lower()


def test_a_speakers_single_words_make_no_title_where_a_whole_sentence_tells_more() -> None:
    spoken = """Um the clay is uh the clay is is edible I read that um somewhere
All modelling clay is edible for children
Uh my um my niece ate a um a whole pot of the the clay
Is there a uh warning on the um on the lid then
The lid the lid says um nothing about about eating clay
Um well the smell of the uh clay is is awful though
I I put the lid back on the um clay and the the smell stayed
Okay the lid um the lid never quite closes on on that clay"""
    (post,) = write(stretch(spoken.splitlines())).posts
    assert post.title == "“All modelling clay is edible for children”"


def test_a_title_begins_neither_with_okay_nor_in_the_midst_of_a_date() -> None:
    lines = [f"Okay, {line[0].lower()}{line[1:]}" for line in GARDEN["en"].splitlines()]
    for post in write(stretch(lines)).posts:
        assert "okay" not in post.title.lower()
    assert sentences("Am 15. März im Saal. Dann 4.1 mm auf example.org!") == [
        "Am 15. März im Saal.",
        "Dann 4.1 mm auf example.org!",
    ]


def test_after_the_second_a_tag_is_several_words_or_what_several_people_come_back_to() -> None:
    lines = """The stove in the hut smokes, the flue is blocked
The flue needs a brush, the stove needs a gasket
A brush for the flue is in the barn
The stove had a gasket in March
The barn is locked and the key is with the warden
The warden sweeps the flue himself
Nobody lights the stove before the warden was there
The key hangs behind the chimney"""
    (post,) = write(stretch(lines.splitlines())).posts
    assert len(post.tags) >= 2
    assert all(" " in tag or lines.count(tag) > 2 for tag in post.tags[2:]), post.tags


def test_titles_and_tags_hold_no_placeholder_person_or_markup() -> None:
    lines = [
        f"{line} [phone] @blue-otter **[e-mail]** <b>garden</b> {{{{ config }}}}"
        for line in GARDEN["en"].splitlines()
    ]
    for post in write(stretch(lines)).posts:
        for text in [post.title, *post.tags]:
            assert not re.search(r"phone|mail|otter|config|[<>*{}\[\]@]", text)


def test_a_name_that_somebody_is_called_by_stays_out_of_titles_and_tags() -> None:
    lines = [f"{line}, Craig" for line in GARDEN["en"].splitlines()]
    for post in write(stretch(lines)).posts:
        assert "craig" not in " ".join([post.title, *post.tags, post.dek]).lower()


def test_a_known_spelling_of_a_tag_is_reused() -> None:
    request = PostsInput(stretch=garden(), vocabulary=["compost heaps"])
    (post,) = asyncio.run(provider.write(request)).output.posts
    assert "compost heaps" in post.tags


# The other tasks


def test_a_digest_says_in_the_chats_words_what_it_was_about() -> None:
    memory = digest(garden())
    assert memory.summary
    assert set(memory.people) == set(PEOPLE)
    assert words(memory.summary) <= words(" ".join(GARDEN["en"].splitlines())) | OWN_WORDS
    assert digest(stretch([])) == Digest(window="2025-01-13", summary="", topics=[], people=[], language="en")


def test_an_observation_is_counted_not_guessed() -> None:
    links = [Link(url="https://example.org", message=100)]
    heron = observe(garden().model_copy(update={"links": links}))["amber-heron"]
    assert heron.messages == 5
    assert sum(heron.hours) == 5
    assert heron.first == MONDAY
    assert heron.last == MONDAY + timedelta(minutes=48)
    assert heron.talks_with == {"blue-otter": 5, "coral-fox": 4}
    assert heron.links == 1
    assert heron.notes == []


def test_who_only_says_yeah_is_not_observed() -> None:
    chat = garden()
    silent = Said(id=999, time=chat.messages[-1].time, author="dusty-owl", text="Mm-hmm.")
    assert "dusty-owl" not in observe(chat.model_copy(update={"messages": [*chat.messages, silent]}))


# Whatever comes


TEXTS = st.one_of(
    st.text(max_size=60),
    st.text(alphabet="aeioutnrsldm .,!?'’-_*`~@#[]<>\n", max_size=120),
    st.sampled_from([line for chat in GARDEN.values() for line in chat.splitlines()]),
    st.sampled_from(
        ["", "🎉", "[phone]", "https://x.org/a_b", "*bold* _it_", "T_V_ remote", "@amber-heron", "ß İ ŉ"]
    ),
)


@st.composite
def chats(draw: st.DrawFn) -> Stretch:
    messages = [
        Said(
            id=number,
            time=datetime(2025, 1, 13) + timedelta(minutes=draw(st.integers(0, 9_000))),
            author=draw(st.sampled_from(PEOPLE)),
            text=text,
        )
        for number, text in enumerate(draw(st.lists(TEXTS, max_size=40)))
    ]
    language = draw(st.sampled_from(["auto", "en", "de", "fr", "xx", "pt-BR"]))
    return Stretch(window="w", messages=messages, language=language, so_far=draw(st.booleans()))


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(chats())
def test_no_chat_makes_it_raise_invent_or_answer_differently(chat: Stretch) -> None:
    answer = write(chat)
    assert_honest(chat, answer)
    assert write(chat.model_copy(deep=True)) == answer
    digest(chat)
    observe(chat)


def test_a_very_long_message_is_no_trouble() -> None:
    assert write(stretch([*GARDEN["en"].splitlines(), "The compost heap is full of worms. " * 20_000])).posts


@pytest.mark.skipif(not REAL_CHAT.exists(), reason="the real chat isn't at hand")
def test_each_week_of_real_spoken_meetings_gives_a_readable_post() -> None:
    weeks = real_weeks()
    assert len(weeks) == 12
    for week in weeks:
        answer = write(week)
        assert_honest(week, answer)
        assert 1 <= len(answer.posts) <= 5
        texts = {said.id: said.text for said in week.messages}
        for post in answer.posts:
            assert 5 <= len(quotes(post)) <= 15
            assert not re.search(r"\b(um|uh|yeah|okay|mm-hmm)\b", post.title.lower())
            assert all(len(texts[message].split()) > 2 for message in quotes(post))
