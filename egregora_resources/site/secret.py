"""The secret that a site's pseudonyms were made with, and nothing else in its place."""

from __future__ import annotations

from pathlib import Path

import duckdb

from egregora_resources.errors import UserError
from egregora_resources.privacy.pseudonyms import SECRET_FILE, Pseudonyms, load_secret, secret_check
from egregora_resources.warehouse.facts import fact, put_fact


class SecretChanged(UserError):
    """The site's secret is not the one its pseudonyms were made with."""


def site_pseudonyms(connection: duckdb.DuckDBPyConnection, state: Path) -> Pseudonyms:
    """The site's pseudonyms; its secret is made on first use.

    Args:
        connection: of the warehouse, where it is remembered which secret was used.
        state: the site's ``.egregora`` folder.

    Raises:
        SecretChanged: the secret is gone, or another one stands in its place. A lost one is never replaced.
    """
    known = fact(connection, "secret")
    if known and not (state / SECRET_FILE).exists():
        raise SecretChanged(
            f"The secret key {state / SECRET_FILE} is gone, with which this site's pseudonyms were made. "
            "Put it back (from a copy of the site's folder); with another key everybody would get a new name."
        )
    secret = load_secret(state)
    check = secret_check(secret)
    if known and known != check:
        raise SecretChanged(
            f"The secret key {state / SECRET_FILE} is not the one that this site's pseudonyms were made with. "
            "Put the old key back (from a copy of the site's folder); with another key everybody would get a new name."
        )
    if not known:
        put_fact(connection, "secret", check)
    return Pseudonyms(secret)


def check_secret(connection: duckdb.DuckDBPyConnection, state: Path) -> None:
    """Looks whether the secret is still there, also when nobody new needs a pseudonym: a loss is best noticed early.

    Raises:
        SecretChanged: as `site_pseudonyms` does.
    """
    if fact(connection, "secret"):
        site_pseudonyms(connection, state)
