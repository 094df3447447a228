import numpy as np
import pytest

from acl_core.reader.calibration import NONE, calibrate, expected_calibration_error, fit_calibration
from acl_core.reader.card import Calibration


def test_confidence_by_hand() -> None:
    changed = calibrate(np.array([0.5, 0.8]), Calibration(temperature=2, shift=0))
    assert changed == pytest.approx([0.5, 2 / 3])  # odds 4 become 2
    assert calibrate(np.array([0.5]), Calibration(temperature=1, shift=np.log(3))) == pytest.approx([0.75])
    assert np.isfinite(calibrate(np.array([0.0, 1.0]), Calibration(temperature=0.1, shift=0))).all()


def test_a_known_distortion_is_found_again() -> None:
    rng = np.random.default_rng(0)
    true = rng.uniform(0.02, 0.98, 20_000)
    right = rng.random(20_000) < true
    distorted = calibrate(true, Calibration(temperature=2.0, shift=-1.0))  # log-odds / 2 - 1
    found = fit_calibration(distorted, right)
    assert found.temperature == pytest.approx(0.5, rel=0.05)
    assert found.shift == pytest.approx(2.0, abs=0.1)
    before, after = (expected_calibration_error(c, right) for c in (distorted, calibrate(distorted, found)))
    assert after < 0.02 < 0.1 < before


def test_error_by_hand() -> None:
    confidences = np.array([0.95, 0.95, 0.25, 1.0])
    right = np.array([True, False, False, True])
    # Bin 0.9 to 1: three with mean 0.9667 and two right; bin 0.2 to 0.3: one with 0.25, wrong.
    assert expected_calibration_error(confidences, right) == pytest.approx(0.75 * (2.9 / 3 - 2 / 3) + 0.25 * 0.25)
    assert np.isnan(expected_calibration_error(np.zeros(0), np.zeros(0, bool)))


@pytest.mark.parametrize("right", [[True, True, True], [False, False, False], []])
def test_with_nothing_to_learn_from_nothing_changes(right: list[bool]) -> None:
    assert fit_calibration(np.linspace(0.1, 0.9, len(right)), np.array(right, bool)) == NONE


def test_confidence_that_misleads_is_left_alone_and_separable_characters_stay_finite() -> None:
    confidences = np.linspace(0.05, 0.95, 200)
    assert fit_calibration(confidences, confidences < 0.5) == NONE
    separable = fit_calibration(confidences, confidences > 0.5)
    assert np.isfinite([separable.temperature, separable.shift]).all()
