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
from egregora_resources.document_kinds import PostMatter
from egregora_resources.llm.cache import ResponseCache
from egregora_resources.llm.database import LlmStore
from egregora_resources.publishing.atomic_swap import remove
from egregora_resources.publishing.post_page import post_url

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
                connection.execute("DELETE FROM facts WHERE key = ?", [PENDING])
    return Withdrawal(sorted(windows), len(slugs), rebuilt, problem)


def withdrawals_due(context: PipelineContext) -> str:
    """A sentence about what the next command takes back before anything else; empty if nothing is."""
    check = LeakCheck(context)
    with context.storage.connect() as connection:
        touched = _touched(connection, check)
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
    touched = _touched(connection, check)
    remembering = {
        window
        for window, front_matter in connection.execute(
            "SELECT window_key, front_matter FROM documents WHERE stage = 'posts'"
        ).fetchall()
        if touched.intersection(PostMatter.model_validate_json(front_matter).memory)
    } - touched
    if not touched:
        return set(), ()
    both = [*touched, *remembering]
    slugs = [
        row[0]
        for row in connection.execute(
            "SELECT slug FROM documents WHERE stage = 'posts' AND slug IS NOT NULL AND list_contains(?, window_key)",
            [both],
        ).fetchall()
    ]
    connection.execute("DELETE FROM messages WHERE list_contains(?, window_key)", [list(touched)])
    for table in ("documents", "stage_results"):
        where = (
            "list_contains(?, window_key) OR (list_contains(?, window_key) AND NOT list_contains(?, stage))"
        )
        parameters = [list(touched), list(remembering), list(_BEFORE_POSTS)]
        if table == "documents":
            connection.execute(f"DELETE FROM documents WHERE {where}", parameters)
        else:
            # The rows stay, so that a plan can say why these are written anew.
            connection.execute(
                "UPDATE stage_results SET status = 'withdrawn', fingerprint = '', data_version = '', note = '', "
                f"documents = 0, error = '', reported = TRUE WHERE {where}",
                parameters,
            )
    prune(connection, both)
    before = connection.execute("SELECT value FROM facts WHERE key = ?", [PENDING]).fetchone()
    pending = sorted({*slugs, *(json.loads(before[0]) if before else ())})
    connection.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", [PENDING, json.dumps(pending)])
    return {*touched, *remembering}, slugs


def _touched(connection: duckdb.DuckDBPyConnection, check: LeakCheck) -> set[str]:
    """Windows of which something is stored that was made of what may no longer be shown."""
    tokens, _ = check.hidden
    speaking = connection.execute(
        """
        SELECT DISTINCT m.window_key FROM messages m LEFT JOIN raw_messages r USING (id)
        WHERE (r.id IS NULL AND m.window_key IN (SELECT key FROM windows))
            OR m.id IN (SELECT unnest(?)) OR list_contains(?, m.author)
        """,
        [list(check.forbidden), tokens],
    ).fetchall()
    return {row[0] for row in speaking} | _naming(connection, tokens)


def _naming(connection: duckdb.DuckDBPyConnection, tokens: Sequence[str]) -> set[str]:
    """Windows whose stored texts hold one of these people's tokens."""
    if not tokens:
        return set()
    pattern = rf"\b(?:{'|'.join(tokens)})\b"
    rows = connection.execute(
        """
        SELECT window_key FROM messages WHERE regexp_matches(text || coalesce(data, ''), $1)
        UNION SELECT window_key FROM documents WHERE regexp_matches(id || front_matter || body, $1)
        """,
        [pattern],
    ).fetchall()
    return {row[0] for row in rows}


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
