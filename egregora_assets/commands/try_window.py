"""`try`: what another model or prompt would write about a window, without touching the site or the warehouse.

The calls are in the ledger like all others, and count for the month's budget.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from egregora_assets.commands.consent import ask_to_send
from egregora_assets.commands.redo import known
from egregora_assets.costs.estimates import priced
from egregora_assets.leak_check.prompts import check_prompts
from egregora_assets.pipeline.context import Made, PipelineContext, WindowWork
from egregora_assets.pipeline.open_window import window_works
from egregora_assets.pipeline.plan import make_plan
from egregora_assets.posts import PostsStage, shown_messages
from egregora_assets.stages import STAGES
from egregora_resources.document import Document, Message
from egregora_resources.document_kinds import PostMatter
from egregora_resources.errors import ProviderError, UserError
from egregora_resources.llm.estimate import amounts
from egregora_resources.llm.gemini import GeminiProvider
from egregora_resources.llm.offline import OfflineProvider
from egregora_resources.llm.prompting import PromptError
from egregora_resources.llm.protocol import Provider
from egregora_resources.llm.providers import check_provider, wanted_provider
from egregora_resources.progress import Progress, Silent
from egregora_resources.site.settings import ModelNames, Settings
from egregora_resources.site.site import Site
from egregora_resources.usage import Usage
from egregora_resources.warehouse.results import load_results
from egregora_resources.warehouse.windows import active_windows

_QUOTE = re.compile(r"(?m)^\{quote (\d{1,18})\}$")


class NotTried(UserError):
    """The trial is impossible or gave nothing; the site is unchanged."""


@dataclass(frozen=True)
class Trial:
    """What would be written."""

    window: str
    model: str
    posts: list[Document[PostMatter]]
    quoted: dict[int, Message]
    note: str
    usage: Usage

    def __str__(self) -> str:
        """The posts as text, people by their pseudonyms, and what they cost."""
        told = "\n\n\n".join(self._text(post) for post in self.posts) or f"No post: {self.note}"
        cost = amounts(self.usage.calls, self.usage.input_tokens, self.usage.output_tokens, self.usage.usd)
        return f"{told}\n\n— {self.model} about {self.window}: {cost}. The site stays as it is."

    def _text(self, post: Document[PostMatter]) -> str:
        known = post.front_matter
        head = [f"# {known.title}", known.dek, " · ".join([known.category, *known.tags])]

        def quote(found: re.Match[str]) -> str:
            message = self.quoted.get(int(found[1]))
            return f"> @{message.author}: {' '.join(message.text.split())}" if message else found[0]

        return "\n\n".join([*filter(None, head), _QUOTE.sub(quote, post.body)])


def try_window(
    root: Path,
    window: str,
    *,
    model: str | None = None,
    prompt: Path | None = None,
    yes: bool = False,
    confirm: Callable[[str], bool] | None = None,
    progress: Progress | None = None,
) -> Trial:
    """What would be written about a window.

    Args:
        window: its key; its conversation must have been read by an earlier write.
        model: to write with; ``offline`` for the embedded provider; the site's own if left out.
        prompt: a file to put the task in, as ``prompts/posts.jinja`` would be.
        yes: agree to send text to a service that it was never sent to.
        confirm: asks the owner; None when there is nobody to ask.
        progress: told the price.

    Raises:
        UserError: there is no such window, the prompt or the model can't be used, or there was no answer.
    """
    site = Site.look_at(root)
    known(site.warehouse, [window])
    results = load_results(site.warehouse)
    read = {name for name in PostsStage.after if (name, window) in results}
    if missing := [name for name in PostsStage.after if name not in read]:
        raise NotTried(
            f"The {' and '.join(missing)} of {window} are not there yet. Run `egregora write` first."
        )
    site = replace(site, settings=_wanted(site, model))
    context = PipelineContext.of(site, provider=_provider(site, prompt), redo=frozenset({("posts", window)}))
    check_prompts(context, [prompt] if prompt else ())
    try:
        if site.settings.model.provider == "gemini":
            check_provider(site)
            _tell_price(context, window, yes, confirm, progress or Silent())
        active = active_windows(site.warehouse)
        work = next(work for work in window_works(context, active) if work.key == window)
        made = asyncio.run(_write(context, work))
    except PromptError as error:
        raise NotTried(str(error).replace(str(site.folder.prompts / "posts.jinja"), str(prompt))) from None
    except ProviderError as error:
        raise NotTried(f"Nothing was written: {error}. The site is as it was.") from None
    messages = {message.id: message for message in work.messages}
    posts = [post.read_as(PostMatter) for post in made.documents]
    quoted = {
        id: message for post in posts for id, message in shown_messages(messages, post.body, ()).items()
    }
    name = context.llm.model("posts")
    return Trial(window, name, posts, quoted, made.note, made.usage)


def _tell_price(
    context: PipelineContext,
    window: str,
    yes: bool,
    confirm: Callable[[str], bool] | None,
    progress: Progress,
) -> None:
    plan = make_plan(context, STAGES)
    rows = [row for row in plan.rows if (row.stage, row.window) == ("posts", window)]
    plan = priced(context, replace(plan, rows=rows), whole=False)
    ask_to_send(context.site, plan, yes, confirm)
    for sentence in [plan.cost.sentence(), *plan.warnings] if plan.cost else ():
        progress.say(sentence)


async def _write(context: PipelineContext, work: WindowWork) -> Made:
    try:
        return await PostsStage().make(work)
    finally:
        await context.llm.close()


def _wanted(site: Site, model: str | None) -> Settings:
    """The settings with this model for posts, and with nobody who would stand in for it."""
    provider, settings = wanted_provider(site), site.settings
    if model:
        provider = "offline" if model == "offline" else "gemini"
    changed: dict[str, Any] = {
        "provider": provider,
        "fallback_models": (),
        "offline_fallback": False,
        "mode": "sync",
    }
    if model and provider == "gemini":
        try:
            changed["names"] = ModelNames.model_validate(
                {**settings.model.names.model_dump(), "posts": model}
            )
        except ValidationError:
            raise NotTried(f"--model {model}: that is no model's name, such as gemini-3.8-flash.") from None
    return settings.model_copy(update={"model": settings.model.model_copy(update=changed)})


def _provider(site: Site, prompt: Path | None) -> Provider:
    if site.settings.model.provider == "offline":
        if prompt:
            raise NotTried("The offline provider takes no prompt. Name a model with --model, too.")
        return OfflineProvider()
    try:
        text = prompt.read_text(encoding="utf-8") if prompt else None
    except (OSError, UnicodeDecodeError) as error:
        raise NotTried(f"The prompt {prompt} can't be read: {error}.") from None
    return GeminiProvider(site, prompts={"posts": text} if text is not None else None)
