"""Timing of several ways in turn, so that a machine whose speed drifts is fair to all of them."""

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch

Way = Callable[[], float]  # runs once and returns seconds a plate


@dataclass(frozen=True)
class Times:
    """Seconds a plate of two ways, round by round; in a round one ran right after the other."""

    reference: list[float]
    ours: list[float]

    @property
    def ratios(self) -> list[float]:
        """How many times faster ours was, round by round."""
        return [r / o for r, o in zip(self.reference, self.ours, strict=True)]


def in_turn(reference: Way, ours: Way, rounds: int) -> Times:
    """Run both ways in turn; a first round that warms up is not counted."""
    times = Times([], [])
    for counted in [False] + [True] * rounds:
        for way, kept in ((reference, times.reference), (ours, times.ours)):
            seconds = way()
            if counted:
                kept.append(seconds)
    return times


def seconds_of(call: Callable[[], object], device: torch.device) -> float:
    """Wall time of a call; on a GPU until its work is done."""
    synchronise(device)
    started = time.perf_counter()
    call()
    synchronise(device)
    return time.perf_counter() - started


def synchronise(device: torch.device) -> None:
    """Wait for a GPU; a CPU has nothing to wait for."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def matrix_rate(device: torch.device, dtype: torch.dtype, side: int, rounds: int = 5) -> float:
    """Floating-point operations a second of a square matrix product, the best of some: the machine's floor."""
    a, b = (torch.randn(side, side, device=device).to(dtype) for _ in range(2))
    a @ b
    return float(2 * side**3 / min(seconds_of(lambda: a @ b, device) for _ in range(rounds)))


def median(values: Sequence[float]) -> float:
    """The middle of some times or ratios."""
    return float(statistics.median(values))


def markdown(rows: Sequence[Mapping[str, str]]) -> str:
    """A table whose columns are the keys of the first row."""
    names = list(rows[0])
    lines = ["| " + " | ".join(names) + " |", "|" + "---|" * len(names)]
    return "\n".join(lines + ["| " + " | ".join(row[name] for name in names) + " |" for row in rows])
