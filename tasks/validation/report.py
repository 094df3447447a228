"""What validation found, in short: ``reports/validation.json``, and a line for the log."""

import html
from collections.abc import Mapping, Sequence
from typing import Any

from acl_core.params import Validation
from acl_core.statistics.drift import CLASSES, Drift
from tasks.validation.expectations import Result


def report_of(
    plates: Result, classes: Result, drifts: Sequence[Drift], sides: Mapping[str, int], bounds: Validation
) -> dict[str, Any]:
    """The numbers of a validation; no name and no text of a plate is among them.

    Args:
        plates: The table of plates.
        classes: The table of classes.
        drifts: Each measure's.
        sides: Plates that are left on each side.
        bounds: What was asked for.
    """
    rejecting = [check for check in plates.checks if check.rejects]
    n_rejected = len({b.row for b in plates.rejected()})
    return {
        "plates": {"checked": n_rejected + sum(sides.values()), "rejected": n_rejected, **sides},
        "rejected": plates.counts(rejecting),
        "classes": classes.counts(classes.checks),
        "drift": {
            "against": bounds.reference or "the train side of this set",
            "measures": {d.measure: {"statistic": round(d.statistic, 4), "p": float(f"{d.p:.2g}")} for d in drifts},
        },
        "warnings": [*_repeated(plates), *_of_classes(classes), *drifted(drifts, bounds)],
    }


def drifted(drifts: Sequence[Drift], bounds: Validation) -> list[str]:
    """Measures beyond their bounds, in words."""
    found = []
    for d in drifts:
        name, bound = ("max_cramers_v", bounds.max_cramers_v) if d.measure == CLASSES else ("max_ks", bounds.max_ks)
        if d.statistic > bound and d.p <= bounds.max_p:
            found.append(f"drift of {d.measure}: {d.statistic:.3f} above validation.{name} ({bound:g}), p {d.p:.2g}")
    return found


def summary(report: Mapping[str, Any]) -> str:
    """One line."""
    plates = report["plates"]
    reasons = ", ".join(f"{name} {n}" for name, n in report["rejected"].items() if n)
    line = f"{plates['checked']} plates, {plates['rejected']} rejected"
    return f"{line}{f' ({reasons})' if reasons else ''}, {len(report['warnings'])} warnings"


def _repeated(plates: Result) -> list[str]:
    n = len({b.row for b in plates.told()})
    return [f"{n} pictures stand on their side already, under another name"] if n else []


def _of_classes(classes: Result) -> list[str]:
    return [f"class {html.unescape(b.label)}: {b.reason}" for b in classes.told()]
