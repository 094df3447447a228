"""From HR size to LR size."""

import cv2
import numpy as np
from PIL import Image

from acl_core.params_degrade import Kernel


def reduce(
    hr: np.ndarray, scale: int, kernel: Kernel = Kernel.BICUBIC_ANTIALIASED, relative_scale: float = 1.0
) -> np.ndarray:
    """LR picture of an HR picture whose sides are multiples of the scale.

    Paper: says "down-sampled" without a kernel. Ours: antialiased bicubic (a = -0.5), which is Pillow's.

    Args:
        hr: (H, W, 3) uint8 RGB.
        scale: HR size over LR size.
        kernel: Of the reduction.
        relative_scale: By how much more than ``scale`` the picture is reduced. The networks have one integer scale, so
            the result is then resized to the LR size by antialiased bicubic: above 1 detail is lost, below 1 the
            picture is sharper than one that was reduced in one step.

    Returns:
        (H / scale, W / scale, 3) uint8 RGB.
    """
    height, width = hr.shape[:2]
    size = (width // scale, height // scale)
    between = (max(1, round(size[0] / relative_scale)), max(1, round(size[1] / relative_scale)))
    return resize(_resize(hr, between, kernel), size)


def resize(picture: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Resize to (width, height) by antialiased bicubic; a picture that has this size is left alone."""
    if (picture.shape[1], picture.shape[0]) == size:
        return picture
    return np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.BICUBIC))


def _resize(picture: np.ndarray, size: tuple[int, int], kernel: Kernel) -> np.ndarray:
    match kernel:
        case Kernel.BICUBIC_ANTIALIASED:
            return resize(picture, size)
        case Kernel.BICUBIC:
            return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_CUBIC))
        case Kernel.AREA:
            return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA))
