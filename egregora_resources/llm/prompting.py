"""The prompts: Jinja templates of the package, each of which a file of the same name in the site's ``prompts/`` replaces.

A template has two blocks. ``system`` is the constant beginning, so that the service's own cache serves it; ``user``
is what differs from call to call. An owner's file may replace both, or extend ``builtin/posts.jinja`` and replace one.
"""

from __future__ import annotations

import hashlib
import re
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
        try:
            template = self._environment.get_template(f"{task}.jinja")
            blocks = self._blocks(template)
            context = template.new_context(values)
            filled = {name: "".join(blocks[name](context)).strip() for name in ("system", "user")}
        except (jinja2.TemplateError, OSError, TypeError, ValueError, KeyError, UnicodeDecodeError) as error:
            raise self._broken(task, error) from None
        return Prompt(**filled)

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

    def _blocks(self, template: jinja2.Template) -> dict[str, Any]:
        """Blocks of a template, those that it inherits included."""
        blocks = dict(template.blocks)
        loader, name = self._environment.loader, template.name or ""
        assert loader is not None
        parents = meta.find_referenced_templates(
            self._environment.parse(loader.get_source(self._environment, name)[0])
        )
        for parent in filter(None, parents):
            if parent != name:
                for key, block in self._blocks(self._environment.get_template(parent)).items():
                    blocks.setdefault(key, block)
        missing = [name for name in ("system", "user") if name not in blocks]
        if missing:
            raise ValueError(f"there is no {{% block {missing[0]} %}}")
        return blocks

    def _broken(self, task: str, error: Exception) -> PromptError:
        where = f"{self._folder / f'{task}.jinja'}" if self._folder else f"{task}.jinja"
        line = f", line {error.lineno}" if isinstance(error, jinja2.TemplateSyntaxError) else ""
        what = re.sub(r"\s+", " ", str(error)).strip("'\" ") or type(error).__name__
        return PromptError(
            f"The prompt {where}{line} can't be used: {what}. Mend it, or remove it to use the built-in one."
        )


def fence(name: str, text: str) -> str:
    """Foreign text between marks that it can't contain: they are made from its own hash."""
    mark = f"{name}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"
    return f"<{mark}>\n{text}\n</{mark}>"


def one_line(text: str) -> str:
    """Text that can't pretend to be several lines, as those of a conversation."""
    return " ⏎ ".join(line.strip() for line in text.splitlines() if line.strip())
