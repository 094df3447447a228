from dataclasses import replace

import numpy as np
import pytest

from acl_core.data.degrade import degrade, reduce
from acl_core.errors import DataError
from tests.plates import toy_plate


@pytest.mark.parametrize("scale", [2, 3, 4, 6, 8])
def test_hr_is_cropped_to_a_multiple_and_lr_is_its_share(scale: int) -> None:
    plate = degrade(toy_plate(0, size=(31, 59)), scale)
    assert plate.lr is not None
    assert plate.hr.shape == (31 // scale * scale, 59 // scale * scale, 3)
    assert plate.lr.shape == (31 // scale, 59 // scale, 3)


def test_boxes_move_with_the_crop() -> None:
    plate = toy_plate(0, size=(26, 50))
    cropped = degrade(plate, 4)  # 24 x 48: one row and one column on each side go
    ink = (cropped.hr == 20).all(axis=2)
    left, top, right, bottom = cropped.boxes[0].astype(int)
    assert ink[top:bottom, left:right].all()
    np.testing.assert_array_equal(cropped.boxes, plate.boxes - 1)


def test_a_flat_picture_stays_flat() -> None:
    assert (reduce(np.full((16, 32, 3), 77, np.uint8), 4) == 77).all()


def test_a_character_in_the_cropped_border_is_named() -> None:
    plate = toy_plate(0, size=(24, 51))
    plate = replace(plate, boxes=np.array([[50, 2, 51, 8]] * 3, np.float32))
    with pytest.raises(DataError, match="plate-0"):
        degrade(plate, 4)
