"""`python -m egregora_assets.cli` is the `egregora` command."""

from __future__ import annotations

from egregora_assets.cli import main

main()
