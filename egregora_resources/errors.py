"""The root of the errors that are meant for the owner; each room derives its own from it."""

from __future__ import annotations


class UserError(Exception):
    """Something the owner can put right. The text is a full sentence for them: what, where, what to do."""
