"""Differentiable bicubic resizing of plates of different sizes in one batch.

One kernel serves the degradation, the bicubic row of the tables and the join of SR and recognizer: antialiased
bicubic with a = -0.5, as Pillow has it (torch without ``antialias`` uses a = -0.75). Resizing is linear in each axis,
so a batch of plates, padded to one size, is resized by two batched matrix products that leave the padding out.
"""

from collections.abc import Sequence
from functools import lru_cache

import torch
from torch import Tensor
from torch.nn import functional

Size = tuple[int, int]  # height, width


@lru_cache(maxsize=4096)
def bicubic_matrix(n_in: int, n_out: int) -> Tensor:
    """Weights (n_out, n_in) float32 that resize a line of ``n_in`` pixels to ``n_out``; each row sums to 1."""
    identity = torch.eye(n_in)[None, None]
    resized = functional.interpolate(identity, size=(n_out, n_in), mode="bicubic", antialias=True, align_corners=False)
    return resized[0, 0]


def resize_plates(images: Tensor, sizes: Sequence[Size], out_sizes: Sequence[Size]) -> Tensor:
    """Resize the true part of each plate of a padded batch.

    Runs in float32 whatever autocast says: bf16 bicubic is not to be had on a CPU, and 8 bits of mantissa lose a level.

    Args:
        images: (N, 3, H, W), padded at the right and at the bottom.
        sizes: True (height, width) of each plate.
        out_sizes: Wanted (height, width) of each plate.

    Returns:
        (N, 3, max out height, max out width) float32, zero beyond each plate's own size. Not clamped.
    """
    padded_out = (max(h for h, _ in out_sizes), max(w for _, w in out_sizes))
    heights = [(s[0], o[0]) for s, o in zip(sizes, out_sizes, strict=True)]
    widths = [(s[1], o[1]) for s, o in zip(sizes, out_sizes, strict=True)]
    rows = _matrices(heights, images.shape[2], padded_out[0], images.device)
    columns = _matrices(widths, images.shape[3], padded_out[1], images.device)
    with torch.autocast(images.device.type, enabled=False):
        return rows[:, None] @ images.float() @ columns[:, None].transpose(2, 3)


def _matrices(pairs: Sequence[Size], padded_in: int, padded_out: int, device: torch.device) -> Tensor:
    """(N, padded_out, padded_in) weights on the device, one matrix a plate, zero where there is padding."""
    # Pinned, or the host would wait until the GPU has done all that was asked of it before.
    stacked = torch.zeros(len(pairs), padded_out, padded_in, pin_memory=device.type == "cuda")
    for matrix, (n_in, n_out) in zip(stacked, pairs, strict=True):
        matrix[:n_out, :n_in] = bicubic_matrix(n_in, n_out)
    return stacked.to(device, non_blocking=True)
