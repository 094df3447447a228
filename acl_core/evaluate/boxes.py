"""Boxes that overlap."""

import numpy as np


def iou(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(len(a), len(b)) intersection over union of xyxy boxes."""
    top_left = np.maximum(a[:, None, :2], b[None, :, :2])
    bottom_right = np.minimum(a[:, None, 2:], b[None, :, 2:])
    overlap = (bottom_right - top_left).clip(0).prod(axis=2)
    area_a, area_b = ((x[:, 2:] - x[:, :2]).prod(axis=1) for x in (a, b))
    return np.asarray(overlap / np.maximum(area_a[:, None] + area_b[None] - overlap, 1e-12))


def suppress(boxes: np.ndarray, scores: np.ndarray, overlap: float, classes: np.ndarray | None = None) -> np.ndarray:
    """Non-maximum suppression: from the best box down, drop those that overlap a better one too much.

    torchvision has the same (a test holds ours against it), but loading it takes longer than a short stage.

    Args:
        boxes: (n, 4) xyxy.
        scores: (n,).
        overlap: Largest intersection over union of two boxes that both stay.
        classes: (n,) names; boxes of different classes do not suppress each other. None: all boxes are rivals.

    Returns:
        Indices of the boxes that stay, the best first.
    """
    rivals = iou(boxes, boxes) > overlap
    if classes is not None:
        rivals &= classes[:, None] == classes[None]
    alive = np.ones(len(boxes), dtype=bool)
    kept = []
    for index in np.argsort(-scores, kind="stable"):
        if alive[index]:
            kept.append(index)
            alive &= ~rivals[index]
    return np.asarray(kept, dtype=np.int64)
