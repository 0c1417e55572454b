"""What readers of documents raise."""

from __future__ import annotations


class Unreadable(Exception):
    """A document is too long, damaged, locked, or not what its name says: what it holds can't be told."""
