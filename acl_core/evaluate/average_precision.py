"""Average precision of characters, for any weights of the plates.

pycocotools gives the same numbers for equal weights (a test holds ours against it), but not for the thousand resamples
that an interval needs: matching is done here once, and each resample only weighs it anew.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from acl_core.evaluate.boxes import iou
from acl_core.evaluate.decode import Detections

IOU_THRESHOLDS = np.linspace(0.5, 0.95, 10)  # COCO
_RECALLS = torch.from_numpy(np.linspace(0, 1, 101))  # COCO; torch.linspace differs in the last bit


@dataclass(frozen=True)
class Matches:
    """Detections of a whole side, held against the truth once.

    Attributes:
        confidences: (D,) float32.
        classes: (D,) int64.
        plates: (D,) int64, the plate of each detection.
        hits: (D, 10) bool, whether a true box of the class answers at each overlap threshold.
        truths: (P, C) int64, true characters of each class on each plate.
    """

    confidences: np.ndarray
    classes: np.ndarray
    plates: np.ndarray
    hits: np.ndarray
    truths: np.ndarray


def match(detections: Sequence[Detections], truths: Sequence[tuple[np.ndarray, np.ndarray]], n_classes: int) -> Matches:
    """Hold the detections of P plates against the truth, as COCO does.

    Args:
        detections: Of each plate.
        truths: True boxes (n, 4), xyxy as shares of the plate, and classes (n,) of each plate.
        n_classes: Number of classes.
    """
    counts = np.array([np.bincount(classes, minlength=n_classes) for _, classes in truths])
    hits = [_hits_on_plate(d, boxes, classes) for d, (boxes, classes) in zip(detections, truths, strict=True)]
    return Matches(
        confidences=np.concatenate([d.confidences for d in detections]),
        classes=np.concatenate([d.classes for d in detections]),
        plates=np.repeat(np.arange(len(detections)), [len(d) for d in detections]),
        hits=np.concatenate(hits),
        truths=counts,
    )


def average_precision(matches: Matches, weights: np.ndarray, thresholds: Sequence[int] = range(10)) -> np.ndarray:
    """Average precision of every class under every weighting of the plates.

    Args:
        matches: Of P plates and C classes.
        weights: (B, P) how often each plate counts in each of B resamples.
        thresholds: Which of the ten overlap thresholds, T of them.

    Returns:
        (B, T, C) in [0, 1]; NaN where a class has no true character in the resample.
    """
    n_classes = matches.truths.shape[1]
    result = np.full((len(weights), len(thresholds), n_classes), np.nan)
    wanted = torch.as_tensor(weights @ matches.truths, dtype=torch.float64)  # (B, C)
    for c in np.flatnonzero(matches.truths.sum(axis=0)):
        index = np.flatnonzero(matches.classes == c)
        index = index[np.argsort(-matches.confidences[index], kind="stable")]
        weight = torch.as_tensor(weights[:, matches.plates[index]], dtype=torch.float64)
        seen = weight.cumsum(1)
        for t, threshold in enumerate(thresholds):
            hit = torch.as_tensor(matches.hits[index, threshold])
            result[:, t, c] = _area(weight * hit, seen, wanted[:, c])
    return result


def mean_average_precision(per_class: np.ndarray) -> np.ndarray:
    """Mean over thresholds and over the classes that occur: (B, T, C) to (B,)."""
    return np.asarray(np.nanmean(per_class, axis=(1, 2)))


def _area(hits: torch.Tensor, seen: torch.Tensor, wanted: torch.Tensor) -> np.ndarray:
    """Area under the precision-recall curve at COCO's 101 recalls; (B, D), (B, D) and (B,) to (B,)."""
    found = hits.cumsum(1)
    recall = found / wanted[:, None]
    precision = found / seen.clamp(min=1e-12)
    envelope = precision.flip(1).cummax(1).values.flip(1) if precision.shape[1] else precision
    padded = torch.nn.functional.pad(envelope, (0, 1))  # recalls that are never reached have precision 0
    position = torch.searchsorted(recall.contiguous(), _RECALLS.expand(len(recall), -1).contiguous())
    return padded.gather(1, position).mean(1).masked_fill(wanted <= 0, torch.nan).numpy()


def _hits_on_plate(detections: Detections, boxes: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """(n, 10) bool: the most certain detection takes the best free true box of its class, at each threshold."""
    hits = np.zeros((len(detections), len(IOU_THRESHOLDS)), dtype=bool)
    overlap = iou(detections.boxes, boxes)
    overlap[detections.classes[:, None] != classes[None]] = 0
    candidates = np.flatnonzero(overlap.max(axis=1, initial=0) >= IOU_THRESHOLDS[0])
    for t, threshold in enumerate(IOU_THRESHOLDS):
        free = np.ones(len(classes), dtype=bool)
        for d in candidates[np.argsort(-detections.confidences[candidates], kind="stable")]:
            open_overlap = np.where(free, overlap[d], 0)
            best = int(open_overlap.argmax())
            if open_overlap[best] >= threshold:
                hits[d, t], free[best] = True, False
    return hits
