"""What the owner is asked before anything is changed, sent or paid for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from egregora_assets.commands.lost_warehouse import HOW_TO_GO_ON, loss
from egregora_assets.pipeline.plan import Plan
from egregora_assets.windowing.layout import MANY_WINDOWS, relayout
from egregora_resources.errors import UserError
from egregora_resources.llm import gemini
from egregora_resources.llm.pricing import dollars
from egregora_resources.llm.providers import wanted_provider
from egregora_resources.site.inbox import inbox_files
from egregora_resources.site.settings import Settings
from egregora_resources.site.site import Site
from egregora_resources.warehouse.database import WarehouseLost


class NotConfirmed(UserError):
    """The owner was asked and said no, or there was nobody to ask."""


def ask_about_loss(
    site: Site, exports: Sequence[Path], yes: bool, confirm: Callable[[str], bool] | None
) -> None:
    """Asks whether a site whose warehouse is gone is begun anew from these exports and the inbox.

    Raises:
        WarehouseLost: there is nothing to begin with, whatever the owner says.
        NotConfirmed: they don't agree, or there is nobody to ask; nothing was changed.
    """
    told = loss(site.folder, exports)
    if not exports and not inbox_files(site.folder.inbox):
        raise WarehouseLost(f"{told} {HOW_TO_GO_ON}")
    if not yes:
        _ask(
            f"{told} This begins anew with what can be imported.",
            confirm,
            instead="put the file back from a copy of the site's folder, or add --yes to begin anew",
        )


def ask_about_layout(site: Site, recut: bool, yes: bool, confirm: Callable[[str], bool] | None) -> bool:
    """Whether the layout changes."""
    change = relayout(site, recut=recut, dry_run=True)
    if change and change.large and not yes:
        _ask(str(change), confirm)
    return change is not None


def ask_about_settings(plan: Plan, yes: bool, confirm: Callable[[str], bool] | None) -> None:
    touched = list(
        dict.fromkeys(
            row.window
            for row in plan.rows
            if "settings changed" in row.reason or "model changed" in row.reason
        )
    )
    if len(touched) > MANY_WINDOWS and not yes:
        _ask(
            f"Settings changed that {len(touched)} windows were written with; these would be written again.",
            confirm,
        )


def ask_to_send(site: Site, plan: Plan, yes: bool, confirm: Callable[[str], bool] | None) -> None:
    """Tells the owner, once for a site and service, what leaves the machine, to whom, and what it will cost.

    Raises:
        NotConfirmed: they don't agree, or there is nobody to ask; nothing was sent.
    """
    model = site.settings.model
    if wanted_provider(site) == "offline" or not plan.stale or gemini.agreed(model, site.folder):
        return
    if not yes:
        _ask(
            _what_leaves(site.settings, plan),
            confirm,
            instead=f"agree with --yes, or with [model] send_without_asking = true in {site.folder.settings}; or have it "
            'written on this machine, with provider = "offline" there',
            outcome=f'nothing was sent. With [model] provider = "offline" in {site.folder.settings} it is written on this '
            "machine",
        )
    gemini.agree(model, site.folder)


def _what_leaves(settings: Settings, plan: Plan) -> str:
    """What is sent, to whom, and at what price."""
    model, windows = settings.model, len(plan.stale)
    seen = (
        "Addresses of shared links are sent, too, to be read there, and pictures, films and voice messages with all "
        "that is seen and heard in them; other files are not. "
        if settings.pipeline.enrichment.enabled
        else ""
    )
    limits = [
        f"{dollars(usd)} a {what} ([model] budget_usd_per_{what})"
        for usd, what in ((model.budget_usd_per_run, "run"), (model.budget_usd_per_month, "month"))
        if usd
    ]
    return (
        f"{windows:,} window{' is' if windows == 1 else 's are'} to be written by a model. For this the chat's text is "
        f"sent to {gemini.service(model)}, with pseudonyms for names, and without the numbers and addresses that "
        f"[privacy] takes out. {seen}What the service does with it is a matter of your contract with it. "
        + (f"{plan.cost.sentence()} " if plan.cost else "")
        + (
            f"It stops before it costs more than {' or '.join(limits)}. "
            if limits
            else "There is no budget. "
        )
        + "".join(f"{warning} " for warning in plan.warnings)
        + "You are asked once for this site."
    )


def _ask(
    text: str,
    confirm: Callable[[str], bool] | None,
    *,
    instead: str = "add --yes to go ahead, or undo the change",
    outcome: str = "nothing was changed",
) -> None:
    if confirm is None:
        raise NotConfirmed(f"{text} There is no terminal to ask at: {instead}.")
    if not confirm(f"{text} Go ahead?"):
        raise NotConfirmed(f"{text} Not done, as you wished; {outcome}.")
