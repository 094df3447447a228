"""Confidence that means what it says: of the characters read with 0.9, nine in ten should be right.

Detectors of this kind are too modest, and a temperature alone cannot mend that: dividing log-odds keeps what lies below
one half there. A shift beside it can (figures: docs/LOG.md).
"""

import numpy as np

from acl_core.reader.card import Calibration

NONE = Calibration(temperature=1, shift=0)

_BINS = 10
_EDGE = 1e-6
_STEPS = 50
_PRIOR = 1.0  # pulls towards no change as much as one character does; keeps separable characters finite
_SLOPES = (0.05, 20.0)


def calibrate(confidences: np.ndarray, calibration: Calibration) -> np.ndarray:
    """Calibrated confidences, (n,) in (0, 1); the order of two confidences never changes."""
    log_odds = _log_odds(confidences) / calibration.temperature + calibration.shift
    return np.asarray(1 / (1 + np.exp(-log_odds)))


def fit_calibration(confidences: np.ndarray, right: np.ndarray) -> Calibration:
    """The calibration under which what was right and wrong is most likely (logistic regression, by Newton's method).

    Args:
        confidences: (n,) of characters that were read.
        right: (n,) bool, whether a character of that class stands there.

    Returns:
        No change where there is nothing to learn from: all or none were right, or the more certain were oftener wrong.
    """
    if len(right) == 0 or right.all() or not right.any():
        return NONE
    inputs = np.stack([_log_odds(confidences), np.ones(len(right))], axis=1)
    start = np.array([1.0, 0.0])
    found = start
    for _ in range(_STEPS):
        likely = 1 / (1 + np.exp(-(inputs @ found)))
        gradient = inputs.T @ (likely - right) + _PRIOR * (found - start)
        curvature = (inputs * (likely * (1 - likely))[:, None]).T @ inputs + _PRIOR * np.eye(2)
        step = np.linalg.solve(curvature, gradient)
        found = found - step / max(1.0, float(np.abs(step).max()))
        if np.abs(step).max() < 1e-9:
            break
    slope, shift = found
    if not _SLOPES[0] <= slope <= _SLOPES[1]:
        return NONE
    return Calibration(temperature=float(1 / slope), shift=float(shift))


def expected_calibration_error(confidences: np.ndarray, right: np.ndarray) -> float:
    """Mean gap between confidence and share of right ones over ten bins of equal width, weighted by their content.

    NaN where there is nothing to measure.
    """
    if len(right) == 0:
        return float("nan")
    bins = np.minimum((np.asarray(confidences) * _BINS).astype(int), _BINS - 1)
    gaps = [abs(confidences[bins == i].mean() - right[bins == i].mean()) * (bins == i).mean() for i in np.unique(bins)]
    return float(np.sum(gaps))


def _log_odds(confidences: np.ndarray) -> np.ndarray:
    clipped = np.clip(np.asarray(confidences, dtype=np.float64), _EDGE, 1 - _EDGE)
    return np.asarray(np.log(clipped / (1 - clipped)))
