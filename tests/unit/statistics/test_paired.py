"""Paired statistics against closed forms and scipy."""

from collections.abc import Sequence
from itertools import product

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest, bootstrap

from acl_core.statistics.paired import (
    bootstrap_interval,
    difference,
    holm,
    mcnemar_exact,
    spread,
)


def readings(read: Sequence[bool], seed: int = 1, plates: Sequence[str] | None = None) -> pd.DataFrame:
    names = plates or [f"p{i}" for i in range(len(read))]
    return pd.DataFrame({"seed": seed, "plate": names, "read": list(read)})


def test_spread_is_the_sample_standard_deviation() -> None:
    assert spread([1.0, 2.0, 3.0]) == (2.0, 1.0, 3)
    assert spread([0.5]) == (0.5, None, 1)
    with pytest.raises(ValueError, match="no value"):
        spread([])


def wins(gained: int, lost: int, worth: int = 1) -> np.ndarray:
    return np.array([float(worth)] * gained + [-float(worth)] * lost + [0.0] * 7)


def test_exact_mcnemar_of_single_readings_is_the_binomial_test() -> None:
    assert mcnemar_exact(wins(0, 0)) == 1
    assert mcnemar_exact(wins(5, 5)) == pytest.approx(1)
    for gained, lost in ((9, 1), (11, 3), (0, 6), (300, 240)):
        assert mcnemar_exact(wins(gained, lost)) == pytest.approx(binomtest(gained, gained + lost).pvalue)
    assert mcnemar_exact(wins(1, 9)) == mcnemar_exact(wins(9, 1))


def test_three_readings_of_one_plate_are_not_three_plates() -> None:
    """Readings that always agree between seeds say no more than one of them."""
    assert mcnemar_exact(wins(9, 2, worth=3)) == pytest.approx(mcnemar_exact(wins(9, 2)))


def test_exact_mcnemar_of_several_readings_goes_through_all_signs() -> None:
    sums = np.array([3.0, -1.0, 2.0, 1.0, -1.0, 0.0, 2.0])
    signs = np.array(list(product([-1, 1], repeat=len(sums))))
    expected = np.mean(np.abs(signs @ np.abs(sums)) >= abs(sums.sum()))
    assert mcnemar_exact(sums) == pytest.approx(float(expected))


def test_holm_by_hand() -> None:
    assert holm([0.04, 0.01, 0.03]) == pytest.approx([0.06, 0.03, 0.06])  # 3 * 0.01, 2 * 0.03, then never less
    assert holm([0.5, 0.9]) == [1.0, 1.0]
    assert holm([]) == []


def test_a_picture_that_is_there_twice_is_two_readings_and_one_plate() -> None:
    plates = ["twice", "once", "twice"]
    found = difference(readings([True, True, False], plates=plates), readings([False] * 3, plates=plates), 200, 1)
    assert (found.value, found.gained, found.lost, found.n_plates) == (pytest.approx(2 / 3), 2, 0, 2)


def test_difference_by_hand() -> None:
    found = difference(readings([True, True, True, False]), readings([True, False, False, True]), 200, 1)
    assert (found.value, found.gained, found.lost, found.n_plates, found.n_seeds) == (0.25, 2, 1, 4, 1)
    assert found.p == binomtest(2, 3).pvalue
    assert found.low <= found.value <= found.high


def test_only_plates_of_a_common_seed_are_compared() -> None:
    first = pd.concat([readings([True, True], 1), readings([True, True], 2)])
    found = difference(first, readings([False, True], 2), 50, 1)
    assert (found.value, found.n_seeds, found.n_plates) == (0.5, 1, 2)
    with pytest.raises(ValueError, match="share no plate"):
        difference(readings([True], 1), readings([True], 2), 50, 1)


def test_the_interval_agrees_with_scipys() -> None:
    rng = np.random.default_rng(0)
    sums = rng.choice([-1.0, 0.0, 1.0], 150, p=[0.1, 0.6, 0.3])
    ours = bootstrap_interval(sums, np.ones(150), 4000, 1)
    theirs = bootstrap((sums,), np.mean, n_resamples=4000, method="percentile", rng=rng).confidence_interval
    assert ours == pytest.approx((theirs.low, theirs.high), abs=0.01)


def test_seeds_that_agree_do_not_narrow_the_interval() -> None:
    rng = np.random.default_rng(0)
    first, second = rng.random(200) < 0.6, rng.random(200) < 0.5
    one = difference(readings(first), readings(second), 2000, 1)
    thrice = [pd.concat([readings(side, seed) for seed in (1, 2, 3)]) for side in (first, second)]
    three = difference(thrice[0], thrice[1], 2000, 1)
    assert three.n_seeds == 3
    assert three.low == pytest.approx(one.low, abs=1e-9)
    assert three.high == pytest.approx(one.high, abs=1e-9)
