import numpy as np
import pytest

from acl_core.data.degradation.turn import rotate
from tests.plates import toy_plate


def test_no_angle_is_no_change() -> None:
    plate = toy_plate(0)
    picture, boxes = rotate(plate.hr, plate.boxes, 0)
    assert picture is plate.hr
    assert boxes is plate.boxes


@pytest.mark.parametrize("angle", [-30, -12, 12, 45])
def test_the_picture_grows_and_every_box_still_holds_its_character(angle: float) -> None:
    plate = toy_plate(2, size=(48, 144))
    picture, boxes = rotate(plate.hr, plate.boxes, angle)
    turn = np.radians(abs(angle))
    assert picture.shape[1] == round(144 * np.cos(turn) + 48 * np.sin(turn))
    assert picture.shape[0] == round(144 * np.sin(turn) + 48 * np.cos(turn))
    dark = picture.mean(axis=2) < 60
    inside = np.zeros_like(dark)
    for left, top, right, bottom in boxes.round().astype(int):
        assert dark[(top + bottom) // 2, (left + right) // 2]
        inside[max(0, top - 3) : bottom + 4, max(0, left - 3) : right + 4] = True
    assert dark.sum() > 0.8 * (plate.hr == 20).all(axis=2).sum()  # nothing was cut off
    assert (dark & inside).sum() > 0.9 * dark.sum()


def test_clockwise_lets_the_right_side_hang() -> None:
    plate = toy_plate(2, size=(48, 144))
    _, boxes = rotate(plate.hr, plate.boxes, 12)
    tops = boxes[:, 1]
    assert (np.diff(tops) > 0).all()
    there_and_back = rotate(*rotate(plate.hr, plate.boxes, 12), -12)[1]
    centre = (there_and_back[:, :2] + there_and_back[:, 2:]) / 2
    before = (plate.boxes[:, :2] + plate.boxes[:, 2:]) / 2
    np.testing.assert_allclose(np.diff(centre, axis=0), np.diff(before, axis=0), atol=1)
