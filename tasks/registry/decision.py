"""Whether a challenger becomes the champion: a list of checks, each with its number and its bound."""

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from acl_core.params import Promote
from acl_core.reader.score import ReaderScores
from acl_core.statistics.paired import bootstrap_interval


@dataclass(frozen=True)
class Check:
    """One condition.

    Attributes:
        name: What is looked at.
        challenger: Its value, or None where there is none to show.
        champion: The champion's, where there is one and it matters.
        bound: The condition in words.
        passed: Whether it holds. A value that is not finite never passes.
    """

    name: str
    challenger: float | None
    champion: float | None
    bound: str
    passed: bool


@dataclass(frozen=True)
class Verdict:
    """All checks.

    Attributes:
        checks: In the order in which they are shown.
    """

    checks: tuple[Check, ...]

    @property
    def passed(self) -> bool:
        """Whether every check passed."""
        return all(check.passed for check in self.checks)

    @property
    def reason(self) -> str:
        """Why, in one line."""
        failed = [check for check in self.checks if not check.passed]
        return "; ".join(f"{c.name} {_number(c.challenger)} ({c.bound})" for c in failed) or "all checks passed"


class Outcome(StrEnum):
    """What became of a challenger."""

    PASSED = "passed"  # nothing speaks against it; it is not the champion yet
    PROMOTED = "promoted"
    HELD = "held"
    ALREADY = "champion already"


@dataclass(frozen=True)
class Decision:
    """A challenger that was considered.

    Attributes:
        outcome: PASSED after the checks; PROMOTED once the alias has moved.
        challenger: Its version.
        champion: The version that bore the alias when it was considered; None where none did.
        verdict: All checks; empty for a champion.
        notes: What else a person should know.
    """

    outcome: Outcome
    challenger: str
    champion: str | None
    verdict: Verdict
    notes: tuple[str, ...] = ()

    @property
    def reason(self) -> str:
        """Why, in one line."""
        return "; ".join([*([self.verdict.reason] if self.verdict.checks else []), *self.notes])


def decide(challenger: ReaderScores, champion: ReaderScores | None, limits: Promote, seed: int) -> Verdict:
    """Hold a challenger against absolute limits and, where there is one, against the champion on the same plates."""
    checks = _absolute(challenger, champion, limits)
    if champion is not None:
        checks += [_gain(challenger, champion, limits, seed), *_groups(challenger, champion, limits)]
    return Verdict(tuple(checks))


def markdown(verdict: Verdict) -> str:
    """The checks as a table."""
    lines = ["| check | challenger | champion | bound | |", "|---|---|---|---|---|"]
    for check in verdict.checks:
        numbers = f"{_number(check.challenger)} | {_number(check.champion)}"
        lines.append(f"| {check.name} | {numbers} | {check.bound} | {'passed' if check.passed else 'FAILED'} |")
    return "\n".join(lines) + "\n"


def _absolute(challenger: ReaderScores, champion: ReaderScores | None, limits: Promote) -> list[Check]:
    rows = [
        ("plates read", "plates_read", 1, limits.min_plates_read),
        ("expected calibration error", "calibration_error", -1, limits.max_calibration_error),
        ("latency, ms a plate", "latency_ms", -1, limits.max_latency_ms),
        ("size, MB", "size_mb", -1, limits.max_size_mb),
    ]
    checks = []
    for name, field, sign, limit in rows:
        value = float(getattr(challenger, field))
        other = None if champion is None else float(getattr(champion, field))
        bound = f"at {'least' if sign > 0 else 'most'} {limit:g}"
        checks.append(Check(name, value, other, bound, math.isfinite(value) and sign * value >= sign * limit))
    return checks


def _gain(challenger: ReaderScores, champion: ReaderScores, limits: Promote, seed: int) -> Check:
    """Both read the same plates, so plates are drawn with what both made of them."""
    gains = challenger.read.astype(np.float64) - champion.read.astype(np.float64)
    gain, (low, high) = math.nan, (math.nan, math.nan)
    if len(gains):
        gain = float(gains.mean())
        low, high = bootstrap_interval(gains, np.ones(len(gains)), limits.resamples, seed)
    bound = f"95 % interval {low:.4f} to {high:.4f} above {limits.min_gain:g}"
    return Check("gain in plates read", gain, None, bound, math.isfinite(low) and low > limits.min_gain)


def _groups(challenger: ReaderScores, champion: ReaderScores, limits: Promote) -> list[Check]:
    checks = []
    for name, group in challenger.groups.items():
        before = champion.groups[name].share
        loss = before - group.share
        judged = group.total >= limits.min_group
        bound = f"loses at most {limits.max_group_loss:g}" if judged else f"not judged: fewer than {limits.min_group}"
        passed = not judged or (math.isfinite(loss) and loss <= limits.max_group_loss + 1e-12)
        checks.append(Check(f"{name} ({group.total})", group.share, before, bound, passed))
    return checks


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"
