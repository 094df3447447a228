"""Plates of different sizes in one batch: which share a padded size, and how they are padded."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from acl_core.resize import Size


def bucket_of(size: Size, bucket_px: int) -> Size:
    """A (height, width) with its sides padded up to multiples of ``bucket_px``."""
    return -(-size[0] // bucket_px) * bucket_px, -(-size[1] // bucket_px) * bucket_px


def plan_evaluation(sizes: Sequence[Size], batch_size: int, bucket_px: int) -> list[np.ndarray]:
    """Batches of one bucket each, so that what a plate gives does not depend on the plates beside it.

    Args:
        sizes: (height, width) of each plate.
        batch_size: Plates a batch at most.
        bucket_px: Sides are padded up to a multiple of this.

    Returns:
        The indices of the plates of each batch.
    """
    buckets: dict[Size, list[int]] = {}
    for index, size in enumerate(sizes):
        buckets.setdefault(bucket_of(size, bucket_px), []).append(index)
    return [
        np.array(members[i : i + batch_size])
        for _, members in sorted(buckets.items())
        for i in range(0, len(members), batch_size)
    ]


def stack(images: Sequence[np.ndarray], size: Size) -> Tensor:
    """(N, 3, *size) float32 RGB in [0, 1] of uint8 pictures, channels_last, edges repeated into the padding."""
    padded = [
        np.pad(image, ((0, size[0] - image.shape[0]), (0, size[1] - image.shape[1]), (0, 0)), mode="edge")
        for image in images
    ]
    return torch.from_numpy(np.stack(padded)).permute(0, 3, 1, 2).float() / 255
