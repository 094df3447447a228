"""Plates out of pictures of whole cars: cropped by a box, or rectified by four corners."""

from dataclasses import dataclass

import cv2
import numpy as np

from acl_core.errors import DataError

_LONGEST_PX = 32_000  # cv2 warps nothing larger
_LEVEL_SHARE = 0.999  # a quadrilateral that fills its bounds to this share is a box, and is not resampled


@dataclass(frozen=True)
class Crop:
    """A plate cut out of a picture.

    Attributes:
        image: (H, W, 3) uint8 RGB.
        source_size: Width and height of the picture that it was cut out of.
        matrix: (3, 3) float64, from pixels of the picture to pixels of the crop; (0, 0) is the corner of a pixel.
    """

    image: np.ndarray
    source_size: tuple[int, int]
    matrix: np.ndarray

    def carry(self, points: np.ndarray) -> np.ndarray:
        """(n, 2) points of the picture in pixels of the crop."""
        moved = np.column_stack([points, np.ones(len(points))]) @ self.matrix.T
        with np.errstate(divide="ignore", invalid="ignore"):  # a point on the horizon of a rectified plate
            return np.asarray(moved[:, :2] / moved[:, 2:])

    def holds(self, point: np.ndarray) -> bool:
        """Whether a point (2,) of the picture lies in the crop."""
        x, y = self.carry(point[None])[0]
        return bool(0 <= x <= self.image.shape[1] and 0 <= y <= self.image.shape[0])


def bounds_of(points: np.ndarray) -> np.ndarray:
    """(4,) xyxy around (n, 2) points."""
    return np.concatenate([points.min(axis=0), points.max(axis=0)])


def cut_out(image: np.ndarray, points: np.ndarray) -> Crop:
    """The plate within two corners of a box or within a polygon.

    Four corners that are not upright are rectified by a homography: the plate is turned to stand upright (by less than
    45 degrees) and its sides keep the longer of their two lengths. Any other polygon is cropped by its bounds.

    Args:
        image: (H, W, 3) uint8 RGB.
        points: (n, 2) float64, pixels.

    Raises:
        DataError: Four corners that are not convex, or a plate without a pixel.
    """
    left, top, right, bottom = bounds_of(points)
    filled = cv2.contourArea(points.astype(np.float32)) / ((right - left) * (bottom - top))
    if len(points) == 4 and filled < _LEVEL_SHARE:
        return _rectified(image, points)
    height, width = image.shape[:2]
    x, y = max(int(np.floor(left)), 0), max(int(np.floor(top)), 0)
    part = image[y : min(int(np.ceil(bottom)), height), x : min(int(np.ceil(right)), width)]
    if part.size == 0:
        raise DataError("plate without a pixel in the picture")
    return Crop(np.ascontiguousarray(part), (width, height), _shift(-x, -y))


def _rectified(image: np.ndarray, points: np.ndarray) -> Crop:
    source = _from_top_left(points)
    across = np.linalg.norm(source[[1, 2]] - source[[0, 3]], axis=1).max()
    down = np.linalg.norm(source[[3, 2]] - source[[0, 1]], axis=1).max()
    width, height = max(round(across), 1), max(round(down), 1)
    if max(width, height, *image.shape[:2]) > _LONGEST_PX:
        raise DataError(f"picture with a side above {_LONGEST_PX} px, too long to rectify a plate in it")
    target = np.array([[0, 0], [width, 0], [width, height], [0, height]])
    matrix = cv2.getPerspectiveTransform(source.astype(np.float32), target.astype(np.float32))
    # cv2 counts from the centre of the first pixel, this project from its corner.
    upright = cv2.warpPerspective(
        image,
        _shift(-0.5, -0.5) @ matrix @ _shift(0.5, 0.5),
        (width, height),
        flags=cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return Crop(upright, (image.shape[1], image.shape[0]), matrix)


def _from_top_left(points: np.ndarray) -> np.ndarray:
    """Four corners clockwise from the top left, in whatever order they were clicked."""
    away = points - points.mean(axis=0)
    corners = points[np.argsort(np.arctan2(away[:, 1], away[:, 0]), kind="stable")]  # y points down: clockwise
    if not cv2.isContourConvex(corners.astype(np.float32)):
        raise DataError("four corners of a plate that are not convex")
    along = np.roll(corners, -1, axis=0) - corners
    sideways = along[:, 0] / np.linalg.norm(along, axis=1)
    first = int(np.argmax(sideways))  # the top runs to the right
    return np.roll(corners, -first, axis=0)


def _shift(x: float, y: float) -> np.ndarray:
    return np.array([[1.0, 0.0, x], [0.0, 1.0, y], [0.0, 0.0, 1.0]])
