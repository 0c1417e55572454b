"""Withdrawal: what was made of messages that may no longer be shown goes at once, before anything else is done.

Somebody opted out, or a message was deleted in the chat and the chat exported again. The windows they spoke or were
named in are written anew by the next run; until then, and if that run fails, what was made of them before is gone:
from the warehouse in one transaction, from the built site by a build. A withdrawal that is killed in between is
finished by the next start.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import duckdb
from filelock import FileLock

from egregora_assets.leak_check.check import LeakCheck, withdraw_pages
from egregora_assets.pipeline.context import PipelineContext
from egregora_assets.pipeline.taxonomy import prune
from egregora_resources.llm.cache import ResponseCache
from egregora_resources.llm.database import LlmStore
from egregora_resources.publishing.atomic_swap import remove
from egregora_resources.publishing.post_page import post_url
from egregora_resources.warehouse.documents import stored_posts
from egregora_resources.warehouse.erasure import take_back, windows_of_unusable
from egregora_resources.warehouse.facts import drop_fact, fact, put_fact

PENDING = "withdrawal"
"""Fact: the slugs of posts that the warehouse has lost and the built site may still show."""

_BEFORE_POSTS = ("messages", "media", "enrichments", "digests", "profiles", "site")
"""Stages that don't read what earlier windows' digests remember, and the one that is built anew anyway."""


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """What was taken back.

    Attributes:
        windows: whose documents are gone, and which are to be written anew, in the order of their keys.
        posts: how many posts are gone.
        rebuilt: the built site was replaced by one without them.
        problem: why it could not be built anew, and what was done instead; empty if it could.
    """

    windows: Sequence[str] = ()
    posts: int = 0
    rebuilt: bool = False
    problem: str = ""

    def __bool__(self) -> bool:
        return bool(self.windows or self.rebuilt or self.problem)

    def sentence(self) -> str:
        """For the owner's terminal."""
        posts = "1 post" if self.posts == 1 else f"{self.posts} posts"
        windows = "1 window" if len(self.windows) == 1 else f"{len(self.windows)} windows"
        return (
            f"Somebody opted out or took a message back: {posts} from {windows} withdrawn"
            + (", and the site built without them." if self.rebuilt else ".")
            + (f" {self.problem}" if self.problem else "")
        )


def withdraw(context: PipelineContext) -> Withdrawal:
    """Takes back everything made of messages that may no longer be shown, and rebuilds the site without it.

    Looks only, and takes milliseconds, when there is nothing to take back. If the site can't be built, the pages of the
    withdrawn posts, and every page that still holds words of those concerned, go all the same; the next start tries
    again.
    """
    # People are looked up anew: an import, or the owner, may have changed them since the context was made.
    context = PipelineContext(
        context.config, context.site_root, context.storage, context.media_mapping, context.provider
    )
    with FileLock(context.folder.state / "withdrawal.lock"):
        check = LeakCheck(context)
        with context.storage.transaction() as connection:
            windows, slugs = _take_back(connection, check)
        _forget_answers(context, check)
        pending = context.storage.fact(PENDING)
        if not pending:
            return Withdrawal()
        _unpublish(context, json.loads(pending))
        rebuilt, problem = _rebuild(context)
        if not problem:
            with context.storage.transaction() as connection:
                drop_fact(connection, PENDING)
    return Withdrawal(sorted(windows), len(slugs), rebuilt, problem)


def withdrawals_due(context: PipelineContext) -> str:
    """A sentence about what the next command takes back before anything else; empty if nothing is."""
    check = LeakCheck(context)
    with context.storage.connect() as connection:
        touched = windows_of_unusable(connection, tokens=check.hidden[0], names=check.hidden[1])
    windows = "1 window" if len(touched) == 1 else f"{len(touched)} windows"
    if touched:
        return f"Somebody opted out or took a message back: what was made of {windows} is withdrawn first."
    if context.storage.fact(PENDING):
        return "A withdrawal was interrupted: it is finished first."
    return ""


def _forget_answers(context: PipelineContext, check: LeakCheck) -> None:
    """Deletes the kept answers to requests that held what may no longer be used."""
    if context.folder.llm.exists():
        ResponseCache(LlmStore(context.folder.llm)).delete_for(
            check.hidden[0], check.forbidden, check.forbidden_media
        )


def _take_back(connection: duckdb.DuckDBPyConnection, check: LeakCheck) -> tuple[set[str], Collection[str]]:
    """Deletes what has to go; returns the windows concerned and the slugs of the posts among it."""
    touched = windows_of_unusable(connection, tokens=check.hidden[0], names=check.hidden[1])
    if not touched:
        return set(), ()
    posts = stored_posts(connection)
    remembering = {post.window for post in posts if touched.intersection(post.memory)} - touched
    both = [*touched, *remembering]
    slugs = [post.slug for post in posts if post.slug and post.window in both]
    take_back(connection, touched, remembering=remembering, kept=_BEFORE_POSTS)
    prune(connection, both)
    pending = sorted({*slugs, *json.loads(fact(connection, PENDING) or "[]")})
    put_fact(connection, PENDING, json.dumps(pending))
    return {*touched, *remembering}, slugs


def _unpublish(context: PipelineContext, slugs: Sequence[str]) -> None:
    """Removes the posts' own pages right away: a build takes seconds, and may fail."""
    for slug in slugs:
        for root, page in ((context.folder.built, post_url(slug)), (context.folder.docs, post_url(slug))):
            remove((root / page).parent)
            (root / page).with_suffix(".md").unlink(missing_ok=True)


def _rebuild(context: PipelineContext) -> tuple[bool, str]:
    """Builds the site without what was withdrawn, if there is one; returns whether it did, and why it couldn't."""
    if not context.folder.built.exists():
        return False, ""
    from egregora_assets.site import SiteStage

    try:
        SiteStage().finish(context, ())
    except Exception as error:
        gone = withdraw_pages(context.folder.built, LeakCheck(context))
        return False, (
            f"The site could not be built anew ({type(error).__name__}); {len(gone)} more pages that held what was "
            f"withdrawn were removed from {context.folder.built}."
        )
    return True, ""
