"""What models are asked to answer with, and the JSON schemas of it, as far as the service takes schemas.

Messages, pictures and links go by small numbers of their own, counted within the request: real ids are long, and a
model that must copy long numbers gets them wrong.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, TypeAlias, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from egregora_resources.llm.gemini.outcomes import Malformed

UNSUPPORTED = frozenset(
    "minLength maxLength pattern default const title discriminator examples exclusiveMinimum additionalProperties".split()  # noqa: SIM905
)
"""Keywords that the service refuses or ignores; what they demand is checked when the answer is there."""
_NUMBERED = re.compile(r"[\W_]*(?:[A-Za-z]{1,10}[\W_]*)?(\d{1,7})(?!\d)")
_TRAILING_COMMA = re.compile(r'("(?:\\.|[^"\\])*")|,(?=\s*[\]}])')
_MOST_TRIES = 20
"""Places in an answer at which JSON may seem to begin, and doesn't."""


def _number(value: Any) -> Any:
    """Small models give the numbers of messages as these stand in the conversation: "[12]", "#12", "message 12"."""
    value = value[0] if isinstance(value, list) and len(value) == 1 else value
    found = _NUMBERED.match(value) if isinstance(value, str) else None
    return int(found[1]) if found else value


def _list(value: Any) -> Any:
    """One thing where a list of them was asked for, and nothing."""
    if isinstance(value, str):
        return [part for part in re.split(r"[,;\n]", value) if part.strip()]
    return [] if value is None else [value] if isinstance(value, int) else value


def _text(value: Any) -> Any:
    return "" if value is None else value


Number: TypeAlias = Annotated[int, Field(ge=1, le=1_000_000), BeforeValidator(_number)]
"""Bounded, because models fall into loops of digits where integers aren't."""
Text: TypeAlias = Annotated[str, BeforeValidator(_text)]


class _Wire(BaseModel):
    model_config = ConfigDict(extra="ignore", json_schema_serialization_defaults_required=True)


class WireProse(_Wire):
    type: Literal["prose"]
    text: str = Field(min_length=1, max_length=20_000)


class WireQuote(_Wire):
    type: Literal["quote"]
    message: Number


class WirePicture(_Wire):
    type: Literal["picture"]
    picture: Number


class WireLink(_Wire):
    type: Literal["link"]
    link: Number


WireBlock: TypeAlias = Annotated[WireProse | WireQuote | WirePicture | WireLink, Field(discriminator="type")]


class WireSection(_Wire):
    heading: Text = Field("", max_length=400)
    blocks: list[WireBlock] = Field(min_length=1, max_length=100)
    sources: Annotated[list[Number], BeforeValidator(_list)] = Field([], max_length=5_000)


class WirePost(_Wire):
    title: str = Field(min_length=1, max_length=1_000)
    dek: Text = Field("", max_length=1_000)
    category: Text = Field("", max_length=200)
    tags: Annotated[list[str], BeforeValidator(_list)] = Field([], max_length=50)
    sections: list[WireSection] = Field(min_length=1, max_length=50)


class WirePosts(_Wire):
    posts: list[WirePost] = Field(max_length=40)
    nothing_because: Text = Field("", max_length=1_000)


class WireDigest(_Wire):
    summary: str = Field(min_length=1, max_length=4_000)
    topics: Annotated[list[str], BeforeValidator(_list)] = Field([], max_length=30)


class WireNote(_Wire):
    text: str = Field(min_length=1, max_length=600)
    sources: Annotated[list[Number], BeforeValidator(_list)] = []


class WirePerson(_Wire):
    person: str = Field(min_length=1, max_length=80)
    notes: list[WireNote] = Field(max_length=10)
    portrait: Text = Field("", max_length=1_500)


class WirePeople(_Wire):
    people: list[WirePerson]


class WireMedium(_Wire):
    number: Number
    alt: str = Field(max_length=1_000)
    summary: Text = Field("", max_length=2_000)
    text: Text = Field("", max_length=4_000)


class WireMedia(_Wire):
    files: list[WireMedium]


class WireMerge(_Wire):
    term: str
    stays: str


class WireMerges(_Wire):
    merges: list[WireMerge]


Answer = TypeVar("Answer", bound=BaseModel)


def schema_of(model: type[BaseModel]) -> dict[str, Any]:
    """The JSON schema of a wire model, without what the service doesn't take, and in one piece."""
    # As what is given, not as what is taken: what we can do without is asked for all the same.
    schema = model.model_json_schema(mode="serialization")
    definitions = schema.pop("$defs", {})
    return _plain(schema, definitions, names=False)


def _plain(value: Any, definitions: Mapping[str, Any], *, names: bool) -> Any:
    """`names`: the keys of this mapping are names of properties, not keywords."""
    if isinstance(value, Mapping):
        if not names and "$ref" in value:
            return _plain(definitions[value["$ref"].rsplit("/", 1)[-1]], definitions, names=False)
        kept = {
            key: _plain(inner, definitions, names=not names and key == "properties")
            for key, inner in value.items()
            if names or key not in UNSUPPORTED
        }
        if not names and "const" in value:
            kept["enum"] = [value["const"]]
        if not names and "oneOf" in kept:
            kept["anyOf"] = kept.pop("oneOf")
        return kept
    if isinstance(value, list):
        return [_plain(inner, definitions, names=False) for inner in value]
    return value


def parse(model: type[Answer], text: str, *, salvage: bool = False) -> Answer:
    """The answer in a text, which may have more around it: prose, thoughts, the schema, a code fence.

    Args:
        salvage: leave out the items of lists that don't fit, rather than refuse the whole.

    Raises:
        Malformed: with a remark for the model; what is told to others quotes nothing.
    """
    problem: tuple[Any, ValidationError] | None = None
    # Of several, the last: models repeat the schema first, or think aloud.
    for value in reversed([*_values(text, next(iter(model.model_fields)))]):
        try:
            return model.model_validate(value)
        except ValidationError as error:
            problem = problem or (value, error)
    if problem is None:
        raise Malformed("the answer isn't JSON", "It isn't valid JSON, or it is cut off.", form=True)
    value, error = problem
    while salvage and _pruned(value, error):
        try:
            return model.model_validate(value)
        except ValidationError as another:
            error = another
    places = [
        ".".join(str(part) for part in e["loc"] if not isinstance(part, str) or part.isidentifier())
        for e in error.errors()[:5]
    ]
    remarks = [
        f"{place or 'the whole'}: {e['msg']}" for place, e in zip(places, error.errors()[:5], strict=True)
    ]
    raise Malformed(
        f"the answer doesn't fit the schema ({error.error_count()} problems)",
        "It doesn't fit the schema: " + "; ".join(remarks) + ".",
        form=True,
    ) from None


def _values(text: str, first: str) -> Iterator[Any]:
    """The JSON objects in a text, also with commas too many or line breaks inside strings.

    `first`: the field that a list stands for, where the whole answer is one.
    """
    text = _TRAILING_COMMA.sub(lambda match: match[1] or "", text)
    decoder, at, tries = json.JSONDecoder(strict=False), 0, 0
    listed = "[" if re.match(r"\s*(```\w*)?\s*\[", text) else ""
    while tries < _MOST_TRIES and (begin := re.compile(rf"[{{{listed}]").search(text, at)):
        try:
            value, at = decoder.raw_decode(text, begin.start())
        except (ValueError, RecursionError):
            at, tries, listed = begin.start() + 1, tries + 1, ""
            continue
        yield {first: value} if isinstance(value, list) else value


def _pruned(value: Any, error: ValidationError) -> bool:
    """Takes the innermost items of lists that don't fit out of a value; whether there were any."""
    found: set[tuple[int | str, ...]] = set()
    for one in error.errors():
        place = one["loc"]
        while place and not isinstance(place[-1], int):
            place = place[:-1]
        if place:
            found.add(place)
    # From the back, so that the places of the others stay.
    for place in sorted(found, key=lambda place: (len(place), place[-1]), reverse=True):
        inner = value
        try:
            for part in place[:-1]:
                inner = inner[part]
            del inner[place[-1]]
        except (KeyError, IndexError, TypeError):
            return False
    return bool(found)
