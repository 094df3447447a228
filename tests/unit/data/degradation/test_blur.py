from collections.abc import Callable

import numpy as np
import pytest

from acl_core.data.degradation.blur import defocus, gaussian, motion
from acl_core.data.degradation.kernels import disc_kernel, gaussian_kernel, motion_kernel
from tests.unit.data.degradation.pictures import grain, point

Blur = Callable[[np.ndarray], np.ndarray]


def steepness(picture: np.ndarray) -> tuple[float, float]:
    """Mean change to the right and downwards."""
    levels = picture.astype(np.float64)
    return float(np.abs(np.diff(levels, axis=1)).mean()), float(np.abs(np.diff(levels, axis=0)).mean())


@pytest.mark.parametrize(
    "blur",
    [
        lambda p: gaussian(p, 2),
        lambda p: gaussian(p, 2, 0.3, 30),
        lambda p: motion(p, 6, 40),
        lambda p: defocus(p, 2.5),
    ],
)
def test_size_type_and_mean_stay_and_detail_goes(blur: Blur) -> None:
    picture = grain()
    before = picture.copy()
    blurred = blur(picture)
    np.testing.assert_array_equal(picture, before)
    np.testing.assert_array_equal(blurred, blur(picture))
    assert (blurred.shape, blurred.dtype) == (picture.shape, np.uint8)
    assert blurred.mean() == pytest.approx(picture.mean(), abs=2)
    assert blurred.std() < 0.5 * picture.std()
    flat = np.full((20, 30, 3), 77, np.uint8)
    np.testing.assert_array_equal(blur(flat), flat)


@pytest.mark.parametrize("nothing", [lambda p: gaussian(p, 0), lambda p: motion(p, 0, 30), lambda p: defocus(p, 0)])
def test_no_strength_is_no_change(nothing: Blur) -> None:
    picture = grain()
    np.testing.assert_array_equal(nothing(picture), picture)


def test_motion_smooths_along_its_direction_alone() -> None:
    across, down = steepness(grain())
    level, upright = motion(grain(), 7, 0), motion(grain(), 7, 90)
    assert steepness(level)[0] < 0.3 * across
    assert steepness(level)[1] < down  # the mean of seven random pixels varies less, too
    assert steepness(level)[0] < 0.4 * steepness(level)[1]
    assert steepness(upright)[1] < 0.4 * steepness(upright)[0]


def test_an_anisotropic_gaussian_is_longer_along_its_axis() -> None:
    spread = gaussian(point(), 4, 0.25, 0)[..., 0].astype(np.float64)
    rows, columns = np.indices(spread.shape)
    weights = spread / spread.sum()
    wide = float((weights * (columns - 20) ** 2).sum()) ** 0.5
    high = float((weights * (rows - 20) ** 2).sum()) ** 0.5
    assert wide == pytest.approx(4, rel=0.15)
    assert high == pytest.approx(1, rel=0.25)
    turned = gaussian(point(), 4, 0.25, 90)[..., 0]
    np.testing.assert_allclose(turned, spread.T, atol=1)


def test_a_ratio_of_one_is_the_limit_of_ratios_below() -> None:
    np.testing.assert_allclose(gaussian(grain(), 1.5).astype(int), gaussian(grain(), 1.5, 0.9999, 25), atol=2)


def test_out_of_focus_a_point_becomes_a_disc() -> None:
    disc = defocus(point(), 4)[..., 0]
    rows, columns = np.indices(disc.shape)
    away = np.hypot(rows - 20, columns - 20)
    assert len(set(disc[away <= 3.5].tolist())) == 1
    assert (disc[away > 4.5] == 0).all()


def test_kernels_sum_to_one() -> None:
    for kernel in (gaussian_kernel(2.0, 0.5, 0.3), motion_kernel(5.0, 0.7), disc_kernel(2.2)):
        assert kernel.sum() == pytest.approx(1, abs=1e-6)
        assert kernel.shape[0] % 2 == 1
