"""How wide text is, by the font that matplotlib brings along: the same on every machine.

matplotlib is loaded when something is measured: pages and exports import this module as well.
"""

from __future__ import annotations

import unicodedata
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    from matplotlib.font_manager import FontProperties

Weight = Literal["normal", "bold"]

_FILES: dict[Weight, str] = {"normal": "DejaVuSans.ttf", "bold": "DejaVuSans-Bold.ttf"}
_MEASURED_AT = 64.0
_OTHER_FAMILIES = (
    *("Noto Sans CJK SC", "Noto Sans CJK JP", "Noto Sans SC", "Source Han Sans SC"),
    *("PingFang SC", "Hiragino Sans", "Microsoft YaHei", "WenQuanYi Micro Hei", "SimHei"),
    *("Noto Sans Arabic", "Noto Sans Hebrew", "Noto Sans Devanagari", "Noto Sans Thai"),
    *("Arial Unicode MS", "Noto Emoji", "Symbola", "Segoe UI Symbol", "FreeSans", "Unifont"),
)
"""Where a character may be found that the font that measures does not have."""
SVG_FAMILIES = ("DejaVu Sans", "Verdana", "Helvetica", "Arial")


class Font(NamedTuple):
    """How text looks; the size is in points."""

    size: float
    colour: str
    weight: Weight = "normal"


def text_width(text: str, font: Font) -> float:
    """Return how much room *text* takes at most.

    That is the sum of what its characters take one by one: kerning and joining only draw them
    together. A character that the font lacks gets a square, which is what other fonts draw it in.
    """
    return sum(_advance(char, font.weight) for char in text) * font.size


@cache
def _advance(char: str, weight: Weight) -> float:
    from matplotlib.ft2font import LoadFlags

    face = _face(weight)
    index: int = face.get_char_index(ord(char))
    if index:
        advance: int = face.load_glyph(index, LoadFlags.NO_HINTING).linearHoriAdvance
        return advance / 65536 / _MEASURED_AT
    return 0.0 if unicodedata.category(char) in ("Mn", "Me", "Cf") else 1.0


@cache
def _face(weight: Weight) -> Any:
    import matplotlib as mpl
    from matplotlib.ft2font import FT2Font

    # matplotlib's own types know only half of this class.
    face: Any = FT2Font(str(Path(mpl.get_data_path(), "fonts", "ttf", _FILES[weight])))
    face.set_size(_MEASURED_AT, 72)
    return face


@cache
def _other_families() -> tuple[str, ...]:
    from matplotlib.font_manager import findSystemFonts, fontManager

    known = set(fontManager.get_font_names())
    if not known.intersection(_OTHER_FAMILIES):
        # matplotlib remembers which fonts there were when it was first used.
        wanted = {family.replace(" ", "").lower()[:11] for family in _OTHER_FAMILIES}
        for path in sorted(findSystemFonts()):
            if Path(path).stem.replace("-", "").lower()[:11] in wanted:
                fontManager.addfont(path)
        known = set(fontManager.get_font_names())
    return tuple(family for family in _OTHER_FAMILIES if family in known)


def properties_of(text: str, font: Font, scale: float = 1.0) -> FontProperties:
    """Return *font* as matplotlib has it, with other fonts for what *text* needs them for."""
    from matplotlib.font_manager import FontProperties

    family: Any = "sans-serif"
    face = _face(font.weight)
    if any(not face.get_char_index(ord(char)) for char in text):
        family = ["DejaVu Sans", *_other_families()]
    return FontProperties(family=family, size=font.size * scale, weight=font.weight)
