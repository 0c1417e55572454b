"""What models are asked to answer with, and the JSON schemas of it, as far as the service takes schemas.

Messages, pictures and links go by small numbers of their own, counted within the request: real ids are long, and a
model that must copy long numbers gets them wrong.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeAlias, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from egregora_resources.llm.gemini.outcomes import Malformed

UNSUPPORTED = frozenset(
    "minLength maxLength pattern default const title discriminator examples exclusiveMinimum additionalProperties".split()  # noqa: SIM905
)
"""Keywords that the service refuses or ignores; what they demand is checked when the answer is there."""
Number: TypeAlias = Annotated[int, Field(ge=1, le=1_000_000)]
"""Bounded, because models fall into loops of digits where integers aren't."""


class _Wire(BaseModel):
    model_config = ConfigDict(extra="ignore")


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
    heading: str = Field(max_length=200)
    blocks: list[WireBlock] = Field(min_length=1, max_length=100)
    sources: list[Number] = Field(max_length=5_000)


class WirePost(_Wire):
    title: str = Field(min_length=1, max_length=200)
    dek: str = Field(max_length=600)
    category: str = Field(max_length=60)
    tags: list[str] = Field(max_length=12)
    sections: list[WireSection] = Field(min_length=1, max_length=50)


class WirePosts(_Wire):
    posts: list[WirePost] = Field(max_length=40)
    nothing_because: str = Field(max_length=600)


class WireDigest(_Wire):
    summary: str = Field(min_length=1, max_length=4_000)
    topics: list[str] = Field(max_length=30)


class WireNote(_Wire):
    text: str = Field(min_length=1, max_length=600)
    sources: list[Number]


class WirePerson(_Wire):
    person: str = Field(min_length=1, max_length=80)
    notes: list[WireNote] = Field(max_length=10)


class WirePeople(_Wire):
    people: list[WirePerson]


class WireMedium(_Wire):
    number: Number
    alt: str = Field(max_length=1_000)
    summary: str = Field(max_length=2_000)
    text: str = Field(max_length=4_000)


class WireMedia(_Wire):
    files: list[WireMedium]


class WireMerge(_Wire):
    term: str
    stays: str


class WireMerges(_Wire):
    merges: list[WireMerge]


Answer = TypeVar("Answer", bound=BaseModel)


def schema_of(model: type[BaseModel]) -> dict[str, Any]:
    """The JSON schema of a wire model, without what the service doesn't take."""
    return _plain(model.model_json_schema(), names=False)


def _plain(value: Any, *, names: bool) -> Any:
    """`names`: the keys of this mapping are names of properties or definitions, not keywords."""
    if isinstance(value, Mapping):
        kept = {
            key: _plain(inner, names=not names and key in ("properties", "$defs"))
            for key, inner in value.items()
            if names or key not in UNSUPPORTED
        }
        if not names and "const" in value:
            kept["enum"] = [value["const"]]
        if not names and "oneOf" in kept:
            kept["anyOf"] = kept.pop("oneOf")
        return kept
    if isinstance(value, list):
        return [_plain(inner, names=False) for inner in value]
    return value


def parse(model: type[Answer], text: str) -> Answer:
    """The answer in a text.

    Raises:
        Malformed: with a remark for the model; what is told to others quotes nothing.
    """
    try:
        value = json.loads(_bare(text))
    except ValueError:
        raise Malformed("the answer isn't JSON", "It isn't valid JSON, or it is cut off.") from None
    try:
        return model.model_validate(value)
    except ValidationError as error:
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
        ) from None


def _bare(text: str) -> str:
    """JSON out of the code fence that some models put around it."""
    text = text.strip()
    if text.startswith("```"):
        text = text.split("\n", 1)[-1].rsplit("```", 1)[0]
    return text
