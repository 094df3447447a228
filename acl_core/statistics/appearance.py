"""How a picture of a plate looks, in three numbers."""

from typing import NamedTuple

import cv2
import numpy as np


class Appearance(NamedTuple):
    """Of the luma of a picture.

    Attributes:
        brightness: Mean, as a share of full scale.
        contrast: Standard deviation, as a share of full scale.
        sharpness: Variance of the Laplacian, in squared 8-bit levels. Contrast and noise raise it too, so it orders the
            pictures of one set and says little across sets.
    """

    brightness: float
    contrast: float
    sharpness: float


def appearance(picture: np.ndarray) -> Appearance:
    """Measure an (H, W, 3) uint8 RGB picture."""
    luma = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    return Appearance(
        brightness=float(luma.mean()) / 255,
        contrast=float(luma.std()) / 255,
        sharpness=float(cv2.Laplacian(luma, cv2.CV_64F).var()),
    )
