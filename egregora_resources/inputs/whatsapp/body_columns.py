"""The bodies of a block's candidates, understood: each distinct one once, told as arrays over all of them."""

# Arrow has no types:
# pyright: reportUnknownParameterType=false

from __future__ import annotations

from collections.abc import Container
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from egregora_resources.inputs.export import KINDS
from egregora_resources.inputs.whatsapp.bodies import COINED_LINE, Body, understand
from egregora_resources.inputs.whatsapp.calendar import Bools, Ints

CODES = {kind: code for code, kind in enumerate(KINDS)}
"""The place of each kind in `KINDS`, which stands for it in arrays."""
_SHORT = 80
_MOST_KNOWN = 10_000


class Understood(NamedTuple):
    """What bodies are; an entry for each of the given ones but for the last three.

    Attributes:
        kinds: see `CODES`.
        skipped: bytes at the body's start that don't belong to its text.
        kept: bytes after them that do.
        edited, deleted, omitted, system, notice, doubtful: as in `Body`.
        which: where in `attachments` and `data` its own are.
        attachments, data: of each distinct body; null where it has none.
        rewritten: texts that are no part of their bodies, by place; in order.
    """

    kinds: NDArray[np.int8]
    skipped: Ints
    kept: Ints
    edited: Bools
    deleted: Bools
    omitted: Bools
    system: Bools
    notice: Bools
    doubtful: Bools
    which: NDArray[np.int32]
    attachments: pa.Array
    data: pa.Array
    rewritten: list[tuple[int, str]]


def understood(raw: pa.Array, known: dict[str, Body], *, marked: bool, members: Container[str]) -> Understood:
    """What bodies are.

    Args:
        raw: the bodies.
        known: what short ones were understood as before; grows.
        marked, members: see `understand`.
    """
    encoded = raw.dictionary_encode()
    distinct = encoded.dictionary
    which: NDArray[np.int32] = encoded.indices.to_numpy(zero_copy_only=False)
    count = len(distinct)
    coined = pc.call_function("extract_regex", [distinct], pc.ExtractRegexOptions(COINED_LINE))
    # What of most media is left to say: the name that WhatsApp gave their file.
    attachments = pc.call_function(
        "binary_join_element_wise", [coined.field("android"), coined.field("iphone"), pa.scalar("")]
    ).to_pylist()
    is_coined = coined.is_valid().to_numpy(zero_copy_only=False)
    kinds = np.full(count, CODES["media"], dtype=np.int8)
    skipped, kept = np.zeros(count, dtype=np.int64), np.zeros(count, dtype=np.int64)
    flags = np.zeros((6, count), dtype=np.bool_)
    data: list[str | None] = [None] * count
    other: dict[int, str] = {}
    rest = np.flatnonzero(~is_coined)
    texts: list[str] = distinct.take(pa.array(rest)).to_pylist()
    for place, text in zip(rest.tolist(), texts, strict=True):
        body = known.get(text) or understand(text, marked=marked, members=members)
        if len(text) < _SHORT and len(known) < _MOST_KNOWN:
            known[text] = body
        kinds[place] = CODES[body.kind]
        flags[:, place] = (
            body.edited, body.deleted, body.media_omitted, body.is_system, body.notice, body.doubtful
        )  # fmt: skip
        attachments[place], data[place] = body.attachment, body.data
        kept[place] = len(body.text.encode())
        before, found, _ = text.partition(body.text) if body.text else ("", "", "")
        if found:
            skipped[place] = len(before.encode())
        elif body.text:
            other[place] = body.text
            kept[place] = 0
    rewritten = (
        [(row, other[place]) for row, place in enumerate(which.tolist()) if place in other] if other else []
    )
    edited, deleted, omitted, system, notice, doubtful = flags[:, which]
    return Understood(
        kinds[which],
        skipped[which],
        kept[which],
        edited,
        deleted,
        omitted,
        system,
        notice,
        doubtful,
        which,
        pa.array(attachments, pa.string()),
        pa.array(data, pa.string()),
        rewritten,
    )
