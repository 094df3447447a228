"""The join of the two networks: the SR output enters the recognizer as a feature map.

Paper, Sec. III-A: no rounding, no file, gradient intact; stretched to the recognizer's square by bicubic interpolation.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from acl_core.resize import Size, resize_plates


def join(plates: Tensor, sizes: Sequence[Size], input_px: int) -> Tensor:
    """Stretch the true part of each plate to the recognizer's square.

    Args:
        plates: (N, 3, H, W) HR or SR batch, padded.
        sizes: True (height, width) of each plate.
        input_px: Side of the square.

    Returns:
        (N, 3, input_px, input_px) float32, channels_last, differentiable in ``plates``.
    """
    square = resize_plates(plates, sizes, [(input_px, input_px)] * len(sizes))
    return square.contiguous(memory_format=torch.channels_last)
