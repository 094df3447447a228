import numpy as np
import pytest

from acl_core.params_plates import Direction
from acl_core.reading import reading_order


def row(n: int, top: float, height: float = 20, pitch: float = 15, left: float = 0) -> np.ndarray:
    x = left + pitch * np.arange(n)
    return np.stack([x, np.full(n, top), x + 10, np.full(n, top + height)], axis=1)


def tilted(boxes: np.ndarray, degrees: float) -> np.ndarray:
    """Boxes whose centres turn; their sizes stay."""
    angle = np.radians(degrees)
    centre = (boxes[:, :2] + boxes[:, 2:]) / 2
    turned = centre @ np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return np.concatenate([turned - centre, turned - centre], axis=1) + boxes


TWO_LINES = np.concatenate([row(3, 0, 14, 15, 20), row(4, 17, 30, 22)])


@pytest.mark.parametrize("degrees", [-12, -5, 0, 5, 12])
@pytest.mark.parametrize("boxes", [row(7, 0), TWO_LINES])
def test_lines_from_top_to_bottom_also_on_a_tilted_plate(boxes: np.ndarray, degrees: float) -> None:
    shuffled = np.random.default_rng(0).permutation(len(boxes))
    turned = tilted(boxes, degrees)
    order = reading_order(turned[shuffled], Direction.LTR)
    np.testing.assert_array_equal(shuffled[order], np.arange(len(boxes)))


def test_right_to_left() -> None:
    order = reading_order(TWO_LINES, Direction.RTL)
    np.testing.assert_array_equal(order, [2, 1, 0, 6, 5, 4, 3])


def test_letters_of_different_height_stand_on_one_line() -> None:
    """A low letter beside tall digits, as on Egyptian plates."""
    boxes = np.array([[0, 0, 8, 40], [12, 20, 30, 44], [34, 2, 42, 40]], dtype=float)
    np.testing.assert_array_equal(reading_order(boxes, Direction.LTR), [0, 1, 2])


def test_units_do_not_matter() -> None:
    boxes = tilted(TWO_LINES, 8)
    shares = boxes / np.array([110, 50, 110, 50])
    np.testing.assert_array_equal(reading_order(boxes, Direction.LTR), reading_order(shares, Direction.LTR))


@pytest.mark.parametrize("n", [0, 1])
def test_none_and_one(n: int) -> None:
    assert reading_order(row(n, 0), Direction.LTR).tolist() == list(range(n))
