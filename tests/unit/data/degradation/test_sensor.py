from typing import Literal

import numpy as np
import pytest

from acl_core.data.degradation.sensor import compress, encoded, noise, tone
from tests.plates import toy_plate
from tests.unit.data.degradation.pictures import flat, grain


@pytest.mark.parametrize("level", [64, 128, 192])
@pytest.mark.parametrize(("shot", "read"), [(0.05, 0.0), (0.0, 0.04), (0.05, 0.03)])
def test_noise_has_the_variance_that_it_states(level: int, shot: float, read: float) -> None:
    seen = noise(flat(level), shot, read, np.random.default_rng(1)) / 255
    assert seen.mean() == pytest.approx(level / 255, abs=2e-3)
    rounding = (1 / 255) ** 2 / 12
    assert seen.var() == pytest.approx(shot**2 * level / 255 + read**2 + rounding, rel=0.03)


def test_noise_of_no_strength_changes_nothing_and_a_seed_decides() -> None:
    picture = grain()
    np.testing.assert_array_equal(noise(picture, 0, 0, np.random.default_rng(1)), picture)
    one, again, other = (noise(picture, 0.1, 0.1, np.random.default_rng(seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, again)
    assert not np.array_equal(one, other)
    assert (one.shape, one.dtype) == (picture.shape, np.uint8)


def test_black_has_no_photons() -> None:
    assert noise(flat(0), 0.2, 0, np.random.default_rng(1)).max() == 0


def test_tone_by_hand() -> None:
    picture = grain()
    np.testing.assert_array_equal(tone(picture, 1, 0), picture)
    assert tone(flat(128), 2, 0)[0, 0, 0] == round(255 * (128 / 255) ** 2)
    assert tone(flat(200), 1, -2.2)[0, 0, 0] == 100  # 2.2 stops are a factor of 2 in encoded levels
    assert tone(flat(200), 1, 2.2)[0, 0, 0] == 255  # clipped at white


@pytest.mark.parametrize("codec", ["JPEG", "WEBP"])
def test_a_lower_quality_is_smaller_and_further_off(codec: Literal["JPEG", "WEBP"]) -> None:
    hr = toy_plate(0, size=(48, 144)).hr
    sizes = [len(encoded(hr, codec, quality)) for quality in (95, 60, 20)]
    errors = [float(np.abs(compress(hr, codec, q).astype(float) - hr).mean()) for q in (95, 60, 20)]
    assert sizes == sorted(sizes, reverse=True)
    assert len(set(sizes)) == 3
    assert errors == sorted(errors)
    small = compress(hr, codec, 20)
    assert (small.shape, small.dtype) == (hr.shape, np.uint8)
    np.testing.assert_array_equal(small, compress(hr, codec, 20))
