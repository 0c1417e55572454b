"""Writes requirements.txt and requirements-dev.txt: everything that pyproject.toml leads to, exactly as it is
installed in the environment that runs this. `make pins` calls it after a change of pyproject.toml.
"""

import tomllib
from importlib.metadata import distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
BUILD = "setuptools"


def closure(requirements: list[str]) -> dict[str, str]:
    """Pins of these requirements and of all that they need here, by canonical name."""
    pins: dict[str, str] = {}
    seen: set[tuple[str, str]] = set()
    waiting = [Requirement(text) for text in requirements]
    while waiting:
        wanted = waiting.pop()
        found = distribution(wanted.name)
        pins[canonicalize_name(wanted.name)] = f"{found.metadata['Name']}=={found.version}"
        for extra in {"", *wanted.extras}:
            if (wanted.name, extra) in seen:
                continue
            seen.add((wanted.name, extra))
            for text in found.requires or []:
                needed = Requirement(text)
                if needed.marker is None or needed.marker.evaluate({"extra": extra}):
                    waiting.append(needed)
    return pins


def main() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    run = closure([*project["dependencies"], BUILD])
    dev = closure(project["optional-dependencies"]["dev"])
    head = "# Written by `make pins`: exactly what is tested. The ranges are in pyproject.toml.\n"
    lines = sorted(run.values(), key=str.lower)
    (ROOT / "requirements.txt").write_text(head + "\n".join(lines) + "\n", encoding="utf-8")
    more = sorted((pin for name, pin in dev.items() if name not in run), key=str.lower)
    text = head + "-r requirements.txt\n" + "\n".join(more) + "\n"
    (ROOT / "requirements-dev.txt").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
