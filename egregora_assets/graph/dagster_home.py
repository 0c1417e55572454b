"""The Dagster instance of one site, kept inside its `.egregora` folder.

The same configuration stands in `dagster.yaml` at the repository's root, where `.env` names the folder, so
that a plain `dagster dev` there, `egregora dev` and `egregora write` share the instance; a test holds the
two together.

The site's own `dagster.yaml` is the owner's: retention, run monitoring, limits, a Postgres storage. What Dagster needs
to find everything in the site's folder is added where it is missing, and nothing else is touched.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from shutil import copymode, rmtree
from typing import Any, cast

import yaml
from filelock import FileLock

from egregora_assets.graph.dagster_internals import STORAGES, instance_mistake
from egregora_resources.errors import UserError
from egregora_resources.site.folder import SiteFolder

_INTRODUCTION = """\
# One Dagster instance per site, inside the site's folder, so that copying the folder moves it.
# EGREGORA_DAGSTER is <site>/.egregora/dagster: set by `egregora dev` and `egregora write`, and by .env at
# the repository's root. Three sections rather than `storage:`, or Dagster keeps a database for each run.
"""
_IN_ONE = ("run_storage", "event_log_storage", "schedule_storage")
"""Sections that Dagster refuses beside `storage:`, which stands for all of them."""


def _in_folder(section: str) -> str:
    module, name = STORAGES[section]
    return f"{section}:\n  module: {module}\n  class: {name}\n  config:\n    base_dir: {{env: EGREGORA_DAGSTER}}\n"


SECTIONS: Mapping[str, str] = {
    **{section: _in_folder(section) for section in STORAGES},
    "telemetry": "telemetry:\n  enabled: false\n",
}
"""What has to stand in a site's dagster.yaml, in these words or the owner's."""
CONFIGURATION = _INTRODUCTION + "".join(SECTIONS.values())


class InstanceError(UserError):
    """The site's dagster.yaml can't be used; the text names the file and the key."""


def prepare(site: Path) -> dict[str, str]:
    """Makes the site's Dagster home; the environment variables that lead every process to it.

    Raises:
        InstanceError: its dagster.yaml is damaged, or lets no two processes share an instance.
    """
    folder = SiteFolder(site.resolve())
    home = folder.dagster
    lock = FileLock(home.with_suffix(".lock"))
    if not home.exists():
        folder.make_state()
        with lock:
            if not home.exists():
                _create(home)
    configuration = home / "dagster.yaml"
    if _missing(configuration):
        with lock:
            _complete(configuration)
    if mistake := instance_mistake(home):
        raise InstanceError(f"{configuration} can't be used: {mistake}")
    return {"DAGSTER_HOME": str(home), "EGREGORA_DAGSTER": str(home), "EGREGORA_SITE": str(folder.root)}


def _missing(configuration: Path) -> list[str]:
    """Sections of ours that are in the file in neither form."""
    known = _read(configuration)
    if "storage" in known and (both := [section for section in _IN_ONE if section in known]):
        raise InstanceError(
            f"{configuration} has storage: beside {both[0]}:, which Dagster refuses. Remove storage:, or remove "
            f"{', '.join(f'{section}:' for section in _IN_ONE)}."
        )
    for section in _IN_ONE:
        if "InMemory" in str(known.get(section)):
            raise InstanceError(
                f"{configuration}: {section}: is in memory, where no other process finds it. The UI, its daemon and "
                f"`egregora write` share one instance: remove {section}:, or name a storage that lasts."
            )
    given = {*known, *(_IN_ONE if "storage" in known else ())}
    return [section for section in SECTIONS if section not in given]


def _complete(configuration: Path) -> None:
    """Adds what is missing at the end of the file; everything else, comments too, stays as it is."""
    missing, known = _missing(configuration), _read(configuration)
    if not missing:
        return
    text = configuration.read_text(encoding="utf-8") if configuration.exists() else ""
    added = "".join(SECTIONS[section] for section in missing)
    if text:
        text = (
            text.rstrip("\n")
            + "\n\n# Added by Egregora, which needs these; change them as you like.\n"
            + added
        )
    else:
        text = _INTRODUCTION + added
    target = configuration.resolve()  # a link of the owner's stays one
    new = target.with_name(f"{target.name}.new")
    try:
        new.touch()
        if target.exists():
            copymode(target, new)  # before the text, which may hold a password
        new.write_text(text, encoding="utf-8")
        whole = {**known, **yaml.safe_load(added)} == _read(new)
    except (InstanceError, OSError):
        whole = False
    if not whole:
        new.unlink(missing_ok=True)
        raise InstanceError(
            f"{configuration} lacks {', '.join(f'{section}:' for section in missing)}, and nothing can be added at "
            f"its end. Add these lines:\n{added}"
        )
    new.replace(target)


def _read(configuration: Path) -> Mapping[str, Any]:
    try:
        known: object = yaml.safe_load(configuration.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except yaml.MarkedYAMLError as error:
        where = f" in line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise InstanceError(
            f"{configuration} is not valid YAML: {error.problem}{where}. Put it right, or remove the file: then "
            "Egregora writes its own."
        ) from None
    except (yaml.YAMLError, UnicodeDecodeError):
        raise InstanceError(
            f"{configuration} is not YAML text in UTF-8. Put it right, or remove the file: then Egregora writes its own."
        ) from None
    except OSError as error:
        raise InstanceError(f"{configuration} can't be read: {error.strerror}.") from None
    if not isinstance(known, dict | None):
        raise InstanceError(
            f"{configuration} holds no sections. Each stands at the start of a line, such as `telemetry:`."
        )
    return cast(dict[str, Any], known or {})


def _create(home: Path) -> None:
    """Makes the instance's databases beside `home` and moves them there whole.

    Dagster stamps a database as complete after making its tables. Killed in between, it would take the database for
    one of an old version ever after ("Run `dagster instance migrate`").
    """
    from dagster import DagsterInstance

    new = home.with_suffix(".new")
    rmtree(new, ignore_errors=True)
    new.mkdir()
    (new / "dagster.yaml").write_text(CONFIGURATION, encoding="utf-8")
    before = os.environ.get("EGREGORA_DAGSTER")
    os.environ["EGREGORA_DAGSTER"] = str(new)
    try:
        DagsterInstance.from_config(str(new)).dispose()
    finally:
        del os.environ["EGREGORA_DAGSTER"]
        if before is not None:
            os.environ["EGREGORA_DAGSTER"] = before
    new.rename(home)
