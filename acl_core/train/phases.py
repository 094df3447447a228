"""The trainings of the method, each one call of the loop with its own step and its own idea of better.

Paper, Sec. III-C: both networks are trained alone first; Phase 1 then trains SR in front of the frozen recognizer,
Phase 2 the recognizer behind the frozen SR.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import cast

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader

from acl_core.data.batches import WHOLE, Batch, PairSet, Share, TrainingBatches, loader
from acl_core.data.manifest import Side
from acl_core.device import Compute
from acl_core.evaluate.strip import reading_strip, strip
from acl_core.evaluate.validation import by_pictures, by_plates_read
from acl_core.models.enlarger import Bicubic, Enlarger
from acl_core.models.freezing import frozen
from acl_core.models.recognizer import Recognizer
from acl_core.params import Augment, Phase1, Phase2, PretrainSr, Reading, Training, Trains
from acl_core.seeding import generator, name_key
from acl_core.train.kept import KeptPictures
from acl_core.train.loop import Batches, FitResult, Job, fit
from acl_core.train.objectives import learner
from acl_core.train.steps import phase1_step, phase2_step, recognizer_on_hr_step

PLATES_SHOWN = 6


@dataclass(frozen=True)
class TrainingData:
    """The plates that a training sees.

    Attributes:
        train: Plates to learn from, changed at random by ``augment``.
        validation: Plates that decide which weights are kept; unchanged.
        augment: Random changes, or None.
        bucket_px: LR sizes are padded up to a multiple of this.
        seed: Of order and changes.
    """

    train: PairSet
    validation: PairSet
    augment: Augment | None
    bucket_px: int
    seed: int

    @classmethod
    def load(
        cls, pairs: Path, augment: Augment | None, bucket_px: int, seed: int, memory_mib: float = math.inf
    ) -> "TrainingData":
        """Both sides of a degraded set; a side that takes more memory stays on the disk."""
        train, validation = (PairSet.load(pairs, side, memory_mib) for side in (Side.TRAIN, Side.VALIDATION))
        return cls(train, validation, augment, bucket_px, seed)

    def batches(
        self,
        batch_size: int,
        device: torch.device,
        *,
        label: str = "",
        flips: bool = False,
        patch_px: int = 0,
        fresh_epochs: int | None = None,
    ) -> Batches:
        """The batches of an epoch, counted from 0, beginning with a number among them; of each a process's share.

        Each training of a run, by its label, has draws of its own. With the same ones Phase 1, Phase 2 and every round
        would meet the plates of pretraining's first epochs again, which one long training (a control) does not.

        After ``fresh_epochs`` the batches of the epochs so far come back one epoch after the other.
        """
        seed = int(generator(self.seed, name_key(label)).integers(2**63))

        def of_epoch(epoch: int, first: int, share: Share = WHOLE) -> "DataLoader[Batch]":
            comes_back = fresh_epochs is not None and epoch >= fresh_epochs
            batches = TrainingBatches(
                self.train,
                batch_size,
                self.bucket_px,
                self.augment,
                flips=flips,
                patch_px=patch_px,
                seed=seed,
                epoch=epoch % fresh_epochs if fresh_epochs else epoch,
                share=share,
                again=epoch if comes_back else None,
            )
            return loader(batches, device, first=first)

        return of_epoch

    def pictures(self, compute: Compute) -> Callable[[Enlarger], np.ndarray]:
        """Draws the first validation plates: bicubic, as an enlarger makes them, and HR."""
        bicubic = Bicubic(self.validation.scale)
        return lambda sr: strip([bicubic, sr, None], self.validation, PLATES_SHOWN, compute, self.bucket_px)

    def readings(
        self, enlarger: Enlarger | None, rule: Reading, compute: Compute
    ) -> Callable[[Recognizer], np.ndarray]:
        """Draws what a recognizer reads on the first validation plates, enlarged as in its training."""
        return lambda net: reading_strip(enlarger, net, rule, self.validation, PLATES_SHOWN, compute, self.bucket_px)


def pretrain_sr(sr: Enlarger, data: TrainingData, params: PretrainSr, job: Job) -> FitResult:
    """SR alone, on whole plates with the pixel loss unless told otherwise (Sec. III-D, Eq. 2).

    Of real pairs it learns from LR simulated from HR.
    """
    train, validation = data.train.simulated(data.seed), data.validation.simulated(data.seed)
    data = replace(data, train=train, validation=validation)
    chosen = learner(sr, params, job.compute, data.seed)
    validate, show = by_pictures(data.validation, job.compute, data.bucket_px), data.pictures(job.compute)
    return fit(
        chosen.net,
        chosen.step,
        data.batches(
            params.batch_size, job.compute.device, label=job.label, flips=params.flip, patch_px=params.patch_px
        ),
        lambda net: validate(chosen.enlarger_of(net)),
        params,
        select="psnr_db",
        job=job,
        show=lambda net: show(chosen.enlarger_of(net)),
    )


def pretrain_recognizer(
    recognizer: Recognizer, data: TrainingData, params: Training, rule: Reading, job: Job
) -> FitResult:
    """The recognizer alone on HR plates."""
    recognizer.sum_over_shares = job.processes.sum
    return fit(
        recognizer,
        recognizer_on_hr_step(recognizer, job.compute),
        data.batches(params.batch_size, job.compute.device, label=job.label),
        by_plates_read(lambda net: (None, net), data.validation, rule, job.compute, data.bucket_px),
        params,
        select="plates_read",
        job=job,
        show=data.readings(None, rule, job.compute),
    )


def phase1(
    sr: Enlarger, recognizer: Recognizer, data: TrainingData, params: Phase1, rule: Reading, job: Job
) -> FitResult:
    """SR in front of the frozen recognizer, or both networks at once: Loss_SR + alpha * Loss_char (Eq. 1).

    Of real pairs it learns from LR simulated from HR, for Loss_SR's sake, and is judged by what is read of real LR.
    """
    compare = data.validation.card.aligned
    data = replace(data, train=data.train.simulated(data.seed))
    recognizer.sum_over_shares = job.processes.sum
    step = phase1_step(sr, recognizer, params.alpha, job.compute)
    batches, show = data.batches(params.batch_size, job.compute.device, label=job.label), data.pictures(job.compute)
    judge = partial(
        by_plates_read, pairs=data.validation, rule=rule, compute=job.compute, bucket_px=data.bucket_px, compare=compare
    )
    if params.trains is Trains.BOTH:  # Paper, Table 8: nothing is frozen
        return fit(
            nn.ModuleList([sr, recognizer]),
            step,
            batches,
            judge(_both),
            params,
            select="plates_read",
            job=job,
            show=lambda pair: show(_both(pair)[0]),
        )
    with frozen(recognizer):
        validate = judge(lambda net: (cast(Enlarger, net), recognizer))
        return fit(sr, step, batches, validate, params, select="plates_read", job=job, show=show)


def _both(pair: nn.Module) -> tuple[Enlarger, Recognizer]:
    sr, recognizer = pair.children()
    return cast(Enlarger, sr), cast(Recognizer, recognizer)


def phase2(
    enlarger: Enlarger, recognizer: Recognizer, data: TrainingData, params: Phase2, rule: Reading, job: Job
) -> FitResult:
    """The recognizer behind the frozen enlarger, Loss_char alone; with bicubic, the control without SR.

    Pictures that come back after the fresh epochs are enlarged once, where memory holds them beside the plates.
    """
    kept = KeptPictures(job.memory_mib - data.train.held_mib) if params.epochs > params.fresh_epochs else None
    recognizer.sum_over_shares = job.processes.sum
    with frozen(enlarger):
        return fit(
            recognizer,
            phase2_step(enlarger, recognizer, job.compute, kept),
            data.batches(params.batch_size, job.compute.device, label=job.label, fresh_epochs=params.fresh_epochs),
            by_plates_read(lambda net: (enlarger, net), data.validation, rule, job.compute, data.bucket_px),
            params,
            select="plates_read",
            job=job,
            show=data.readings(enlarger, rule, job.compute),
        )
