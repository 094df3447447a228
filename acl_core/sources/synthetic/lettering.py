"""Characters as masks, in the plates' own hand or in one of the vendored fonts, with one style for a whole plate."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from acl_core.errors import DataError
from acl_core.params_plates import Synthetic
from acl_core.sources.synthetic.hand import Hand
from acl_core.sources.synthetic.layout import DIGITS

_FONTS = Path(__file__).with_name("fonts")
_FONT_PX = 112  # height of the em at which a glyph is rendered, once
_COMMON_LETTERS = "가너모루버호"  # their largest extents stand for all letters of a font
_MAX_FONT_CHANGE = 0.35  # a font's stroke is thinned or thickened by at most this share of itself
_SYLLABLE_GAP = 0.08  # between the syllables of a region, as a share of the box
_DIGIT_STROKE = 0.14  # width of a stroke over the geometric mean of the digit's width and height, read off photographs
_LETTER_STROKE = 0.128  # the same for Hangul, which has more strokes to place


class Typeface(Protocol):
    """Something that can write one sign."""

    def mask(self, sign: str, size: tuple[int, int], stroke_px: float) -> np.ndarray:
        """(h, w) uint8, 255 on ink that fills about ``size`` (width, height) px with strokes of ``stroke_px``."""
        ...


@dataclass(frozen=True)
class Font:
    """A vendored font, stretched to the proportions of plates.

    Attributes:
        path: The ``.ttf``.
    """

    path: Path

    def mask(self, sign: str, size: tuple[int, int], stroke_px: float) -> np.ndarray:
        """Write one sign; narrow ones, such as 1, stay narrow. See :class:`Typeface`."""
        glyph = _glyph(self.path, sign)
        widest, highest = _largest(self.path, _fellows_of(sign))
        width = max(2, round(size[0] * min(1.0, glyph.shape[1] / widest)))
        height = max(2, round(size[1] * min(1.0, glyph.shape[0] / highest)))
        stretched = cv2.resize(glyph, (width, height), interpolation=cv2.INTER_AREA)
        own_px = _stroke_of(stretched)
        wanted_px = float(np.clip(stroke_px, (1 - _MAX_FONT_CHANGE) * own_px, (1 + _MAX_FONT_CHANGE) * own_px))
        return _thicken(stretched, (wanted_px - own_px) / 2)


@dataclass(frozen=True)
class Lettering:
    """How all characters of one plate are written.

    Attributes:
        typeface: Hand or font.
        weight: Factor on the width of strokes.
        stretch: Factors on the width and the height of characters.
        slant: Shift to the right per unit of height.
    """

    typeface: Typeface
    weight: float
    stretch: tuple[float, float]
    slant: float

    @classmethod
    def draw(cls, rng: np.random.Generator, params: Synthetic, *, bar_one: bool) -> "Lettering":
        """A lettering at random.

        Args:
            rng: Source of randomness.
            params: Share of the hand and limits of the variation.
            bar_one: Write 1 as a bare bar where the typeface can.
        """
        fonts = font_paths()
        font = Font(fonts[int(rng.integers(len(fonts)))])
        hand, limit = Hand.draw(rng, bar_one=bar_one), params.max_stretch
        return cls(
            typeface=hand if rng.random() < params.hand_share else font,
            weight=float(np.exp(rng.uniform(-params.max_weight, params.max_weight))),
            stretch=(float(1 + rng.uniform(-limit, limit)), float(1 + rng.uniform(-limit, limit))),
            slant=float(np.tan(np.radians(rng.uniform(-params.max_slant_deg, params.max_slant_deg)))),
        )

    def mask(self, name: str, size: tuple[int, int], bolder: float = 1.0) -> np.ndarray:
        """Write a class name into a box; the syllables of a region stand side by side or, in a high box, stacked.

        Args:
            name: Digit, letter or region.
            size: Width and height of the box in pixels.
            bolder: Factor on the width of its strokes.

        Returns:
            (h, w) uint8 cropped to the ink, 255 on ink; about ``size`` large or smaller.
        """
        width, height = (max(4, round(length * factor)) for length, factor in zip(size, self.stretch, strict=True))
        stacked, n = height > width, len(name)
        part = (1 - _SYLLABLE_GAP * (n - 1)) / n
        cell = (width, round(height * part)) if stacked and n > 1 else (round(width * part), height)
        share = _DIGIT_STROKE if name in DIGITS else _LETTER_STROKE
        stroke_px = max(2.0, share * self.weight * bolder * float(np.sqrt(cell[0] * cell[1])))
        signs = [_crop(_slanted(self.typeface.mask(sign, cell, stroke_px), self.slant)) for sign in name]
        return signs[0] if n == 1 else _join(signs, cell, stacked=stacked)


@lru_cache(maxsize=1)
def font_paths() -> tuple[Path, ...]:
    """The vendored fonts, sorted by name.

    Raises:
        DataError: There is none.
    """
    paths = tuple(sorted(_FONTS.glob("*.ttf")))
    if not paths:
        raise DataError(f"{_FONTS}: no .ttf file. Make them with scripts/subset_fonts.py.")
    return paths


@lru_cache(maxsize=2048)
def _glyph(path: Path, sign: str) -> np.ndarray:
    """The ink of a sign at ``_FONT_PX``, (h, w) uint8, cropped."""
    font = ImageFont.truetype(str(path), _FONT_PX, layout_engine=ImageFont.Layout.BASIC)
    canvas = Image.new("L", (2 * _FONT_PX, 2 * _FONT_PX))
    ImageDraw.Draw(canvas).text((_FONT_PX // 2, _FONT_PX // 2), sign, font=font, fill=255)
    return _crop(np.asarray(canvas))


def _fellows_of(sign: str) -> str:
    """Signs that share a scale with this one, so that a 1 stays narrower than a 0."""
    if sign in DIGITS:
        return DIGITS
    return sign if sign.isascii() else _COMMON_LETTERS


@lru_cache(maxsize=64)
def _largest(path: Path, signs: str) -> tuple[int, int]:
    """Largest width and largest height of the ink of these signs."""
    shapes = [_glyph(path, sign).shape for sign in signs]
    return max(w for _, w in shapes), max(h for h, _ in shapes)


def _stroke_of(mask: np.ndarray) -> float:
    """Mean width of the strokes of a mask in pixels: twice the area over the length of the outline."""
    outlines, _ = cv2.findContours((mask > 127).astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    length = sum(cv2.arcLength(outline, True) for outline in outlines)
    return max(1.0, 2 * float((mask > 127).sum()) / max(1.0, length))


def _thicken(mask: np.ndarray, by_px: float) -> np.ndarray:
    """Move the outline of a mask outwards (or, below 0, inwards)."""
    margin = int(np.ceil(max(0.0, by_px))) + 1
    ink = (np.pad(mask, margin) > 127).astype(np.uint8)
    distance = cv2.distanceTransform(ink, cv2.DIST_L2, 3) - cv2.distanceTransform(1 - ink, cv2.DIST_L2, 3)
    return np.asarray((distance + by_px > 0) * 255, dtype=np.uint8)


def _slanted(mask: np.ndarray, slant: float) -> np.ndarray:
    if slant == 0:
        return mask
    height, width = mask.shape
    shift = abs(slant) * height
    matrix = np.array([[1, -slant, shift if slant > 0 else 0], [0, 1, 0]], dtype=np.float64)
    return np.asarray(cv2.warpAffine(mask, matrix, (width + int(np.ceil(shift)), height), flags=cv2.INTER_LINEAR))


def _crop(mask: np.ndarray) -> np.ndarray:
    x, y, width, height = cv2.boundingRect((mask > 127).astype(np.uint8))
    return np.asarray(mask[y : y + height, x : x + width])


def _join(signs: list[np.ndarray], cell: tuple[int, int], *, stacked: bool) -> np.ndarray:
    """Masks of the same cell size, one beside or below the other, each in the middle of its cell."""
    gap = round(_SYLLABLE_GAP * cell[1 if stacked else 0] * len(signs))
    step = (0, cell[1] + gap) if stacked else (cell[0] + gap, 0)
    extent = [max(s.shape[1] for s in signs), max(s.shape[0] for s in signs)]
    reach = (max(cell[0], extent[0]), max(cell[1], extent[1]))
    canvas = np.zeros((reach[1] + step[1] * (len(signs) - 1), reach[0] + step[0] * (len(signs) - 1)), np.uint8)
    for index, sign in enumerate(signs):
        x = step[0] * index + (reach[0] - sign.shape[1]) // 2
        y = step[1] * index + (reach[1] - sign.shape[0]) // 2
        target = canvas[y : y + sign.shape[0], x : x + sign.shape[1]]
        np.maximum(target, sign, out=target)
    return _crop(canvas)
