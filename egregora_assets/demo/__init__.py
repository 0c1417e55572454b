"""The demo chat that comes with the package: one group, nine invented weeks, two exports.

Six neighbours have eight weeks to turn an old waterworks tower into an observatory. The people, the
village and the tower are fiction, and so are the numbers and addresses; the sky above them was real.

The two zips are what WhatsApp would have written on two dates. The later one has a week more, and two
messages of the first have changed since: one was edited, one deleted. `chat.txt` is their source, and
`python -m demo_chat.build` writes them again. Nothing here reads an export: that is the
importer's work, and the demo goes through the same door as anybody's chat.
"""

from importlib.resources import files
from pathlib import Path

CHAT_NAME = "The Pepperpot Observatory"
EXPORT_NAME = f"WhatsApp Chat with {CHAT_NAME}"


def demo_export() -> Path:
    """The first export: eight weeks, 6 January to 2 March 2025, with their pictures."""
    return _bundled("first")


def later_demo_export() -> Path:
    """The same chat exported a week later, on 9 March 2025, with one edit and one deletion."""
    return _bundled("later")


def _bundled(folder: str) -> Path:
    # Packages are installed as plain files (setuptools), so a resource is a path.
    return Path(str(files(__name__) / folder / f"{EXPORT_NAME}.zip"))
