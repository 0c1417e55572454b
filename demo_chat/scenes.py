"""The demo chat's photographs, so to speak: places, weather, a lens in its box, a lamb.

Every function draws one picture and returns it as a JPEG file. Which message it was sent with is in
`chat.txt`; under which name, in `build.py`.
"""

import math

from PIL import Image, ImageDraw, ImageFont

from demo_chat.sketch import SCALE, TIN, Sketch, draw_cone, draw_tower

TOWER_POSITION = ((53.0, 44.0, 31.5), (2.0, 0.0, 51.5))  # degrees north, degrees west


def tower_at_dusk() -> bytes:
    s = Sketch("#182449", "#f0a35e", seed=7)
    s.stars(70, 190)
    s.glow(118, 118, 26, "#fff4d8", 255)
    s.disc(118, 118, 2.6, fill="#fffdf2")
    s.hill([(0, 300), (120, 268), (260, 300), (420, 262), (640, 292)], "#6a4f66")
    s.hill([(0, 338), (180, 318), (400, 268), (520, 262), (640, 310)], "#3b3550")
    left, right, top = draw_tower(s, 452, 270, 92, stone="#4d4756", ivy=True, window="#f0a35e")
    draw_cone(s, left, right, top, "#332d3c")
    s.hill([(0, 352), (240, 342), (470, 268), (560, 276), (640, 316)], "#2a2a3d")
    s.polygon([(0, 372), (640, 352), (640, 440), (0, 440)], "#b9795c")
    for row in range(26):
        y = 366 + row * 3
        x = s.chance.uniform(0, 520)
        s.line([(x, y), (x + s.chance.uniform(40, 150), y)], "#f6c58a55" if row % 3 else "#2a2a3d66", 1.1)
    s.polygon([(0, 354), (640, 334), (640, 356), (0, 376)], "#1b1c2b")
    for post in range(27):
        x = post * 25
        s.line([(x, 354 - x * 0.031), (x, 344 - x * 0.031)], "#1b1c2b", 1.4)
    s.line([(0, 346), (640, 325)], "#1b1c2b", 1)
    for x, y, span in ((360, 118, 9), (384, 100, 7), (398, 130, 8), (512, 84, 6), (338, 142, 6)):
        bird(s, x, y, span)
    return s.jpeg(exif=_taken_at_the_tower())


def _taken_at_the_tower() -> Image.Exif:
    """What a telephone writes into a photograph: here, so that publishing can prove it takes it out."""
    exif = Image.Exif()
    exif[0x010F], exif[0x0110], exif[0x0132] = "Demo", "Pocket camera", "2025:01:06 16:31:07"
    gps = exif.get_ifd(0x8825)
    gps[1], gps[2], gps[3], gps[4] = "N", TOWER_POSITION[0], "W", TOWER_POSITION[1]
    return exif


def bird(sketch: Sketch, x: float, y: float, span: float) -> None:
    sketch.line(
        [
            (x - span, y - span * 0.5),
            (x - span * 0.3, y - span * 0.45),
            (x, y),
            (x + span * 0.3, y - span * 0.45),
            (x + span, y - span * 0.6),
        ],
        "#14131a",
        1.6,
    )


def lens_in_its_box() -> bytes:
    s = Sketch("#7d8a6a", "#55624a", seed=17)
    s.grass(900, 0, "#3e4a3766")
    s.polygon([(70, 40), (566, 28), (584, 408), (58, 416)], "#00000044")
    s.polygon([(62, 30), (560, 22), (574, 396), (50, 402)], "#5b2f1d")
    for _ in range(60):
        y = s.chance.uniform(34, 392)
        s.line([(58, y), (200, y + 3), (400, y - 2), (566, y + 2)], "#3c1c1033", 1.2)
    s.polygon([(98, 62), (528, 56), (538, 364), (88, 368)], "#32170d")
    for cx, cy in ((62, 30), (560, 22), (574, 396), (50, 402)):
        dx, dy = (1 if cx < 300 else -1), (1 if cy < 200 else -1)
        s.polygon([(cx, cy), (cx + 40 * dx, cy), (cx, cy + 40 * dy)], "#c79a45")
        s.disc(cx + 12 * dx, cy + 12 * dy, 3, fill="#7a5a20")
    cloth = [(x, 70 + 12 * math.sin(x / 31)) for x in range(104, 526, 6)]
    s.polygon([*cloth, (530, 356), (96, 360)], "#e9e2d2")
    for fold in range(22):
        x = 108 + fold * 19.4
        s.line(
            [(x, 80), (x + s.chance.uniform(-24, 24), 210), (x + s.chance.uniform(-40, 40), 352)],
            "#b9ae9655",
            3,
        )
    for x in range(106, 528, 14):
        s.disc(x, 352, 9, 11, fill="#f5f0e3", ring="#c9bea6", width=0.8)
    x, y = 316.0, 206.0
    s.disc(x + 8, y + 12, 128, fill="#00000044")
    for ring in range(30):
        shade = 0.5 + 0.5 * math.sin(ring / 30 * math.pi * 2.2)
        s.disc(
            x,
            y,
            124 - ring,
            fill=f"#{round(150 + 70 * shade):02x}{round(112 + 60 * shade):02x}{round(46 + 40 * shade):02x}",
        )
    s.disc(x, y, 93, fill="#26343a")
    for ring in range(46):
        s.disc(x - ring * 0.35, y - ring * 0.5, 90 - ring * 1.7, fill=f"#7fb3b0{5 + ring // 6:02x}")
    s.polygon([(260, 160), (300, 134), (326, 140), (270, 190)], "#ffffff66")
    s.disc(364, 250, 9, fill="#cfe8f055")
    letters = "T. COOKE & SONS, YORK"
    for i, letter in enumerate(letters):
        angle = math.radians(-152 + i * 124 / (len(letters) - 1))
        tile = Image.new("L", (48, 48), 0)
        ImageDraw.Draw(tile).text(
            (24, 24), letter, font=ImageFont.load_default(15 * SCALE), fill=255, anchor="mm"
        )
        tile = tile.rotate(-math.degrees(angle) - 90, resample=Image.Resampling.BICUBIC)
        at = (
            round((x + 108 * math.cos(angle)) * SCALE) - 24,
            round((y + 108 * math.sin(angle)) * SCALE) - 24,
        )
        s.image.paste(Image.new("RGB", tile.size, "#3d2a0c"), at, tile)
    for screw in range(3):
        a = math.radians(90 + screw * 44 - 44)
        s.disc(x + 108 * math.cos(a), y + 108 * math.sin(a), 5, fill="#8a6a2a", ring="#4a3510", width=1)
    return s.jpeg()


def after_the_storm() -> bytes:
    s = Sketch("#4a5560", "#a8a79a", seed=19)
    for _ in range(60):
        x, y = s.chance.uniform(-80, 640), s.chance.uniform(0, 190)
        s.disc(x, y, s.chance.uniform(50, 120), s.chance.uniform(8, 20), fill="#2f384222")
    s.hill([(0, 300), (200, 262), (420, 292), (640, 250)], "#7b8078")
    s.hill([(0, 330), (180, 312), (330, 300), (470, 318), (640, 306)], "#5f6b53")
    left, right, top = draw_tower(s, 300, 318, 128, stone="#71695d", ivy=True, window="#22262c")
    broken = [
        (left, top + 2),
        (left, top - 8),
        (left + 26, top - 3),
        (left + 44, top - 12),
        (left + 70, top - 2),
        (right - 8, top - 9),
        (right, top + 2),
    ]
    s.polygon(broken, "#71695d")
    for foot, tip in (
        ((left + 20, top), (left + 40, top - 50)),
        ((left + 62, top), (left + 52, top - 34)),
        ((right - 22, top), (right - 52, top - 62)),
    ):
        s.line([foot, tip], "#8f6e45", 5)
    tarp = [(470, 96), (520, 60), (566, 84), (612, 58), (596, 118), (560, 148), (520, 126), (486, 150)]
    s.polygon(tarp, "#2f6f9c")
    s.polygon([(520, 60), (566, 84), (560, 148), (520, 126)], "#27608a")
    s.line([(470, 96), (430, 122), (404, 104)], "#d8cfa8", 1.2)
    s.line([(486, 150), (466, 186), (474, 212)], "#d8cfa8", 1.2)
    s.hill([(0, 352), (260, 322), (460, 330), (640, 340)], "#4f5b45")
    for x, y, turn, length in (
        (96, 366, 12, 110),
        (140, 384, -8, 130),
        (420, 372, 16, 120),
        (468, 398, -5, 90),
        (210, 404, 4, 100),
    ):
        a = math.radians(turn)
        s.line([(x, y), (x + length * math.cos(a), y + length * math.sin(a))], "#a88252", 5)
        s.line([(x, y - 2), (x + length * math.cos(a), y - 2 + length * math.sin(a))], "#d0ab78", 1)
    for rung in range(7):
        s.line([(520 + rung * 14, 352 + rung * 3), (516 + rung * 14, 374 + rung * 3)], "#8f8f8a", 1.6)
    s.line([(514, 351), (614, 372)], "#b9b9b3", 2.4)
    s.line([(510, 373), (610, 394)], "#b9b9b3", 2.4)
    s.grass(700, 330, "#3a453288")
    for _ in range(420):
        x, y = s.chance.uniform(0, 700), s.chance.uniform(0, 440)
        s.line([(x, y), (x - 13, y + 6)], "#e8ecee30", 0.8)
    return s.jpeg()


def lid_up_the_hill() -> bytes:
    s = Sketch("#a9c6dd", "#f2ead9", seed=31)
    s.glow(90, 96, 60, "#fff3cf", 220)
    s.hill([(0, 262), (160, 236), (360, 222), (640, 150)], "#b7c3c4")
    s.hill([(0, 352), (200, 318), (420, 262), (640, 178)], "#d5ddd6")
    left, right, top = draw_tower(s, 586, 204, 44, stone="#8a8479")
    s.line([(left, top), (right, top)], "#4a443e", 2)
    s.hill([(0, 372), (200, 340), (420, 286), (640, 200)], "#c4cfc2")
    s.line([(0, 402), (200, 368), (420, 312), (640, 222)], "#a39a86", 15)
    s.line([(0, 402), (200, 368), (420, 312), (640, 222)], "#bdb5a2", 4)
    for post in range(13):
        x = 10 + post * 52
        y = 352 - post * 11.5 if post > 3 else 360 - post * 12
        s.line([(x, y), (x, y - 22)], "#6a5b49", 3)
    cx, cy, r = 288.0, 262.0, 88.0
    s.line([(cx + 20, cy - 20), (452, 272)], "#c2452d", 2)
    s.line([(cx - 20, cy + 10), (120, 346)], "#c2452d", 2)
    s.disc(cx - 5, cy + 4, r, fill="#6f777d")
    s.disc(cx, cy, r, fill=TIN)
    for rib in range(18):
        a = math.radians(rib * 20 + 8)
        s.line([(cx + 6, cy - 4), (cx + r * math.cos(a), cy + r * math.sin(a))], "#5d656b88", 1.2)
    for ring in (28, 56):
        s.disc(cx + 3, cy - 2, ring, ring="#5d656b44", width=1)
    s.disc(cx + 6, cy - 4, 7, fill="#7d868c")
    s.disc(cx, cy, r, ring="#59616a", width=2.4)
    s.polygon(
        [(438, 258), (470, 250), (476, 218), (512, 210), (518, 242), (540, 236), (544, 262), (440, 290)],
        "#b5392b",
    )
    s.polygon([(480, 222), (508, 215), (512, 240), (482, 247)], "#dbe9f2")
    s.disc(456, 284, 26, fill="#2a2a2c")
    s.disc(456, 284, 11, fill="#d8b13a")
    s.disc(530, 266, 16, fill="#2a2a2c")
    s.disc(530, 266, 7, fill="#d8b13a")
    s.line([(534, 238), (536, 208)], "#3a3a3c", 3)
    for puff in range(4):
        s.disc(534 - puff * 15, 196 - puff * 13, 7 + puff * 3, fill="#ffffff66")
    s.polygon([(28, 350), (40, 316), (104, 302), (126, 330), (128, 362), (32, 384)], "#f3f4f2")
    s.polygon([(92, 308), (106, 306), (121, 330), (96, 336)], "#7fa3b8")
    s.disc(54, 378, 13, fill="#2a2a2c")
    s.disc(110, 364, 13, fill="#2a2a2c")
    for x, y, coat in ((196, 344, "#2f5d4a"), (222, 338, "#a5472c"), (386, 302, "#3a4a75")):
        s.person(x, y, 56, coat)
    s.person(604, 250, 50, "#6a3a5c")
    s.grass(520, 380, "#8fa08a99")
    return s.jpeg()


def above_the_fog() -> bytes:
    s = Sketch("#3d5590", "#f6b577", seed=43)
    s.glow(120, 236, 110, "#ffd9a0", 235)
    s.disc(120, 238, 17, fill="#fff2d0")
    s.hill([(300, 262), (420, 244), (520, 250), (640, 232)], "#8a7292")
    for layer in range(7):
        y = 252 + layer * 27
        colour = f"#{246 - layer * 3:02x}{206 + layer * 5:02x}{176 + layer * 9:02x}"
        s.hill(
            [(-20, y + 8), *[(x, y + s.chance.uniform(-7, 7)) for x in range(60, 620, 70)], (660, y)], colour
        )
        if layer == 2:
            s.hill([(250, 330), (400, 292), (470, 262), (560, 268), (660, 300)], "#4a4a4c")
            left, right, top = draw_tower(s, 494, 268, 82, stone="#7a6a66", window="#ffcf7a")
            s.polygon([(left + 22, top - 8), (left + 34, top - 8), (232, 0), (104, 0)], "#fff3cf1c")
            draw_cone(s, left, right, top, "#9aa0a6", ribs=True, hatch="#4a2f26")
            s.glow(490, 206, 20, "#ffcf7a", 200)
            s.hill([(250, 340), (400, 300), (480, 266), (560, 274), (660, 312)], "#5a5648")
            for number, x in enumerate(range(392, 462, 10)):
                s.person(x, 304 - (x - 392) * 0.5, 17 if number % 3 else 24, "#2b2833")
    for _ in range(46):
        x, y = s.chance.uniform(240, 660), s.chance.uniform(322, 346)
        s.disc(x, y, s.chance.uniform(40, 90), s.chance.uniform(5, 10), fill="#f6e6d666")
    for _ in range(34):
        x, y = s.chance.uniform(-40, 640), s.chance.uniform(318, 440)
        s.disc(x, y, s.chance.uniform(60, 130), s.chance.uniform(5, 11), fill="#fff8ee2e")
    s.polygon([(-10, 440), (-10, 392), (60, 384), (150, 400), (190, 440)], "#4b4a40")
    for x in (22, 112):
        s.line([(x, 420), (x, 352)], "#2f2a26", 5)
    for y in (364, 378, 392, 406):
        s.line([(22, y), (112, y)], "#2f2a26", 3)
    s.line([(22, 406), (112, 364)], "#2f2a26", 3)
    s.person(150, 402, 44, "#23212b")
    s.disc(158, 383, 2.4, fill="#ff6a48")
    s.glow(158, 383, 18, "#ff5a3c", 255)
    return s.jpeg()


def the_lamb() -> bytes:
    s = Sketch("#bcd3e2", "#eef0e2", seed=47)
    s.hill([(0, 214), (200, 178), (430, 206), (640, 166)], "#a9bda0")
    s.hill([(0, 262), (260, 232), (640, 250)], "#8fae78")
    left, right, top = draw_tower(s, 540, 196, 34, stone="#8a8479")
    draw_cone(s, left, right, top, TIN, ribs=True)
    s.hill([(0, 290), (320, 262), (640, 282)], "#7ea066")
    for x in (40, 190, 452, 602):
        s.line([(x, 330), (x + 2, 214)], "#7a6a55", 7)
    for y in (236, 268, 300):
        s.line([(0, y + 2), (640, y - 4)], "#6a7076", 1.4)
    s.grass(900, 300, "#55793f99")
    x, y = 312.0, 286.0
    for dx, lean in ((-52, -7), (-34, 3), (40, -3), (58, 7)):
        s.line([(x + dx, y + 24), (x + dx + lean, y + 104)], "#f6f0e2", 12)
        s.line([(x + dx + lean, y + 98), (x + dx + lean, y + 108)], "#3a332e", 12)
    for _ in range(120):
        a, d = s.chance.uniform(0, 6.28), math.sqrt(s.chance.random())
        s.disc(
            x + 78 * d * math.cos(a),
            y + 42 * d * math.sin(a),
            s.chance.uniform(9, 14),
            fill=s.chance.choice(("#fffaf0", "#f7f0e0", "#fdf6e8")),
        )
    s.line([(x + 78, y - 8), (x + 102, y + 22), (x + 98, y + 44)], "#f7f0e0", 11)
    s.polygon([(x - 84, y + 8), (x - 52, y + 26), (x - 60, y - 50), (x - 110, y - 54)], "#f9f2e4")
    s.disc(x - 98, y - 76, 36, 34, fill="#fbf5e8")
    s.disc(x - 120, y - 62, 24, 20, fill="#f3e8d8")
    s.polygon([(x - 80, y - 96), (x - 34, y - 100), (x - 44, y - 78), (x - 76, y - 76)], "#eadccb")
    s.polygon([(x - 116, y - 98), (x - 148, y - 112), (x - 146, y - 92), (x - 122, y - 84)], "#eadccb")
    for eye in (-112, -86):
        s.disc(x + eye, y - 80, 5, 6, fill="#26211f")
        s.disc(x + eye - 1.4, y - 82, 1.6, fill="#ffffff")
    s.disc(x - 134, y - 66, 4, 3, fill="#c98f86")
    s.line([(x - 134, y - 62), (x - 126, y - 54), (x - 114, y - 54)], "#8a6a60", 1.6)
    s.line([(x - 108, y - 44), (x - 86, y - 34), (x - 58, y - 40)], "#2f8a3e", 4)
    s.line([(x - 92, y - 36), (x - 108, y - 18)], "#2f8a3e", 3)
    s.line([(x - 92, y - 36), (x - 80, y - 16)], "#2f8a3e", 3)
    return s.jpeg()
