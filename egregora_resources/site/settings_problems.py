"""Puts what pydantic finds wrong with a settings file into words for its owner.

Each problem is one line: the key, what was found, what is allowed there, and the nearest valid key or value.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, Literal, get_args, get_origin

from annotated_types import Ge, Le, MaxLen
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

Model = type[BaseModel]

_UNSHOWN = {"api_key_env"}
_SECRET_NAME = re.compile(r"(^|_)(key|secret|token|password)$", re.IGNORECASE)
_SECRET = re.compile(r"AIza[\w-]+|(?<=//)[^/@\s\"]+(?=@)|(?<=\?)[^\s\"]+")
"""Where somebody may have put a secret by mistake: not repeated, because errors are shown in the Dagster UI, too."""


def problems(errors: Iterable[ErrorDetails], values: Mapping[str, Any], model: Model) -> list[str]:
    """A line for each error of validating `values` as `model`."""
    lines = [_line([str(part) for part in error["loc"]], error, values, model) for error in errors]
    return list(dict.fromkeys(lines))


def places(errors: Iterable[ErrorDetails], model: Model) -> set[str]:
    """The keys and sections that errors are about, in our words alone: the owner's may be people's names."""
    found: set[str] = set()
    for error in errors:
        known, inside = list[str](), model
        for part in map(str, error["loc"]):
            if part not in inside.model_fields:
                break
            known.append(part)
            inside = _section(inside.model_fields[part]) or BaseModel
        found.add(
            f"[{'.'.join(known[:1])}] {'.'.join(known[1:])}".strip() if known else "a section of another name"
        )
    return found


def keys(model: Model, prefix: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """Every key that `model` knows, as a path; sections themselves are not keys."""
    found: list[tuple[str, ...]] = []
    for name, field in model.model_fields.items():
        section = _section(field)
        found += keys(section, (*prefix, name)) if section else [(*prefix, name)]
    return found


def _line(path: list[str], error: ErrorDetails, values: Mapping[str, Any], model: Model) -> str:
    known, field = _locate(path, model)
    if error["type"] == "extra_forbidden":
        return _unknown(path, error["input"], model)
    where = _written(known, _value_at(known, values))
    if field is None or _section(field) or (_table(field) and known[-1] not in model.model_fields):
        return f"{where}: this is a section; write [{'.'.join(known)}] on a line of its own, its keys below."
    if error["type"] == "value_error":
        return f"{where}: must be {error['ctx']['error'] if 'ctx' in error else error['msg']}."
    return f"{where}: must be {_allowed(field)}.{_nearest_value(_value_at(known, values), field)}"


def _unknown(path: list[str], found: object, model: Model) -> str:
    """A key or section that doesn't exist, with where it may have been meant to be."""
    section, name = path[:-1], path[-1]
    siblings = list(_model_at(section, model).model_fields)
    place = f"[{'.'.join(section)}]" if section else "the file"
    if isinstance(found, Mapping):
        sections = sorted({".".join(key[:-1]) for key in keys(model)})
        near = get_close_matches(".".join(path), sections, 1, 0.5) or [
            s for s in sections if s.endswith("." + name)
        ]
        hint = f" Did you mean [{near[0]}]?" if near else ""
        return f"[{'.'.join(path)}]: there is no such section.{hint} The sections are: {', '.join(sections)}."
    allowed = f" {place[:1].upper() + place[1:]} knows: {', '.join(siblings)}."
    return f"{_written(path, found)}: there is no such key in {place}.{_nearest_key(section, name, model)}{allowed}"


def _nearest_key(section: Sequence[str], name: str, model: Model) -> str:
    """Same name in another section, else a similar name here, else a similar one anywhere."""
    everywhere = keys(model)
    here = [(*section, key) for key in _model_at(section, model).model_fields] if section else []
    here = [key for key in here if key in everywhere] or here
    for names in ([k for k in everywhere if k[-1] == name], _similar(name, here), _similar(name, everywhere)):
        if names:
            *parents, key = names[0]
            inside = "" if parents == list(section) else f" in [{'.'.join(parents)}]"
            return f" Did you mean {key}{inside}?"
    return ""


def _similar(name: str, among: Sequence[tuple[str, ...]]) -> list[tuple[str, ...]]:
    close = get_close_matches(name.lower().replace("-", "_"), [key[-1] for key in among], 1)
    return [key for key in among if key[-1] in close]


def _nearest_value(found: object, field: FieldInfo) -> str:
    if get_origin(field.annotation) is not Literal or not isinstance(found, str):
        return ""
    close = get_close_matches(found.lower(), [str(choice) for choice in get_args(field.annotation)], 1, 0.5)
    return f" Did you mean {json.dumps(close[0])}?" if close else ""


def _allowed(field: FieldInfo) -> str:
    if get_origin(field.annotation) is Literal:
        return "one of " + ", ".join(json.dumps(choice) for choice in get_args(field.annotation))
    if field.annotation is bool:
        return "true or false, without quotes"
    if field.annotation is int:
        least = next((rule.ge for rule in field.metadata if isinstance(rule, Ge)), 0)
        most = next((rule.le for rule in field.metadata if isinstance(rule, Le)), None)
        return (
            f"a whole number, {least} or more" if most is None else f"a whole number from {least} to {most}"
        )
    if field.annotation is float:
        return "a number, 0 or more"
    if field.annotation == tuple[str, ...]:
        return 'a list of texts in double quotes, such as ["…", "…"]'
    if field.annotation is str:
        if any(getattr(rule, "pattern", None) for rule in field.metadata):
            return '"" or a version such as "v1" or "v1beta"'
        most = next((rule.max_length for rule in field.metadata if isinstance(rule, MaxLen)), None)
        return "text in double quotes" + (f", at most {most} characters long" if most else "")
    if _table(field):
        return "a section"
    return 'lists of names, such as [["Ana", "Ana Silva"]]'


def _locate(path: Sequence[str], model: Model) -> tuple[list[str], FieldInfo | None]:
    """The longest known key path that `path` begins with, and its field; list positions fall off."""
    known: list[str] = []
    field: FieldInfo | None = None
    for name in path:
        if name not in model.model_fields:
            break
        known.append(name)
        field = model.model_fields[name]
        section = _section(field)
        if section is None:
            break
        model = section
    table = _table(field) if field else None
    if table and len(path) > len(known):
        # A section under a name of the owner's choosing.
        inside, of_inside = _locate(path[len(known) + 1 :], table)
        return [*known, path[len(known)], *inside], of_inside or field
    return known, field


def _model_at(path: Sequence[str], model: Model) -> Model:
    for name in path:
        field = model.model_fields.get(name)
        model = (field and (_section(field) or _table(field))) or model
    return model


def _table(field: FieldInfo) -> Model | None:
    """The model of the sections below a field that has them under names of the owner's choosing."""
    inner = get_args(field.annotation)[-1:] if get_origin(field.annotation) is Mapping else ()
    return inner[0] if inner and issubclass(inner[0], BaseModel) else None


def _section(field: FieldInfo) -> Model | None:
    kind = field.annotation
    return kind if isinstance(kind, type) and issubclass(kind, BaseModel) else None


def _value_at(path: Sequence[str], values: Mapping[str, Any]) -> object:
    value: Any = values
    for name in path:
        value = value[name]
    return value


def _written(path: Sequence[str], value: object) -> str:
    """A key with its value, about as the file has it."""
    if path[-1] in _UNSHOWN or _SECRET_NAME.search(path[-1]):
        return f"{_key(path)} = …"
    text = _SECRET.sub("…", json.dumps(value, ensure_ascii=False, default=str))
    return f"{_key(path)} = {text if len(text) <= 60 else text[:57] + '…'}"


def _key(path: Sequence[str]) -> str:
    *section, name = path
    return f"[{'.'.join(section)}] {name}" if section else name
