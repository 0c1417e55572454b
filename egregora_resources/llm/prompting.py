"""The prompts: Jinja templates of the package, each of which a file of the same name in the site's ``prompts/`` replaces.

A prompt has two blocks. ``system`` is the constant beginning, so that the service's own cache serves it; ``user`` is
what differs from call to call, vocabulary first and conversation last. The built-in beginnings take 100 to 500 tokens,
and the service's cache begins at 2,000 to 4,000: it helps where an owner's prompt, instructions or vocabulary are
long, and costs nothing elsewhere. An explicit cache would give the same discount on the same beginning, begins at the
same size, and is paid by the hour: so there is none.

An owner's file begins with ``{% extends "builtin/posts.jinja" %}`` and replaces one or both, perhaps with
``{{ super() }}`` and more.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
from jinja2 import meta
from jinja2.sandbox import SandboxedEnvironment

from egregora_resources.errors import UserError

BUILTIN = "builtin/"


class PromptError(UserError):
    """An owner's prompt can't be read or filled in."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt, filled in."""

    system: str
    user: str


class Prompts:
    """The prompts of a site.

    Args:
        folder: the site's own, which needn't exist.
        replaced: task → text that is tried instead.
    """

    def __init__(self, folder: Path | None = None, replaced: Mapping[str, str] | None = None) -> None:
        package = jinja2.PackageLoader("egregora_resources.llm", "prompts")
        loaders: list[jinja2.BaseLoader] = [jinja2.PrefixLoader({BUILTIN.rstrip("/"): package})]
        if replaced:
            loaders.append(jinja2.DictLoader({f"{task}.jinja": text for task, text in replaced.items()}))
        if folder is not None:
            loaders.append(jinja2.FileSystemLoader(folder))
        self._folder = folder
        self._environment = SandboxedEnvironment(
            loader=jinja2.ChoiceLoader([*loaders, package]),
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            autoescape=False,  # the reader is a model, and text is fenced instead
        )

    def fill(self, task: str, **values: Any) -> Prompt:
        """The prompt of a task.

        Raises:
            PromptError: naming the file and the line.
        """
        boundary = f"boundary-{secrets.token_hex(16)}"
        try:
            text = self._environment.get_template(f"{task}.jinja").render(boundary=boundary, **values)
        except (jinja2.TemplateError, OSError, TypeError, ValueError, KeyError) as error:
            raise self._broken(task, error) from None
        system, met, user = text.partition(boundary)
        if not met:
            raise self._broken(
                task, ValueError(f'it must begin with {{% extends "{BUILTIN}{task}.jinja" %}}')
            )
        return Prompt(system.strip(), user.strip())

    def hash(self, task: str) -> str:
        """A hash of the text of a task's prompt and of every template that it extends or includes."""
        digest, waiting, seen = hashlib.sha256(), [f"{task}.jinja"], set[str]()
        loader = self._environment.loader
        assert loader is not None
        try:
            while waiting:
                name = waiting.pop()
                if name in seen:
                    continue
                seen.add(name)
                source = loader.get_source(self._environment, name)[0]
                digest.update(source.replace("\r\n", "\n").encode() + b"\0")
                found = meta.find_referenced_templates(self._environment.parse(source))
                waiting += sorted(other for other in found if other)
        except (jinja2.TemplateError, OSError, UnicodeDecodeError) as error:
            raise self._broken(task, error) from None
        return digest.hexdigest()[:20]

    def _broken(self, task: str, error: Exception) -> PromptError:
        where = f"{self._folder / f'{task}.jinja'}" if self._folder else f"{task}.jinja"
        line = f", line {error.lineno}" if isinstance(error, jinja2.TemplateSyntaxError) else ""
        what = re.sub(r"\s+", " ", str(error)).strip("'\" ") or type(error).__name__
        return PromptError(
            f"The prompt {where}{line} can't be used: {what}. Mend it, or remove it to use the built-in one.",
            f"The prompt prompts/{task}.jinja{line} can't be used; `egregora status` says what is wrong.",
        )


def fence(name: str, text: str) -> str:
    """Foreign text between marks that it can't contain: they are made from its own hash."""
    mark = f"{name}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"
    return f"<{mark}>\n{text}\n</{mark}>"


def one_line(text: str) -> str:
    """Text that can't pretend to be several lines, as those of a conversation."""
    return " ⏎ ".join(line.strip() for line in text.splitlines() if line.strip())
