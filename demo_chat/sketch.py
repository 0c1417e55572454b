"""What the demo's pictures are drawn with: a page to draw on, and the things that stand in many of them.

A picture is drawn at twice its size and scaled down, which is all the smoothing it needs. Chance comes from
a seed per picture, so that the same sky has the same stars every time.
"""

import io
import math
import random
from collections.abc import Sequence
from itertools import pairwise

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont, ImageOps

WIDTH, HEIGHT = 640, 440
SCALE = 2

NIGHT, DUSK, EMBER, CREAM = "#101a33", "#2e3a66", "#e8894a", "#f4ecda"
INK, PAPER, STONE, TIN, MOSS, GREY = "#2b2a33", "#efe4c8", "#6b6459", "#a9b1b8", "#4b5d43", "#b9b3a6"

Point = tuple[float, float]


class Sketch:
    """A picture under way. Coordinates are those of the finished picture, in pixels."""

    def __init__(
        self, top: str, bottom: str, *, size: tuple[int, int] = (WIDTH, HEIGHT), seed: int = 1
    ) -> None:
        self.size = size
        self.chance = random.Random(seed)
        gradient = Image.linear_gradient("L").resize((size[0] * SCALE, size[1] * SCALE))
        self.image = ImageOps.colorize(gradient, top, bottom)
        self.pen = ImageDraw.Draw(self.image, "RGBA")

    def polygon(self, points: Sequence[Point], fill: str) -> None:
        self.pen.polygon([(x * SCALE, y * SCALE) for x, y in points], fill=fill)

    def line(self, points: Sequence[Point], fill: str, width: float = 1.5) -> None:
        self.pen.line(
            [(x * SCALE, y * SCALE) for x, y in points], fill=fill, width=round(width * SCALE), joint="curve"
        )

    def disc(
        self,
        x: float,
        y: float,
        rx: float,
        ry: float | None = None,
        *,
        fill: str | None = None,
        ring: str | None = None,
        width: float = 1.5,
    ) -> None:
        ry = rx if ry is None else ry
        box = ((x - rx) * SCALE, (y - ry) * SCALE, (x + rx) * SCALE, (y + ry) * SCALE)
        self.pen.ellipse(box, fill=fill, outline=ring, width=round(width * SCALE))

    def box(
        self, x: float, y: float, right: float, bottom: float, fill: str | None, ring: str | None = None
    ) -> None:
        self.pen.rectangle(
            (x * SCALE, y * SCALE, right * SCALE, bottom * SCALE), fill=fill, outline=ring, width=SCALE
        )

    def text(self, x: float, y: float, words: str, size: float, fill: str, anchor: str = "la") -> None:
        font = ImageFont.load_default(size * SCALE)
        self.pen.text((x * SCALE, y * SCALE), words, font=font, fill=fill, anchor=anchor)

    def glow(self, x: float, y: float, radius: float, colour: str, strength: int = 150) -> None:
        """Light around a point, added to what is there."""
        mask = Image.new("L", self.image.size, 0)
        r = radius * SCALE
        ImageDraw.Draw(mask).ellipse(
            (x * SCALE - r / 2, y * SCALE - r / 2, x * SCALE + r / 2, y * SCALE + r / 2), fill=strength
        )
        light = Image.composite(
            Image.new("RGB", self.image.size, colour),
            Image.new("RGB", self.image.size),
            mask.filter(ImageFilter.GaussianBlur(r / 3)),
        )
        self.image.paste(ImageChops.screen(self.image, light))

    def stars(self, count: int, lowest: float) -> None:
        for _ in range(count):
            y = lowest * self.chance.random() ** 1.4
            light = round(230 * (1 - y / lowest) + 25)
            self.disc(
                self.chance.uniform(0, self.size[0]),
                y,
                self.chance.choice((0.6, 0.8, 1.2)),
                fill=f"#ffffff{light:02x}",
            )

    def hill(self, points: Sequence[Point], fill: str) -> None:
        """A skyline through the points, rounded, filled down to the lower edge."""
        curve: list[Point] = []
        for (x0, y0), (x1, y1) in pairwise(points):
            for step in range(25):
                t = step / 24
                ease = (1 - math.cos(math.pi * t)) / 2
                curve.append((x0 + (x1 - x0) * t, y0 + (y1 - y0) * ease))
        self.polygon([*curve, (points[-1][0], self.size[1]), (points[0][0], self.size[1])], fill)

    def grass(self, count: int, top: float, fill: str) -> None:
        for _ in range(count):
            x, y = self.chance.uniform(0, self.size[0]), self.chance.uniform(top, self.size[1])
            self.line([(x, y), (x + self.chance.uniform(-3, 3), y - self.chance.uniform(4, 9))], fill, 0.8)

    def person(self, x: float, y: float, height: float, fill: str) -> None:
        """Somebody in a coat, standing with their feet at (x, y)."""
        head = height * 0.13
        self.polygon(
            [
                (x - head * 1.2, y - height * 0.72),
                (x + head * 1.2, y - height * 0.72),
                (x + head * 1.7, y),
                (x - head * 1.7, y),
            ],
            fill,
        )
        self.disc(x, y - height * 0.84, head, fill=fill)

    def jpeg(self, *, exif: Image.Exif | None = None) -> bytes:
        finished = self.image.resize(self.size, Image.Resampling.LANCZOS)
        out = io.BytesIO()
        finished.save(out, "JPEG", quality=84, optimize=True, exif=exif or Image.Exif())
        return out.getvalue()


def draw_tower(
    sketch: Sketch,
    x: float,
    base: float,
    width: float,
    *,
    stone: str = STONE,
    ivy: bool = False,
    window: str = NIGHT,
) -> tuple[float, float, float]:
    """The tower's round wall, standing on `base`. Returns its top: left, right and height on the page."""
    height = width * 1.5
    top, left, right, lean = base - height, x - width / 2, x + width / 2, width * 0.03
    taper = width * 0.06
    wall = [(left, base), (right, base), (right - taper + lean, top), (left + taper + lean, top)]
    sketch.polygon(wall, stone)
    courses = 13
    for row in range(courses):
        y = base - height * row / courses
        sketch.line(
            [(left + taper * row / courses, y), (right - taper * row / courses + lean, y)], "#00000030", 0.8
        )
        for stone_number in range(6):
            at = left + width * (stone_number + (row % 2) / 2 + sketch.chance.uniform(-0.1, 0.1)) / 6
            if left + taper < at < right - taper:
                sketch.line([(at, y), (at, y - height / courses)], "#00000026", 0.8)
    for band in range(8):  # shade on the far side, so that the wall is round
        edge = right - width * 0.36 * (1 - band / 8)
        sketch.polygon(
            [(edge, base), (right, base), (right - taper + lean, top), (edge - taper + lean, top)],
            "#0000000f",
        )
    door = width * 0.13
    sketch.polygon(
        [
            (x - door, base),
            (x - door, base - height * 0.25),
            (x + door, base - height * 0.25),
            (x + door, base),
        ],
        "#2c2520",
    )
    sketch.disc(x, base - height * 0.25, door, fill="#2c2520")
    sketch.box(x - door * 0.5, base - height * 0.68, x + door * 0.5, base - height * 0.5, window)
    sketch.disc(x, base - height * 0.68, door * 0.5, fill=window)
    if ivy:
        for _ in range(260):
            up = sketch.chance.random() ** 1.3
            leaf = left + sketch.chance.random() * width * (0.34 - 0.2 * up) + taper * up
            sketch.disc(
                leaf,
                base - height * up,
                width * 0.026,
                fill=sketch.chance.choice(("#2f4a33", "#3b5a3c", "#26402c")),
            )
    return left + taper + lean, right - taper + lean, top


def draw_cone(
    sketch: Sketch,
    left: float,
    right: float,
    top: float,
    fill: str,
    *,
    ribs: bool = False,
    hatch: str | None = None,
) -> None:
    """A conical roof on the wall's top; with `hatch`, the opening from rim to peak in that colour."""
    middle, peak, eave = (left + right) / 2, top - (right - left) * 0.42, (right - left) * 0.07
    sketch.polygon([(left - eave, top), (right + eave, top), (middle, peak)], fill)
    sketch.polygon([(middle, top), (right + eave, top), (middle, peak)], "#00000026")
    if ribs:
        for rib in range(9):
            foot = left - eave + (right - left + 2 * eave) * rib / 8
            sketch.line([(foot, top), (middle, peak)], "#00000033", 0.8)
    if hatch:
        foot = middle - (right - left) * 0.22
        half = (right - left) * 0.09
        sketch.polygon(
            [(foot - half, top), (foot + half, top), (middle + 1, peak + 3), (middle - 2, peak + 1)], hatch
        )
