"""The commands and their options, and what the exit code says.

0: nothing failed. 1: a window failed, the rest is done. 2: something the owner must put right first, and
nothing was changed. 130: stopped with Ctrl-C.
"""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

import typer
from typer.core import TyperGroup

from egregora_assets.cli import people_commands, stop
from egregora_resources.errors import UserError

WRONG_INPUT = 2

_DISK_FULL = {errno.ENOSPC, errno.EDQUOT}
_OWNERS_TO_MEND = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, *_DISK_FULL}

DateOrder: TypeAlias = Literal["auto", "day-first", "month-first", "year-first"]


class _Commands(TyperGroup):
    """Runs a command, and turns what its user can put right into a sentence and an exit code."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except UserError as error:
            _complain(str(error))
            raise typer.Exit(WRONG_INPUT) from None
        except OSError as error:
            if error.errno not in _OWNERS_TO_MEND:
                raise
            advice = (
                "Make room, and run the same command again; what was finished is kept."
                if error.errno in _DISK_FULL
                else "Check where it is, and its rights."
            )
            _complain(f"{error.filename or 'A file'} can't be used: {error.strerror}. {advice}")
            raise typer.Exit(WRONG_INPUT) from None
        except KeyboardInterrupt:
            stop()


app = typer.Typer(
    name="egregora",
    cls=_Commands,
    help="Turns a WhatsApp group's export into a private blog. Try it: egregora demo",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Exports = Annotated[
    list[Path],
    typer.Argument(
        metavar="EXPORT", show_default=False, help="A chat's export: the zip, its text file, or a folder."
    ),
]
MoreExports = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="EXPORT",
        show_default=False,
        help="A chat's export: the zip, its text file, or a folder. Without one, the site's inbox is read.",
    ),
]
Site = Annotated[
    Path | None,
    typer.Option(
        metavar="FOLDER",
        show_default=False,
        help="The site. [default: this folder if it is one, else my-blog]",
    ),
]
Chat = Annotated[
    str | None, typer.Option(help="The chat to take when exports hold several.", show_default=False)
]
Order = Annotated[
    DateOrder | None, typer.Option(help="How the export's dates are printed.", show_default=False)
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"egregora {version('egregora')}")
        raise typer.Exit


@app.callback()
def egregora(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Turns a WhatsApp group's export into a private blog. Try it: egregora demo"""


@app.command()
def init(
    site: Annotated[Path, typer.Argument(metavar="SITE", help="The folder to make.", show_default=False)],
) -> None:
    """Make an empty site: its settings, and an inbox."""
    from egregora_assets.cli import sites

    sites.make(site)
    typer.echo(
        f"Made a site in {site}. Look through {site / 'egregora.toml'}, then: egregora write EXPORT --site {site}"
    )


@app.command()
def write(
    exports: MoreExports = None,
    site: Site = None,
    chat: Chat = None,
    date_order: Order = None,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Don't ask before text is sent, or much is written again.")
    ] = False,
    recut: Annotated[
        bool, typer.Option("--recut", help="Cut windows of messages or bytes anew over the whole chat.")
    ] = False,
    redo: Annotated[
        list[str] | None,
        typer.Option(
            metavar="STAGE",
            show_default=False,
            help="Make a stage of some windows anew, such as posts, and nothing else. Can be repeated.",
        ),
    ] = None,
    window: Annotated[
        list[str] | None,
        typer.Option(metavar="WINDOW", show_default=False, help="The window to make anew. Can be repeated."),
    ] = None,
) -> None:
    """Import exports, write what is new or changed, and build the blog."""
    from egregora_assets.cli import sites, write

    if redo or window:
        if exports or chat or date_order or recut or not (redo and window):
            raise UserError(
                "--redo STAGE and --window WINDOW belong together, and stand without an export: they make anew what was "
                "written, such as: egregora write --redo posts --window 2025-01-13"
            )
        raise typer.Exit(write.redo(sites.existing(site), redo, window, yes=yes))
    raise typer.Exit(
        write.write(sites.chosen(site), exports or [], chat=chat, date_order=date_order, yes=yes, recut=recut)
    )


@app.command(name="try")
def try_(
    window: Annotated[
        str, typer.Option(metavar="WINDOW", show_default=False, help="The window to write about.")
    ],
    model: Annotated[
        str | None,
        typer.Option(show_default=False, help='Another model than the settings name, or "offline".'),
    ] = None,
    prompt: Annotated[
        Path | None,
        typer.Option(metavar="FILE", show_default=False, help="Another prompt for posts than the site's."),
    ] = None,
    site: Site = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Don't ask before text is sent.")] = False,
) -> None:
    """Print what another model or prompt would write about a window. The site stays as it is."""
    from egregora_assets.cli import sites, write

    write.try_out(sites.existing(site), window, model=model, prompt=prompt, yes=yes)


@app.command()
def plan(site: Site = None, as_json: AsJson = False) -> None:
    """Say what the next write would do, and why, window by window."""
    from egregora_assets.cli import show, sites

    show.show_plan(sites.existing(site), as_json=as_json)


@app.command()
def status(site: Site = None, as_json: AsJson = False) -> None:
    """Show every window: its stages, its posts, and what went wrong."""
    from egregora_assets.cli import show, sites

    show.show_status(sites.existing(site), as_json=as_json)


@app.command()
def inspect(
    exports: Exports,
    chat: Chat = None,
    date_order: Order = None,
    jsonl: Annotated[bool, typer.Option("--jsonl", help="Print every message as a JSON object.")] = False,
) -> None:
    """Show what the importer understands of exports. Prints real names; writes nothing."""
    from egregora_assets.cli import show

    show.inspect(exports, chat=chat, date_order=date_order, jsonl=jsonl)


@app.command()
def demo(
    site: Annotated[Path, typer.Option(metavar="FOLDER", help="Where to make the blog.")] = Path("demo-blog"),
) -> None:
    """Write the blog of the bundled demo chat. Needs no key and no network."""
    from egregora_assets.cli import write

    raise typer.Exit(write.demo(site))


@app.command()
def serve(
    site: Site = None,
    port: Annotated[
        int | None,
        typer.Option(min=1, max=65535, help="[default: 8000, or the next that is free]", show_default=False),
    ] = None,
) -> None:
    """Look at the built blog in a browser; only this machine can."""
    from egregora_assets.cli import servers, sites

    servers.serve(sites.existing(site), port)


@app.command()
def dev(
    site: Site = None,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Of the Dagster UI.")] = 3000,
) -> None:
    """Open the Dagster UI on a site. Its daemon watches the inbox."""
    from egregora_assets.cli import servers, sites

    servers.dev(sites.existing(site), port)


app.add_typer(people_commands.people, name="people")
app.command()(people_commands.forget)


def _complain(text: str) -> None:
    typer.echo(text, err=True)
