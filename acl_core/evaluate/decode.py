"""From a recognizer's candidates to characters in reading order."""

from dataclasses import dataclass

import numpy as np

from acl_core.evaluate.boxes import suppress
from acl_core.models.recognizer import Candidates
from acl_core.params import Reading
from acl_core.params_plates import Direction
from acl_core.reading import reading_order

# Usual for measuring average precision: keep even unlikely boxes, drop repeated ones of the same class.
FLOOR = 0.001
SAME_CLASS_OVERLAP = 0.7
MOST_CANDIDATES = 300
MOST_CHARACTERS = 50


@dataclass(frozen=True)
class Detections:
    """Characters found on one plate, the most certain first.

    Attributes:
        boxes: (n, 4) float32, xyxy as shares of the plate.
        classes: (n,) int64.
        confidences: (n,) float32 in [0, 1].
    """

    boxes: np.ndarray
    classes: np.ndarray
    confidences: np.ndarray

    def __len__(self) -> int:
        return len(self.classes)

    def take(self, index: np.ndarray) -> "Detections":
        """Some of them, in the order of ``index``."""
        return Detections(self.boxes[index], self.classes[index], self.confidences[index])


def detect(candidates: Candidates) -> list[Detections]:
    """Drop repeated boxes of one class; what is left is what average precision is measured on."""
    best, names = candidates.scores.max(dim=2)
    top = best.topk(min(MOST_CANDIDATES, best.shape[1]), dim=1)
    at_top = top.indices
    boxes = candidates.boxes.gather(1, at_top[..., None].expand(-1, -1, 4))
    columns = (boxes, names.gather(1, at_top), top.values)
    return [_distinct(Detections(*plate)) for plate in zip(*(t.cpu().numpy() for t in columns), strict=True)]


def _distinct(found: Detections) -> Detections:
    likely = found.take(np.flatnonzero(found.confidences > FLOOR))
    kept = suppress(likely.boxes, likely.confidences, SAME_CLASS_OVERLAP, likely.classes)
    return likely.take(kept[:MOST_CHARACTERS])


def read(detections: Detections, rule: Reading, direction: Direction) -> Detections:
    """The characters that make up the text, in reading order.

    One place holds one character: of two boxes that overlap by more than ``rule.overlap``, whatever their classes, the
    less certain one goes.
    """
    sure = detections.take(np.flatnonzero(detections.confidences >= rule.confidence))
    sure = sure.take(suppress(sure.boxes, sure.confidences, rule.overlap))
    return sure.take(reading_order(sure.boxes, direction))
