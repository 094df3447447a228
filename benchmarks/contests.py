"""The trainings and the reading of a plate, each in the plain way and in ours, on one device.

Ours is what the stages run: :mod:`acl_core.train.phases` with its batches, random changes, clipping and averaged
weights.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from acl_core.data.batches import collate
from acl_core.data.manifest import Plate
from acl_core.device import Compute
from acl_core.evaluate.decode import Detections, read
from acl_core.evaluate.outcome import enlarge, recognize
from acl_core.models.enlarger import Enlarger
from acl_core.models.freezing import frozen
from acl_core.models.recognizer import Recognizer
from acl_core.params import Reading
from acl_core.params_plates import Direction
from acl_core.train.loop import FitResult, Job
from acl_core.train.phases import phase1, phase2, pretrain_recognizer, pretrain_sr
from benchmarks import reference
from benchmarks.clock import Way, seconds_of
from benchmarks.material import Material, job, one_epoch

PHASE_2_AGAIN = "Phase 2, plates that come back"  # after the fresh epochs: their pictures are enlarged and kept
TRAININGS = ("SR pretraining", "recognizer pretraining", "Phase 1", "Phase 2", PHASE_2_AGAIN)


@dataclass(frozen=True)
class Contest:
    """One thing done in two ways.

    Attributes:
        name: For the table.
        reference: The plain way.
        ours: The project's.
        flops: Floating-point operations of a plate, two for a multiplication with its addition.
    """

    name: str
    reference: Way
    ours: Way
    flops: float


def training(
    name: str, material: Material, compute: Compute, *, n_plates: int, n_reference: int, batch_size: int, folder: Path
) -> Contest:
    """A training of either kind on the same plates, from the same weights.

    Args:
        name: One of :data:`TRAININGS`.
        material: Networks and plates.
        compute: Device and arithmetic of ours; the reference is float32.
        n_plates: Of an epoch of ours.
        n_reference: Of a turn of the reference.
        batch_size: Plates a batch of ours.
        folder: For checkpoints.
    """
    plates = reference.one_by_one(material.pairs(n_reference), compute.device)
    sr, recognizer = reference.PlainDbpn.like(material.build_sr()), material.build_recognizer()
    sr.to(compute.device), recognizer.to(compute.device)
    net, still, loss = _plain_training(name, sr, recognizer)
    trainer = reference.Trainer(net, loss, plates)
    ours = _our_training(name, material, compute, n_plates, batch_size, job(compute, folder, name.replace(" ", "-")))

    def reference_way() -> float:
        with frozen(still):
            return seconds_of(lambda: trainer.train(n_reference), compute.device) / n_reference

    def our_way() -> float:
        return 1 / ours().history[-1]["plates_per_second"]

    with frozen(still), FlopCounterMode(display=False) as counter:
        trainer.train(1)
    return Contest(name, reference_way, our_way, float(counter.get_total_flops()))


def _plain_training(
    name: str, sr: nn.Module, recognizer: Recognizer
) -> tuple[nn.Module, nn.Module, Callable[[reference.OnePlate], torch.Tensor]]:
    """The network that learns, the one that is frozen, and the loss."""
    match name:
        case "SR pretraining":
            return sr, recognizer, reference.sr_loss(sr)
        case "recognizer pretraining":
            return recognizer, sr, reference.hr_loss(recognizer)
        case "Phase 1":
            return sr, recognizer, reference.phase1_loss(sr, recognizer, alpha=0.01)
        case _:
            return recognizer, sr, reference.phase2_loss(sr, recognizer)


def _our_training(
    name: str, material: Material, compute: Compute, n_plates: int, batch_size: int, run: Job
) -> Callable[[], FitResult]:
    params = one_epoch(batch_size)
    data = material.data(n_plates, params)
    sr, recognizer = material.build_sr(), material.build_recognizer()
    compute.place(sr), compute.place(recognizer)
    match name:
        case "SR pretraining":
            return lambda: _fresh(run, lambda: pretrain_sr(sr, data, params.pretrain_sr, run))
        case "recognizer pretraining":
            options = (data, params.pretrain_recognizer, params.reading, run)
            return lambda: _fresh(run, lambda: pretrain_recognizer(recognizer, *options))
        case "Phase 1":
            return lambda: _fresh(run, lambda: phase1(sr, recognizer, data, params.phase1, params.reading, run))
        case _:
            again = {"epochs": 2, "fresh_epochs": 1} if name == PHASE_2_AGAIN else {}  # the last epoch is timed
            settings = params.phase2.model_copy(update=again)
            return lambda: _fresh(run, lambda: phase2(sr, recognizer, data, settings, params.reading, run))


def _fresh(run: Job, train: Callable[[], FitResult]) -> FitResult:
    run.checkpoint.remove()  # or the run would go on after its last epoch, which is the end
    return train()


def reading(material: Material, compute: Compute) -> Contest:
    """One plate from its LR picture, (h, w, 3) uint8, to its characters in reading order."""
    rule = one_epoch(1).reading
    plate = material.pairs(1).plates[0]
    picture = np.array(plate.lr)
    sr, recognizer = reference.PlainDbpn.like(material.build_sr()), material.build_recognizer()
    sr.to(compute.device).eval(), recognizer.to(compute.device).eval()
    our_sr, our_recognizer = material.build_sr(), material.build_recognizer()
    compute.place(our_sr).eval(), compute.place(our_recognizer).eval()

    def plain_way() -> Detections:
        lr = torch.from_numpy(picture).to(compute.device).permute(2, 0, 1)[None].float() / 255
        return reference.read_plate(sr, recognizer, lr.contiguous(), rule)

    def our_way() -> Detections:
        return read_plates([plate], our_sr, our_recognizer, rule, compute, material.sr.bucket_px)[0]

    with FlopCounterMode(display=False) as counter:
        plain_way()
    flops = float(counter.get_total_flops())
    return Contest(
        "one plate, LR to text",
        lambda: seconds_of(plain_way, compute.device),
        lambda: seconds_of(our_way, compute.device),
        flops,
    )


def read_plates(
    plates: list[Plate], sr: Enlarger, recognizer: Recognizer, rule: Reading, compute: Compute, bucket_px: int
) -> list[Detections]:
    """The characters of plates in reading order, as the evaluation reads them."""
    batch = collate(plates, sr.scale, bucket_px).to(compute.device)
    found = recognize(recognizer, enlarge(sr, batch, compute), batch.hr_sizes, compute)
    return [read(detections, rule, Direction.LTR) for detections in found]
