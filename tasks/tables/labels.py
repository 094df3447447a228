"""How metrics are called on the page, and how their numbers look."""

from typing import NamedTuple

from acl_core.statistics.paired import Spread
from tasks.report.labels import METRICS as _REPORTED


class Metric(NamedTuple):
    """A metric as people read it.

    Attributes:
        title: Heading.
        factor: From our unit to the one shown, which is the paper's.
        digits: Behind the point.
    """

    title: str
    factor: float
    digits: int


METRICS: dict[str, Metric] = {
    **{name: Metric(*how) for name, how in _REPORTED.items()},
    "map50_digits": Metric("mAP50 of the digits, %", 100, 1),
    "plates_read_clean": Metric("plates read as they are, %", 100, 1),
    "plates_read_dark": Metric("plates read in the dark, %", 100, 1),
    "plates_read_rotated": Metric("plates read when rotated, %", 100, 1),
    "gradient_sr": Metric("gradient of Loss_SR", 1, 5),
    "gradient_char": Metric("gradient of alpha x Loss_char", 1, 5),
    "seconds": Metric("training, s", 1, 0),
    "time_multiple": Metric("training, multiple of plain fine-tuning", 1, 2),
}


def metric_of(name: str) -> Metric:
    """How a metric is shown; under its own name where nothing else is said."""
    return METRICS.get(name, Metric(name, 1, 3))


def ours(name: str, spread: Spread | None) -> str:
    """``83.5 ± 0.7``: the mean over seeds, and their deviation where there are several; a dash for nothing."""
    if spread is None:
        return "-"
    metric = metric_of(name)
    text = f"{spread.mean * metric.factor:.{metric.digits}f}"
    return text if spread.sd is None else f"{text} ± {spread.sd * metric.factor:.{metric.digits}f}"


def theirs(name: str, value: float | None) -> str:
    """A number of the paper, in its own unit."""
    return "-" if value is None else f"{value:.{metric_of(name).digits}f}"


def p_value(p: float) -> str:
    """Two digits, as far as a p-value of some hundred plates means anything."""
    return "< 0.0001" if p < 0.0001 else f"{p:.2g}"
