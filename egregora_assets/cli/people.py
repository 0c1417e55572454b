"""`people` and `forget`: who is who, on the owner's terminal only, and what the owner decides about somebody."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from egregora_assets.cli.terminal import command, out, printable, watched
from egregora_resources.errors import UserError

if TYPE_CHECKING:
    from egregora_assets.pipeline.context import PipelineContext
    from egregora_resources.people import Member
    from egregora_resources.progress import Progress

_SET = ("alias", "bio", "interests", "website", "twitter", "level")


def show(site: Path, *, as_json: bool) -> None:
    """Lists everybody: pseudonym, printed names, how much they wrote and when, and what was decided."""
    context = _context(site)
    rows = [_row(context, member, *wrote) for member, *wrote in _counted(context)]
    if as_json:
        sys.stdout.write(json.dumps(rows, ensure_ascii=False, indent=2) + "\n")
        return
    console = out()
    if not rows:
        console.print("Nobody is known yet: egregora write EXPORT")
        return
    console.soft_wrap = False
    from rich.table import Table
    from rich.text import Text

    from egregora_resources.privacy.pseudonyms import display_name

    table = Table(box=None, pad_edge=False)
    table.add_column("pseudonym", no_wrap=True)
    for heading in ("printed as", "shown as"):
        table.add_column(heading, overflow="fold")
    table.add_column("messages", justify="right")
    for heading in ("first", "last", "level", ""):
        table.add_column(heading, no_wrap=True)
    for row in rows:
        cells = [
            row["pseudonym"],
            "\n".join(row["printed"]),
            "" if row["shown_as"] == display_name(row["pseudonym"]) else row["shown_as"],
            f"{row['messages']:,}",
            (row["first"] or "")[:10],
            (row["last"] or "")[:10],
            row["level"],
            "opted out" if row["opted_out"] else "",
        ]
        table.add_row(*(Text(printable(cell)) for cell in cells))
    console.print(table)


def _counted(context: PipelineContext) -> list[tuple[Any, ...]]:
    """Member, number of messages, first and last; who wrote most comes first."""
    from egregora_resources.warehouse.raw_measures import Activity, activity

    counts, silent = activity(context.storage), Activity(0, None, None)
    everybody = [(member, *counts.get(member.author_id, silent)) for member in context.people.members]
    return sorted(everybody, key=lambda row: (-row[1], row[0].token))


def _row(context: PipelineContext, member: Member, messages: int, first: Any, last: Any) -> dict[str, Any]:
    from egregora_assets.leak_check.names_on_pages import shown_name

    return {
        "pseudonym": member.token,
        "printed": list(member.names),
        "shown_as": shown_name(member, context.people, context.config),
        "alias": member.alias,
        "messages": messages,
        "first": first.isoformat() if first else None,
        "last": last.isoformat() if last else None,
        "opted_out": member.opted_out,
        "level": member.level,
    }


def merge(site: Path, one: str, other: str) -> None:
    """Makes one person of two."""
    with _changing(site) as (context, _):
        first, second = context.people.find(one), context.people.find(other)
        if first.author_id == second.author_id:
            raise UserError(f"{first.token} and {second.token} are one person already; nothing was changed.")
        for member in (first, second):
            if member.token in context.config.privacy.authors:
                raise UserError(
                    f"{context.folder.settings} has a section [privacy.authors.{member.token}], and one of the two "
                    "pseudonyms is given up. Take it out, merge them, and set it for the one that is kept."
                )
        from egregora_resources.chat_log import join_persons
        from egregora_resources.people import obey_commands

        with context.storage.transaction() as connection:
            pseudonyms = context.site.pseudonyms(connection)
            same = [[*first.names, *second.names]]
            join_persons(connection, pseudonyms=pseudonyms, same=same)
            obey_commands(connection)
    kept = _context(site).people.by_name[first.names[0]].token
    out().print(f"{first.token} and {second.token} are one person now: {kept}.")


def change(site: Path, person: str, **decided: str | None) -> None:
    """Sets what the owner decides for somebody."""
    wanted = {what: value for what, value in decided.items() if value is not None}
    if not wanted:
        raise UserError(f"Say what to set: {', '.join('--' + what for what in _SET)}.")
    from egregora_resources.privacy.commands import parse_command

    for what, value in wanted.items():
        said = parse_command(f"/egregora set {what} {value}") if what != "level" else None
        if said and said.error:
            raise UserError(f"--{what}: {said.error}")
    with _changing(site) as (context, decide):
        member = context.people.find(person)
        decide(member, wanted)
    out().print(f"Set for {member.token}: {', '.join(wanted)}.")


def clear(site: Path, person: str) -> None:
    """Takes back what the owner decided for somebody, but for an opt-out."""
    with _changing(site) as (context, decide):
        member = context.people.find(person)
        decide(member, dict.fromkeys(_SET))
    out().print(f"Cleared for {member.token}: what they set in the chat holds again.")


def opt(site: Path, person: str, *, opted_out: bool) -> None:
    """Opts somebody out, or takes the owner's opt-out back."""
    with _changing(site) as (context, decide):
        member = context.people.find(person)
        if not opted_out and _opted_out_themselves(context, member):
            raise UserError(
                f"{member.token} opted out in the chat or in the settings; only `/egregora opt-in` of theirs in the "
                "chat, or taking it out of the settings, brings them back."
            )
        decide(member, {"opted_out": True if opted_out else None})
    out().print(f"{member.token} is {'out' if opted_out else 'in'}.")


def _opted_out_themselves(context: PipelineContext, member: Member) -> bool:
    from egregora_resources.warehouse.people import chat_opt_outs

    override = context.config.privacy.authors.get(member.token)
    return member.author_id in chat_opt_outs(context.storage) or (override is not None and override.opted_out)


def forget(site: Path, person: str, *, yes: bool) -> None:
    """Removes everything of somebody for good, and says what is left to do."""
    from egregora_assets.erasure import forget, unfinished
    from egregora_resources.people import UnknownPerson

    context = _context(site)
    try:
        member = context.people.find(person)
    except UnknownPerson:
        if not forget.was_forgotten(context.site, person):
            raise
        with _writing(context) as progress:
            unfinished.resume(context.site, progress)
        out().print("They were forgotten before; nothing of them is stored.")
        return
    if not yes:
        _confirm(member)
    with _writing(context) as progress:
        report = forget.forget_author(context.site, member, progress=progress)
    console = out()
    console.print(f"{member.token} is forgotten. Removed:")
    for what, count in report.removed.items():
        if count:
            console.print(f"  {count:,} {what}")
    if report.withdrawal.problem:
        console.print(report.withdrawal.problem)
    if report.zips:
        console.print("These exports still hold them. They are yours to delete, wherever they are:")
        for path in report.zips:
            console.print(printable(f"  {path}"))
    if report.named_in_settings:
        console.print(f"{context.folder.settings} names them in [people] same: take that line out.")
    console.print(f"{_windows(report.windows)} will be written again by: {command()} write --site {site}")


def _confirm(member: Member) -> None:
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UserError("There is no terminal to ask at: add --yes to forget somebody for good.")
    from rich.prompt import Confirm

    if not Confirm.ask(
        printable(f"Forget {member.token} ({', '.join(member.names)}) for good? It can't be undone."),
        default=False,
    ):
        raise UserError("Nothing was changed.")


def _context(site: Path) -> PipelineContext:
    from egregora_assets.pipeline.context import PipelineContext
    from egregora_resources.site.site import Site

    return PipelineContext.of(Site.look_at(site.resolve()))


@contextmanager
def _writing(context: PipelineContext) -> Generator[Progress]:
    """Holds the site's lock as the one writer."""
    with watched() as progress, context.site.writing(progress):
        yield progress


@contextmanager
def _changing(
    site: Path,
) -> Generator[tuple[PipelineContext, Callable[[Member, dict[str, Any]], None]]]:
    """A change of what is known of people: afterwards says what it makes stale, and withdraws what has to go."""
    from egregora_assets.erasure.withdrawal import withdraw
    from egregora_assets.windowing.layout import lay_out_again
    from egregora_resources.people import decide

    context = _context(site)
    with _writing(context) as progress:

        def note(member: Member, wanted: dict[str, Any]) -> None:
            with context.storage.transaction() as connection:
                decide(connection, member.author_id, **wanted)

        yield context, note
        with context.storage.transaction() as connection:
            changed = lay_out_again(connection, context.config).changed
        withdrawn = withdraw(context)
        if withdrawn:
            progress.say(withdrawn.sentence())
    again = {*changed, *withdrawn.windows}
    console = out()
    if again:
        console.print(
            f"{_windows(len(again))} will be recomputed by the next `{command()} write --site {site}`."
        )
    else:
        console.print(
            f"Pages change with the next `{command()} write --site {site}`; nothing is written anew."
        )


def _windows(count: int) -> str:
    return "1 window" if count == 1 else f"{count:,} windows"
