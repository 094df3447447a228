"""From HR plates to pairs: LR simulated by a recipe, or a real LR picture that HR is fitted to."""

from dataclasses import replace

import numpy as np

from acl_core.data.degradation.chain import PAPER, photograph
from acl_core.data.degradation.size import resize
from acl_core.data.manifest import Plate
from acl_core.errors import DataError
from acl_core.params_degrade import Recipe
from acl_core.seeding import generator, name_key


def degrade(plate: Plate, scale: int, recipe: Recipe = PAPER, seed: int = 0) -> Plate:
    """The plate with an LR picture made of its HR picture, which is cropped to a multiple of the scale first.

    What is random depends on the seed and the plate's name alone.

    Raises:
        DataError: The crop would cut a character's box away as a whole.
    """
    plate = crop_to_multiple(plate, scale)
    return replace(plate, lr=photograph(recipe, plate.hr, scale, generator(seed, name_key(plate.name))))


def crop_to_multiple(plate: Plate, scale: int) -> Plate:
    """The plate with an HR picture whose sides are multiples of the scale, as the SR literature has it.

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
    return replace(plate, hr=hr, boxes=boxes)


def fit_to_real(plate: Plate, scale: int, max_width: int, max_height: int) -> Plate:
    """The plate with HR resized to ``scale`` times its real LR picture, which stays as it is; boxes are carried along.

    The two pictures then agree in size, not in content: they were taken apart, so no pixel answers another.

    Args:
        plate: With a real LR picture.
        scale: HR size over LR size, as it is to be.
        max_width: Largest HR picture, in pixels.
        max_height: The same.

    Raises:
        DataError: There is no LR picture, or HR would become too large.
    """
    if plate.lr is None:
        raise DataError(f"{plate.name}: has no LR picture in a set of real pairs")
    size = (plate.lr.shape[1] * scale, plate.lr.shape[0] * scale)
    if size[0] > max_width or size[1] > max_height:
        raise DataError(
            f"{plate.name}: LR of {plate.lr.shape[1]} x {plate.lr.shape[0]} px needs HR of {size[0]} x {size[1]} px at "
            f"x{scale}, above plates.max_width_px x plates.max_height_px ({max_width} x {max_height})"
        )
    factors = np.array([size[0] / plate.hr.shape[1], size[1] / plate.hr.shape[0]] * 2, dtype=np.float32)
    return replace(plate, hr=resize(plate.hr, size), boxes=plate.boxes * factors)
