"""Run one method over a side of the split and keep what every metric needs, plate by plate."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from acl_core.data.batches import Batch, EvaluationBatches, PairSet
from acl_core.device import Compute
from acl_core.evaluate.decode import Detections, detect, read
from acl_core.evaluate.pictures import luma, psnr_db, ssim
from acl_core.models.enlarger import Enlarger
from acl_core.models.join import join
from acl_core.models.recognizer import Recognizer
from acl_core.params import Reading
from acl_core.params_plates import Direction
from acl_core.resize import Size

_BATCH_SIZE = 32

PictureQuality = tuple[float, float, float]  # PSNR in dB, PSNR of Y in dB, SSIM


class Method(NamedTuple):
    """A row of the tables: how plates are enlarged (None: HR itself) and by what they are read."""

    enlarger: Enlarger | None
    recognizer: Recognizer


@dataclass(frozen=True)
class Quality:
    """How close the enlarged plates come to HR; each (P,) float64, pictures clamped to [0, 1], not rounded."""

    psnr_db: np.ndarray
    psnr_y_db: np.ndarray
    ssim: np.ndarray

    def means(self) -> dict[str, float]:
        """What training watches; SSIM where there is a plate large enough for it."""
        means = {"psnr_db": float(self.psnr_db.mean())}
        return means if np.isnan(self.ssim).all() else means | {"ssim": float(np.nanmean(self.ssim))}


@dataclass(frozen=True)
class Outcome:
    """What a method gave for P plates, in their order.

    Attributes:
        detections: Of each plate.
        quality: Of the pictures, or None where there is nothing to compare (HR itself).
    """

    detections: list[Detections]
    quality: Quality | None


def run_method(
    enlarger: Enlarger | None,
    recognizer: Recognizer,
    pairs: PairSet,
    compute: Compute,
    bucket_px: int,
    *,
    compare: bool = False,
) -> Outcome:
    """Enlarge and recognize every plate.

    Args:
        enlarger: Makes SR of LR; None feeds HR itself.
        recognizer: Reads what the enlarger made.
        pairs: The plates.
        compute: Device and arithmetic.
        bucket_px: As in training; a plate's result does not depend on its batch.
        compare: Whether to hold the pictures against HR; HR itself never is.
    """
    detections: dict[str, Detections] = {}
    quality: dict[str, PictureQuality] = {}
    for batch in evaluation_batches(pairs, compute, bucket_px):
        pictures = enlarge(enlarger, batch, compute)
        names = [plate.name for plate in batch.plates]
        sizes = sizes_of(enlarger, batch)
        detections.update(zip(names, recognize(recognizer, pictures, sizes, compute), strict=True))
        if sizes == batch.hr_sizes and enlarger is not None and compare:
            quality.update(zip(names, quality_of_each(pictures, batch), strict=True))
    in_order = [detections[plate.name] for plate in pairs.facts]
    return Outcome(in_order, _in_order(quality, pairs) if quality else None)


def measure_quality(enlarger: Enlarger, pairs: PairSet, compute: Compute, bucket_px: int) -> Quality:
    """Enlarge every plate and hold it against HR."""
    quality: dict[str, PictureQuality] = {}
    for batch in evaluation_batches(pairs, compute, bucket_px):
        names = [plate.name for plate in batch.plates]
        quality.update(zip(names, quality_of_each(enlarge(enlarger, batch, compute), batch), strict=True))
    return _in_order(quality, pairs)


def evaluation_batches(pairs: PairSet, compute: Compute, bucket_px: int) -> Iterator[Batch]:
    """All plates of a side on the device, batch by batch."""
    batches = EvaluationBatches(pairs, _BATCH_SIZE, bucket_px)
    for index in range(len(batches)):
        yield batches[index].to(compute.device)


@torch.no_grad()
def enlarge(enlarger: Enlarger | None, batch: Batch, compute: Compute) -> Tensor:
    """(N, 3, H, W) float32: SR of a batch, or its HR without an enlarger."""
    if enlarger is None:
        return batch.hr
    enlarger.eval()
    with compute.autocast():
        enlarged: Tensor = enlarger(batch.lr, batch.lr_sizes)
    return enlarged.float()


def sizes_of(enlarger: Enlarger | None, batch: Batch) -> list[Size]:
    """True (height, width) of what :func:`enlarge` gives."""
    return batch.hr_sizes if enlarger is None else enlarger.sizes(batch.lr_sizes)


def enlarge_plates(enlarger: Enlarger | None, pairs: PairSet, compute: Compute, bucket_px: int) -> list[np.ndarray]:
    """Every plate enlarged, (H, W, 3) uint8 RGB each, in their order, to be looked at."""
    shown: dict[str, np.ndarray] = {}
    for batch in evaluation_batches(pairs, compute, bucket_px):
        pictures = enlarge(enlarger, batch, compute)
        for plate, picture, (height, width) in zip(batch.plates, pictures, sizes_of(enlarger, batch), strict=True):
            shown[plate.name] = to_uint8(picture[:, :height, :width])
    return [shown[plate.name] for plate in pairs.facts]


def to_uint8(picture: Tensor) -> np.ndarray:
    """(H, W, 3) uint8 RGB of a (3, H, W) tensor in [0, 1]; what lies outside is clamped."""
    return np.asarray((picture.clamp(0, 1) * 255).round().byte().permute(1, 2, 0).cpu().numpy())


@torch.no_grad()
def recognize(recognizer: Recognizer, pictures: Tensor, sizes: Sequence[Size], compute: Compute) -> list[Detections]:
    """Detections on each plate of a batch of enlarged pictures, whose true sizes are given."""
    square = join(pictures, sizes, recognizer.input_px)
    recognizer.eval()
    with compute.autocast():
        raw = recognizer(square)
    return detect(recognizer.candidates(raw))


def readings(outcome: Outcome, rule: Reading, direction: Direction) -> list[Detections]:
    """The characters that the method reads on each plate, in reading order."""
    return [read(detections, rule, direction) for detections in outcome.detections]


def edits(found: Sequence[np.ndarray], true: Sequence[np.ndarray]) -> np.ndarray:
    """(P,) insertions, deletions and replacements between two class sequences of each plate."""

    def coded(classes: np.ndarray) -> str:  # one letter a class, whatever the length of the class's name
        return "".join(chr(0xE000 + int(index)) for index in classes)

    from torchmetrics.functional.text import edit_distance  # 4 s

    distances = edit_distance([coded(f) for f in found], [coded(t) for t in true], reduction="none")
    return np.asarray(distances, dtype=np.float64).reshape(-1)


def quality_of_each(pictures: Tensor, batch: Batch) -> list[PictureQuality]:
    """Quality of each enlarged plate of a batch against its HR."""
    rows = []
    for picture, hr, (height, width) in zip(pictures, batch.hr, batch.hr_sizes, strict=True):
        a, b = picture[:, :height, :width].clamp(0, 1), hr[:, :height, :width]
        rows.append((psnr_db(a, b), psnr_db(luma(a), luma(b)), ssim(a, b)))
    return rows


def _in_order(quality: dict[str, PictureQuality], pairs: PairSet) -> Quality:
    return Quality(*np.array([quality[plate.name] for plate in pairs.facts]).T)
