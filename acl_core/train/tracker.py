"""Where a training run reports to."""

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import numpy as np


class Tracker(Protocol):
    """Receives what a run reports; a tracker that fails must say so and let training go on."""

    def begin(self) -> None:
        """Work begins; called again, nothing happens. What never begins is no run, and what it reports is dropped."""

    def metrics(self, values: Mapping[str, float], epoch: int) -> None:
        """Numbers at the end of an epoch, counted from 1."""

    def picture(self, name: str, image: np.ndarray) -> None:
        """An (H, W, 3) uint8 RGB picture."""

    def artifact(self, path: Path) -> None:
        """A file that belongs to the run."""


class Silent:
    """A tracker that keeps nothing."""

    def begin(self) -> None:
        """Ignored."""

    def metrics(self, values: Mapping[str, float], epoch: int) -> None:
        """Ignored."""

    def picture(self, name: str, image: np.ndarray) -> None:
        """Ignored."""

    def artifact(self, path: Path) -> None:
        """Ignored."""


class Later:
    """A tracker of one training of several in a run: its epochs are counted on from those before.

    Args:
        tracker: Of the whole run.
        epochs_before: Of the trainings before.
    """

    def __init__(self, tracker: Tracker, epochs_before: int) -> None:
        self._tracker = tracker
        self._before = epochs_before
        self.begin, self.artifact = tracker.begin, tracker.artifact

    def metrics(self, values: Mapping[str, float], epoch: int) -> None:
        """Numbers at the end of an epoch of this training, counted from 1."""
        epoch += self._before
        self._tracker.metrics(dict(values) | {"epoch": float(epoch)}, epoch)

    def picture(self, name: str, image: np.ndarray) -> None:
        """An (H, W, 3) uint8 RGB picture; each training of the run has an epoch 0."""
        self._tracker.picture(f"{self._before:03d}-{name}", image)


def write_curves(history: list[dict[str, float]], path: Path) -> None:
    """Write one row an epoch as CSV, for `dvc plots` and the report; a missing number is an empty cell."""
    names = sorted({name for row in history for name in row} - {"epoch"})
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, ["epoch", *names])
        writer.writeheader()
        writer.writerows({k: f"{v:.6g}" for k, v in row.items()} for row in history)
