"""kill -9 at any moment of a run: the next one continues, and ends where an undisturbed one would have."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from egregora_assets.demo import demo_export
from egregora_tests.runs import REAL_CHAT, survive_kills


@pytest.mark.slow
def test_five_kills_of_the_demo_end_in_the_same_site(tmp_path: Path, chance: random.Random):
    # One in every fifth of the run, anywhere in it.
    survive_kills(tmp_path, demo_export(), [(n + chance.random()) / 5 for n in range(5)])


@pytest.mark.soak
@pytest.mark.skipif(not REAL_CHAT.exists(), reason=f"the real chat isn't at {REAL_CHAT}")
def test_twenty_kills_of_the_real_chat_end_in_the_same_site(tmp_path: Path, chance: random.Random):
    survive_kills(tmp_path, REAL_CHAT, [(n + chance.random()) / 20 for n in range(20)])
