import numpy as np
import pytest

from acl_core.reader.card import TrainedSizes
from acl_core.reader.sizing import fit, largest_enlarged

SIZES = TrainedSizes(lr_max_px=(36, 24), hr_max_px=(144, 96))


def plate(width: int, height: int) -> np.ndarray:
    return np.zeros((height, width, 3), np.uint8)


def test_the_border_lies_half_way_between_lr_and_hr_by_ratio() -> None:
    assert largest_enlarged(SIZES) == (72, 48)


@pytest.mark.parametrize(
    ("width", "height", "enlarge", "shape"),
    [
        (24, 12, True, (12, 24, 3)),
        (72, 48, True, (48, 72, 3)),
        (73, 20, False, (20, 73, 3)),
        (30, 49, False, (49, 30, 3)),  # narrow, and too high for the network's memory of plates
        (144, 96, False, (96, 144, 3)),
        (1440, 480, False, (48, 144, 3)),
        (5000, 2, False, (1, 144, 3)),
        (1, 1, True, (1, 1, 3)),
    ],
)
def test_small_plates_are_enlarged_and_large_ones_reduced_to_hr(
    width: int, height: int, enlarge: bool, shape: tuple[int, ...]
) -> None:
    fitted = fit(plate(width, height), SIZES)
    assert (fitted.enlarge, fitted.picture.shape) == (enlarge, shape)
