"""Whether an LR picture is its HR picture divided by the scale."""

from acl_core.data.manifest import Plate
from acl_core.errors import DataError


def check_sizes(plate: Plate, scale: int) -> Plate:
    """The plate itself, when its sizes agree with the scale.

    Raises:
        DataError: It has no LR picture, or HR is not LR times the scale.
    """
    if plate.lr is None:
        raise DataError(f"{plate.name}: has no LR picture")
    (height, width), (lr_height, lr_width) = plate.hr.shape[:2], plate.lr.shape[:2]
    if (lr_width * scale, lr_height * scale) != (width, height):
        raise DataError(f"{plate.name}: HR {width} x {height} px is not LR {lr_width} x {lr_height} px times {scale}")
    return plate
