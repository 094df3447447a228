"""PSNR and SSIM of whole plates."""

from functools import lru_cache

import torch
from torch import Tensor

_SSIM_WINDOW = 11  # pixels, the side of the Gaussian window of Wang et al. (2004)
_SSIM_SIGMA = 1.5  # pixels
_SSIM_C1, _SSIM_C2 = 0.01**2, 0.03**2
_PERFECT_DB = 100.0  # stands for the infinite PSNR of two equal pictures
_LUMA = (65.481, 128.553, 24.966)  # ITU-R BT.601, as the SR literature computes Y


def psnr_db(a: Tensor, b: Tensor) -> float:
    """PSNR in dB of two pictures (channels, H, W) in [0, 1]; NaN where one of them has NaN."""
    error = float((a - b).square().mean())
    # In this order: min(100.0, nan) is 100.0.
    return _PERFECT_DB if error == 0 else min(-10 * float(torch.tensor(error).log10()), _PERFECT_DB)


def luma(picture: Tensor) -> Tensor:
    """Y (1, H, W) of an RGB picture (3, H, W) in [0, 1]; 16/255 to 235/255."""
    weights = torch.tensor(_LUMA, device=picture.device)[:, None, None]
    return ((picture * weights).sum(dim=0, keepdim=True) + 16) / 255


def ssim(a: Tensor, b: Tensor) -> float:
    """Structural similarity of two RGB pictures (3, H, W) in [0, 1], averaged over pixels and channels.

    The window of Wang et al. (2004), a Gaussian of 1.5 pixels. NaN for a picture too small for the window.
    """
    height, width = a.shape[1:]
    if min(height, width) < _SSIM_WINDOW:
        return float("nan")
    rows, columns = (_window_matrix(n).to(a.device) for n in (height, width))
    # Blurring is linear in each axis: two matrix products blur all five pictures, faster than convolutions.
    mean_a, mean_b, square_a, square_b, product = rows @ torch.stack([a, b, a * a, b * b, a * b]) @ columns.T
    luminance = (2 * mean_a * mean_b + _SSIM_C1) / (mean_a**2 + mean_b**2 + _SSIM_C1)
    variances = (square_a - mean_a**2) + (square_b - mean_b**2)
    structure = (2 * (product - mean_a * mean_b) + _SSIM_C2) / (variances + _SSIM_C2)
    return float((luminance * structure).mean())


@lru_cache(maxsize=4096)
def _window_matrix(n: int) -> Tensor:
    """Weights (n, n) float32 that blur a line of ``n`` pixels by the window; the line is mirrored beyond its ends."""
    reach = _SSIM_WINDOW // 2
    offsets = torch.arange(-reach, reach + 1)
    weights = torch.exp(-(offsets.double() ** 2) / (2 * _SSIM_SIGMA**2))
    at = (torch.arange(n)[:, None] + offsets).abs()
    at = torch.where(at >= n, 2 * (n - 1) - at, at)
    blur = torch.zeros(n, n, dtype=torch.float64).scatter_add_(1, at, (weights / weights.sum()).expand(n, -1))
    return blur.float()
