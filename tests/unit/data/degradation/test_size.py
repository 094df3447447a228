import numpy as np
import pytest
from PIL import Image

from acl_core.data.degradation.size import reduce, resize
from acl_core.params_degrade import Kernel
from tests.unit.data.degradation.pictures import flat, grain


@pytest.mark.parametrize("kernel", Kernel)
@pytest.mark.parametrize("relative_scale", [0.5, 1, 1.37, 4])
def test_whatever_the_way_the_size_is_that_of_the_scale(kernel: Kernel, relative_scale: float) -> None:
    lr = reduce(grain((48, 96)), 4, kernel, relative_scale)
    assert (lr.shape, lr.dtype) == ((12, 24, 3), np.uint8)
    assert (reduce(flat(77, (16, 32)), 4, kernel, relative_scale) == 77).all()


def test_the_default_is_pillows_bicubic() -> None:
    hr = grain((48, 96))
    np.testing.assert_array_equal(reduce(hr, 4), Image.fromarray(hr).resize((24, 12), Image.Resampling.BICUBIC))


def test_area_is_the_mean_and_plain_bicubic_aliases() -> None:
    hr = grain((48, 96))
    mean = hr.reshape(12, 4, 24, 4, 3).mean(axis=(1, 3))
    np.testing.assert_allclose(reduce(hr, 4, Kernel.AREA), mean, atol=1)
    plain = reduce(hr, 4, Kernel.BICUBIC)
    assert plain.std() > 1.5 * reduce(hr, 4).std()  # it looks at 16 pixels of 144, so that noise goes through


def test_a_larger_reduction_loses_detail_and_a_smaller_one_keeps_more() -> None:
    hr = grain((48, 96))
    spread = [reduce(hr, 4, Kernel.AREA, relative).std() for relative in (2, 1, 0.5)]
    assert spread[0] < spread[1]
    assert spread[0] < spread[2]


def test_a_picture_of_the_right_size_is_left_alone() -> None:
    hr = grain((12, 24))
    assert resize(hr, (24, 12)) is hr
    assert reduce(hr, 1) is hr
