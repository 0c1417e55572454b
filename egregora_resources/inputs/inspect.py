"""What the importer understood, for `egregora inspect`: a row a message, or a summary of the whole."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import pyarrow.compute as pc

from egregora_resources.inputs.export import Export

_EXAMPLES = 5
_BREAKS = {ord(char): f"\\u{ord(char):04x}" for char in "\x85\u2028\u2029"}
"""What some programs take for a line's end, as JSON escapes it."""


def message_lines(export: Export) -> Iterator[str]:
    """A JSON object for each message, in file order."""
    for batch in export.messages.to_batches(max_chunksize=10_000):
        for message in batch.to_pylist():
            message["timestamp"] = message["timestamp"].isoformat()
            data = message.pop("data")
            row: dict[str, object] = {"file": str(export.source), **message}
            if data is not None:
                row["data"] = json.loads(data)
            yield json.dumps(row, ensure_ascii=False).translate(_BREAKS)


@dataclass(frozen=True, slots=True)
class Summary:
    """An export in numbers; `str()` of it is for the owner's terminal."""

    file: str
    chat: str
    messages: int
    kinds: dict[str, int]
    """How many messages of each kind, most first."""
    authors: dict[str, int]
    """How many messages of each author, most first."""
    first: datetime | None
    last: datetime | None
    date_order: str
    confidence: float
    evidence: str
    media: int
    """Files that came with the chat."""
    media_absent: int
    """Attachments that the chat names and the export doesn't hold."""
    not_understood: int
    examples: Sequence[str]
    """The first lines not understood."""
    warnings: Sequence[str]

    def __str__(self) -> str:
        lines = [f"{self.file}: “{self.chat}”" if self.chat else self.file]
        if self.first and self.last:
            lines.append(
                f"  {self.messages:,} {_many('message', self.messages)} from {self.first:%Y-%m-%d %H:%M} to {self.last:%Y-%m-%d %H:%M}"
            )
        else:
            lines.append("  no messages")
        lines.append(
            "  " + ", ".join(f"{count:,} {_many(kind, count)}" for kind, count in self.kinds.items())
        )
        lines.append(f"  dates are {self.date_order} ({self.confidence:.0%} sure). {self.evidence}")
        lines.append(f"  {len(self.authors):,} {_many('author', len(self.authors))}")
        lines += [f"    {count:>8,}  {author}" for author, count in self.authors.items()]
        if self.media or self.media_absent:
            lines.append(
                f"  {self.media:,} media files here, {self.media_absent:,} named by the chat are not"
            )
        if self.not_understood:
            belong = "line belongs" if self.not_understood == 1 else "lines belong"
            lines.append(f"  {self.not_understood:,} {belong} to no message:")
            lines += [f"    {example[:100]}" for example in self.examples]
        lines += [f"  ! {warning}" for warning in self.warnings]
        return "\n".join(line for line in lines if line.strip())


def _many(noun: str, count: int) -> str:
    """A noun, or a kind of message, in the number it stands in; `text`, `media` and `deleted` have but one form."""
    if count == 1 or noun in {"text", "media", "deleted"}:
        return noun.replace("_", " ")
    return noun.replace("_", " ") + "s"


def summary(export: Export) -> Summary:
    """The export in numbers."""
    messages = export.messages
    span = pc.call_function("min_max", [messages["timestamp"]])
    named = set(messages["attachment"].drop_null().unique().to_pylist())
    return Summary(
        file=str(export.source),
        chat=export.chat,
        messages=len(messages),
        kinds=_counts(messages["kind"]),
        authors=_counts(messages["author"].drop_null()),
        first=span["min"].as_py(),
        last=span["max"].as_py(),
        date_order=export.date_order,
        confidence=export.confidence,
        evidence=export.evidence,
        media=len(export.media),
        media_absent=len(named - set(export.media)),
        not_understood=len(export.not_understood),
        examples=tuple(export.not_understood[:_EXAMPLES]),
        warnings=export.warnings,
    )


def _counts(column: object) -> dict[str, int]:
    counted = pc.value_counts(column).to_pylist()  # type: ignore[arg-type]
    return {row["values"]: row["counts"] for row in sorted(counted, key=lambda row: -row["counts"])}
