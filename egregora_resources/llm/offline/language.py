"""Which language a stretch of chat is written in, and what is known of that language.

The lexicon (``lexicon.toml``) goes beyond stop words: small talk, hesitations, cues for nouns. A language
without an entry there gets its stop words, if there are any, and nothing else.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any

import snowballstemmer
import stopwordsiso
from py3langid.langid import MODEL_FILE, LanguageIdentifier

# Close relatives and rarities are left out: mistaking Galician for Portuguese costs less than the reverse.
CANDIDATES = frozenset(
    [
        "af",
        "ar",
        "bg",
        "bn",
        "ca",
        "cs",
        "da",
        "de",
        "el",
        "en",
        "es",
        "et",
        "eu",
        "fa",
        "fi",
        "fr",
        "gu",
        "he",
        "hi",
        "hr",
        "hu",
        "hy",
        "id",
        "it",
        "ja",
        "ka",
        "kn",
        "ko",
        "lt",
        "lv",
        "mk",
        "ml",
        "mr",
        "nl",
        "no",
        "pa",
        "pl",
        "pt",
        "ro",
        "ru",
        "sk",
        "sl",
        "sq",
        "sv",
        "sw",
        "ta",
        "te",
        "th",
        "tl",
        "tr",
        "uk",
        "ur",
        "vi",
        "zh",
    ]
)
STEMMERS = {
    "ar": "arabic", "ca": "catalan", "da": "danish", "de": "german", "el": "greek", "en": "english",
    "es": "spanish", "et": "estonian", "eu": "basque", "fi": "finnish", "fr": "french", "hi": "hindi",
    "hu": "hungarian", "hy": "armenian", "id": "indonesian", "it": "italian", "lt": "lithuanian",
    "nl": "dutch", "no": "norwegian", "pt": "portuguese", "ro": "romanian", "ru": "russian",
    "sv": "swedish", "ta": "tamil", "tr": "turkish",
}  # fmt: skip
SAMPLE_LETTERS = 6_000
FEWEST_LETTERS = 80
FAR_APART = 60.0
"""In the logarithm of likelihood: far more than there is between close relatives, in a paragraph."""
NOT_LANGUAGE = re.compile(r"https?://\S+|www\.\S+|@[\w-]+|\[[^\]\n]{1,20}\]|[\d_*~`]+")


@dataclass(frozen=True, slots=True)
class Lexicon:
    """The words of one language that are known by their role."""

    language: str
    stop: frozenset[str] = frozenset()
    hesitations: frozenset[str] = frozenset()
    small_talk: frozenset[str] = frozenset()
    weak: frozenset[str] = frozenset()
    determiners: frozenset[str] = frozenset()
    prepositions: frozenset[str] = frozenset()
    verb_cues: frozenset[str] = frozenset()
    joiners: frozenset[str] = frozenset()
    finite: frozenset[str] = frozenset()
    openers: frozenset[str] = frozenset()
    quality_cues: frozenset[str] = frozenset()
    qualities: frozenset[str] = frozenset()
    introductions: frozenset[str] = frozenset()
    elisions: frozenset[str] = frozenset()
    verb_endings: re.Pattern[str] | None = None
    quality_endings: re.Pattern[str] | None = None
    head_first: bool = False
    capital_nouns: bool = False
    known: bool = False
    """There is an entry in the lexicon: roles are known, not stop words alone."""
    function_words: frozenset[str] = frozenset()
    """All words with a role in grammar."""
    quotes: str = "“”"
    stems: dict[str, str] = field(default_factory=dict[str, str])

    def stem(self, word: str) -> str:
        """The stem of a lower-case word (remembered: stemming is the slowest step of all)."""
        found = self.stems.get(word)
        if found is None:
            stemmer = _stemmer(self.language)
            found = self.stems[word] = (stemmer.stemWord(word) if stemmer else word) or word
        return found


def detect(texts: Iterable[str]) -> str:
    """The ISO 639-1 code of the language that the texts are mostly in; English when they don't tell."""
    lines = [" ".join(NOT_LANGUAGE.sub(" ", text).split()) for text in texts]
    lines = [line for line in lines if any(letter.isalpha() for letter in line)]
    total = sum(map(len, lines))
    if total < 12:
        return "en"
    step = max(1, total // SAMPLE_LETTERS)
    sample = "\n".join(lines[::step])[: 2 * SAMPLE_LETTERS]
    code, _ = _identifier().classify(sample)
    return str(code)


def clearly_other(texts: Iterable[str], language: str) -> str:
    """The code of the language that the texts are in, if that is plainly not this one; empty if it can't be told."""
    code = normal_code(language)
    sample = " ".join(NOT_LANGUAGE.sub(" ", "\n".join(texts)).split())[: 2 * SAMPLE_LETTERS]
    if sum(map(str.isalpha, sample)) < FEWEST_LETTERS or code not in CANDIDATES:
        return ""
    likely = dict(_identifier().rank(sample))
    best = max(likely, key=lambda one: likely[one])
    return str(best) if likely[best] - likely[code] > FAR_APART else ""


def load_model() -> None:
    """Reads what `detect` needs, which takes longer than to detect; worth doing beside other work."""
    _identifier()


def normal_code(language: str) -> str:
    """``pt-BR`` → ``pt``."""
    return re.split(r"[-_]", language.strip().lower())[0]


@cache
def lexicon(language: str) -> Lexicon:
    """What is known of a language."""
    code = normal_code(language)
    stop: set[str] = set(stopwordsiso.stopwords(code)) if code in stopwordsiso.langs() else set()
    entry = _entries().get(code)
    if entry is None:
        quotes = {"ja": "「」", "ru": "«»", "uk": "«»", "el": "«»", "ar": "«»", "fa": "«»", "no": "«»"}
        return Lexicon(code, frozenset(stop), quotes=quotes.get(code, "“”"))

    def words(key: str) -> frozenset[str]:
        return frozenset(str(entry.get(key, "")).split())

    weak = set(words("weak"))
    if entry["inflect"]:
        weak |= {form for word in weak for form in _english_forms(word)}
    cut = {elision + "'" for elision in words("elisions")}
    roles = cut | words("hesitations") | words("determiners") | words("prepositions") | words("verb_cues")
    return Lexicon(
        language=code,
        stop=frozenset((stop - words("keep")) | roles),
        hesitations=words("hesitations"),
        small_talk=words("small_talk") | words("hesitations"),
        weak=frozenset(weak),
        determiners=words("determiners"),
        prepositions=words("prepositions"),
        verb_cues=words("verb_cues"),
        joiners=words("joiners"),
        finite=words("finite"),
        openers=words("openers"),
        quality_cues=words("quality_cues"),
        qualities=words("qualities"),
        introductions=words("introductions"),
        elisions=words("elisions"),
        verb_endings=re.compile(entry["verb_endings"]),
        quality_endings=re.compile(entry["quality_endings"]) if "quality_endings" in entry else None,
        head_first=entry["head"] == "first",
        capital_nouns=bool(entry.get("capital_nouns", False)),
        known=True,
        function_words=frozenset(
            roles | words("openers") | words("finite") | words("quality_cues") | words("joiners")
        ),
        quotes=entry["quotes"],
    )


def _english_forms(word: str) -> set[str]:
    """Inflections of an English verb or noun, right or wrong: wrong ones don't occur in a chat."""
    forms = {word + "s", word + "ed", word + "ing", word + "es"}
    if word.endswith("e"):
        forms |= {word + "d", word[:-1] + "ing"}
    elif word.endswith("y"):
        forms |= {word[:-1] + "ies", word[:-1] + "ied"}
    elif len(word) > 2 and word[-1] not in "aeiouwxy" and word[-2] in "aeiou":
        forms |= {word + word[-1] + "ed", word + word[-1] + "ing"}
    return forms


@cache
def _entries() -> dict[str, dict[str, Any]]:
    source = resources.files("egregora_resources.llm.offline") / "lexicon.toml"
    return tomllib.loads(source.read_text(encoding="utf-8"))


@cache
def _identifier() -> LanguageIdentifier:
    identifier = LanguageIdentifier.from_model_file(MODEL_FILE)
    identifier.set_languages([code for code in identifier.labels if code in CANDIDATES])
    return identifier


@cache
def _stemmer(language: str) -> Any:
    name = STEMMERS.get(language)
    return snowballstemmer.stemmer(name) if name else None
