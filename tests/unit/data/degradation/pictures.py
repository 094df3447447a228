"""Pictures whose degradation can be measured."""

import numpy as np


def grain(size: tuple[int, int] = (48, 96)) -> np.ndarray:
    """Random levels, each pixel by itself."""
    return np.random.default_rng(7).integers(0, 256, (*size, 3), dtype=np.uint8)


def point() -> np.ndarray:
    """One white pixel in the middle of 41 x 41 black ones."""
    picture = np.zeros((41, 41, 3), np.uint8)
    picture[20, 20] = 255
    return picture


def flat(level: int, size: tuple[int, int] = (200, 300)) -> np.ndarray:
    """One level all over."""
    return np.full((*size, 3), level, np.uint8)
