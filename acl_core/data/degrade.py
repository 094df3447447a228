"""From HR to LR: the simulated camera of the paper."""

from dataclasses import replace

import numpy as np
from PIL import Image

from acl_core.data.manifest import Plate
from acl_core.errors import DataError


def reduce(hr: np.ndarray, scale: int) -> np.ndarray:
    """LR picture of an HR picture whose sides are multiples of the scale.

    Paper: says "down-sampled" without a kernel. Ours: antialiased bicubic (a = -0.5), which is Pillow's.

    Args:
        hr: (H, W, 3) uint8 RGB.
        scale: HR size over LR size.

    Returns:
        (H / scale, W / scale, 3) uint8 RGB.
    """
    if scale == 1:
        return hr
    height, width = hr.shape[:2]
    size = (width // scale, height // scale)
    return np.asarray(Image.fromarray(hr).resize(size, Image.Resampling.BICUBIC))


def degrade(plate: Plate, scale: int) -> Plate:
    """The plate with its LR picture; HR is cropped to a multiple of the scale, as the SR literature does.

    At most scale - 1 pixels go, half on each side; boxes move along and are clipped.

    Raises:
        DataError: The crop would cut a character's box away as a whole.
    """
    height, width = plate.hr.shape[:2]
    kept = (height // scale * scale, width // scale * scale)
    top, left = (height - kept[0]) // 2, (width - kept[1]) // 2
    hr = np.ascontiguousarray(plate.hr[top : top + kept[0], left : left + kept[1]])
    boxes = plate.boxes - np.array([left, top] * 2, dtype=np.float32)
    boxes = boxes.clip(0, np.array([kept[1], kept[0]] * 2, dtype=np.float32))
    if len(boxes) and (boxes[:, 2:] - boxes[:, :2]).min() <= 0:
        raise DataError(f"{plate.name}: a character stands in the {scale - 1} px that x{scale} cuts from the border")
    return replace(plate, hr=hr, boxes=boxes, lr=reduce(hr, scale))
