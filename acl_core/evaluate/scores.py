"""What a method achieved on each plate."""

from dataclasses import dataclass

import numpy as np

from acl_core.data.batches import PairSet
from acl_core.evaluate.average_precision import Matches, average_precision, match, mean_average_precision
from acl_core.evaluate.outcome import Outcome, edits, readings
from acl_core.params import Reading


@dataclass(frozen=True)
class PlateScores:
    """What a method achieved on each of P plates.

    Attributes:
        read: (P,) bool, read without a mistake.
        edits: (P,) wrong, missing and surplus characters.
        length: (P,) true characters.
        matches: Detections held against the truth.
        psnr_db, psnr_y_db, ssim: (P,) each, or None for HR.
    """

    read: np.ndarray
    edits: np.ndarray
    length: np.ndarray
    matches: Matches
    psnr_db: np.ndarray | None
    psnr_y_db: np.ndarray | None
    ssim: np.ndarray | None


def score(outcome: Outcome, pairs: PairSet, rule: Reading) -> PlateScores:
    """Hold an outcome against the truth under a reading rule."""
    true = [plate.classes for plate in pairs.facts]
    found = [characters.classes for characters in readings(outcome, rule, pairs.card.direction)]
    distances = edits(found, true)
    quality = outcome.quality
    return PlateScores(
        read=distances == 0,
        edits=distances,
        length=np.array([len(t) for t in true], dtype=np.float64),
        matches=_matches(outcome, pairs),
        psnr_db=None if quality is None else quality.psnr_db,
        psnr_y_db=None if quality is None else quality.psnr_y_db,
        ssim=None if quality is None else quality.ssim,
    )


def summary(outcome: Outcome, pairs: PairSet, rule: Reading) -> dict[str, float]:
    """The metrics that training watches, without intervals; PSNR and SSIM where pictures were compared."""
    found = readings(outcome, rule, pairs.card.direction)
    read = [np.array_equal(f.classes, plate.classes) for f, plate in zip(found, pairs.facts, strict=True)]
    precision = average_precision(_matches(outcome, pairs), np.ones((1, len(read))), [0])
    metrics = {"plates_read": float(np.mean(read)), "map50": float(mean_average_precision(precision)[0])}
    return metrics if outcome.quality is None else metrics | outcome.quality.means()


def _matches(outcome: Outcome, pairs: PairSet) -> Matches:
    truths = [(boxes, plate.classes) for boxes, plate in zip(pairs.shares(), pairs.facts, strict=True)]
    return match(outcome.detections, truths, len(pairs.card.classes))


def weighted_mean(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Mean of the values (P,) that exist, under each of B weightings (B, P); (B,)."""
    there = ~np.isnan(values)
    return np.asarray(weights[:, there] @ values[there] / weights[:, there].sum(axis=1))
