"""Everything stored that must be free of personal data, as texts with the window they belong to."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias

from egregora_assets.pipeline.context import PipelineContext
from egregora_resources.llm.cache import ResponseCache
from egregora_resources.llm.database import LlmStore
from egregora_resources.privacy.page_text import (
    BLOCK,
    strings_of,
    text_of_json,
    text_of_page,
)
from egregora_resources.warehouse.documents import document_rows, message_rows
from egregora_resources.warehouse.results import result_texts
from egregora_resources.warehouse.vocabulary import synonyms, terms

Stored: TypeAlias = tuple[str, str, str]
"""(window, where, text)."""


MESSAGE_ID = re.compile(r"(?<!\d)\d{12,17}(?!\d)")


def _messages(context: PipelineContext) -> Iterator[Stored]:
    for window, id, author, text, data in message_rows(context.storage):
        yield window, f"messages of {window}", f"{id}{BLOCK}{author}{BLOCK}{text}{BLOCK}{_said(data)}"


def _documents(context: PipelineContext) -> Iterator[Stored]:
    for stage, window, id, front_matter, body in document_rows(context.storage):
        text = text_of_page(body) if stage == "banners" else body
        ids = BLOCK.join(MESSAGE_ID.findall(front_matter))
        yield window, f"{stage} of {window}", f"{id}{BLOCK}{_said(front_matter)}{BLOCK}{ids}{BLOCK}{text}"


def _said(data: str | None) -> str:
    return BLOCK.join(strings_of(json.loads(data) if data else ""))


def _vocabulary(context: PipelineContext) -> Iterator[Stored]:
    for _, term, first_window in terms(context.storage):
        yield first_window, "vocabulary", term
    for _, term, stays in synonyms(context.storage):
        yield "", "vocabulary", f"{term}{BLOCK}{stays}"


def _results(context: PipelineContext) -> Iterator[Stored]:
    for stage, window, text in result_texts(context.storage):
        yield window, f"result of {stage}", text


def _answers(context: PipelineContext) -> Iterator[Stored]:
    for kept in ResponseCache(LlmStore(context.folder.llm)).texts():
        yield kept.window, f"kept answers of {kept.task}", text_of_json(kept.answer)


SOURCES: list[Callable[[PipelineContext], Iterable[Stored]]] = [
    _messages,
    _documents,
    _vocabulary,
    _results,
    _answers,
]
"""Everything that must be free of personal data, beside the site: whatever keeps requests or answers is added here."""
