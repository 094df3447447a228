"""Where the camera stands: the map from millimetres on the plate to pixels of the picture, and the crop."""

from dataclasses import dataclass

import numpy as np

from acl_core.errors import ParamsError
from acl_core.params_plates import Synthetic
from acl_core.sources.synthetic.layout import Box

_DISTANCE = (3.0, 12.0)  # from camera to plate, in plate widths
_TIGHT_SHARE = 0.25  # crops that cut into the plate, for each of the four sides
_DEEPEST_CUT = 0.6  # of the way from the plate's edge to the characters
_UPWARD_BEND = 0.25  # plates sag more often and further than they bulge
_LARGEST_REDUCTION = 4.0
_FRONTAL = 0.2  # of the limits of all angles, for plates seen from the front
_OUTLINE_POINTS = 9  # of each edge of the plate; a bent edge reaches furthest somewhere in its middle


@dataclass(frozen=True)
class View:
    """A bent plate under a camera.

    Attributes:
        size_px: Width and height of the picture.
        matrix: (3, 3) homography from millimetres of the bent plate to pixels; pixel (0, 0) covers [0, 1] x [0, 1].
        plate_mm: Width and height of the plate.
        bend_mm: By how much the middle of the plate hangs lower than its ends.
        reduction: Size at which the picture was taken over the size that it was reduced to; 1 or more.
    """

    size_px: tuple[int, int]
    matrix: np.ndarray
    plate_mm: tuple[float, float]
    bend_mm: float
    reduction: float = 1.0

    def project(self, points: np.ndarray) -> np.ndarray:
        """Points of the flat plate, (n, 2) in mm, as (n, 2) in pixels of the picture."""
        return _project(self.matrix, _bent(points, self.plate_mm[0], self.bend_mm))

    def flat_grid(self, oversampling: int) -> tuple[np.ndarray, np.ndarray]:
        """Where on the flat plate each (sub)pixel of the picture lies.

        Returns:
            x and y in mm, each (h * oversampling, w * oversampling) float32.
        """
        width, height = self.size_px
        x = (np.arange(width * oversampling, dtype=np.float32) + 0.5) / oversampling
        y = ((np.arange(height * oversampling, dtype=np.float32) + 0.5) / oversampling)[:, None]
        inverse = np.linalg.inv(self.matrix).astype(np.float32)
        depth = inverse[2, 0] * x + inverse[2, 1] * y + inverse[2, 2]
        flat_x = (inverse[0, 0] * x + inverse[0, 1] * y + inverse[0, 2]) / depth
        flat_y = (inverse[1, 0] * x + inverse[1, 1] * y + inverse[1, 2]) / depth
        sag = np.float32(self.bend_mm) * (1 - (2 * flat_x / np.float32(self.plate_mm[0]) - 1) ** 2)
        return flat_x, flat_y - np.clip(sag, -abs(self.bend_mm), abs(self.bend_mm))

    @property
    def px_per_mm(self) -> float:
        """Largest scale of the picture, along either edge of the plate."""
        width, height = self.plate_mm
        corners = self.project(np.array([[0, 0], [width, 0], [width, height], [0, height]], dtype=np.float64))
        edges = np.linalg.norm(np.roll(corners, -1, axis=0) - corners, axis=1)
        return float((edges / [width, height, width, height]).max())


def draw_view(
    rng: np.random.Generator, params: Synthetic, plate_mm: tuple[float, float], ink: Box, max_size: tuple[int, int]
) -> View:
    """A camera position and a crop at random.

    Args:
        rng: Source of randomness.
        params: Limits of the angles, of the margins and of the picture's width.
        plate_mm: Width and height of the plate.
        ink: The box in mm that holds all characters; tight crops spare it.
        max_size: Largest width and height of the picture in pixels.

    Raises:
        ParamsError: ``width_px`` does not fit into ``max_size``.
    """
    low, high = params.width_px
    if low > min(high, max_size[0]):
        raise ParamsError(f"plates.synthetic.width_px: {[low, high]} leaves no width up to max_width_px {max_size[0]}.")
    width, height = plate_mm
    bend = params.max_bend_per_m / 1000 * width**2 / 8 * float(rng.uniform(-_UPWARD_BEND, 1))  # sag of a shallow arc
    matrix = _camera_matrix(rng, params, width) @ np.array([[1, 0, -width / 2], [0, 1, -height / 2], [0, 0, 1]])
    outer = _bounds(_project(matrix, _bent(_outline((0, 0, width, height)), width, bend)))
    inner = _bounds(_project(matrix, _bent(_outline(ink), width, bend)))
    crop = _crop(rng, outer, inner, params.camera.max_margin * (outer[3] - outer[1]))
    at_size, reduction = int(rng.integers(low, min(high, max_size[0]) + 1)), 1.0
    if rng.random() < params.camera.reduced_probability:
        at_size, reduction = min(high, max_size[0]), float(np.exp(rng.uniform(0, np.log(_LARGEST_REDUCTION))))
    crop, size = _fit(crop, at_size, low, max_size)
    scale_x, scale_y = size[0] / (crop[2] - crop[0]), size[1] / (crop[3] - crop[1])
    to_pixels = np.array([[scale_x, 0, -crop[0] * scale_x], [0, scale_y, -crop[1] * scale_y], [0, 0, 1]])
    return View(size, to_pixels @ matrix, plate_mm, bend, reduction)


def _camera_matrix(rng: np.random.Generator, params: Synthetic, width: float) -> np.ndarray:
    """Homography of a plane, centred at the origin, that is turned in space and seen from a distance."""
    camera = params.camera
    share = 1.0 if rng.random() < camera.turn_probability else _FRONTAL
    limits = (camera.max_yaw_deg, camera.max_pitch_deg, camera.max_roll_deg)
    yaw, pitch, roll = (float(np.radians(share * rng.uniform(-limit, limit))) for limit in limits)
    turn_y = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
    turn_x = np.array([[1, 0, 0], [0, np.cos(pitch), -np.sin(pitch)], [0, np.sin(pitch), np.cos(pitch)]])
    turn_z = np.array([[np.cos(roll), -np.sin(roll), 0], [np.sin(roll), np.cos(roll), 0], [0, 0, 1]])
    turn = turn_z @ turn_x @ turn_y
    distance = width * float(rng.uniform(*_DISTANCE))
    matrix = np.eye(3)
    matrix[:2, :2] = turn[:2, :2]
    matrix[2, :2] = turn[2, :2] / distance
    along, across = np.tan(np.radians(camera.max_shear_deg * rng.uniform(-1, 1, 2)))
    if rng.random() < camera.shear_probability:
        matrix = np.array([[1, along, 0], [across, 1, 0], [0, 0, 1]]) @ matrix
    return matrix


def _project(matrix: np.ndarray, points: np.ndarray) -> np.ndarray:
    mapped = points @ matrix[:, :2].T + matrix[:, 2]
    return np.asarray(mapped[:, :2] / mapped[:, 2:])


def _bent(points: np.ndarray, width: float, bend: float) -> np.ndarray:
    """Points (n, 2) in mm of a plate whose middle hangs lower by ``bend``, as a parabola."""
    sag = bend * (1 - (2 * points[:, 0] / width - 1) ** 2)
    return np.column_stack([points[:, 0], points[:, 1] + sag])


def _outline(box: Box) -> np.ndarray:
    """Points (n, 2) along the edges of a box."""
    x, y, width, height = box
    along = np.linspace(0, 1, _OUTLINE_POINTS)
    horizontal = np.column_stack([x + width * along, np.full_like(along, y)])
    vertical = np.column_stack([np.full_like(along, x), y + height * along])
    return np.vstack([horizontal, horizontal + np.array([0, height]), vertical, vertical + np.array([width, 0])])


def _bounds(points: np.ndarray) -> np.ndarray:
    """x0, y0, x1, y1 of points."""
    return np.concatenate([points.min(axis=0), points.max(axis=0)])


def _crop(rng: np.random.Generator, outer: np.ndarray, inner: np.ndarray, margin: float) -> np.ndarray:
    """Move each side of the plate's bounds outwards by up to ``margin``, or inwards without touching the characters."""
    outward = np.array([-1, -1, 1, 1])
    room = np.minimum(_DEEPEST_CUT * np.abs(outer - inner), margin)
    tight = rng.random(4) < _TIGHT_SHARE
    return np.asarray(outer + outward * rng.random(4) * np.where(tight, -room, margin))


def _fit(crop: np.ndarray, width: int, low: int, max_size: tuple[int, int]) -> tuple[np.ndarray, tuple[int, int]]:
    """Size of the picture of a crop; a crop that is too high for the narrowest picture shows more at its sides."""
    aspect = (crop[2] - crop[0]) / (crop[3] - crop[1])
    width = min(width, int(max_size[1] * aspect))
    if width < low:
        more = ((crop[3] - crop[1]) * low / max_size[1] - (crop[2] - crop[0])) / 2
        return crop + np.array([-more, 0, more, 0]), (low, max_size[1])
    return crop, (width, min(max_size[1], max(1, round(width / aspect))))
