"""A sheet of plates, one row a plate and one column a way of enlarging it."""

from collections.abc import Sequence

import numpy as np

from acl_core.data.batches import PairSet
from acl_core.device import Compute
from acl_core.evaluate.outcome import enlarge_plates
from acl_core.models.enlarger import Enlarger

_GAP_PX = 4
_BACKGROUND = 255


def strip(
    enlargers: Sequence[Enlarger | None], pairs: PairSet, n_plates: int, compute: Compute, bucket_px: int
) -> np.ndarray:
    """The first plates of a side, enlarged in several ways.

    Args:
        enlargers: One a column; None shows HR.
        pairs: The plates.
        n_plates: Rows at most.
        compute: Device and arithmetic.
        bucket_px: As in training.

    Returns:
        (H, W, 3) uint8 RGB.
    """
    shown = PairSet(pairs.plates[:n_plates], pairs.card, pairs.scale)
    columns = [enlarge_plates(enlarger, shown, compute, bucket_px) for enlarger in enlargers]
    height = max(cell.shape[0] for cell in columns[0]) + _GAP_PX
    width = max(cell.shape[1] for cell in columns[0]) + _GAP_PX
    sheet = np.full((len(shown.plates) * height, len(columns) * width, 3), _BACKGROUND, dtype=np.uint8)
    for c, column in enumerate(columns):
        for r, cell in enumerate(column):
            sheet[r * height : r * height + cell.shape[0], c * width : c * width + cell.shape[1]] = cell
    return sheet
