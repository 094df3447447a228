from dataclasses import replace

import pytest

from acl_core.data.degrade import degrade
from acl_core.data.sizes import check_sizes
from acl_core.errors import DataError
from tests.plates import toy_plate


def test_pairs_of_the_degrade_stage_agree() -> None:
    plate = degrade(toy_plate(0, size=(25, 50)), 4)
    assert check_sizes(plate, 4) is plate


def test_another_size_or_none_is_named() -> None:
    plate = degrade(toy_plate(0), 4)
    with pytest.raises(DataError, match=r"plate-0: HR 48 x 24 px is not LR 12 x 6 px times 3"):
        check_sizes(plate, 3)
    with pytest.raises(DataError, match="plate-0: has no LR picture"):
        check_sizes(replace(plate, lr=None), 4)
