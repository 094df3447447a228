"""How far a set of plates differs from another: sizes and looks by Kolmogorov-Smirnov, classes by chi-square.

A p-value alone calls every difference of a large set a drift, and a statistic alone every small set: both are given.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from acl_core.data.manifest import Side

MEASURES = ("width_px", "height_px", "brightness", "sharpness")
CLASSES = "classes"


class Drift(NamedTuple):
    """One measure of new plates against the reference.

    Attributes:
        measure: One of :data:`MEASURES`, or :data:`CLASSES`.
        statistic: Kolmogorov-Smirnov's D, for classes Cramer's V; 0 is no difference, 1 nothing in common.
        p: How often chance alone makes a difference this large.
        n_new: New plates (for classes: characters).
        n_reference: Plates (characters) of the reference.
    """

    measure: str
    statistic: float
    p: float
    n_new: int
    n_reference: int


def drift(new: pd.DataFrame, reference: pd.DataFrame, counts: np.ndarray) -> list[Drift]:
    """Hold new plates against a reference.

    Args:
        new: Rows of :func:`~acl_core.statistics.frame.read_frame`.
        reference: The same of the reference.
        counts: (2, n) characters of each class, of the new plates and of the reference.

    Returns:
        A row a measure; none where one of both sides is empty.
    """
    found = [_of_measure(m, new[m].dropna().to_numpy(), reference[m].dropna().to_numpy()) for m in MEASURES]
    return [row for row in [*found, _of_classes(counts)] if row is not None]


def compared(frame: pd.DataFrame, reference: pd.DataFrame | None) -> tuple[pd.DataFrame, pd.DataFrame]:
    """New plates and what they are held against: a reference's train side, otherwise this set's test and train side."""
    if reference is None:
        return frame[frame["side"] == Side.TEST.value], frame[frame["side"] == Side.TRAIN.value]
    return frame, reference[reference["side"] == Side.TRAIN.value]


def in_both(new: Sequence[str], reference: Sequence[str], counts: Sequence[np.ndarray]) -> np.ndarray:
    """(2, n) counts over all classes that either list names, from counts in the order of each list."""
    order = {name: i for i, name in enumerate(dict.fromkeys([*new, *reference]))}
    table = np.zeros((2, len(order)), dtype=np.int64)
    for row, names, values in zip(table, (new, reference), counts, strict=True):
        row[[order[name] for name in names]] = values
    return table


def _of_measure(measure: str, new: np.ndarray, reference: np.ndarray) -> Drift | None:
    from scipy.stats import ks_2samp  # takes its time to load

    if not len(new) or not len(reference):
        return None
    result = ks_2samp(new, reference, method="asymp")
    return Drift(measure, float(result.statistic), float(result.pvalue), len(new), len(reference))


def _of_classes(counts: np.ndarray) -> Drift | None:
    from scipy.stats import chi2_contingency

    n_new, n_reference = counts.sum(axis=1).tolist()
    table = counts[:, counts.any(axis=0)]
    if not n_new or not n_reference:
        return None
    if table.shape[1] < 2:
        return Drift(CLASSES, 0.0, 1.0, n_new, n_reference)
    result = chi2_contingency(table, correction=False)
    return Drift(CLASSES, float(np.sqrt(result.statistic / table.sum())), float(result.pvalue), n_new, n_reference)
