"""Crops: the right pixels, upright, whatever corner was clicked first."""

from itertools import permutations

import cv2
import numpy as np
import pytest

from acl_core.sources.crop import bounds_of, cut_out

CORNERS = np.array([[30.0, 20.0], [150.0, 45.0], [145.0, 95.0], [25.0, 60.0]])


def checkered() -> np.ndarray:
    """A plate of four quarters, black, red, green and white from the top left, seen at an angle."""
    flat = np.zeros((60, 120, 3), np.uint8)
    flat[:30, 60:], flat[30:, 60:], flat[30:, :60] = (255, 0, 0), 255, (0, 255, 0)
    square = np.array([[0, 0], [120, 0], [120, 60], [0, 60]], np.float32)
    matrix = cv2.getPerspectiveTransform(square - 0.5, CORNERS.astype(np.float32) - 0.5)
    return np.asarray(cv2.warpPerspective(flat, matrix, (200, 120)))


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_any_order_of_corners_gives_the_same_upright_plate(order: tuple[int, ...]) -> None:
    crop = cut_out(checkered(), CORNERS[list(order)])
    height, width = crop.image.shape[:2]
    assert width == pytest.approx(124, abs=2)
    assert height == pytest.approx(50, abs=2)
    quarters = crop.image[[height // 4, height // 4, 3 * height // 4, 3 * height // 4]][
        np.arange(4), [width // 4, 3 * width // 4, width // 4, 3 * width // 4]
    ]
    np.testing.assert_allclose(quarters, [[0, 0, 0], [255, 0, 0], [0, 255, 0], [255] * 3], atol=12)
    np.testing.assert_allclose(crop.carry(CORNERS), [[0, 0], [width, 0], [width, height], [0, height]], atol=1e-3)
    assert crop.holds(CORNERS.mean(axis=0))
    assert not crop.holds(np.array([100.0, 25.0]))  # within the bounds, above the plate


@pytest.mark.parametrize(
    "points",
    [
        [[10.4, 20.6], [49.5, 39.2]],
        [[10.4, 20.6], [49.5, 20.6], [49.5, 39.2], [10.4, 39.2]],
        [[10.4, 30], [30, 20.6], [49.5, 30], [40, 39.2], [20, 39.2]],
    ],
)
def test_upright_corners_and_other_polygons_are_cut_without_resampling(points: list[list[float]]) -> None:
    image = np.random.default_rng(1).integers(0, 255, (60, 80, 3), dtype=np.uint8)
    crop = cut_out(image, np.array(points))
    np.testing.assert_array_equal(crop.image, image[20:40, 10:50])
    np.testing.assert_allclose(crop.carry(np.array([[12.5, 25.0]])), [[2.5, 5]])


def test_pixels_and_points_agree_to_a_tenth_of_a_pixel() -> None:
    """Levels that say where they are: level 7 fills the pixel from 7 to 8."""
    x, y = np.meshgrid(np.arange(200), np.arange(120))
    turned = np.array([[60.0, 10.0], [130.0, 65.0], [95.0, 110.0], [25.0, 55.0]])
    crop = cut_out(np.dstack([x, y, y]).astype(np.uint8), turned)
    height, width = crop.image.shape[:2]
    rows, columns = (axis.ravel() for axis in np.mgrid[5 : height - 5, 5 : width - 5])
    centres = np.column_stack([columns + 0.5, rows + 0.5, np.ones(rows.size)]) @ np.linalg.inv(crop.matrix).T
    shown = crop.image[rows, columns, :2] + 0.5
    np.testing.assert_allclose((centres[:, :2] / centres[:, 2:] - shown).mean(axis=0), 0, atol=0.1)


def test_a_plate_over_the_edge_is_cut_there() -> None:
    crop = cut_out(np.zeros((60, 80, 3), np.uint8), np.array([[-1.0, -1.0], [40.0, 30.0]]))
    assert crop.image.shape == (30, 40, 3)
    np.testing.assert_allclose(crop.carry(np.array([[5.0, 5.0]])), [[5, 5]])


def test_bounds() -> None:
    np.testing.assert_array_equal(bounds_of(np.array([[3, 1], [2, 5], [4, 2]])), [2, 1, 4, 5])
