"""Blur kernels that cv2 does not have; float32, odd sides, sum 1."""

import numpy as np


def gaussian_kernel(sigma_px: float, ratio: float, angle: float) -> np.ndarray:
    """A Gaussian with axes of ``sigma_px`` and ``ratio * sigma_px``, the long one turned by ``angle`` (radians)."""
    half = max(1, int(np.ceil(3 * sigma_px)))
    along, across = _axes(half, angle)
    exponent = (along / sigma_px) ** 2 + (across / (ratio * sigma_px)) ** 2
    return _normalised(np.exp(-exponent / 2))


def motion_kernel(length: float, angle: float) -> np.ndarray:
    """A line of ``length`` px at ``angle`` (radians, clockwise from the right)."""
    along, across = _axes(int(np.ceil(length / 2)), angle)
    return _normalised(np.clip(length / 2 + 0.5 - np.abs(along), 0, 1) * np.clip(1 - np.abs(across), 0, 1))


def disc_kernel(radius: float) -> np.ndarray:
    """A disc of ``radius`` px with a soft edge, the picture of a point that is out of focus."""
    along, across = _axes(int(np.ceil(radius)), 0.0)
    return _normalised(np.clip(radius + 0.5 - np.hypot(along, across), 0, 1))


def _axes(half: int, angle: float) -> tuple[np.ndarray, np.ndarray]:
    """Coordinates along and across a direction, (2 * half + 1, 2 * half + 1) float32 each, 0 in the middle."""
    steps = np.arange(-half, half + 1, dtype=np.float32)
    cosine, sine = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    return steps * cosine + steps[:, None] * sine, steps * -sine + steps[:, None] * cosine


def _normalised(kernel: np.ndarray) -> np.ndarray:
    return np.asarray(kernel / kernel.sum(), dtype=np.float32)
