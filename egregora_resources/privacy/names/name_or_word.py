"""Whether a word that is somebody's name means that person here, or is only a word.

Names that no dictionary holds always mean the person. "Rose" or "Will" does where its capital can't be
the sentence's, and the words around it don't make it a flower or a verb.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal, TypeAlias

from egregora_resources.privacy.folded_text import WORD, Folded
from egregora_resources.privacy.names.word_lists import Vocabulary

Caution: TypeAlias = Literal["none", "rare", "capitalised", "ordinary"]

_SKIPPED_BEFORE = " \"“”„«»‹›([{*_~¿¡'"
_ENDS_SENTENCE = ".!?:;\n•>|/\\"
_CLOSING_QUOTE = re.compile(r"'(?![^\W_])")
_SHORTENED = re.compile(r"(?<![^\W_])(?:[cdjlmnst]|qu|un|[dns]ell|d?all|quest)'$")
"""Small words of French and Italian that lose their vowel before a name."""
_PLAIN_GAP = re.compile(r"[ *_~\"“”]{1,3}")


def caution(words: tuple[str, ...], kind: str, words_of: Vocabulary) -> Caution:
    """How careful to be with a form of a name."""
    word, *others = words
    if others:
        known = words_of.ordinary | words_of.capitalised | words_of.rare
        return "ordinary" if known.issuperset(words) else "none"
    if word in words_of.ordinary:
        return "ordinary"
    if word in words_of.capitalised:
        return "capitalised"
    short = len(word) < 3 or (kind == "last" and len(word) < 4)
    if word in words_of.rare or (short and word.upper() != word):
        return "rare"
    return "none"


@dataclass(frozen=True, slots=True)
class _Around:
    """The words beside an occurrence and what stands between."""

    before: str
    gap_before: str
    after: str
    gap_after: str


def means_person(text: Folded, start: int, end: int, careful: Caution, words_of: Vocabulary) -> bool:
    """Whether the single word at `start:end` of the folded text means the person called so."""
    if careful == "none":
        return True
    written = text.written(start, end)
    if not written[:1].isupper():
        return False
    if len(written) > 1 and written.isupper() and not (careful == "rare" and len(written) > 2):
        return False
    folded = text.folded
    if _elided(folded, start, end):
        return False
    if careful == "rare":
        return True
    word = folded[start:end]
    around = _around(folded, start, end)
    if around.before in words_of.titles:
        return True
    if _only_a_word(word, around, words_of):
        return False
    if careful == "capitalised":
        return True
    if _surely_a_person(folded, word, around, end, words_of):
        return True
    if _starts_sentence(folded, start) or _in_title_case(text, start, end):
        return False
    return not (words_of.adjective_endings and _after_adjective(around, words_of))


def capitals_throughout(text: Folded, start: int, end: int) -> bool:
    """Whether every word of the stretch begins with a capital."""
    folded = text.folded
    return all(text.written(m.start(), m.end())[:1].isupper() for m in WORD.finditer(folded, start, end))


def _around(folded: str, start: int, end: int) -> _Around:
    window = folded[max(0, start - 40) : start]
    words = list(WORD.finditer(window))
    before = words[-1] if words else None
    after = WORD.search(folded, end, end + 40)
    return _Around(
        before=before[0] if before else "",
        gap_before=window[before.end() :] if before else window,
        after=after[0] if after else "",
        gap_after=folded[end : after.start()] if after else folded[end : end + 40],
    )


def _elided(folded: str, start: int, end: int) -> bool:
    """Whether it is the rest of a longer word ("'Kay", but not "d'Olivier")."""
    return (
        folded[start - 1 : start] == "'"
        and _SHORTENED.search(folded, max(0, start - 8), start) is None
        and _CLOSING_QUOTE.search(folded, end, end + 24) is None
    )


def _plain(gap: str) -> bool:
    return _PLAIN_GAP.fullmatch(gap) is not None


def _only_a_word(word: str, around: _Around, words_of: Vocabulary) -> bool:
    if _plain(around.gap_after):
        told = _plain(around.gap_before) and around.before in words_of.says
        if (word, around.after) in words_of.phrases and not (told and word in words_of.verbs):
            return True
        if word in words_of.verbs and around.after in words_of.subjects:
            return True
    if _plain(around.gap_before):
        if around.before in words_of.determiners:
            return True
        if word in words_of.capitalised and around.before in words_of.after_place_words:
            return True
    return False


def _surely_a_person(folded: str, word: str, around: _Around, end: int, words_of: Vocabulary) -> bool:
    if not around.before and not around.after:
        return True
    if _plain(around.gap_after) and around.after in words_of.says:
        return True
    if around.gap_after.strip() == "," and around.after in words_of.addressed:
        return True
    if words_of.language != "en" or word in words_of.capitalised:
        return False
    if folded[end : end + 2] != "'s" or folded[end + 2 : end + 3].isalnum():
        return False
    # "Will's" is a person's; "Black's probably best" isn't, "Black's idea" is.
    owned = WORD.search(folded, end + 2, end + 40)
    return word in words_of.verbs or (owned is not None and owned[0] not in words_of.stopwords)


def _starts_sentence(folded: str, start: int) -> bool:
    place = start - 1
    while place >= 0 and folded[place] in _SKIPPED_BEFORE:
        place -= 1
    if place < 0:
        return True
    character = folded[place]
    if character in _ENDS_SENTENCE:
        return True
    if character == "-":
        return place + 1 < len(folded) and folded[place + 1] == " "
    return unicodedata.category(character) in {"So", "Sk"}


def _in_title_case(text: Folded, start: int, end: int) -> bool:
    folded = text.folded
    line_start = folded.rfind("\n", 0, start) + 1
    line_end = folded.find("\n", end)
    words = list(WORD.finditer(folded, line_start, line_end if line_end >= 0 else len(folded)))
    capitals = sum(text.written(word.start(), word.end())[:1].isupper() for word in words)
    return len(words) > 3 and capitals >= 0.75 * len(words)


def _after_adjective(around: _Around, words_of: Vocabulary) -> bool:
    before = around.before
    return (
        _plain(around.gap_before)
        and before not in words_of.before_a_name
        and before.endswith(words_of.adjective_endings)
        and len(before) > 2
    )
