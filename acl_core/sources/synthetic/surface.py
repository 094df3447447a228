"""What is on a plate and around it besides the characters: rim, strip, bolts, dirt, plate holder, car.

Pictures are (h, w, 3) float32 RGB in [0, 1], masks (h, w) float32 in [0, 1]; what is added is drawn in place.
"""

import cv2
import numpy as np

from acl_core.sources.synthetic.canvas import SUBPIXEL_BITS, Canvas, cloud, fill, fixed_point, lay
from acl_core.sources.synthetic.layout import Paint

_COLOURS = {
    Paint.WHITE: (0.90, 0.90, 0.89),
    Paint.LIGHT_BLUE: (0.66, 0.84, 0.93),
    Paint.YELLOW: (0.97, 0.74, 0.13),
    Paint.GREEN: (0.02, 0.36, 0.22),
    Paint.BLACK: (0.09, 0.07, 0.11),
}
_STRIP_BLUE = (0.05, 0.20, 0.55)
_COLOUR_SPREAD = 0.02  # of a paint between plates, each channel
_RIM_INSET_MM = (2.5, 6.0)
_RIM_WIDTH_MM = (1.5, 3.2)
_BOLT_RADIUS_MM = (6.0, 12.5)
_BOLT_OFFSET_MM = 3.0  # standard deviation of a bolt from its place
_HOLDER_MM = (3.0, 14.0)  # how far a plate holder stands out
_NAME_STRIP_MM = (10.0, 22.0)  # lower edge of a holder, often with the name of the maker or dealer
_BRIGHT_EDGE_MM = 1.5  # of a holder
_DARK = (0.02, 0.18)  # levels of bumpers, grilles and most holders
_BRIGHT = (0.2, 0.9)  # levels of other car bodies, holders and prints
_DARK_SHARE = 0.75
_CAR_COLOUR_SPREAD = 0.12
_CAR_EDGES = 4  # at most
_CAR_COARSENESS = 4  # the car is of no interest and drawn this much coarser
_BROWN = (0.36, 0.31, 0.25)
_DIRT = (0.15, 0.6)  # share of it that covers the plate


def paint_of(rng: np.random.Generator, paint: Paint) -> np.ndarray:
    """The colour of a paint on one plate, (3,) float32."""
    return np.clip(np.asarray(_COLOURS[paint]) + rng.normal(0, _COLOUR_SPREAD, 3), 0, 1).astype(np.float32)


def car(rng: np.random.Generator, canvas: Canvas) -> np.ndarray:
    """The car around the plate: a colour, a few edges of its body, uneven light."""
    height, width = canvas.shape
    coarse = (height // _CAR_COARSENESS + 2, width // _CAR_COARSENESS + 2)
    colour = np.clip(_level(rng) * (1 + rng.normal(0, _CAR_COLOUR_SPREAD, 3)), 0, 1).astype(np.float32)
    light = 1 + 0.5 * (cloud(rng, coarse, 4) - 0.5)
    for _ in range(int(rng.integers(_CAR_EDGES + 1))):
        y, slope, strength = rng.uniform(0, coarse[0]), rng.normal(0, 0.03), rng.uniform(-0.5, 1.2)
        band = np.zeros(coarse, np.float32)
        thickness = max(1, round(rng.uniform(0.01, 0.08) * coarse[0]))
        cv2.line(band, (0, int(y)), (coarse[1], int(y + slope * coarse[1])), 1.0, thickness)
        light += np.float32(strength) * cv2.GaussianBlur(band, (0, 0), 0.5 + thickness / 4)
    picture = np.maximum(light, np.float32(0.1))[..., None] * colour
    return np.asarray(cv2.resize(picture, (width, height), interpolation=cv2.INTER_LINEAR))


def add_holder(rng: np.random.Generator, picture: np.ndarray, canvas: Canvas) -> None:
    """A plate holder, perhaps with a bright edge and a name below the plate."""
    out, below = rng.uniform(*_HOLDER_MM), rng.uniform(*_NAME_STRIP_MM)
    with_edge, with_strip, with_name = rng.random(3) < 0.5
    if not with_strip:
        below = 0.0
    if with_edge:
        fill(picture, canvas.rounded(out + _BRIGHT_EDGE_MM, below), float(rng.uniform(*_BRIGHT)))
    fill(picture, canvas.rounded(out, below), _level(rng))
    if with_strip and with_name:
        _add_name(rng, picture, canvas, canvas.plate_mm[1] + out + 0.2 * below, 0.45 * below)


def _level(rng: np.random.Generator) -> float:
    """A grey level of something around the plate."""
    return float(rng.uniform(*(_DARK if rng.random() < _DARK_SHARE else _BRIGHT)))


def _add_name(rng: np.random.Generator, picture: np.ndarray, canvas: Canvas, top_mm: float, height_mm: float) -> None:
    """Marks like letters that are too small to be read."""
    length = int(rng.integers(6, 22))
    marks = (rng.random((3, 3 * length)) < 0.55).astype(np.float32)
    marks[:, ::3] = 0  # gaps between the letters
    size = max(3, round(height_mm * canvas.px_per_mm))
    mask = cv2.resize(marks, (min(canvas.shape[1] // 2, size * length), size), interpolation=cv2.INTER_LINEAR)
    middle = canvas.to_px(canvas.plate_mm[0] * rng.uniform(0.2, 0.8))
    lay(picture, mask, rng.uniform(*_BRIGHT), corner=(round(middle - mask.shape[1] / 2), round(canvas.to_px(top_mm))))


def rim(rng: np.random.Generator, canvas: Canvas) -> np.ndarray:
    """Mask of the painted line along the plate's edge."""
    inset, width = rng.uniform(*_RIM_INSET_MM), rng.uniform(*_RIM_WIDTH_MM)
    mask = np.zeros(canvas.shape, np.float32)
    fill(mask, canvas.rounded(-inset), 1.0)
    fill(mask, canvas.rounded(-inset - width), 0.0)
    return mask


def add_strip(picture: np.ndarray, canvas: Canvas, width_mm: float, text: np.ndarray) -> None:
    """A blue strip over the left end of the plate with small white letters (a mask) on its lower half."""
    x0, y0, x1, y1 = canvas.to_px(0), canvas.to_px(0), canvas.to_px(width_mm), canvas.to_px(canvas.plate_mm[1])
    fill(picture, np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]]), _STRIP_BLUE)
    lay(picture, text, 1.0, corner=(round((x0 + x1 - text.shape[1]) / 2), round(y0 + 0.62 * (y1 - y0))))


def add_bolt(rng: np.random.Generator, picture: np.ndarray, canvas: Canvas, centre_mm: tuple[float, float]) -> None:
    """The head of a bolt: a disc with a dark rim and a highlight."""
    centre = np.array([canvas.to_px(c + rng.normal(0, _BOLT_OFFSET_MM)) for c in centre_mm])
    radius = rng.uniform(*_BOLT_RADIUS_MM) * canvas.px_per_mm
    shade = rng.uniform(0.05, 0.9)
    for share, level, offset in ((1.15, 0.35 * shade, 0.0), (0.95, shade, 0.0), (0.4, rng.uniform(0, 1), 0.3)):
        middle = fixed_point(centre + offset * radius * rng.uniform(-1, 1, 2))
        size = max(1, round(share * radius * (1 << SUBPIXEL_BITS)))
        cv2.circle(picture, (int(middle[0]), int(middle[1])), size, (float(level),) * 3, -1, cv2.LINE_8, SUBPIXEL_BITS)


def add_dirt(rng: np.random.Generator, picture: np.ndarray) -> None:
    """Dust and splashes."""
    height, width = picture.shape[:2]
    specks = cloud(rng, (height, width), 6) + 0.6 * cloud(rng, (height, width), 50)
    dust = np.clip(2 * (specks - rng.uniform(0.6, 1.2)), 0, 1) * rng.uniform(*_DIRT)
    lay(picture, dust.astype(np.float32), np.array(_BROWN))


def add_relief(picture: np.ndarray, height_map: np.ndarray, depth: float, angle: float, blur_px: float) -> None:
    """Light on one side of raised strokes and shade on the other, for light from ``angle`` (radians)."""
    smooth = cv2.GaussianBlur(height_map, (0, 0), max(0.4, blur_px))
    across = cv2.Sobel(smooth, cv2.CV_32F, 1, 0, ksize=3) * np.cos(angle)
    down = cv2.Sobel(smooth, cv2.CV_32F, 0, 1, ksize=3) * np.sin(angle)
    picture += (depth * np.clip((across + down) * blur_px / 2, -1, 1))[..., None].astype(np.float32)
