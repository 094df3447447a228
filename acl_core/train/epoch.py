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
        records: Named losses of each update.
        train_s: Time spent on training, in this process and in those before it.
        validate_s: Time spent on validation.
    """

    n_batches: int = 0
    n_plates: int = 0
    records: list[Named] = field(default_factory=list)
    train_s: float = 0.0
    validate_s: float = 0.0

    def add(self, record: Named, n_batches: int, n_plates: int, seconds: float) -> None:
        """Note an update."""
        self.records.append(record)
        self.n_batches += n_batches
        self.n_plates += n_plates
        self.train_s += seconds

    def means(self) -> dict[str, float]:
        """The mean of each named loss over the updates."""
        return {name: float(values.mean()) for name, values in self._columns().items()}

    def snapshot(self) -> dict[str, Any]:
        """All of it as tensors and numbers."""
        return vars(self) | {"records": self._columns()}

    def _columns(self) -> Named:
        names = self.records[0] if self.records else {}
        return {name: torch.stack([record[name] for record in self.records]) for name in names}

    @classmethod
    def restored(cls, snapshot: dict[str, Any], device: torch.device) -> "EpochSoFar":
        """What a snapshot held."""
        columns = {name: values.to(device).unbind() for name, values in snapshot["records"].items()}
        rows = zip(*columns.values(), strict=True)
        return cls(**snapshot | {"records": [dict(zip(columns, row, strict=True)) for row in rows]})
