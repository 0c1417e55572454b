"""Declares `egregora people …` and `egregora forget`; what they do is in `people.py`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, TypeAlias

import typer

Level: TypeAlias = Literal["strict", "standard", "open"]
Site = Annotated[
    Path | None,
    typer.Option(
        metavar="FOLDER",
        show_default=False,
        help="The site. [default: this folder if it is one, else my-blog]",
    ),
]
Person = Annotated[
    str,
    typer.Argument(metavar="PERSON", show_default=False, help="A pseudonym, a printed name or a number."),
]
Text = Annotated[str | None, typer.Option(show_default=False)]

people = typer.Typer(
    help="List who is who, by real names; join, change or opt people out.",
    rich_markup_mode=None,
    add_completion=False,
)


@people.callback(invoke_without_command=True)
def listing(
    context: typer.Context,
    site: Site = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
) -> None:
    """List who is who, by real names; join, change or opt people out."""
    context.obj = site
    if context.invoked_subcommand is None:
        from egregora_assets.cli import people as work

        work.show(_site(context, None), as_json=as_json)


@people.command()
def merge(context: typer.Context, one: Person, other: Person, site: Site = None) -> None:
    """Make one person of two."""
    from egregora_assets.cli import people as work

    work.merge(_site(context, site), one, other)


@people.command(name="set")
def set_(
    context: typer.Context,
    person: Person,
    site: Site = None,
    alias: Text = None,
    bio: Text = None,
    interests: Text = None,
    website: Text = None,
    twitter: Text = None,
    level: Annotated[Level | None, typer.Option(help="What pages show of them.", show_default=False)] = None,
) -> None:
    """Set what pages show of somebody, whatever they said in the chat."""
    from egregora_assets.cli import people as work

    work.change(
        _site(context, site),
        person,
        alias=alias,
        bio=bio,
        interests=interests,
        website=website,
        twitter=twitter,
        level=level,
    )


@people.command()
def clear(context: typer.Context, person: Person, site: Site = None) -> None:
    """Take back what you set for somebody."""
    from egregora_assets.cli import people as work

    work.clear(_site(context, site), person)


@people.command()
def opt_out(context: typer.Context, person: Person, site: Site = None) -> None:
    """Use and show nothing that somebody ever wrote; their pages go at once."""
    from egregora_assets.cli import people as work

    work.opt(_site(context, site), person, opted_out=True)


@people.command()
def opt_in(context: typer.Context, person: Person, site: Site = None) -> None:
    """Take your opt-out of somebody back."""
    from egregora_assets.cli import people as work

    work.opt(_site(context, site), person, opted_out=False)


def forget(
    person: Person,
    site: Site = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")] = False,
) -> None:
    """Remove somebody for good, and whatever was made of their words."""
    from egregora_assets.cli import people as work
    from egregora_assets.cli import sites

    work.forget(sites.existing(site), person, yes=yes)


def _site(context: typer.Context, site: Path | None) -> Path:
    from egregora_assets.cli import sites

    return sites.existing(site or context.obj)
