"""The generated MkDocs configuration: complete, so that an owner has nothing to edit.

Pages are files ``<name>/index.html`` and links name them in full (``use_directory_urls: false``): the site works when
``site/index.html`` is opened from disk, and a server shows the same page at the shorter ``posts/<slug>/``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from egregora_resources.publishing.content import Site
from egregora_resources.publishing.locale import Strings
from egregora_resources.publishing.plain_text import one_line

THEME = Path(__file__).parent / "theme"


def mkdocs_configuration(site: Site, words: Strings) -> dict[str, Any]:
    """The content of ``.egregora/mkdocs.yml``. Paths are relative to that folder, except the theme's."""
    return {
        "site_name": one_line(site.title, 120) or "Egregora",
        "site_description": one_line(site.description, 300),
        "docs_dir": "../docs",
        "site_dir": "../site",
        "use_directory_urls": False,
        "strict": True,
        "theme": {
            "name": "material",
            "custom_dir": str(THEME),
            "language": words.language,
            "font": False,
            "favicon": "assets/egregora/favicon.svg",
            "features": [],
            "palette": [
                _palette("light", "default", "material/weather-night", words["dark"]),
                _palette("dark", "slate", "material/weather-sunny", words["light"]),
            ],
        },
        "extra_css": ["assets/egregora/egregora.css"],
        "extra": {
            "generator": False,
            # The name keeps the offline plugin from adding its own, which is loaded from another host.
            "polyfills": ["assets/egregora/iframe-worker.js"],
            "words": dict(words.words),
        },
        "plugins": [{"search": {}}, {"offline": {}}],
        "markdown_extensions": [
            {"egregora_resources.publishing.safe_markdown": {"notice": words["unrenderable"]}}
        ],
        "nav": [
            {words["home"]: "index.md"},
            {words["people"]: "people/index.md"},
            {words["topics"]: "topics/index.md"},
            {words["archive"]: "archive/index.md"},
            {words["about"]: "about/index.md"},
        ],
        # A link that a model made up must not cost the site; ours are checked by the tests.
        "validation": {
            "nav": {"omitted_files": "ignore"},
            "links": {"not_found": "info", "absolute_links": "info", "unrecognized_links": "info"},
        },
    }


def _palette(media: str, scheme: str, icon: str, switch: str) -> dict[str, Any]:
    return {
        "media": f"(prefers-color-scheme: {media})",
        "scheme": scheme,
        "primary": "custom",
        "accent": "custom",
        "toggle": {"icon": icon, "name": switch},
    }
