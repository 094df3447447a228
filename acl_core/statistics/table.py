"""Metrics of a method over a side of the split, each with a bootstrap interval over plates."""

from collections.abc import Mapping, Sequence
from typing import TypedDict

import numpy as np

from acl_core.data.batches import PairSet
from acl_core.evaluate.average_precision import average_precision, mean_average_precision
from acl_core.evaluate.outcome import Outcome, edits, readings
from acl_core.evaluate.scores import PlateScores, weighted_mean
from acl_core.evaluate.texts import TextScores
from acl_core.params import Reading
from acl_core.seeding import generator

METRICS = (
    "psnr_db",
    "psnr_y_db",
    "ssim",
    "map50",
    "map50_95",
    "plates_read",
    "cer",
    "gap_closed_map50",
    "gap_closed_plates_read",
)
SUITE_METRICS = ("plates_read", "map50")
FLOOR, CEILING = "bicubic", "hr"  # the ends of the gap that a method is to close


class Interval(TypedDict):
    """A value with its 95 % interval; all null where there is nothing to measure."""

    value: float | None
    low: float | None
    high: float | None


def table(methods: Mapping[str, PlateScores], resamples: int, seed: int) -> dict[str, dict[str, Interval]]:
    """All metrics of all methods; every method meets the same resamples, so differences are paired.

    Args:
        methods: Scores by method name, ``bicubic`` and ``hr`` among them.
        resamples: Bootstrap resamples of the plates.
        seed: Of the resampling.

    Returns:
        ``{method: {metric: {"value", "low", "high"}}}``; the first weighting is the sample itself.
    """
    n_plates = len(next(iter(methods.values())).read)
    weights = _weights(n_plates, resamples, seed)
    columns = {name: _columns(scores, weights) for name, scores in methods.items()}
    for column in columns.values():
        for metric in ("map50", "plates_read"):
            column[f"gap_closed_{metric}"] = _gap_closed(
                column[metric], columns[FLOOR][metric], columns[CEILING][metric]
            )
    return {name: {metric: _interval(column.get(metric)) for metric in METRICS} for name, column in columns.items()}


def text_table(methods: Mapping[str, TextScores], resamples: int, seed: int) -> dict[str, dict[str, Interval]]:
    """The metrics that need no boxes, with intervals: plates read without a mistake, and the character error rate."""
    n_plates = len(next(iter(methods.values())).read)
    weights = _weights(n_plates, resamples, seed)
    return {
        name: {
            "plates_read": _interval(weighted_mean(scores.read.astype(np.float64), weights)),
            "cer": _interval((weights @ scores.edits) / (weights @ scores.length)),
        }
        for name, scores in methods.items()
    }


def suite_table(
    suite: Mapping[str, Mapping[str, PlateScores]], resamples: int, seed: int
) -> dict[str, dict[str, dict[str, Interval]]]:
    """Plates read and mAP50 of every method under every severity, with those of :func:`table` where it has all plates.

    Args:
        suite: Scores by severity and method.
        resamples: Bootstrap resamples of the plates.
        seed: Of the resampling.

    Returns:
        ``{severity: {method: {metric: {"value", "low", "high"}}}}``.
    """
    return {severity: {m: _brief(s, resamples, seed) for m, s in scores.items()} for severity, scores in suite.items()}


def per_class(methods: Mapping[str, PlateScores], names: Sequence[str]) -> dict[str, dict[str, float | None]]:
    """Average precision at 0.5 of every class: ``{class: {method: value}}``, null where the class does not occur."""
    rows: dict[str, dict[str, float | None]] = {name: {} for name in names}
    for method, scores in methods.items():
        values = average_precision(scores.matches, np.ones((1, len(scores.read))), [0])[0, 0]
        for name, value in zip(names, values, strict=True):
            rows[name][method] = None if np.isnan(value) else float(value)
    return rows


def choose_rule(
    outcomes: Sequence[Outcome], pairs: PairSet, confidences: Sequence[float], overlaps: Sequence[float]
) -> Reading:
    """The one reading rule for all methods: most plates read on validation, summed over the methods.

    Equal rules are told apart by fewer wrong characters, then by their order in the parameters.
    """
    true = [plate.classes for plate in pairs.facts]

    def merit(rule: Reading) -> tuple[int, float]:
        found = [[c.classes for c in readings(outcome, rule, pairs.card.direction)] for outcome in outcomes]
        wrong = [edits(f, true) for f in found]
        return sum(int((w == 0).sum()) for w in wrong), -float(sum(w.sum() for w in wrong))

    rules = [Reading(confidence=c, overlap=o) for c in confidences for o in overlaps]
    return max(rules, key=merit)


def _weights(n_plates: int, resamples: int, seed: int) -> np.ndarray:
    """(1 + resamples, n_plates) how often each plate counts; the first row is the sample as it is."""
    drawn = generator(seed).multinomial(n_plates, np.full(n_plates, 1 / n_plates), size=resamples)
    return np.concatenate([np.ones((1, n_plates)), drawn])


def _brief(scores: PlateScores, resamples: int, seed: int) -> dict[str, Interval]:
    weights = _weights(len(scores.read), resamples, seed)
    columns = {
        "plates_read": weighted_mean(scores.read.astype(np.float64), weights),
        "map50": mean_average_precision(average_precision(scores.matches, weights, [0])),
    }
    return {metric: _interval(columns[metric]) for metric in SUITE_METRICS}


def _columns(scores: PlateScores, weights: np.ndarray) -> dict[str, np.ndarray]:
    """Each metric under each weighting, (B,) a metric."""
    precision = average_precision(scores.matches, weights)
    columns = {
        "map50": mean_average_precision(precision[:, :1]),
        "map50_95": mean_average_precision(precision),
        "plates_read": weighted_mean(scores.read.astype(np.float64), weights),
        "cer": (weights @ scores.edits) / (weights @ scores.length),
    }
    for name, values in (("psnr_db", scores.psnr_db), ("psnr_y_db", scores.psnr_y_db), ("ssim", scores.ssim)):
        if values is not None:
            columns[name] = weighted_mean(values, weights)
    return columns


def _gap_closed(values: np.ndarray, floor: np.ndarray, ceiling: np.ndarray) -> np.ndarray:
    """(x - bicubic) / (HR - bicubic); NaN where there is no gap."""
    gap = ceiling - floor
    return np.where(gap > 0, (values - floor) / np.where(gap > 0, gap, 1), np.nan)


def _interval(values: np.ndarray | None) -> Interval:
    if values is None or np.isnan(values[0]):
        return {"value": None, "low": None, "high": None}
    resampled = values[1:][~np.isnan(values[1:])]
    low, high = np.quantile(resampled, [0.025, 0.975]) if len(resampled) else (values[0], values[0])
    return {"value": float(values[0]), "low": float(low), "high": float(high)}
