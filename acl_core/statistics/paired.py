"""Two methods on the same plates: is one better, and could chance have done that?

A plate may be read under several seeds. These readings are no new plates, so the plate, with all of its seeds, is the
unit that is drawn and tested; with one seed everything here is the textbook's formula.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.stats import binom

from acl_core.seeding import generator


class Spread(NamedTuple):
    """A number over seeds.

    Attributes:
        mean: Over the seeds.
        sd: Sample standard deviation (n - 1); None of a single seed.
        n: Seeds.
    """

    mean: float
    sd: float | None
    n: int


class Difference(NamedTuple):
    """How much more often one method reads a plate than another one.

    Attributes:
        value: Difference of the shares of plates read.
        low: Lower end of the paired 95 % bootstrap interval over plates.
        high: Upper end.
        p: Two-sided, of McNemar's exact test, a plate with all of its readings being one draw.
        gained: Readings that the first method alone has right.
        lost: Readings that the second method alone has right.
        n_plates: Different plates.
        n_seeds: Seeds that both methods were trained under.
    """

    value: float
    low: float
    high: float
    p: float
    gained: int
    lost: int
    n_plates: int
    n_seeds: int


def spread(values: Sequence[float]) -> Spread:
    """Mean and sample standard deviation over seeds.

    Raises:
        ValueError: There is no value.
    """
    if not values:
        raise ValueError("no value to take the mean of")
    sd = float(np.std(values, ddof=1)) if len(values) > 1 else None
    return Spread(float(np.mean(values)), sd, len(values))


def difference(first: pd.DataFrame, second: pd.DataFrame, resamples: int, seed: int) -> Difference:
    """Hold the plates that one method read against those of another, plate by plate and seed by seed.

    Args:
        first: Columns ``seed``, ``plate`` (the same for the same picture) and ``read`` (bool), a row a reading.
        second: The same of the other method; readings that only one of the two has are left out.
        resamples: Of the bootstrap.
        seed: Of the resampling.

    Raises:
        ValueError: No plate was read by both under one seed.
    """
    both = paired(first, second)
    if both.empty:
        raise ValueError("the two methods share no plate under any seed")
    gain = both["read_first"].astype(int) - both["read_second"].astype(int)
    by_plate = gain.groupby(both["plate"]).agg(["sum", "count"])
    sums, counts = by_plate["sum"].to_numpy(np.float64), by_plate["count"].to_numpy(np.float64)
    low, high = bootstrap_interval(sums, counts, resamples, seed)
    gained, lost = int((gain > 0).sum()), int((gain < 0).sum())
    n_seeds = int(both["seed"].nunique())
    return Difference(float(gain.mean()), low, high, mcnemar_exact(sums), gained, lost, len(sums), n_seeds)


def paired(first: pd.DataFrame, second: pd.DataFrame) -> pd.DataFrame:
    """The readings that two methods share, a row a reading: ``seed``, ``plate``, ``read_first`` and ``read_second``.

    A picture that lies in the test set twice has two readings of each method; the first goes with the first.
    """
    on = ["seed", "plate", "occurrence"]
    one, other = (f.assign(occurrence=f.groupby(["seed", "plate"]).cumcount()) for f in (first, second))
    return one.merge(other, on=on, suffixes=("_first", "_second"), validate="one_to_one").drop(columns="occurrence")


def bootstrap_interval(sums: np.ndarray, counts: np.ndarray, resamples: int, seed: int) -> tuple[float, float]:
    """95 % percentile interval of ``sum(sums) / sum(counts)`` when plates are drawn with replacement.

    Args:
        sums: (P,) sum of the differences of each plate over its seeds.
        counts: (P,) readings of each plate.
        resamples: How many draws.
        seed: Of the draws.
    """
    n = len(sums)
    drawn = generator(seed).multinomial(n, np.full(n, 1 / n), size=resamples)
    low, high = np.quantile((drawn @ sums) / (drawn @ counts), [0.025, 0.975])
    return float(low), float(high)


def mcnemar_exact(sums: np.ndarray) -> float:
    """McNemar's test, exact, where plates may be read several times.

    If two methods read alike, each plate's sum would as soon have the other sign (Fisher's randomization test). So the
    sum over all plates is one of fair coins' tosses, each worth what its plate is worth. Where no plate is worth more
    than 1, this is the binomial test of the textbook.

    Args:
        sums: (P,) gains minus losses of each plate over its readings, whole numbers.
    """
    sizes, numbers = np.unique(np.abs(sums[sums != 0]).astype(int), return_counts=True)
    chances = np.ones(1)  # of each value that the sum could have, from the smallest to the largest
    for size, n in zip(sizes, numbers, strict=True):
        of_size = np.zeros(2 * size * n + 1)
        of_size[:: 2 * size] = binom.pmf(np.arange(n + 1), n, 0.5)
        chances = np.convolve(chances, of_size)
    values = np.arange(len(chances)) - len(chances) // 2
    return min(1.0, float(chances[np.abs(values) >= abs(sums.sum())].sum()))


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's correction of several tests at once: p-values that may be held against 5 % together, in their order."""
    n = len(p_values)
    corrected = [0.0] * n
    highest = 0.0
    for rank, index in enumerate(sorted(range(n), key=lambda i: p_values[i])):
        highest = max(highest, min(1.0, (n - rank) * p_values[index]))
        corrected[index] = highest
    return corrected
