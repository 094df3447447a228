"""The one training loop: every stage calls :func:`fit` with a step of its own."""

import logging
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar, cast

import numpy as np
from torch import nn
from torch.utils.data import DataLoader
from tqdm import tqdm

from acl_core.data.batches import Batch, Share
from acl_core.device import Compute
from acl_core.errors import DoesNotFitError
from acl_core.params import Training
from acl_core.train.checkpoint import Checkpoint
from acl_core.train.epoch import Named
from acl_core.train.finite import FiniteWatch
from acl_core.train.memory import give_back, is_out_of_memory, peak_mib
from acl_core.train.patience import is_out_of_patience
from acl_core.train.processes import Processes
from acl_core.train.state import TrainingState
from acl_core.train.steps import Step
from acl_core.train.stopping import Stop, Stopped
from acl_core.train.tracker import Tracker
from acl_core.train.update import groups, sum_gradients

log = logging.getLogger(__name__)

Net = TypeVar("Net", bound=nn.Module)


class Batches(Protocol):
    """The batches of an epoch, counted from 0, beginning with a number among them; of each a process's share."""

    def __call__(self, epoch: int, first: int, share: Share = ..., /) -> "DataLoader[Batch]":
        """Each is made from its number and the epoch's alone, whichever ones were made before."""


@dataclass(frozen=True)
class FitResult:
    """How a training run went.

    Attributes:
        best: Validation metrics of the weights that were kept; empty where nothing was trained.
        history: One row of numbers an epoch.
        memory: ``peak_mib``, and ``micro_batches`` that a batch had to be cut into; empty where nothing was trained.
    """

    best: dict[str, float]
    history: list[dict[str, float]]
    memory: dict[str, float] = field(default_factory=dict)


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
        stop: Says when to leave before the end.
        shows_pictures: Whether the tracker wants pictures, which show plates.
        processes: That share the training; the first one validates and writes.
    """

    label: str
    compute: Compute
    tracker: Tracker
    checkpoint: Checkpoint
    provenance: Mapping[str, object] = field(default_factory=dict)
    memory_mib: float = math.inf
    stop: Stop = field(default_factory=Stop)
    shows_pictures: bool = True
    processes: Processes = field(default_factory=Processes)


def fit(
    net: Net,
    step: Step,
    batches: Batches,
    validate: Callable[[Net], dict[str, float]],
    training: Training,
    *,
    select: str,
    job: Job,
    show: Callable[[Net], np.ndarray] | None = None,
) -> FitResult:
    """Train ``net`` with AdamW, warm-up and cosine, clipping and averaged weights; leave the best weights in it.

    It goes on where the job's checkpoint stands, if need be in the middle of an epoch, and ends with the weights of a
    training that was never stopped. With 0 epochs, and where there are no weights, nothing is trained.

    Args:
        net: The network whose weights change.
        step: Losses of a batch; it runs ``net``.
        batches: The batches of an epoch, counted from 0, beginning with a number among them.
        validate: Metrics of a network on the validation side.
        training: Epochs, learning rate and so on.
        select: The validation metric that decides which epoch's weights are kept; higher is better, and of two equal
            epochs the later one.
        job: Where it runs and reports to.
        show: Draws what a network makes of a few plates, (H, W, 3) uint8 RGB; before the first epoch and after each.

    Raises:
        DivergedError: A loss, weight or metric became NaN or infinite; the message has the step.
        DoesNotFitError: A single plate is too much for the memory.
        Stopped: The job was told to stop; a checkpoint is written.
    """
    if not training.epochs or not any(weight.requires_grad for weight in net.parameters()):
        return FitResult({}, [])
    job.tracker.begin()
    state = TrainingState.start(net, training)
    _go_on(state, job)
    if state.epoch == state.so_far.n_batches == 0:
        _show(state, show, job)
    step, watch = job.processes.joined(net, step), FiniteWatch(job.compute.device)
    while state.epoch < training.epochs and not is_out_of_patience(state.history, select, training):
        validates = (state.epoch + 1) % training.validate_every == 0 or state.epoch + 1 == training.epochs
        with job.stop.waiting():
            _train_epoch(state, step, batches, training, job, watch)
            if validates:
                _save(state, job)
        metrics = _validated(state, validate, select, job) if validates else {}
        row = state.end_epoch(metrics)
        job.tracker.metrics(row | {"peak_mib": peak_mib(job.compute.device)}, state.epoch)
        _show(state, show, job)
        log.info("%s epoch %d/%d: %s", job.label, state.epoch, training.epochs, _in_words(row))
        _save(state, job)
    net.load_state_dict(job.processes.of_first(lambda: state.best_weights))
    return FitResult(state.best, state.history, _report_memory(state, job))


def _go_on(state: TrainingState, job: Job) -> None:
    """Take up the job's checkpoint, where there is one."""
    snapshot = job.processes.of_first(job.checkpoint.load)
    if snapshot is None:
        return
    state.restore(snapshot, job.compute.device)
    log.info("%s goes on after %d epochs and %d batches", job.label, state.epoch, state.so_far.n_batches)
    for row in state.history:  # a run that goes on is a new one for the tracker
        job.tracker.metrics(row, int(row["epoch"]))


def _save(state: TrainingState, job: Job) -> None:
    if not job.processes.is_first:
        return
    state.check_finite()
    state.peak_mib = max(state.peak_mib, peak_mib(job.compute.device))
    job.checkpoint.save(state.snapshot())


def _train_epoch(
    state: TrainingState, step: Step, batches: Batches, training: Training, job: Job, watch: FiniteWatch
) -> None:
    """The rest of a pass over the training side.

    Raises:
        Stopped: The job was told to stop; a checkpoint is written.
    """
    state.net.train()
    first = state.so_far.n_batches
    rest = batches(state.epoch, first, (job.processes.number, job.processes.n))
    n_batches = first + len(rest)
    name = f"{job.label} {state.epoch + 1}/{training.epochs}"
    bar = tqdm(rest, desc=name, initial=first, total=n_batches, unit="batch", leave=False, disable=None)
    started = time.perf_counter()
    for group in groups(bar, training.accumulate):
        state.set_learning_rate(n_batches, training)
        losses = _gradients(state, step, group, state.epoch * n_batches + state.so_far.n_batches, job, watch)
        state.follow_gradients(training.clip_norm)
        now = time.perf_counter()
        state.so_far.add(losses, len(group), sum(batch.characters.n_plates for batch in group), now - started)
        started = now
        if reason := job.processes.agree(job.stop.reason(), at_end=state.so_far.n_batches == n_batches):
            watch.look()
            _save(state, job)
            raise Stopped(f"{reason} (epoch {state.epoch + 1}, after batch {state.so_far.n_batches} of {n_batches})")
        if job.processes.is_first and job.checkpoint.is_due():  # others write none, and on a GPU looking is waiting
            watch.look()
            _save(state, job)
    watch.look()
    state.check_finite()  # on a GPU the answer comes when the last update is done, whose time counts
    state.so_far.train_s += time.perf_counter() - started


def _gradients(
    state: TrainingState, step: Step, group: Sequence[Batch], number: int, job: Job, watch: FiniteWatch
) -> Named:
    """The gradients of an update; batches that do not fit into memory are cut in two, from here to the end."""
    device = job.compute.device
    while True:
        try:
            return job.processes.whole(sum_gradients(step, group, state.pieces, device, number, watch))
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            said = " ".join(str(error).split())
        if job.processes.n > 1:  # the others have gone on and wait
            raise DoesNotFitError(
                f"{job.label}: a process's share of a batch does not fit into memory ({said}). Make batch_size smaller "
                "and accumulate larger, or start more processes."
            )
        # Outside of the handler: the error holds on to all that the failed step had made.
        state.drop_gradients()
        give_back(device)
        _cut_in_two(state, max(len(batch.plates) for batch in group), said, job)


def _cut_in_two(state: TrainingState, batch_size: int, said: str, job: Job) -> None:
    if state.pieces >= batch_size:
        raise DoesNotFitError(
            f"{job.label}: not even one plate at a time fits into memory ({said}). Take a smaller network "
            "(sr.channels, sr.blocks, recognizer.architecture) or a larger machine."
        )
    state.pieces = min(2 * state.pieces, batch_size)
    fits = -(-batch_size // state.pieces)
    why = f"a batch of {batch_size} plates does not fit into memory ({said})"
    log.warning("%s: %s; going on with %d plates at a time, whose gradients are summed", job.label, why, fits)
    job.tracker.metrics({"micro_batches": float(state.pieces)}, state.epoch + 1)


def _validated(
    state: TrainingState, validate: Callable[[Net], dict[str, float]], select: str, job: Job
) -> dict[str, float]:
    started = time.perf_counter()
    metrics = job.processes.of_first(lambda: validate(cast(Net, state.average.module)))
    state.keep_if_best(metrics, select)
    state.so_far.validate_s += time.perf_counter() - started
    return metrics


def _show(state: TrainingState, show: Callable[[Net], np.ndarray] | None, job: Job) -> None:
    """The same plates as the averaged weights see them now."""
    if show is not None and job.shows_pictures:
        job.tracker.picture(f"epoch-{state.epoch:03d}", show(cast(Net, state.average.module)))


def _report_memory(state: TrainingState, job: Job) -> dict[str, float]:
    """To the tracker and, with the result, to the weights' card; a training that was killed counts from its start."""
    memory = {"peak_mib": float(round(state.peak_mib)), "micro_batches": float(state.pieces)}
    job.tracker.metrics(memory, state.epoch)
    return memory


def _in_words(row: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:.4g}" for name, value in row.items() if name != "epoch")
