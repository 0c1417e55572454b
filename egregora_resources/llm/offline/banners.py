"""Generated banners: abstract vector pictures, one and the same for the same post.

Several families of pictures over a set of palettes, all drawn from a seed made of the post's id. No text, no
script, nothing loaded from elsewhere; a few kilobytes each.
"""

from __future__ import annotations

import colorsys
import hashlib
import math
from collections.abc import Callable, Sequence
from random import Random

from egregora_resources.llm.tasks import Banner, BannerInput

WIDTH, HEIGHT = 1600, 900

# Background top, background bottom, then four inks from far to near and an accent.
PALETTES = (
    ("#fbe8d3", "#f5c9a4", "#e99f78", "#c8665b", "#7d3c52", "#3a2440", "#fff6e5"),
    ("#d9eef2", "#a9d3dd", "#6fb1c4", "#3c829f", "#235a78", "#12344d", "#ffd9a0"),
    ("#f3efe0", "#dfe2c0", "#b2c08c", "#7d9a69", "#4a6f54", "#25453d", "#f2b950"),
    ("#23243f", "#3d3461", "#6a4c86", "#a5649a", "#dd8b9b", "#f6c2a7", "#fff1cf"),
    ("#0f2233", "#173a4f", "#215a6d", "#2f8288", "#66b3a0", "#b9dcb4", "#ffe8a3"),
    ("#f9e3e0", "#f0bfc0", "#dc8d9b", "#b25f7f", "#73406b", "#3a2750", "#ffe9b8"),
    ("#eef0f4", "#cfd8e3", "#9db0c6", "#677fa1", "#3f557c", "#222f52", "#f28e6b"),
    ("#fdf1d0", "#fbd88a", "#f3ab54", "#dc7540", "#9d4438", "#512a35", "#fffaf0"),
    ("#e7f1e6", "#bcdccb", "#7fbfae", "#43938f", "#276a72", "#17404f", "#f7c7a1"),
    ("#1b1b2f", "#2a2d4f", "#434a7d", "#6a78ad", "#9fb3d6", "#dbe6f2", "#ffcf86"),
    ("#f6eadf", "#e5cdb9", "#c9a286", "#9b7460", "#644a45", "#372b30", "#7fb1a8"),
    ("#e9e4f5", "#c9bfe6", "#9d8fce", "#6f63ad", "#473f85", "#29264f", "#ffd08a"),
)
NIGHTS = tuple(PALETTES[number] for number in (1, 3, 4, 6, 9, 11))
"""Palettes whose darkest ink does for a night sky."""


class Canvas:
    """SVG under construction, with the palette and the dice of one banner."""

    def __init__(self, seed: str) -> None:
        digest = hashlib.sha256(seed.encode("utf-8", "surrogatepass"))
        self.dice = Random(int.from_bytes(digest.digest()[:8], "big"))
        self.sky = f"sky-{digest.hexdigest()[:8]}"  # its own: several banners may stand inline on one page
        turn = self.dice.uniform(-0.03, 0.03)
        self.palette = tuple(tint(colour, turn) for colour in self.dice.choice(PALETTES))
        self.parts: list[str] = []
        if self.dice.random() < 0.5:
            self.mirror = ""
        else:
            self.mirror = f' transform="translate({WIDTH} 0) scale(-1 1)"'

    def ink(self, depth: float) -> str:
        """A colour between far (0) and near (1)."""
        return mix(self.palette[2:6], depth)

    @property
    def accent(self) -> str:
        return self.palette[6]

    def path(self, points: Sequence[tuple[float, float]], fill: str, opacity: float = 1.0) -> None:
        """A closed smooth shape from the left edge to the right, down to the bottom."""
        line = smooth(points)
        shade = f' opacity="{opacity:.2f}"' if opacity < 1 else ""
        self.parts.append(f'<path d="{line}L{WIDTH} {HEIGHT}L0 {HEIGHT}Z" fill="{fill}"{shade}/>')

    def circle(self, x: float, y: float, radius: float, fill: str, opacity: float = 1.0) -> None:
        shade = f' opacity="{opacity:.2f}"' if opacity < 1 else ""
        self.parts.append(f'<circle cx="{x:.0f}" cy="{y:.0f}" r="{radius:.1f}" fill="{fill}"{shade}/>')

    def add(self, element: str) -> None:
        self.parts.append(element)

    def svg(self) -> str:
        top, bottom = self.palette[0], self.palette[1]
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
            f'preserveAspectRatio="xMidYMid slice"><defs><linearGradient id="{self.sky}" x1="0" y1="0" x2="0" y2="1">'
            f'<stop offset="0" stop-color="{top}"/><stop offset="1" stop-color="{bottom}"/></linearGradient></defs>'
            f'<rect width="{WIDTH}" height="{HEIGHT}" fill="url(#{self.sky})"/><g{self.mirror}>'
            + "".join(self.parts)
            + "</g></svg>"
        )


def tint(colour: str, turn: float) -> str:
    """The same colour, a little further round the colour circle."""
    red, green, blue = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    hue, light, rich = colorsys.rgb_to_hls(red, green, blue)
    return "#" + "".join(f"{round(c * 255):02x}" for c in colorsys.hls_to_rgb((hue + turn) % 1, light, rich))


def mix(colours: tuple[str, ...], depth: float) -> str:
    """A colour on the way along some colours."""
    place = min(max(depth, 0.0), 1.0) * (len(colours) - 1)
    at = min(int(place), len(colours) - 2)
    share = place - at
    left, right = (tuple(int(c[i : i + 2], 16) for i in (1, 3, 5)) for c in colours[at : at + 2])
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in zip(left, right, strict=True))


def smooth(points: Sequence[tuple[float, float]]) -> str:
    """A Catmull-Rom curve through points, as Bézier commands."""
    text = f"M{points[0][0]:.0f} {points[0][1]:.0f}"
    for i in range(len(points) - 1):
        p0, p1 = points[max(i - 1, 0)], points[i]
        p2, p3 = points[i + 1], points[min(i + 2, len(points) - 1)]
        c1 = (p1[0] + (p2[0] - p0[0]) / 6, p1[1] + (p2[1] - p0[1]) / 6)
        c2 = (p2[0] - (p3[0] - p1[0]) / 6, p2[1] - (p3[1] - p1[1]) / 6)
        text += f"C{c1[0]:.0f} {c1[1]:.0f} {c2[0]:.0f} {c2[1]:.0f} {p2[0]:.0f} {p2[1]:.0f}"
    return text


def hills(canvas: Canvas) -> None:
    """Ridges behind each other under a sun."""
    dice = canvas.dice
    canvas.circle(dice.uniform(300, 1300), dice.uniform(170, 360), dice.uniform(80, 170), canvas.accent, 0.95)
    layers = dice.randint(5, 7)
    for layer in range(layers):
        depth = layer / (layers - 1)
        base = 330 + 470 * depth**1.1
        swing = 150 * (1 - 0.55 * depth)
        phase, second = dice.uniform(0, 6.28), dice.uniform(0, 6.28)
        wave = dice.uniform(0.8, 1.7)
        points = [
            (
                x,
                base
                + swing * 0.6 * math.sin(wave * x / 260 + phase)
                + swing * 0.3 * math.sin(wave * x / 110 + second)
                + dice.uniform(-14, 14),
            )
            for x in range(0, WIDTH + 1, 100)
        ]
        canvas.path(points, canvas.ink(depth))


def waves(canvas: Canvas) -> None:
    """Rows of swell, each with a light crest."""
    dice = canvas.dice
    canvas.circle(dice.uniform(350, 1250), dice.uniform(200, 330), dice.uniform(90, 150), canvas.accent)
    rows = dice.randint(8, 11)
    for row in range(rows):
        depth = row / (rows - 1)
        base, length = 340 + 540 * depth**1.2, 170 + 190 * depth
        height, phase = 14 + 42 * depth, dice.uniform(0, 6.28)
        points = [
            (
                x,
                base
                + height * math.sin(x / length * 3.14 + phase)
                + height * 0.4 * math.sin(x / length * 1.3 + phase),
            )
            for x in range(0, WIDTH + 1, 80)
        ]
        canvas.path(points, canvas.ink(depth))
        if row % 2:
            line = smooth([(x, y + 14 + 10 * depth) for x, y in points])
            canvas.add(
                f'<path d="{line}" fill="none" stroke="{canvas.accent}" stroke-width="{1.5 + 3 * depth:.1f}" opacity="0.35"/>'
            )


def bands(canvas: Canvas) -> None:
    """Ribbons woven over and under each other."""
    dice = canvas.dice
    columns, rows = dice.randint(7, 10), dice.randint(4, 6)
    wide, high = WIDTH / columns, HEIGHT / rows
    gap = dice.uniform(0.08, 0.16)
    canvas.add(
        f'<g transform="rotate({dice.choice((-12, -8, 0, 8, 12))} 800 450) translate(-160 -90) scale(1.2)">'
    )
    across = [canvas.ink(dice.random()) for _ in range(rows)]
    along = [canvas.ink(dice.random()) for _ in range(columns)]
    if dice.random() < 0.8:
        along[dice.randrange(columns)] = canvas.accent
    thick_x, thick_y = wide * (1 - gap), high * (1 - gap)
    for column, colour in enumerate(along):
        canvas.add(
            f'<path d="M{column * wide + wide / 2:.0f} 0V{HEIGHT}" stroke="{colour}" stroke-width="{thick_x:.0f}"/>'
        )
    for row, colour in enumerate(across):
        y = row * high + high / 2
        canvas.add(f'<path d="M0 {y:.0f}H{WIDTH}" stroke="{colour}" stroke-width="{thick_y:.0f}"/>')
        for column in range(row % 2, columns, 2):
            x = column * wide + wide * gap / 2
            canvas.add(
                f'<path d="M{x + thick_x / 2:.0f} {y - high / 2:.0f}v{high:.0f}" stroke="{along[column]}" stroke-width="{thick_x:.0f}"/>'
            )
            edge = f"M{x:.0f} {y - thick_y / 2:.0f}v{thick_y:.0f}M{x + thick_x:.0f} {y - thick_y / 2:.0f}v{thick_y:.0f}"
            canvas.add(f'<path d="{edge}" stroke="#000" stroke-width="5" opacity="0.13"/>')
    canvas.add("</g>")


def stars(canvas: Canvas) -> None:
    """A constellation over a dark ground, with a horizon."""
    dice = canvas.dice
    canvas.palette = dice.choice(NIGHTS)
    dark = sorted(canvas.palette[:6], key=brightness)
    canvas.add(f'<rect width="{WIDTH}" height="{HEIGHT}" fill="{dark[0]}"/>')
    for ring in range(5):
        canvas.circle(800, 980, 1000 - 170 * ring, dark[1], 0.22)
    light = max((canvas.accent, *canvas.palette[:6]), key=brightness)
    for _ in range(60):
        canvas.circle(
            dice.uniform(0, WIDTH),
            dice.uniform(0, 780),
            dice.uniform(0.8, 2.6),
            light,
            dice.uniform(0.3, 0.9),
        )
    count = dice.randint(9, 13)
    nodes = [
        (120 + 1360 * (i + dice.uniform(0.15, 0.85)) / count, dice.uniform(130, 620)) for i in range(count)
    ]
    line = "M" + "L".join(f"{x:.0f} {y:.0f}" for x, y in nodes)
    for i in range(0, count - 3, 3):
        line += f"M{nodes[i][0]:.0f} {nodes[i][1]:.0f}L{nodes[i + 2][0]:.0f} {nodes[i + 2][1]:.0f}"
    canvas.add(f'<path d="{line}" fill="none" stroke="{light}" stroke-width="2" opacity="0.45"/>')
    for x, y in nodes:
        size = dice.uniform(5, 13)
        canvas.circle(x, y, size * 2.4, canvas.accent, 0.16)
        canvas.circle(x, y, size, canvas.accent)
    for layer in range(2):
        base = 740 + 80 * layer
        phase = dice.uniform(0, 6.28)
        canvas.path(
            [
                (x, base + 45 * math.sin(x / 230 + phase) + dice.uniform(-16, 16))
                for x in range(0, WIDTH + 1, 100)
            ],
            dark[1 - layer] if layer else dark[2],
        )


def paper(canvas: Canvas) -> None:
    """Sheets with a wavy hole cut in each, laid on one another, lighter inside."""
    dice = canvas.dice
    x, y = dice.uniform(560, 1040), dice.uniform(380, 520)
    sheets = dice.randint(6, 8)
    petals, phase = dice.randint(3, 6), dice.uniform(0, 6.28)
    canvas.add(f'<rect width="{WIDTH}" height="{HEIGHT}" fill="{canvas.ink(1)}"/>')
    for sheet in range(sheets):
        depth = 1 - (sheet + 1) / sheets
        radius = 130 + 720 * depth**0.9
        turn = phase + sheet * 0.28
        wobble = dice.uniform(0.09, 0.2)
        points: list[tuple[float, float]] = []
        for step in range(25):
            angle = step * math.tau / 24
            reach = radius * (
                1 + wobble * math.sin(petals * angle + turn) + 0.05 * math.sin(2 * angle - turn)
            )
            points.append((x + 1.25 * reach * math.cos(angle), y + reach * math.sin(angle)))
        shape = smooth(points) + "Z"
        canvas.add(f'<path d="{shape}" fill="#000" opacity="0.12" transform="translate(10 16)"/>')
        colour = canvas.accent if sheet == sheets - 1 else canvas.ink(depth * 0.95)
        canvas.add(f'<path d="{shape}" fill="{colour}"/>')


def arches(canvas: Canvas) -> None:
    """Rows of concentric half circles, like scales or rainbows."""
    dice = canvas.dice
    radius = dice.choice((160, 200, 266))
    rings = dice.randint(3, 3 if radius < 200 else 4)
    row = 0
    top = -radius / 2
    while top < HEIGHT + radius:
        shift = radius if row % 2 else 0
        centre = -radius + shift
        while centre < WIDTH + radius:
            start = dice.random() * 0.5
            for ring in range(rings):
                size = radius * (1 - ring / rings)
                colour = canvas.ink((start + ring / rings) % 1.0)
                if ring == rings - 1 and dice.random() < 0.45:
                    colour = canvas.accent
                canvas.circle(centre, top + radius / 2, size, colour)
            centre += 2 * radius
        top += radius / 2 if radius > 200 else radius * 0.55
        row += 1


def tiles(canvas: Canvas) -> None:
    """A grid of quarter circles, leaves and dots."""
    dice = canvas.dice
    side = dice.choice((160, 200))
    inks = [canvas.ink(i / 3) for i in range(4)] + [canvas.palette[0], canvas.accent]
    for top in range(0, HEIGHT, side):
        for left in range(0, WIDTH, side):
            ground, figure = dice.sample(inks, 2)
            canvas.add(f'<path d="M{left} {top}h{side}v{side}h-{side}z" fill="{ground}"/>')
            kind = dice.randrange(4)
            turn = dice.randrange(4) * 90
            place = f'transform="rotate({turn} {left + side / 2:.0f} {top + side / 2:.0f})" fill="{figure}"'
            if kind == 0:
                canvas.add(f'<path d="M{left} {top}h{side}a{side} {side} 0 0 1 -{side} {side}z" {place}/>')
            elif kind == 1:
                bow = f"a{side} {side} 0 0 1 {side} {side}a{side} {side} 0 0 1 -{side} -{side}z"
                canvas.add(f'<path d="M{left} {top}{bow}" {place}/>')
            elif kind == 2:
                canvas.circle(left + side / 2, top + side / 2, side * 0.3, figure)
            else:
                half = side / 2
                canvas.add(f'<path d="M{left} {top}h{side}a{half:.0f} {half:.0f} 0 0 1 -{side} 0z" {place}/>')


def strands(canvas: Canvas) -> None:
    """Many fine lines that drift across together."""
    dice = canvas.dice
    canvas.circle(dice.uniform(400, 1200), dice.uniform(250, 500), dice.uniform(150, 240), canvas.accent, 0.9)
    lines = dice.randint(26, 34)
    phase, wave = dice.uniform(0, 6.28), dice.uniform(230, 380)
    tilt = dice.uniform(-0.15, 0.15)
    for number in range(lines):
        depth = number / (lines - 1)
        points = [
            (
                float(x),
                120
                + 700 * depth
                + tilt * (x - 800)
                + (110 - 70 * abs(depth - 0.5)) * math.sin(x / wave + phase + 2.2 * depth)
                + 34 * math.sin(x / (wave * 0.45) - phase + 4 * depth),
            )
            for x in range(-40, WIDTH + 81, 168)
        ]
        canvas.add(
            f'<path d="{smooth(points)}" fill="none" stroke="{canvas.ink(depth)}" stroke-width="{5 + 12 * depth:.0f}" stroke-linecap="round"/>'
        )


def brightness(colour: str) -> int:
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return 3 * red + 6 * green + blue


FAMILIES: dict[str, Callable[[Canvas], None]] = {
    "layered hills": hills,
    "waves": waves,
    "woven ribbons": bands,
    "a constellation": stars,
    "cut paper": paper,
    "arches": arches,
    "tiles": tiles,
    "drifting lines": strands,
}


def banner(request: BannerInput) -> Banner:
    """The banner of a post; its title plays no part, so that a retitled post keeps its picture."""
    canvas = Canvas(request.post_id)
    name = canvas.dice.choice(sorted(FAMILIES))
    FAMILIES[name](canvas)
    return Banner(format="svg", content=canvas.svg(), alt=f"Abstract banner: {name}")
