"""PSNR and SSIM of whole plates."""

from typing import cast

import torch
from torch import Tensor

_SSIM_WINDOW = 11  # pixels, the side of the Gaussian window of Wang et al. (2004)
_PERFECT_DB = 100.0  # stands for the infinite PSNR of two equal pictures
_LUMA = (65.481, 128.553, 24.966)  # ITU-R BT.601, as the SR literature computes Y


def psnr_db(a: Tensor, b: Tensor) -> float:
    """PSNR in dB of two pictures (channels, H, W) in [0, 1]."""
    error = float((a - b).square().mean())
    return _PERFECT_DB if error == 0 else min(_PERFECT_DB, -10 * float(torch.tensor(error).log10()))


def luma(picture: Tensor) -> Tensor:
    """Y (1, H, W) of an RGB picture (3, H, W) in [0, 1]; 16/255 to 235/255."""
    weights = torch.tensor(_LUMA, device=picture.device)[:, None, None]
    return ((picture * weights).sum(dim=0, keepdim=True) + 16) / 255


def ssim(a: Tensor, b: Tensor) -> float:
    """SSIM of two RGB pictures (3, H, W) in [0, 1]; NaN for one too small for the window."""
    if min(a.shape[1:]) < _SSIM_WINDOW:
        return float("nan")
    from torchmetrics.functional.image import structural_similarity_index_measure  # 4 s

    similarity = structural_similarity_index_measure(a[None], b[None], data_range=1.0)
    return float(cast(Tensor, similarity))  # a tuple only when asked for the full picture
