"""From LR plates to characters: the two networks one behind the other, batch by batch."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from acl_core.device import Compute
from acl_core.evaluate.decode import Detections, detect
from acl_core.models.enlarger import Enlarger
from acl_core.models.join import join
from acl_core.models.recognizer import Recognizer
from acl_core.resize import Size


@torch.no_grad()
def detect_characters(
    sr: Enlarger | None, recognizer: Recognizer, plates: Tensor, sizes: Sequence[Size], compute: Compute
) -> tuple[list[Detections], Tensor]:
    """Enlarge a batch and find its characters, as in training; both networks are in ``eval()``.

    Args:
        sr: Enlarges; None feeds the plates as they are.
        recognizer: Finds and names characters.
        plates: (N, 3, h, w) float32 RGB in [0, 1], padded at the right and at the bottom, on the device.
        sizes: True (height, width) of each plate.
        compute: Device and arithmetic.

    Returns:
        The detections on each plate, and the pictures that were read: (N, 3, H, W) float32, neither clamped nor cut.
    """
    scale = 1 if sr is None else sr.scale
    with compute.autocast():
        pictures = plates if sr is None else sr(plates, sizes)
    pictures = pictures.float()
    square = join(pictures, [(height * scale, width * scale) for height, width in sizes], recognizer.input_px)
    with compute.autocast():
        raw = recognizer(square)
    return detect(recognizer.candidates(raw)), pictures


def to_picture(tensor: Tensor, size: Size) -> np.ndarray:
    """(height, width, 3) uint8 RGB of the true part of a (3, H, W) tensor in [0, 1]; what lies outside is clamped."""
    cut = tensor[:, : size[0], : size[1]].clamp(0, 1)
    return np.asarray((cut * 255).round().byte().permute(1, 2, 0).cpu().numpy())
