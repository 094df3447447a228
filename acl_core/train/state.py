"""Everything that a training has to know to go on: what a checkpoint holds."""

import math
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn

from acl_core.errors import DivergedError
from acl_core.params import Training
from acl_core.train.average import Average
from acl_core.train.epoch import EpochSoFar, Named
from acl_core.train.schedule import share_at


@dataclass
class TrainingState:
    """Where a training stands.

    Attributes:
        net: The network that learns.
        average: The average of its weights.
        optimizer: With its moments.
        epoch: Number of the current epoch, from 0.
        so_far: What was done of it.
        pieces: Micro-batches that a batch is cut into; more than one once a batch did not fit into memory.
        peak_mib: Largest memory in use, in this process and in those before it.
        best: Validation metrics of the best weights.
        best_weights: The best averaged weights.
        history: One row of numbers a finished epoch.
    """

    net: nn.Module
    average: Average
    optimizer: torch.optim.AdamW
    epoch: int = 0
    so_far: EpochSoFar = field(default_factory=EpochSoFar)
    pieces: int = 1
    peak_mib: float = 0.0
    best: dict[str, float] = field(default_factory=dict)
    best_weights: Named = field(default_factory=dict)
    history: list[dict[str, float]] = field(default_factory=list)

    @classmethod
    def start(cls, net: nn.Module, training: Training) -> "TrainingState":
        """The beginning of a training."""
        trained = [p for p in net.parameters() if p.requires_grad]
        optimizer = torch.optim.AdamW(
            trained,
            lr=training.learning_rate,
            weight_decay=training.weight_decay,
            fused=trained[0].device.type == "cuda",  # one kernel for all weights
        )
        return cls(net, Average(net, training.ema_decay), optimizer)

    def set_learning_rate(self, n_batches: int, training: Training) -> None:
        """Set the rate for the next update.

        Args:
            n_batches: Batches an epoch.
            training: With the schedule.
        """
        for group in self.optimizer.param_groups:
            group["lr"] = training.learning_rate * share_at(self.epoch + self.so_far.n_batches / n_batches, training)

    def follow_gradients(self, clip_norm: float) -> None:
        """Change the weights by the gradients that were summed, clipped to a norm, and the average with them."""
        torch.nn.utils.clip_grad_norm_(self.net.parameters(), clip_norm)
        self.optimizer.step()
        self.drop_gradients()
        self.average.follow(self.net)

    def drop_gradients(self) -> None:
        """Forget what backward passes have summed."""
        self.optimizer.zero_grad(set_to_none=True)

    def check_finite(self) -> None:
        """To be called before anything is saved: the loss of the step that spoilt the weights was still finite.

        Raises:
            DivergedError: A weight is NaN or infinite.
        """
        weights = [w for w in self.net.state_dict().values() if w.is_floating_point()]
        if not torch.stack([w.isfinite().all() for w in weights]).all():
            where = f"epoch {self.epoch + 1}, batch {self.so_far.n_batches}"
            raise DivergedError(f"{where}: weights are not finite. Lower the learning rate.")

    def keep_if_best(self, metrics: dict[str, float], select: str) -> None:
        """Keep the averaged weights unless an earlier epoch was better.

        Raises:
            DivergedError: A metric is not finite.
        """
        after = self.epoch + 1
        for name, value in metrics.items():
            if not math.isfinite(value):
                raise DivergedError(f"validation after epoch {after}: {name} is {value}. Lower the learning rate.")
        if not self.best or metrics[select] >= self.best[select]:
            self.best = dict(metrics) | {"epoch": float(after)}
            self.best_weights = {k: v.detach().clone() for k, v in self.average.module.state_dict().items()}

    def end_epoch(self, metrics: dict[str, float]) -> dict[str, float]:
        """Close the epoch; returns its row of the history."""
        so_far = self.so_far
        row = {"epoch": float(self.epoch + 1), "learning_rate": float(self.optimizer.param_groups[0]["lr"])}
        row |= so_far.means() | {"plates_per_second": so_far.n_plates / max(so_far.train_s, 1e-9)} | metrics
        row["seconds"] = so_far.train_s + so_far.validate_s
        self.history.append(row)
        self.epoch, self.so_far = self.epoch + 1, EpochSoFar()
        return row

    def snapshot(self) -> dict[str, Any]:
        """All of it as tensors, numbers and containers."""
        modules = {name: getattr(self, name).state_dict() for name in ("net", "average", "optimizer")}
        return vars(self) | modules | {"so_far": self.so_far.snapshot()}

    def restore(self, snapshot: dict[str, Any], device: torch.device) -> None:
        """Take up a training where a snapshot left it."""
        for name in ("net", "average", "optimizer"):
            getattr(self, name).load_state_dict(snapshot[name])
        self.so_far = EpochSoFar.restored(snapshot["so_far"], device)
        for name in ("epoch", "pieces", "peak_mib", "best", "best_weights", "history"):
            setattr(self, name, snapshot[name])
