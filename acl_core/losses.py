"""The pixel loss of whole plates of different sizes."""

from collections.abc import Sequence

import torch
from torch import Tensor

from acl_core.resize import Size


def true_pixels(sizes: Sequence[Size], height: int, width: int, device: torch.device) -> Tensor:
    """(N, 1, height, width) float32: 1 on a plate, 0 on its padding."""
    true = torch.tensor(list(sizes)).to(device, non_blocking=True)  # made on a GPU, the host would wait for it
    rows = torch.arange(height, device=device) < true[:, :1]
    columns = torch.arange(width, device=device) < true[:, 1:]
    return (rows[:, None, :, None] & columns[:, None, None, :]).float()


def pixel_loss(sr: Tensor, hr: Tensor, sizes: Sequence[Size], n_pixels: int | None = None) -> Tensor:
    """Loss_SR: mean of |HR - SR| over the true pixels and channels of a batch.

    Paper: Eq. (2) sums over pixels and images. Ours: the mean, because a sum would drown alpha * Loss_char (Eq. 1).

    Args:
        sr: (N, 3, H, W) in [0, 1], as the network gives it.
        hr: (N, 3, H, W) in [0, 1].
        sizes: True (height, width) of each plate; what lies beyond is padding and has no part in the loss.
        n_pixels: What the sum over pixels is divided by; None for the true pixels of this batch.
    """
    mask = true_pixels(sizes, hr.shape[2], hr.shape[3], hr.device)
    divisor = mask.sum() if n_pixels is None else n_pixels
    return ((hr - sr).abs() * mask).sum() / (divisor * hr.shape[1])
