"""A flat picture that can be drawn on in millimetres of the plate.

Pictures here are (h, w, 3) float32 RGB in [0, 1], masks (h, w) float32 in [0, 1]; drawing changes them in place.
"""

from dataclasses import dataclass

import cv2
import numpy as np

_CORNER_MM = 9.0  # radius of the plate's corners
_CORNER_STEP_DEG = 15
SUBPIXEL_BITS = 4  # OpenCV draws with fixed-point coordinates


@dataclass(frozen=True)
class Canvas:
    """Where a plate lies in a flat picture.

    Attributes:
        plate_mm: Width and height of the plate.
        px_per_mm: Scale.
        pad_px: Pixels around the plate, on each side.
    """

    plate_mm: tuple[float, float]
    px_per_mm: float
    pad_px: int

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of the picture."""
        width, height = (int(np.ceil(length * self.px_per_mm)) + 2 * self.pad_px for length in self.plate_mm)
        return height, width

    def to_px(self, length_mm: float) -> float:
        """A position on the plate as a continuous coordinate of the picture; pixel 0 covers [0, 1]."""
        return length_mm * self.px_per_mm + self.pad_px

    def rounded(self, outset_mm: float = 0.0, below_mm: float = 0.0) -> np.ndarray:
        """The plate's outline moved outwards (inwards below 0), its lower edge by ``below_mm`` more.

        Returns:
            (n, 2) float64, continuous coordinates.
        """
        radius = max(1.0, _CORNER_MM + outset_mm)
        reach = outset_mm - radius
        width, height = self.plate_mm
        centres = np.array([[-reach, -reach], [width + reach, -reach], [width + reach, height + reach + below_mm]])
        centres = np.vstack([centres, [-reach, height + reach + below_mm]])
        angles = np.radians(np.arange(180, 271, _CORNER_STEP_DEG) + 90 * np.arange(4)[:, None])
        points = centres[:, None] + radius * np.stack([np.cos(angles), np.sin(angles)], axis=-1)
        return np.asarray(points.reshape(-1, 2) * self.px_per_mm + self.pad_px)


def fill(picture: np.ndarray, points: np.ndarray, level: float | tuple[float, float, float]) -> None:
    """Fill a polygon, ``points`` (n, 2) in continuous coordinates, of a picture or of a mask."""
    colour = level if isinstance(level, tuple) else (level,) * 3
    cv2.fillPoly(picture, [fixed_point(points)], colour, cv2.LINE_8, SUBPIXEL_BITS)


def fixed_point(points: np.ndarray) -> np.ndarray:
    """Continuous coordinates as the fixed-point pixel centres that OpenCV draws with."""
    return np.rint((points - 0.5) * (1 << SUBPIXEL_BITS)).astype(np.int32)


def lay(picture: np.ndarray, mask: np.ndarray, colour: np.ndarray | float, corner: tuple[int, int] = (0, 0)) -> None:
    """Lay a colour or a picture of the mask's size over the picture, where the mask says so.

    Args:
        picture: (h, w, 3) float32.
        mask: (h', w') float32; what sticks out of the picture is cut off.
        colour: A grey level, (3,) or (h', w', 3).
        corner: Where the mask's top left pixel comes to lie, x and y.
    """
    x, y = corner
    rows = slice(max(0, -y), max(0, picture.shape[0] - y))
    columns = slice(max(0, -x), max(0, picture.shape[1] - x))
    part = mask[rows, columns, None]
    target = picture[max(0, y) : max(0, y) + part.shape[0], max(0, x) : max(0, x) + part.shape[1]]
    if isinstance(colour, np.ndarray) and colour.ndim == 3:
        colour = colour[rows, columns]
    target += part * (np.asarray(colour, dtype=np.float32) - target)


def cloud(rng: np.random.Generator, shape: tuple[int, int], cells: int) -> np.ndarray:
    """Smooth noise in about [0, 1] with ``cells`` cells along the longer side."""
    height, width = shape
    cell = max(height, width) / cells
    grid = rng.random((2 + round(height / cell), 2 + round(width / cell)), dtype=np.float32)
    return np.asarray(cv2.resize(grid, (width, height), interpolation=cv2.INTER_CUBIC))
