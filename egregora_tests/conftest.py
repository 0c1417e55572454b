"""How tests that draw lots choose, and how what they chose is chosen again."""

from __future__ import annotations

import os
import random
import secrets

import pytest
from hypothesis import settings

# What `make test` says of a commit is the same on every machine and at every run; `make soak` looks for new examples.
settings.load_profile("ci")


@pytest.fixture
def chance() -> random.Random:
    """Another sequence at every run; pytest shows the seed when the test fails."""
    seed = os.environ.get("EGREGORA_SEED") or str(secrets.randbits(32))
    print(f"EGREGORA_SEED={seed} repeats what this test chose")  # noqa: T201
    return random.Random(seed)
