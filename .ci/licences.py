"""Whether the licences of everything that an installed Egregora needs allow it to be published under Apache-2.0.

`make check` calls it. `python .ci/licences.py REQUIREMENT...` asks the same of a package before it becomes a
dependency. MPL and LGPL are fine, because dependencies are installed beside Egregora and never bundled with it.
"""

import re
import sys
import tomllib
from importlib.metadata import Distribution, distribution

from pins import ROOT, closure

ALLOWED = re.compile(
    r"\b(MIT|0?BSD|Apache|ISC|PSF|Python Software Foundation|MPL[- ]2|Mozilla Public License 2|Zlib|CC0|Unlicense|"
    r"LGPL|Lesser General Public License)",
    re.IGNORECASE,
)
REFUSED = re.compile(r"\b(A?GPL|SSPL|BUSL|(?<!Lesser )General Public License)", re.IGNORECASE)

KNOWN: dict[str, str] = {}
"""Packages whose metadata don't tell, or tell of a choice, by canonical name: the licence, and where it was read."""


def licences(package: Distribution) -> list[str]:
    """What a package's metadata say, one entry a licence; all of them have to be allowed."""
    metadata = package.metadata
    classified = [
        name.split(" :: ")[-1]
        for name in metadata.get_all("Classifier") or []
        if name.startswith("License :: ") and name.count("::") > 1
    ]
    said = metadata.get("License-Expression")
    if not said and not classified:
        said = (metadata.get("License") or "").partition("\n")[0]  # some put the whole text there
    return [part.strip(" ()") for part in re.split(r" AND | OR ", said)] if said else classified


def problem(name: str) -> str | None:
    """What is wrong with a package's licence; None if nothing is."""
    found = licences(distribution(name))
    if name in KNOWN:
        return None
    if any(REFUSED.search(licence) for licence in found):
        return f"{name}: {', '.join(found)}. It can't be a dependency of a project under Apache-2.0."
    if not found or not all(ALLOWED.search(licence) for licence in found):
        told = ", ".join(found) or "no licence in its metadata"
        return f"{name}: {told}. Read its licence, and list it with a reason in KNOWN of {__file__}."
    return None


def main() -> int:
    wanted = sys.argv[1:]
    if not wanted:
        wanted = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"][
            "dependencies"
        ]
    names = sorted(closure(wanted))
    problems = [line for line in map(problem, names) if line]
    print(*problems, f"{len(names)} packages, {len(problems)} licences to look at", sep="\n")  # noqa: T201
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
