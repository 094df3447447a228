"""An epoch that has begun."""

import copy
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

Named = dict[str, Tensor]


@dataclass
class EpochSoFar:
    """What was done of an epoch; a training that goes on elsewhere goes on from here.

    Attributes:
        n_batches: Batches that are done; the next one has this number.
        n_plates: Plates in them.
        sums: Each named loss, summed in place: a small tensor kept from each update would split the heap between
            the large ones, and a training would grow by its steps (docs/LOG.md, "Phase 1 kept a number of each step").
        counts: The updates that have such a loss.
        train_s: Time spent on training, in this process and in those before it.
        validate_s: Time spent on validation.
    """

    n_batches: int = 0
    n_plates: int = 0
    sums: Named = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    train_s: float = 0.0
    validate_s: float = 0.0

    def add(self, record: Named, n_batches: int, n_plates: int, seconds: float) -> None:
        """Note an update."""
        for name, value in record.items():
            if name not in self.sums:
                self.sums[name] = torch.zeros((), dtype=torch.float64, device=value.device)
            self.sums[name].add_(value)
            self.counts[name] = self.counts.get(name, 0) + 1
        self.n_batches += n_batches
        self.n_plates += n_plates
        self.train_s += seconds

    def means(self) -> dict[str, float]:
        """The mean of each named loss over the updates that have it."""
        return {name: float(total) / self.counts[name] for name, total in self.sums.items()}

    def snapshot(self) -> dict[str, Any]:
        """All of it as tensors and numbers, which later updates leave alone."""
        return copy.deepcopy(vars(self))

    @classmethod
    def restored(cls, snapshot: dict[str, Any], device: torch.device) -> "EpochSoFar":
        """What a snapshot held."""
        return cls(**snapshot | {"sums": {name: total.to(device) for name, total in snapshot["sums"].items()}})
