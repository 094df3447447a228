"""The learning rate over time: linear warm-up, then cosine."""

import math

from acl_core.params import Training

_FINAL_RATE = 0.01  # of the learning rate, at the end of the cosine


def share_at(epoch: float, training: Training) -> float:
    """Share of the learning rate at a point in time, in epochs from the start."""
    if epoch < training.warmup_epochs:
        return max(epoch / training.warmup_epochs, 1e-3)
    done = (epoch - training.warmup_epochs) / max(training.epochs - training.warmup_epochs, 1e-9)
    return _FINAL_RATE + (1 - _FINAL_RATE) * 0.5 * (1 + math.cos(math.pi * done))
