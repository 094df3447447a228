"""An epoch that has begun."""

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
        columns: Each named loss, of the updates that have it.
        train_s: Time spent on training, in this process and in those before it.
        validate_s: Time spent on validation.
    """

    n_batches: int = 0
    n_plates: int = 0
    columns: dict[str, list[Tensor]] = field(default_factory=dict)
    train_s: float = 0.0
    validate_s: float = 0.0

    def add(self, record: Named, n_batches: int, n_plates: int, seconds: float) -> None:
        """Note an update."""
        for name, value in record.items():
            self.columns.setdefault(name, []).append(value)
        self.n_batches += n_batches
        self.n_plates += n_plates
        self.train_s += seconds

    def means(self) -> dict[str, float]:
        """The mean of each named loss over the updates that have it."""
        return {name: float(torch.stack(values).mean()) for name, values in self.columns.items()}

    def snapshot(self) -> dict[str, Any]:
        """All of it as tensors and numbers."""
        return vars(self) | {"columns": {name: torch.stack(values) for name, values in self.columns.items()}}

    @classmethod
    def restored(cls, snapshot: dict[str, Any], device: torch.device) -> "EpochSoFar":
        """What a snapshot held."""
        columns = {name: list(values.to(device).unbind()) for name, values in snapshot["columns"].items()}
        return cls(**snapshot | {"columns": columns})
