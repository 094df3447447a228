"""Blur of the lens and of motion; pictures (H, W, 3) uint8 RGB, lengths in their pixels."""

import cv2
import numpy as np

from acl_core.data.degradation.kernels import disc_kernel, gaussian_kernel, motion_kernel

_SHARP_SIGMA_PX = 0.1  # below, all of a Gaussian lies on one pixel
_EDGE = cv2.BORDER_REPLICATE


def gaussian(picture: np.ndarray, sigma_px: float, ratio: float = 1.0, angle_deg: float = 0.0) -> np.ndarray:
    """Gaussian blur.

    Args:
        picture: What is blurred.
        sigma_px: Along the long axis; below 0.1 nothing changes.
        ratio: Sigma of the short axis over that of the long one; 1 is isotropic.
        angle_deg: Of the long axis, clockwise from the right.
    """
    if sigma_px < _SHARP_SIGMA_PX:
        return picture
    if ratio == 1:
        return np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma_px, borderType=_EDGE))
    kernel = gaussian_kernel(sigma_px, max(ratio, _SHARP_SIGMA_PX / sigma_px), np.radians(angle_deg))
    return _filtered(picture, kernel)


def motion(picture: np.ndarray, length_px: float, angle_deg: float) -> np.ndarray:
    """Blur along a line, clockwise from the right; a length of 1 and less changes nothing."""
    if length_px <= 1:
        return picture
    return _filtered(picture, motion_kernel(length_px, np.radians(angle_deg)))


def defocus(picture: np.ndarray, radius_px: float) -> np.ndarray:
    """Blur by a disc; a radius of 0.5 and less, which is one pixel, changes nothing."""
    if radius_px <= 0.5:
        return picture
    return _filtered(picture, disc_kernel(radius_px))


def _filtered(picture: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    return np.asarray(cv2.filter2D(picture, -1, kernel, borderType=_EDGE))
