"""The one training loop: every stage calls :func:`fit` with a step of its own."""

import logging
import math
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel
from tqdm import tqdm

from acl_core.data.batches import Batch
from acl_core.device import Compute
from acl_core.errors import DivergedError
from acl_core.params import Training
from acl_core.train.checkpoint import Checkpoint
from acl_core.train.steps import Losses, Step
from acl_core.train.tracker import Tracker

log = logging.getLogger(__name__)

Net = TypeVar("Net", bound=nn.Module)
_FINAL_RATE = 0.01  # of the learning rate, at the end of the cosine


@dataclass(frozen=True)
class FitResult:
    """How a training run went.

    Attributes:
        best: Validation metrics of the weights that were kept.
        history: One row of numbers an epoch.
    """

    best: dict[str, float]
    history: list[dict[str, float]]


@dataclass(frozen=True)
class Job:
    """How a training runs and where it reports to.

    Attributes:
        label: Name of the stage, for logs and the progress bar.
        compute: Device and arithmetic.
        tracker: Receives the numbers of each epoch.
        checkpoint: Where a killed run goes on.
        provenance: What the weights' card says of parameters and inputs.
        memory_mib: Plates of one side that take more when decoded are read from the disk batch by batch.
    """

    label: str
    compute: Compute
    tracker: Tracker
    checkpoint: Checkpoint
    provenance: Mapping[str, object] = field(default_factory=dict)
    memory_mib: float = math.inf


def fit(
    net: Net,
    step: Step,
    batches: Callable[[int], Iterable[Batch]],
    validate: Callable[[Net], dict[str, float]],
    training: Training,
    *,
    select: str,
    job: Job,
) -> FitResult:
    """Train ``net`` with AdamW, warm-up and cosine, clipping and averaged weights; leave the best weights in it.

    Args:
        net: The network whose weights change.
        step: Losses of a batch; it runs ``net``.
        batches: The batches of an epoch, counted from 0.
        validate: Metrics of a network on the validation side.
        training: Epochs, learning rate and so on.
        select: The validation metric that decides which epoch's weights are kept; higher is better, and of two equal
            epochs the later one.
        job: Where it runs and reports to.

    Raises:
        DivergedError: A loss or metric became NaN or infinite; the message has the step.
    """
    state = _State.start(net, training)
    first_epoch = state.restore(job.checkpoint.load())
    for row in state.history:  # a run that goes on is a new one for the tracker
        job.tracker.metrics(row, int(row["epoch"]))
    for epoch in range(first_epoch, training.epochs):
        started = time.perf_counter()
        row = _train_epoch(state, step, batches(epoch), epoch, training, job)
        if (epoch + 1) % training.validate_every == 0 or epoch + 1 == training.epochs:
            metrics = validate(cast(Net, state.average.module))
            state.keep_if_best(metrics, select, epoch)
            row |= metrics
        row["seconds"] = time.perf_counter() - started
        state.history.append(row)
        job.tracker.metrics(row, epoch + 1)
        log.info("%s epoch %d/%d: %s", job.label, epoch + 1, training.epochs, _in_words(row))
        job.checkpoint.save(state.snapshot(epoch + 1))
    net.load_state_dict(state.best_weights)
    return FitResult(state.best, state.history)


@dataclass
class _State:
    """Everything that a resumed run needs to end with the same weights."""

    net: nn.Module
    average: AveragedModel
    optimizer: torch.optim.AdamW
    best: dict[str, float]
    best_weights: dict[str, Tensor]
    history: list[dict[str, float]]

    @classmethod
    def start(cls, net: nn.Module, training: Training) -> "_State":
        trained = [p for p in net.parameters() if p.requires_grad]
        optimizer = torch.optim.AdamW(trained, lr=training.learning_rate, weight_decay=training.weight_decay)
        average = AveragedModel(net, multi_avg_fn=_warm_average(training.ema_decay), use_buffers=True)
        average.requires_grad_(False).eval()
        return cls(net, average, optimizer, {}, {}, [])

    def keep_if_best(self, metrics: dict[str, float], select: str, epoch: int) -> None:
        """Keep the averaged weights unless an earlier epoch was better."""
        for name, value in metrics.items():
            if not math.isfinite(value):
                raise DivergedError(f"validation after epoch {epoch + 1}: {name} is {value}. Lower the learning rate.")
        if not self.best or metrics[select] >= self.best[select]:
            self.best = dict(metrics) | {"epoch": float(epoch + 1)}
            self.best_weights = {k: v.detach().clone() for k, v in self.average.module.state_dict().items()}

    def snapshot(self, epochs_done: int) -> dict[str, Any]:
        return {
            "epochs_done": epochs_done,
            "net": self.net.state_dict(),
            "average": self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "best": self.best,
            "best_weights": self.best_weights,
            "history": self.history,
        }

    def restore(self, snapshot: dict[str, Any] | None) -> int:
        """Take up a saved run; returns the epoch to go on with."""
        if snapshot is None:
            return 0
        self.net.load_state_dict(snapshot["net"])
        self.average.load_state_dict(snapshot["average"])
        self.optimizer.load_state_dict(snapshot["optimizer"])
        self.best, self.best_weights = snapshot["best"], snapshot["best_weights"]
        self.history = snapshot["history"]
        return int(snapshot["epochs_done"])


def _train_epoch(
    state: _State, step: Step, batches: Iterable[Batch], epoch: int, training: Training, job: Job
) -> dict[str, float]:
    """One pass over the training side; returns the means of all named losses."""
    state.net.train()
    records: list[dict[str, Tensor]] = []
    n_plates = 0
    n_steps = len(batches)  # type: ignore[arg-type]
    started = time.perf_counter()
    bar = tqdm(batches, desc=f"{job.label} {epoch + 1}/{training.epochs}", unit="batch", leave=False, disable=None)
    for index, cpu_batch in enumerate(bar):
        batch = cpu_batch.to(job.compute.device)
        rate = training.learning_rate * _schedule(epoch + index / n_steps, training)
        for group in state.optimizer.param_groups:
            group["lr"] = rate
        losses = step(batch)
        _stop_if_not_finite(losses, epoch * n_steps + index)
        losses.total.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(state.net.parameters(), training.clip_norm)
        state.optimizer.step()
        state.optimizer.zero_grad(set_to_none=True)
        state.average.update_parameters(state.net)
        records.append(losses.named)
        n_plates += len(batch.plates)
    means = {name: float(torch.stack([r[name] for r in records]).mean()) for name in records[0]}
    return {"epoch": float(epoch + 1), "learning_rate": rate, **means} | {
        "plates_per_second": n_plates / (time.perf_counter() - started)
    }


def _stop_if_not_finite(losses: Losses, step_number: int) -> None:
    if not bool(torch.isfinite(losses.total)):
        values = ", ".join(f"{name} {float(value):.4g}" for name, value in losses.named.items())
        raise DivergedError(f"step {step_number}: the loss is not finite ({values}). Lower the learning rate or alpha.")


def _schedule(epoch: float, training: Training) -> float:
    """Share of the learning rate at a point in time: linear warm-up, then cosine."""
    if epoch < training.warmup_epochs:
        return max(epoch / training.warmup_epochs, 1e-3)
    done = (epoch - training.warmup_epochs) / max(training.epochs - training.warmup_epochs, 1e-9)
    return _FINAL_RATE + (1 - _FINAL_RATE) * 0.5 * (1 + math.cos(math.pi * done))


def _warm_average(decay: float) -> Callable[[Any, Any, Any], None]:
    """Exponential average whose memory grows with the steps taken, so that a short run does not average its start."""

    @torch.no_grad()
    def update(averages: list[Tensor], current: list[Tensor], n_averaged: Tensor) -> None:
        step = float(n_averaged)
        weight = 1 - min(decay, (1 + step) / (10 + step))
        for average, value in zip(averages, current, strict=True):
            if average.is_floating_point():
                average.lerp_(value.to(average.dtype), weight)
            else:
                average.copy_(value)

    return update


def _in_words(row: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:.4g}" for name, value in row.items() if name != "epoch")
