"""How property-based tests choose their examples."""

from __future__ import annotations

from hypothesis import settings

# What `make test` says of a commit is the same on every machine and at every run; `make soak` looks for new examples.
settings.load_profile("ci")
