"""What the writer of a window is given of earlier ones: the digests that share most with it, fixed when it is first
written.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from egregora_assets.pipeline.context import WindowWork
from egregora_resources.document_kinds import PostMatter
from egregora_resources.llm.tasks import Digest

REMEMBERED = 3
"""Digests of earlier windows that a writer is given at most."""


def related(digests: Sequence[Digest], earlier: Sequence[Digest]) -> list[str]:
    """Keys of the earlier windows that share most with these digests, in time order; the same for the same input."""
    wanted = set[str]().union(*(_words(digest) for digest in digests))
    scores: dict[str, float] = {}
    for digest in earlier:
        words = _words(digest)
        shared = len(wanted & words)
        if shared >= 2:
            scores[digest.window] = max(scores.get(digest.window, 0.0), shared / (len(words) ** 0.5 or 1))
    best = sorted(scores, key=lambda window: (-scores[window], window))[:REMEMBERED]
    return sorted(best)


def _words(digest: Digest) -> set[str]:
    return {word for topic in digest.topics for word in re.findall(r"\w{4,}", topic.casefold())}


def memory_of(work: WindowWork) -> Sequence[str]:
    """Earlier windows that the posts of this one remember."""
    if "posts" in work.made:
        return next((post.front_matter.memory for post in work.documents("posts", PostMatter)), [])
    return work.context.memories.get(work.key, [])


def remembered(work: WindowWork) -> list[Digest]:
    """The earlier digests a window's writer is given: those fixed when it was first written, or the related ones."""
    earlier = [
        digest for start, digest in work.context.digests if start < work.start and digest.window != work.key
    ]
    fixed = next((post.front_matter.memory for post in work.documents_before("posts", PostMatter)), None)
    own = [document.front_matter for document in work.documents("digests", Digest)]
    keys = related(own, earlier) if fixed is None else fixed
    return [digest for digest in earlier if digest.window in keys]
