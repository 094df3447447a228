from dataclasses import replace

import numpy as np
import pytest

from acl_core.data.degrade import degrade, fit_to_real
from acl_core.errors import DataError
from tests.plates import params, toy_plate


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


def test_a_character_in_the_cropped_border_is_named() -> None:
    plate = toy_plate(0, size=(24, 51))
    plate = replace(plate, boxes=np.array([[50, 2, 51, 8]] * 3, np.float32))
    with pytest.raises(DataError, match="plate-0"):
        degrade(plate, 4)


def test_what_is_random_depends_on_seed_and_name_alone() -> None:
    camera = params().degrade.recipes["camera"]
    plate = toy_plate(0)
    lr = degrade(plate, 4, camera, seed=1).lr
    np.testing.assert_array_equal(degrade(plate, 4, camera, seed=1).lr, lr)
    assert not np.array_equal(degrade(plate, 4, camera, seed=2).lr, lr)
    assert not np.array_equal(degrade(replace(plate, name="another"), 4, camera, seed=1).lr, lr)


def test_hr_is_fitted_to_a_real_lr_and_boxes_with_it() -> None:
    plate = toy_plate(0, size=(30, 90))
    lr = np.zeros((8, 20, 3), np.uint8)
    pair = fit_to_real(replace(plate, lr=lr), 4, 144, 96)
    assert pair.hr.shape == (32, 80, 3)
    assert pair.lr is lr
    np.testing.assert_allclose(pair.boxes, plate.boxes * np.array([80 / 90, 32 / 30] * 2), rtol=1e-6)


def test_a_real_lr_that_needs_too_large_an_hr_says_what_to_raise() -> None:
    plate = replace(toy_plate(0, size=(48, 144)), lr=np.zeros((20, 60, 3), np.uint8))
    with pytest.raises(
        DataError, match=r"60 x 20 px needs HR of 240 x 80 px at x4, above plates\.max_width_px"
    ) as error:
        fit_to_real(plate, 4, 144, 96)
    assert "\n" not in str(error.value)
    assert fit_to_real(plate, 2, 144, 96).hr.shape == (40, 120, 3)
    with pytest.raises(DataError, match="has no LR picture"):
        fit_to_real(toy_plate(0), 4, 144, 96)
