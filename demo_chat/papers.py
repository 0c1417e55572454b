"""What the people of the demo chat drew or printed: a map, sketches at the eyepiece, plans, a chart, a poster.

Every function draws one picture and returns it as a JPEG file, as in `scenes.py`.
"""

import math
from itertools import pairwise

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from demo_chat.sketch import CREAM, EMBER, INK, NIGHT, SCALE, Point, Sketch, draw_cone, draw_tower


def way_up() -> bytes:
    s = Sketch("#f3e9cf", "#eaddba", seed=11)
    for ring in range(9):  # contours around the knoll
        spread = 34 + ring * 27
        points = [
            (
                430
                + spread * 1.35 * math.cos(a / 30 * math.pi) * (1 + 0.08 * math.sin(a / 10 * math.pi + ring)),
                150 + spread * 0.8 * math.sin(a / 30 * math.pi) * (1 + 0.1 * math.cos(a / 15 * math.pi)),
            )
            for a in range(61)
        ]
        s.line(points, "#b98b5a88", 1.6 if ring % 4 == 0 else 0.9)
    water = [(40, 300), (110, 262), (205, 268), (262, 306), (250, 362), (160, 394), (70, 372)]
    s.polygon(water, "#9dbccb")
    s.line([*water, water[0]], "#4c7488", 1.6)
    for row in range(6):
        s.line([(92 + row * 9, 300 + row * 13), (150 + row * 12, 300 + row * 13)], "#4c748877", 1)
    s.line([(256, 300), (262, 366)], INK, 6)
    path: list[Point] = [
        (278, 352),
        (330, 344),
        (362, 300),
        (346, 256),
        (398, 232),
        (470, 236),
        (486, 200),
        (436, 158),
    ]
    for (x0, y0), (x1, y1) in pairwise(path):
        steps = max(2, round(math.dist((x0, y0), (x1, y1)) / 11))
        for step in range(steps):
            t, end = step / steps, (step + 0.55) / steps
            s.line(
                [(x0 + (x1 - x0) * t, y0 + (y1 - y0) * t), (x0 + (x1 - x0) * end, y0 + (y1 - y0) * end)],
                "#b3402e",
                2.6,
            )
    s.line([(330, 420), (420, 372), (520, 320), (560, 250), (604, 226)], "#8a7a60", 3)
    for x, y, name, side in (
        (356, 326, "1st gate", 1),
        (372, 240, "2nd gate", -1),
        (612, 214, "the farm", -1),
    ):
        s.line([(x - 8, y), (x + 8, y)], INK, 2.4)
        s.text(x + 14 * side, y - 3, name, 13, INK, "lm" if side > 0 else "rm")
    s.box(268, 366, 300, 390, "#ffffff", INK)
    s.text(284, 378, "P", 16, INK, "mm")
    s.text(308, 380, "dam car park", 14, INK, "lm")
    s.text(150, 330, "Cold Knoll Water", 15, "#365e72", "mm")
    left, right, top = draw_tower(s, 432, 152, 24, stone="#6d665c")
    draw_cone(s, left, right, top, "#423d3a")
    s.text(452, 124, "the Pepperpot", 18, INK, "lm")
    s.text(24, 24, "The Way Up", 30, INK)
    s.text(26, 62, "22 minutes on foot, 15 if pursued", 14, "#6b5b45")
    s.line([(590, 70), (590, 34)], INK, 2)
    s.polygon([(590, 22), (584, 40), (596, 40)], INK)
    s.text(590, 82, "N", 15, INK, "mm")
    _sheep(s, 540, 408, 17)
    s.text(572, 408, "not to scale", 12, "#6b5b45", "lm")
    return s.jpeg()


def _sheep(s: Sketch, x: float, y: float, size: float, wool: str = "#fffaf0") -> None:
    for leg in (-0.6, -0.25, 0.3, 0.65):
        s.line([(x + size * leg, y + size * 0.3), (x + size * leg, y + size * 1.05)], INK, size * 0.1)
    for dx, dy, r in ((-0.6, 0, 0.5), (0, -0.2, 0.62), (0.55, 0, 0.5), (0, 0.2, 0.6)):
        s.disc(x + size * dx, y + size * dy, size * r, size * r * 0.85, fill=wool, ring="#cfc3a8", width=0.7)
    s.disc(x, y, size * 0.7, size * 0.5, fill=wool)
    s.disc(x - size * 1.1, y - size * 0.25, size * 0.3, size * 0.38, fill=INK)
    s.line([(x - size * 0.9, y - size * 0.5), (x - size * 0.62, y - size * 0.42)], INK, size * 0.13)
    s.disc(x - size * 1.18, y - size * 0.32, size * 0.06, fill="#ffffff")


def mars_drawing() -> bytes:
    s = Sketch("#f1ead9", "#e6dcc4", seed=13)
    for row in range(14):
        s.line([(0, 26 + row * 31), (640, 26 + row * 31)], "#7f9bb033", 1)
    x, y, r = 262.0, 222.0, 158.0
    s.disc(x, y, r, fill="#d98a52")
    marks = Image.new("RGBA", s.image.size)
    pen = ImageDraw.Draw(marks)
    for cx, cy, rx, ry, shade in (
        (-30, -72, 72, 24, "#5b4238d0"), (24, -58, 46, 20, "#5b4238b0"), (-70, 70, 64, 19, "#5b423890"),
        (20, 86, 80, 22, "#5b4238a0"), (80, 10, 26, 54, "#5b423850"), (-92, -4, 38, 26, "#f0b98070"), (30, 20, 60, 30, "#f0b98066"),
    ):  # fmt: skip
        pen.ellipse(
            [(x + cx - rx) * SCALE, (y + cy - ry) * SCALE, (x + cx + rx) * SCALE, (y + cy + ry) * SCALE],
            fill=shade,
        )
    pen.ellipse(
        [(x - 46) * SCALE, (y - r + 2) * SCALE, (x + 46) * SCALE, (y - r + 34) * SCALE], fill="#fffdf6ff"
    )
    marks = marks.filter(ImageFilter.GaussianBlur(11))
    inside = Image.new("L", s.image.size, 0)
    ImageDraw.Draw(inside).ellipse(
        [(x - r) * SCALE, (y - r) * SCALE, (x + r) * SCALE, (y + r) * SCALE], fill=255
    )
    marks.putalpha(ImageChops.multiply(marks.getchannel("A"), inside))
    s.image.paste(marks, mask=marks)
    for ring in range(26):
        s.disc(x, y, r - ring, ring="#5a30200d", width=1)
    for stroke in range(150):  # pencil
        a, d = s.chance.uniform(0, 6.28), r * math.sqrt(s.chance.random()) * 0.93
        px, py = x + d * math.cos(a), y + d * math.sin(a)
        s.line([(px - 5, py + 4), (px + 5, py - 4)], "#5a302028" if stroke % 2 else "#fff0d030", 0.8)
    s.disc(x, y, r, ring="#4a3326", width=1.2)
    s.text(456, 70, "MARS", 34, INK)
    for row, words in enumerate(("opposition", "16 Jan 2025", "21.05, x180", "seeing 3 of 5", "feet: none")):
        s.text(458, 118 + row * 25, words, 16, "#4d4a52")
    for px, py, tx, ty, words in (
        (262, 80, 456, 268, "N cap, bright"),
        (262, 160, 456, 304, "Mare Acidalium"),
        (276, 306, 456, 340, "Mare Erythraeum"),
    ):
        s.line([(px, py), (tx - 6, ty + 8)], "#4d4a5277", 0.9)
        s.text(tx, ty, words, 14, "#4d4a52")
    return s.jpeg()


def logbook_page() -> bytes:
    s = Sketch("#6f5a44", "#584634", seed=23)
    s.polygon([(30, 22), (616, 14), (622, 428), (24, 430)], "#00000055")
    s.polygon([(24, 16), (608, 10), (614, 418), (20, 424)], "#efe2c1")
    for edge in range(36):
        s.line([(608 - edge, 10), (614 - edge, 418)], "#8a6a3a06", 3)
    for _ in range(110):
        x, y, r = s.chance.uniform(24, 600), s.chance.uniform(14, 414), s.chance.uniform(0.6, 3.2)
        s.disc(x, y, r, fill="#a07c4622")
    s.disc(520, 356, 44, ring="#9a743a2e", width=4)
    for row in range(13):
        s.line([(52, 76 + row * 26), (590, 74 + row * 26)], "#6f8fa066", 0.8)
    s.line([(126, 24), (128, 414)], "#b85a4a66", 1)
    s.text(330, 32, "May 1910", 24, "#2f2a4a", "ma")
    entries = (
        ("15", "Up at 3. Cloud to the moor. Only the hens to see."),
        ("18", "Comet before dawn, tail as long as my arm."),
        ("20", "Comet in the WEST now. Tail over the"),
        ("", "embankment like a searchlight. Father asleep."),
        ("", "Did not wake him as he has the valves at four."),
        ("21", "As above. Joe carried the steps. Mrs. Greenwood"),
        ("", "looked, & said it was smaller than in the paper."),
        ("23", "Moon in the way. Eleven came up all the same."),
        ("24", "Eclipse of the Moon, red as a brick."),
    )
    for row, (day, words) in enumerate(entries):
        y = 81 + row * 26
        s.text(92, y, day, 16, "#2f2a4a")
        s.text(140 + s.chance.uniform(-2, 2), y + s.chance.uniform(-1, 1), words, 16.5, "#2f2a4a")
    for ray in range(26):  # the comet, drawn in the margin
        a = math.radians(-24 + ray * 0.9)
        length = 170 - abs(ray - 13) * 5
        s.line([(196, 386), (196 + length * math.cos(a), 386 + length * math.sin(a))], "#2f2a4a40", 1)
    s.disc(196, 386, 6, fill="#2f2a4a")
    s.line([(140, 400), (420, 398)], "#2f2a4a", 1.4)
    s.text(434, 384, "from the wall top", 13, "#2f2a4a")
    s.text(586, 378, "E.H.", 20, "#2f2a4a", "ra")
    return s.jpeg()


def roof_plan() -> bytes:
    s = Sketch("#24507f", "#1c416a", seed=29)
    white, soft = "#eaf2fa", "#eaf2fa77"
    for x in range(0, 640, 20):
        s.line([(x, 0), (x, 440)], "#ffffff12", 0.6)
    for y in range(0, 440, 20):
        s.line([(0, y), (640, y)], "#ffffff12", 0.6)
    s.line([(90, 236), (260, 116), (430, 236), (90, 236)], white, 2.4)
    for rib in range(1, 10):
        s.line([(90 + 34 * rib, 236), (260, 116)], soft, 0.9)
    s.polygon([(156, 234), (196, 234), (258, 120)], "#f0a35e99")
    s.line([(156, 236), (259, 117), (196, 236)], "#f7c08a", 1.6)
    s.box(108, 252, 412, 262, None, white)
    for wheel in (122, 174, 226, 294, 346, 398):
        s.disc(wheel, 244, 7, ring=white, width=1.6)
        s.disc(wheel, 244, 1.6, fill=white)
    for x in (108, 376):
        s.box(x, 262, x + 36, 400, None, white)
        for hatch in range(0, 172, 12):
            low, high = 262 + max(0, hatch - 36), 262 + min(138, hatch)
            if hatch < 138 or low < 400:
                s.line([(x + max(0, hatch - 138), high), (x + min(36, hatch), low)], soft, 0.8)
    s.line([(90, 92), (430, 92)], white, 1)
    for x in (90, 430):
        s.line([(x, 84), (x, 100)], white, 1)
    s.text(260, 76, "4.35 m", 17, white, "mm")
    s.line([(458, 116), (458, 236)], white, 1)
    for y in (116, 236):
        s.line([(450, y), (466, y)], white, 1)
    s.text(472, 176, "1.5 m", 17, white, "lm")
    s.line([(144, 336), (376, 336)], soft, 1)
    s.text(260, 324, "4.2 m inside", 15, white, "mm")
    for y, words in (
        (206, "silo lid, 340 kg"),
        (244, "12 castors, wheel UP"),
        (266, "ply ring, 18 layers"),
        (300, "stone, 60 cm"),
    ):
        s.line([(414, y), (482, y)], soft, 0.9)
        s.text(488, y, words, 14, white, "lm")
    s.text(56, 160, "hatch", 14, "#f7c08a", "mm")
    s.text(56, 177, "70 cm", 14, "#f7c08a", "mm")
    s.line([(80, 170), (196, 192)], "#f7c08a", 0.9)
    s.text(24, 20, "ROOF, MARK 2", 24, white)
    s.text(26, 50, "real ruler used", 13, soft)
    s.text(616, 414, "measured: twice. checked: nobody yet", 12, soft, "rs")
    return s.jpeg()


def money_chart() -> bytes:
    s = Sketch("#fbf7ee", "#f5eddd")
    s.text(36, 26, "What we have, what we need", 24, INK)
    s.text(37, 58, "The Pepperpot Observatory, 31 January 2025, pounds", 13, "#77706a")
    rows = (
        ("Roof ring and ply", 410, 410),
        ("Telescope tube, pier", 27, 236),
        ("Insurance", 0, 212),
        ("Castors, twelve", 198, 198),
        ("Bolts, paint, mastic", 164, 164),
        ("Electrics", 0, 148),
    )
    for tick in range(0, 401, 100):
        x = 210 + tick * 0.92
        s.line([(x, 92), (x, 356)], "#00000016", 1)
        s.text(x, 362, str(tick), 12, "#77706a", "ma")
    for row, (name, have, need) in enumerate(rows):
        y = 100 + row * 43
        s.text(198, y + 13, name, 14, INK, "rm")
        s.box(210, y, 210 + need * 0.92, y + 26, "#cdc6b9")
        if have:
            s.box(210, y, 210 + have * 0.92, y + 26, EMBER)
        s.text(218 + need * 0.92, y + 13, str(need), 14, INK, "lm")
    s.box(210, 394, 224, 408, EMBER)
    s.text(230, 401, "in the kitty: 799", 13, INK, "lm")
    s.box(350, 394, 364, 408, "#cdc6b9")
    s.text(370, 401, "to find: 569", 13, INK, "lm")
    return s.jpeg()


def jupiter_drawing() -> bytes:
    s = Sketch("#16161c", "#0d0d12", seed=37)
    s.disc(320, 214, 202, fill="#08080b", ring="#3a3a44", width=1.6)
    for _ in range(26):
        a, d = s.chance.uniform(0, 6.28), 190 * math.sqrt(s.chance.random())
        s.disc(320 + d * math.cos(a), 214 + d * math.sin(a), 0.8, fill="#ffffff77")
    x, y, r, flat = 330.0, 214.0, 48.0, 45.0
    s.glow(x, y, 66, "#e8c796", 90)
    s.disc(x, y, r, flat, fill="#ecd9b4")
    for offset, thick, colour in (
        (-30, 6, "#bfa37c99"),
        (-13, 8, "#9c6b46dd"),
        (11, 7, "#a5744ddd"),
        (27, 4, "#bfa37c99"),
        (-2, 3, "#fff6e3aa"),
    ):
        steps = [(-1 + i / 20) for i in range(41)]
        half = math.sqrt(max(0.0, 1 - (offset / flat) ** 2)) * r * 0.97
        s.line([(x + t * half, y + offset + s.chance.uniform(-0.8, 0.8)) for t in steps], colour, thick)
    for festoon in range(5):
        fx = x - 28 + festoon * 13
        s.line([(fx, y - 8), (fx + 6, y - 3), (fx + 11, y + 1)], "#6d7f9488", 1.2)
    s.disc(x + 20, y + 15, 6, 3.4, fill="#c9764aee")
    for ring in range(12):
        s.disc(x, y, r - ring * 0.7, flat - ring * 0.7, ring="#0000001c", width=1)
    for mx, my, size, name in (
        (168, 228, 2.6, "Callisto"),
        (236, 221, 2.8, "Ganymede"),
        (398, 208, 2.2, "Io"),
        (462, 203, 2.0, "Europa"),
    ):
        s.disc(mx, my, size, fill="#fffaf0")
        s.text(mx, my + 14, name, 11, "#8f8f9c", "ma")
    s.text(24, 22, "JUPITER", 26, "#e6dcc4")
    s.text(25, 54, "first light, x127", 14, "#8f8f9c")
    s.text(616, 22, "21 Feb 2025", 14, "#8f8f9c", "ra")
    s.text(616, 42, "19.10", 14, "#8f8f9c", "ra")
    s.text(616, 412, "Cooke 127 mm f/15, after a rest", 13, "#8f8f9c", "rs")
    return s.jpeg()


def poster() -> bytes:
    s = Sketch(NIGHT, "#33406f", size=(520, 720), seed=41)
    s.stars(170, 470)
    s.glow(392, 168, 60, "#f3d9a0", 160)
    s.disc(392, 168, 40, fill="#f6e3b4")
    s.disc(376, 158, 38, fill="#1c2749")
    s.hill([(0, 560), (180, 524), (340, 540), (520, 500)], "#1b2340")
    left, right, top = draw_tower(s, 190, 548, 120, stone="#544f63", window=EMBER)
    s.polygon([(left + 26, top - 6), (left + 48, top - 6), (470, -120), (330, -120)], "#f6e3b418")
    draw_cone(s, left, right, top, "#7d8591", ribs=True, hatch="#f0a35e")
    s.hill([(0, 580), (200, 544), (360, 566), (520, 540)], "#12182e")
    for x, tall in ((286, 40), (310, 44), (330, 28), (356, 42), (382, 26), (404, 40)):
        s.person(x, 566 - (x - 286) * 0.05, tall, "#0b0f1f")
    s.text(36, 36, "COME AND", 44, CREAM)
    s.text(36, 84, "LOOK UP", 44, CREAM)
    s.text(38, 146, "The Pepperpot", 22, "#f0b77e")
    s.text(38, 174, "opens at last", 22, "#f0b77e")
    s.text(260, 598, "SATURDAY 1 MARCH, FROM SIX", 24, CREAM, "ma")
    s.text(260, 634, "Free. Pies. Dress as though you dislike yourself.", 16, "#d5d2dc", "ma")
    s.text(260, 660, "Walk from the dam, 22 minutes, red torches only.", 14, "#a9a9bd", "ma")
    s.text(260, 684, "ask at the post office", 14, "#f0b77e", "ma")
    return s.jpeg()


def rest_of_march() -> bytes:
    s = Sketch("#fbf7ee", "#f5eddd")
    s.text(36, 24, "The rest of March", 26, INK)
    for column, name in enumerate(("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")):
        s.text(76 + column * 81, 74, name, 13, "#77706a", "mm")
    events = {
        14: ("Moon eclipse", "5.09 am", EMBER),
        23: ("Saturn:", "no rings", "#8fa3c4"),
        29: ("Sun eclipse", "11 am", "#e9c46a"),
    }
    for day in range(10, 32):
        column, row = (day - 10) % 7, (day - 10) // 7
        x, y = 38 + column * 81, 90 + row * 82
        first, second, colour = events.get(day, ("", "", "#fffdf8"))
        s.box(x, y, x + 76, y + 77, colour, "#d8cdb6")
        s.text(x + 7, y + 5, str(day), 15, INK)
        s.text(x + 7, y + 45, first, 10.5, INK)
        s.text(x + 7, y + 59, second, 10.5, INK)
    s.disc(420, 110, 12, fill="#a84a2c")
    s.disc(582, 192, 8, fill="#fff6df")
    s.line([(566, 192), (598, 192)], INK, 1.2)
    s.disc(500, 276, 12, fill="#fff3b8")
    s.disc(507, 271, 9, fill=INK)
    return s.jpeg()
