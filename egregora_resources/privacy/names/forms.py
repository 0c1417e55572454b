"""The ways a printed name turns up in a chat: in full, by first name, by surname.

What belongs here is taking names apart. Whether a word found in a text means the person is decided in
`name_or_word.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from egregora_resources.privacy.folded_text import UNSPACED, WORD, fold
from egregora_resources.privacy.names.word_lists import Vocabulary
from egregora_resources.privacy.pseudonyms import clean_name, number_of

FormKind: TypeAlias = Literal["full", "initial", "first", "last"]

UNSPACED_RUN = re.compile(rf"[{UNSPACED}]+(?: +[{UNSPACED}]+)*")
_ASIDE = re.compile(r"\([^)]*\)|\[[^\]]*\]|\s[-–—|/•·@].*$")
_ARABIC_OR_HEBREW = re.compile(r"[\u0590-\u06ff]")
_GLUED_BEFORE = "وفبلكوهבלמשכה"
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue"})
_BEFORE_LABELS = frozenset({"from", "at", "in", "em", "en", "bei", "chez", "with", "com", "con"})
_GENITIVE_LANGUAGES = {"de", "da", "nb", "nn", "no", "sv"}


@dataclass(frozen=True, slots=True)
class Form:
    """One way of writing a person: folded words in a row, or a stretch of a script without spaces."""

    words: tuple[str, ...]
    kind: FormKind
    unspaced: bool = False


def forms(printed: str, words_of: Vocabulary) -> set[Form]:
    """Every form a printed name is looked for in. A phone number has none: see `NameIndex`."""
    if number_of(printed):
        return set()
    found: set[Form] = set()
    for spelling in spellings(printed):
        found.update(_spaced(spelling, words_of))
        found.update(_unspaced(spelling))
    return found


def spellings(printed: str) -> set[str]:
    """A name as printed, and as those write it who have no umlauts."""
    name = clean_name(printed)
    return {name, name.translate(_UMLAUTS)}


def stretches(printed: str) -> set[str]:
    """What a name in a script without spaces is looked for by: the whole, and its parts."""
    return {form.words[0] for form in _unspaced(clean_name(printed))}


def _spaced(name: str, words_of: Vocabulary) -> Iterator[Form]:
    everything: tuple[str, ...] = tuple(WORD.findall(fold(name)))
    if not everything:
        return
    if len(everything) > 1:
        yield from _full(everything)
    chunks = _chunks(name, words_of)
    if not chunks:
        return
    first, *others = chunks
    yield from _alone(first, "first", words_of)
    if not others:
        return
    last = others[-1]
    surname = "".join(last)
    if len(surname) == 1:
        return
    if (*first, *last) != everything:
        yield from _full((*first, *last))
    yield from _full((*last, *first))
    yield Form((*first, surname[0]), "initial")
    if len(surname) > 2:
        yield from _alone(last, "last", words_of)
    if surname in words_of.ordinary:
        for title in words_of.titles:
            yield Form((title, *last), "full")


def _full(words: tuple[str, ...]) -> Iterator[Form]:
    yield Form(words, "full")
    joined = "".join(words)
    if len(joined) > 6 and len(words) > 1:
        yield Form((joined,), "full")
    for glued in _with_glued_prefixes(words):
        yield Form(glued, "full")


def _with_glued_prefixes(words: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """With "and", "to", "in" written onto the first word, as Arabic and Hebrew do."""
    first, *others = words
    if len(first) > 2 and _ARABIC_OR_HEBREW.match(first):
        for prefix in _GLUED_BEFORE:
            yield (prefix + first, *others)


def _alone(words: tuple[str, ...], kind: FormKind, words_of: Vocabulary) -> Iterator[Form]:
    """A first name or surname standing by itself, with what some languages glue to it."""
    if sum(map(len, words)) < 2 or not any(c.isalpha() for c in words[0]):
        return
    yield Form(words, kind)
    for glued in _with_glued_prefixes(words):
        yield Form(glued, kind)
    word = words[-1]
    if words_of.language in _GENITIVE_LANGUAGES and len(word) > 3 and not word.endswith(("s", "x", "z", "ß")):
        genitive = word + "s"
        if word not in words_of.ordinary and genitive not in words_of.ordinary | words_of.rare:
            yield Form((*words[:-1], genitive), kind)


def _chunks(name: str, words_of: Vocabulary) -> list[tuple[str, ...]]:
    """The parts of a name that are separated by spaces, without titles, suffixes and asides.

    "Dr. Jean-Luc Picard (work)" has two: ("jean", "luc") and ("picard",).
    """
    trimmed = _ASIDE.sub(" ", name).strip() or name
    family, comma, given = trimmed.partition(",")
    if comma and given.strip():
        trimmed = f"{given} {family}"
    chunks = [tuple(WORD.findall(fold(part))) for part in trimmed.split()]
    chunks = [chunk for chunk in chunks if chunk and not any(c.isdecimal() for c in "".join(chunk))]
    while len(chunks) > 1 and chunks[0][0] in words_of.titles:
        chunks = chunks[1:]
    while len(chunks) > 1 and chunks[-1][0] in words_of.suffixes:
        chunks = chunks[:-1]
    # "Bob from Ikea": what follows a small word is a surname after "da" or "von", a label after "from".
    for place, chunk in enumerate(chunks[1:], 1):
        if " ".join(chunk) in _BEFORE_LABELS:
            chunks = chunks[:place]
            break
    return [c for i, c in enumerate(chunks) if i == 0 or " ".join(c) not in words_of.links]


def _unspaced(name: str) -> Iterator[Form]:
    for match in UNSPACED_RUN.finditer(fold(name)):
        parts = match[0].split()
        whole = "".join(parts)
        if _letters(whole) > 1:
            yield Form((whole,), "full", unspaced=True)
        if len(parts) > 1:
            yield Form((" ".join(parts),), "full", unspaced=True)
            for part in parts:
                if _letters(part) > 1:
                    yield Form((part,), "first", unspaced=True)
        elif given := _given_name(whole):
            yield Form((given,), "first", unspaced=True)


_LEAD = re.compile(r"[\u1100-\u1112]")
_CHINESE_SURNAMES = frozenset(
    "王李张張刘劉陈陳杨楊黄黃赵趙吴吳周徐孙孫马馬朱胡郭何高林罗羅郑鄭梁谢謝宋唐许許韩韓冯馮邓鄧曹彭曾肖蕭田董潘袁蔡蒋蔣余于杜叶葉程魏苏蘇吕呂丁任卢盧姚沈钟鍾姜崔谭譚陆陸范汪廖石金韦韋贾賈夏付方邹鄒熊白孟秦邱侯江尹薛闫段雷龙龍陶贺賀毛郝顾顧龚龔邵万萬覃武钱錢戴严嚴莫孔向常"
)
_KOREAN_SURNAMES = frozenset(
    fold(c)
    for c in "김이박최정강조윤장임한오서신권황안송류전홍고문양손배백허유남심노하곽성차주우구민나진지엄채원천방공현함변염여추도소석선설마길연위표명기반라왕금옥육인맹제모탁국어은편용"
)


def _letters(text: str) -> int:
    """Characters as a reader counts them: a Korean syllable is one, though folded to several."""
    return sum(1 for c in text if not "\u1160" <= c <= "\u11ff")


def _given_name(whole: str) -> str | None:
    """The two-syllable given name behind a one-syllable Chinese or Korean surname."""
    if len(whole) == 3 and whole[0] in _CHINESE_SURNAMES and all("\u3400" <= c <= "\u9fff" for c in whole):
        return whole[1:]
    syllables = [whole[a.start() : b] for a, b in _syllables(whole)]
    if len(syllables) == 3 and syllables[0] in _KOREAN_SURNAMES:
        return "".join(syllables[1:])
    return None


def _syllables(whole: str) -> Iterator[tuple[re.Match[str], int]]:
    leads = list(_LEAD.finditer(whole))
    for place, lead in enumerate(leads):
        yield lead, leads[place + 1].start() if place + 1 < len(leads) else len(whole)
