"""The plates' own lettering: monoline strokes along the centre lines of ``hand.json``.

No open font has the letters of Korean plates: digits and Hangul of one even stroke, letters as wide as high. So they
are drawn here. Hangul is composed of its jamo. The variant of each sign, the corners and the proportions are drawn once
a plate, so all signs of one plate look alike.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from acl_core.errors import DataError
from acl_core.sources.synthetic.layout import DIGITS

_SKELETONS = Path(__file__).with_name("hand.json")
_ARC_STEP_DEG = 12
_SUBPIXEL_BITS = 4
_RIGHT_ANGLE_COSINE = 0.35  # corners between about 70 and 110 degrees get a square outer edge
_FINAL_THINNING = 0.72  # strokes of syllables with a final, which would run together otherwise
_SQUARE_SHARE = 0.6  # of the hands have square ends and corners
_MAX_WAIST = 0.05  # shift of the middle of a sign up or down, as a share of its height

# Unicode orders Hangul syllables by initial, vowel and final (Unicode standard, Sec. 3.12).
_FIRST_SYLLABLE = 0xAC00
_INITIALS = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ"
_VOWELS = "ㅏㅐㅑㅒㅓㅔㅕㅖㅗㅘㅙㅚㅛㅜㅝㅞㅟㅠㅡㅢㅣ"
_FINALS = " ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ"

_SQUARE = np.array([[1, 1], [1, -1], [-1, -1], [-1, 1]])  # its corners

Stroke = np.ndarray  # (n, 2) float64, points in the unit square
Skeleton = list[Stroke]


def jamo(syllable: str) -> tuple[str, str, str]:
    """Initial, vowel and final (empty if there is none) of one Hangul syllable."""
    index = ord(syllable) - _FIRST_SYLLABLE
    initial, rest = divmod(index, len(_VOWELS) * len(_FINALS))
    vowel, final = divmod(rest, len(_FINALS))
    return _INITIALS[initial], _VOWELS[vowel], _FINALS[final].strip()


@dataclass(frozen=True)
class Hand:
    """One way of writing all signs.

    Attributes:
        variant: Any number; says which variant of each sign is written.
        square: Square ends and corners of strokes instead of round ones.
        waist: Shift of the middle of every sign downwards, as a share of its height.
        bar_one: The 1 is a bare bar, as on green plates.
    """

    variant: int
    square: bool
    waist: float
    bar_one: bool

    @classmethod
    def draw(cls, rng: np.random.Generator, *, bar_one: bool) -> "Hand":
        """A hand at random."""
        variant = int(rng.integers(1 << 16))
        return cls(variant, bool(rng.random() < _SQUARE_SHARE), float(rng.uniform(-_MAX_WAIST, _MAX_WAIST)), bar_one)

    def mask(self, sign: str, size: tuple[int, int], stroke_px: float) -> np.ndarray:
        """Write one digit or Hangul syllable.

        Args:
            sign: The sign.
            size: Width and height in pixels that the ink may fill.
            stroke_px: Width of the stroke.

        Returns:
            (h, w) uint8, 255 on ink; w and h exceed ``size`` by a margin that holds sharp corners.

        Raises:
            DataError: ``hand.json`` has no such sign.
        """
        if sign not in DIGITS and jamo(sign)[2]:
            stroke_px *= _FINAL_THINNING
        width, height = max(1.0, size[0] - stroke_px), max(1.0, size[1] - stroke_px)
        margin = round(stroke_px)
        canvas = np.zeros((size[1] + 2 * margin, size[0] + 2 * margin), np.uint8)
        for stroke in self._skeleton(sign):
            y = stroke[:, 1] + self.waist * np.sin(np.pi * stroke[:, 1])
            points = np.column_stack([stroke[:, 0] * width, y * height]) + (margin + stroke_px / 2 - 0.5)
            _write(canvas, points, stroke_px, square=self.square)
        return canvas

    def _skeleton(self, sign: str) -> Skeleton:
        if sign == "1" and self.bar_one:
            return _strokes(_load()["bar_one"])
        if sign in DIGITS:
            return self._pick("digits", sign)
        return self._syllable(sign)

    def _syllable(self, syllable: str) -> Skeleton:
        initial, vowel, final = jamo(syllable)
        shape = _load()["vowels"].get(vowel)
        if shape is None:
            raise DataError(f"{syllable}: the vowel {vowel} is not in {_SKELETONS.name}. Add its strokes there.")
        beside = shape["place"] == "beside" and initial in _load()["beside_a_vowel"] and not final
        strokes = _into(self._pick("beside_a_vowel" if beside else "consonants", initial), shape["initial"])
        strokes += _strokes(shape["strokes"])
        if final:
            strokes = _into(strokes, _load()["above_a_final"])
            strokes += _into(self._pick("consonants", final), _load()["final"])
        return strokes

    def _pick(self, table: str, sign: str) -> Skeleton:
        variants = _load()[table].get(sign)
        if variants is None:
            raise DataError(f"{sign}: not in the table {table} of {_SKELETONS.name}. Add its strokes there.")
        return _strokes(variants[(self.variant >> (ord(sign) % 13)) % len(variants)])


@lru_cache(maxsize=1)
def _load() -> Any:
    return json.loads(_SKELETONS.read_text(encoding="utf-8"))


def _strokes(raw: Sequence[Sequence[Sequence[float]]]) -> Skeleton:
    """Points of strokes whose segments are points or arcs."""
    return [np.vstack([_segment(segment) for segment in stroke]) for stroke in raw]


def _segment(segment: Sequence[float]) -> np.ndarray:
    if len(segment) == 2:
        return np.asarray([segment], dtype=np.float64)
    x, y, radius_x, radius_y, start, end = segment
    angles = np.radians(np.linspace(start, end, 1 + int(np.ceil(abs(end - start) / _ARC_STEP_DEG))))
    return np.column_stack([x + radius_x * np.cos(angles), y + radius_y * np.sin(angles)])


def _into(strokes: Skeleton, box: Sequence[float]) -> Skeleton:
    """Strokes of the unit square put into the box (x0, y0, x1, y1) of it."""
    low, high = np.asarray(box[:2]), np.asarray(box[2:])
    return [low + stroke * (high - low) for stroke in strokes]


def _write(canvas: np.ndarray, points: np.ndarray, stroke_px: float, *, square: bool) -> None:
    """Draw one stroke; ``points`` (n, 2) are in pixels of the canvas."""
    factor = 1 << _SUBPIXEL_BITS
    line = np.rint(points * factor).astype(np.int32)
    cv2.polylines(canvas, [line], False, 255, max(1, round(stroke_px)), cv2.LINE_8, _SUBPIXEL_BITS)
    if not square or len(points) < 2:
        return
    for corner, direction in _square_corners(points):
        across = np.array([-direction[1], direction[0]])
        quad = corner + stroke_px / 2 * (_SQUARE @ [direction, across])
        cv2.fillConvexPoly(canvas, np.rint(quad * factor).astype(np.int32), 255, cv2.LINE_8, _SUBPIXEL_BITS)


def _square_corners(points: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Free ends and right-angled corners of a stroke, each with the unit direction of the stroke there."""
    steps = np.diff(points, axis=0)
    lengths = np.linalg.norm(steps, axis=1)
    keep = lengths > 1e-6
    directions = steps[keep] / lengths[keep, None]
    starts = points[:-1][keep]
    right_angles = np.abs((directions * np.roll(directions, 1, axis=0)).sum(axis=1)) < _RIGHT_ANGLE_COSINE
    if np.allclose(points[0], points[-1]):
        return [(starts[i], directions[i]) for i in np.flatnonzero(right_angles)]
    inner = [(starts[i], directions[i]) for i in np.flatnonzero(right_angles[1:]) + 1]
    return [(points[0], directions[0]), (points[-1], directions[-1]), *inner]
