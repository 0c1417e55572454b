"""What the owner tells the model in their own words: it names people by their pseudonyms, or nothing is sent."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from egregora_assets.pipeline.context import PipelineContext
from egregora_resources.errors import UserError
from egregora_resources.privacy.folded_text import Folded


class NamedInPrompt(UserError):
    """A prompt of the owner's holds what must not leave the machine."""


def check_prompts(context: PipelineContext, more: Iterable[Path] = ()) -> None:
    """Refuses prompts that name members or hold numbers and addresses.

    Args:
        more: files beside those of the site's ``prompts/``.

    Raises:
        NamedInPrompt: naming file and line.
    """
    if context.llm.name == "offline":
        return
    for path in [*sorted(context.folder.prompts.glob("*.jinja")), *more]:
        for number, line in enumerate(path.read_text("utf-8", "replace").splitlines(), 1):
            found = context.scrubber.find(Folded(line))
            if any(not finding.doubtful for finding in found):
                raise NamedInPrompt(
                    f"{path}, line {number}, names somebody or holds a number or an address, and the model would get "
                    "it as it stands; nothing was sent. Write the person's pseudonym (`egregora people` lists them), "
                    "or take it out."
                )
