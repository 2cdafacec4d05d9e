#!/usr/bin/env python3
"""Makes the bundled fonts from the upstream files (needs fontTools).

    make-fonts.py INTER_REGULAR INTER_SEMIBOLD JETBRAINS_MONO DEJAVU_SANS OUT_DIR

What is changed, and why, is said in ../THIRD-PARTY.md. Nothing here runs at build time.
"""
import math
import sys
from pathlib import Path

from fontTools import subset
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTFont

# Names of code are shown letter for letter: no `->` that turns into an arrow, no joined `::`.
LIGATURES = {"calt", "liga", "clig", "rlig", "dlig", "case"}

# The blocks of DejaVu Sans that the interface may want and the two text faces lack.
SYMBOLS = [
    (0x2010, 0x205E), (0x2070, 0x209C), (0x2100, 0x214F), (0x2190, 0x21FF), (0x2200, 0x22FF),
    (0x2300, 0x23FF), (0x2400, 0x2426), (0x2460, 0x24FF), (0x2500, 0x25FF), (0x2600, 0x26FF),
    (0x2700, 0x27BF), (0x27C0, 0x27FF), (0x2900, 0x297F), (0x2B00, 0x2BFF),
]


def tabular_digits(font):
    """Digits take their tabular forms, so that numbers line up and do not jump as they change."""
    table = font["GSUB"].table
    forms = {}
    for record in table.FeatureList.FeatureRecord:
        if record.FeatureTag == "tnum":
            for index in record.Feature.LookupListIndex:
                for part in table.LookupList.Lookup[index].SubTable:
                    forms.update(getattr(getattr(part, "ExtSubTable", part), "mapping", {}))
    for cmap in font["cmap"].tables:
        for code in range(ord("0"), ord("9") + 1):
            if cmap.isUnicode() and cmap.cmap.get(code) in forms:
                cmap.cmap[code] = forms[cmap.cmap[code]]


def cut(font, codes, features_out=frozenset()):
    options = subset.Options()
    options.layout_features = [f for f in subset.Options._layout_features_default if f not in features_out]
    options.name_IDs = ["*"]
    options.name_languages = ["*"]
    options.notdef_outline = True
    options.recalc_timestamp = False
    options.drop_tables += ["DSIG", "meta", "STAT", "FFTM"]
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=codes)
    subsetter.subset(font)


def ring(pen, x, y, outer, inner, steps=24):
    """A circle line: the outer edge clockwise, the inner one against it."""
    for radius, sign in ((outer, -1), (inner, 1)):
        # A control point outside each arc; TrueType joins them by quadratic curves.
        far = radius / math.cos(math.pi / steps)
        points = [
            (round(x + far * math.cos(sign * 2 * math.pi * i / steps)),
             round(y + far * math.sin(sign * 2 * math.pi * i / steps)))
            for i in range(steps)
        ]
        pen.qCurveTo(*points, None)
        pen.closePath()


def polygon(pen, points):
    pen.moveTo(points[0])
    for point in points[1:]:
        pen.lineTo(point)
    pen.closePath()


def add_glyph(font, code, name, draw, advance):
    pen = TTGlyphPen(None)
    draw(pen)
    font.setGlyphOrder([*font.getGlyphOrder(), name])
    glyph = pen.glyph()
    font["glyf"][name] = glyph
    glyph.recalcBounds(font["glyf"])
    font["hmtx"][name] = (advance, glyph.xMin)
    for cmap in font["cmap"].tables:
        if cmap.isUnicode():
            cmap.cmap[code] = name


def lens(pen):
    """U+2315: our own magnifying glass."""
    ring(pen, 740, 880, 540, 380)
    d = 80
    polygon(pen, [(1060 - d, 560 - d), (1060 + d, 560 + d), (1600 + d, 20 + d), (1600 - d, 20 - d)])


def two_sheets(pen):
    """U+29C9: our own sign for copying."""
    def frame(x, y, side, line):
        polygon(pen, [(x, y), (x, y + side), (x + side, y + side), (x + side, y)])
        polygon(pen, [(x + line, y + line), (x + side - line, y + line),
                      (x + side - line, y + side - line), (x + line, y + side - line)])
    frame(560, 380, 960, 150)
    line = 150
    polygon(pen, [(180, 0), (180, 960), (440, 960), (440, 960 - line), (180 + line, 960 - line),
                  (180 + line, line), (1140 - line, line), (1140 - line, 260), (1140, 260), (1140, 0)])


def symbols(source):
    font = TTFont(source)
    cut(font, [0x20] + [code for low, high in SYMBOLS for code in range(low, high + 1)])
    add_glyph(font, 0x2315, "lens", lens, 1760)
    add_glyph(font, 0x29C9, "copy", two_sheets, 1700)
    for record in font["name"].names:
        if record.nameID in (1, 3, 4, 16):
            record.string = "Emberlens Symbols"
        elif record.nameID == 6:
            record.string = "EmberlensSymbols"
    return font


def main():
    regular, semibold, mono, dejavu, out = map(Path, sys.argv[1:])
    for source, name in ((regular, "Inter-Regular.ttf"), (semibold, "Inter-SemiBold.ttf")):
        font = TTFont(source)
        tabular_digits(font)
        cut(font, list(font.getBestCmap()), LIGATURES)
        font.save(out / name)
    font = TTFont(mono)
    cut(font, list(font.getBestCmap()), LIGATURES)
    font.save(out / "JetBrainsMono-Regular.ttf")
    symbols(dejavu).save(out / "EmberlensSymbols.ttf")


main()
