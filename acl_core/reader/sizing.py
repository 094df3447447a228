"""Which plates are super-resolved, and at which size plates are read.

A plate is super-resolved as long as its size is nearer to the LR plates of training than to the HR ones, by ratio: up
to the geometric mean of the largest of each, 72 pixels wide for 36 and 144. It goes into the network at its own size:
reducing plates of 42 to 72 pixels to the 36 of training lost up to a tenth of the plates, and reading them without
super-resolution was better from 72 on only (docs/LOG.md). A larger plate is read as it is, or reduced to the largest HR
plate.
"""

import math
from typing import NamedTuple

import numpy as np

from acl_core.reader.card import TrainedSizes
from acl_core.sources.pictures import fit_within


class Fitted(NamedTuple):
    """A plate at the size at which it goes into the networks.

    Attributes:
        picture: (h, w, 3) uint8 RGB.
        enlarge: Whether it goes through super-resolution.
    """

    picture: np.ndarray
    enlarge: bool


def largest_enlarged(sizes: TrainedSizes) -> tuple[int, int]:
    """Width and height in pixels of the largest plates that are super-resolved."""
    width, height = (math.isqrt(low * high) for low, high in zip(sizes.lr_max_px, sizes.hr_max_px, strict=True))
    return width, height


def fit(picture: np.ndarray, sizes: TrainedSizes) -> Fitted:
    """Decide on one plate; (H, W, 3) uint8 RGB of any size."""
    height, width = picture.shape[:2]
    most_width, most_height = largest_enlarged(sizes)
    if width <= most_width and height <= most_height:
        return Fitted(picture, enlarge=True)
    return Fitted(fit_within(picture, *sizes.hr_max_px)[0], enlarge=False)
