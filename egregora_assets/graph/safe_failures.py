"""What a run may say of an error: a stored event can't be rewritten, so words of the chat must not get into it."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

import dagster as dg

from egregora_resources.errors import describe


@contextmanager
def redacted_failures() -> Generator[None]:
    """Turns any error into a failure of the step that tells what happened without quoting anything."""
    try:
        yield
    except dg.Failure:
        raise
    except Exception as error:
        raise dg.Failure(describe(error), allow_retries=False) from None
