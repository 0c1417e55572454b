"""SVG from outside: kept if all it can do is draw, otherwise replaced by a plain drawing."""

from __future__ import annotations

import hashlib
import re
from xml.etree import ElementTree

_NAMESPACE = "http://www.w3.org/2000/svg"
_XLINK = "{http://www.w3.org/1999/xlink}href"
_ELEMENTS = frozenset(
    [
        "svg",
        "g",
        "defs",
        "title",
        "desc",
        "path",
        "rect",
        "circle",
        "ellipse",
        "line",
        "polyline",
        "polygon",
        "text",
        "tspan",
        "linearGradient",
        "radialGradient",
        "stop",
        "clipPath",
        "mask",
        "pattern",
        "symbol",
        "use",
        "marker",
        "filter",
        "feGaussianBlur",
        "feOffset",
        "feBlend",
        "feMerge",
        "feMergeNode",
        "feColorMatrix",
        "feTurbulence",
        "feFlood",
        "feComposite",
        "feComponentTransfer",
        "feFuncR",
        "feFuncG",
        "feFuncB",
        "feFuncA",
        "feDropShadow",
        "style",
    ]
)
_FOREIGN_URL = re.compile(r"url\(\s*[\"']?\s*(?!#)", re.IGNORECASE)
_ACTIVE_TEXT = re.compile(r"javascript:|data:|@import|expression\(|https?:|//|\\", re.IGNORECASE)
_MAX_BYTES = 400_000

ElementTree.register_namespace("", _NAMESPACE)


def safe_svg(text: str) -> str | None:
    """`text` serialized again as SVG, or None if it holds anything but drawing.

    Scripts, event handlers, foreign objects, animations, entities and references out of the file are refused rather
    than repaired: a banner that tries is not worth showing in part.
    """
    if len(text) > _MAX_BYTES or "<!DOCTYPE" in text.upper() or "<!ENTITY" in text.upper():
        return None
    try:
        root = ElementTree.fromstring(text.strip())
    except (ElementTree.ParseError, ValueError, RecursionError):
        return None
    if root.tag != f"{{{_NAMESPACE}}}svg":
        return None
    for element in root.iter():
        if not _is_drawing(element):
            return None
    try:
        return ElementTree.tostring(root, encoding="unicode") + "\n"
    except (RecursionError, ValueError):
        return None


def plain_svg(seed: str, title: str = "") -> str:
    """A plain banner whose colours follow from `seed`, for where one was refused."""
    digest = hashlib.sha256(seed.encode("utf-8", "surrogatepass")).digest()
    hue, turn = digest[0] * 360 // 256, 200 + digest[1]
    return (
        f'<svg xmlns="{_NAMESPACE}" viewBox="0 0 1200 630" role="img" aria-hidden="true">'
        f'<rect width="1200" height="630" fill="hsl({hue} 32% 42%)"/>'
        f'<circle cx="{turn + 560}" cy="120" r="420" fill="hsl({(hue + 40) % 360} 38% 52%)"/>'
        f'<circle cx="{turn}" cy="640" r="300" fill="hsl({(hue + 320) % 360} 34% 34%)"/></svg>\n'
    )


def _is_drawing(element: ElementTree.Element) -> bool:
    namespace, _, name = element.tag.rpartition("}")
    if namespace != "{" + _NAMESPACE or name not in _ELEMENTS:
        return False
    if name == "style" and (
        _ACTIVE_TEXT.search(element.text or "") or _FOREIGN_URL.search(element.text or "")
    ):
        return False
    return all(_is_harmless(key, value) for key, value in element.attrib.items())


def _is_harmless(key: str, value: str) -> bool:
    if key in ("href", _XLINK):
        return value.startswith("#")
    if key.startswith("{") and not key.startswith("{http://www.w3.org/XML/1998/namespace}"):
        return False
    if key.lower().startswith("on") or _FOREIGN_URL.search(value):
        return False
    return not _ACTIVE_TEXT.search(value)
