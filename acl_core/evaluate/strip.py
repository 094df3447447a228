"""Sheets of plates to look at: enlarged in several ways, or with the characters that a recognizer reads."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from acl_core.data.batches import PairSet
from acl_core.device import Compute
from acl_core.evaluate.boxes import iou
from acl_core.evaluate.decode import Detections
from acl_core.evaluate.outcome import enlarge_plates, readings, run_method
from acl_core.models.enlarger import Enlarger
from acl_core.models.recognizer import Recognizer
from acl_core.params import Reading

_GAP_PX = 4
_BACKGROUND = 255
_ZOOM = 3  # so that a box of one pixel's width hides little
_RIGHT, _WRONG = (20, 160, 60), (220, 40, 30)


def strip(
    enlargers: Sequence[Enlarger | None], pairs: PairSet, n_plates: int, compute: Compute, bucket_px: int
) -> np.ndarray:
    """The first plates of a side, enlarged in several ways, one row a plate.

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
    return _sheet([enlarge_plates(enlarger, shown, compute, bucket_px) for enlarger in enlargers])


def reading_strip(
    enlarger: Enlarger | None,
    recognizer: Recognizer,
    rule: Reading,
    pairs: PairSet,
    n_plates: int,
    compute: Compute,
    bucket_px: int,
) -> np.ndarray:
    """The first plates of a side as the recognizer sees them, with a box round each character that it reads.

    Green: a character of that class stands there. Red: none does.

    Args:
        enlarger: In front of the recognizer; None shows HR.
        recognizer: Reads.
        rule: Which detections count.
        pairs: The plates.
        n_plates: Rows at most.
        compute: Device and arithmetic.
        bucket_px: As in training.

    Returns:
        (H, W, 3) uint8 RGB.
    """
    shown = PairSet(pairs.plates[:n_plates], pairs.card, pairs.scale)
    outcome = run_method(enlarger, recognizer, shown, compute, bucket_px)
    found = readings(outcome, rule, pairs.card.direction)
    pictures = enlarge_plates(enlarger, shown, compute, bucket_px)
    truth = zip(shown.shares(), (plate.classes for plate in shown.facts), strict=True)
    return _sheet([[_marked(*row) for row in zip(pictures, found, truth, strict=True)]])


def _marked(picture: np.ndarray, found: Detections, truth: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    height, width = picture.shape[:2]
    image = Image.fromarray(picture).resize((width * _ZOOM, height * _ZOOM), Image.Resampling.NEAREST)
    pen = ImageDraw.Draw(image)
    boxes, classes = truth
    right = ((iou(found.boxes, boxes) > 0.5) & (found.classes[:, None] == classes[None])).any(axis=1)
    for box, is_right in zip(found.boxes, right, strict=True):
        corners = box.reshape(2, 2) * [image.width - 1, image.height - 1]
        pen.rectangle([tuple(corner) for corner in corners], outline=_RIGHT if is_right else _WRONG)
    return np.asarray(image)


def _sheet(columns: Sequence[Sequence[np.ndarray]]) -> np.ndarray:
    """Pictures in a grid whose cells have the size of the largest."""
    height = max(cell.shape[0] for column in columns for cell in column) + _GAP_PX
    width = max(cell.shape[1] for column in columns for cell in column) + _GAP_PX
    sheet = np.full((len(columns[0]) * height, len(columns) * width, 3), _BACKGROUND, dtype=np.uint8)
    for c, column in enumerate(columns):
        for r, cell in enumerate(column):
            sheet[r * height : r * height + cell.shape[0], c * width : c * width + cell.shape[1]] = cell
    return sheet
