"""Batches of whole plates: bucketed by size, padded, never cut.

Paper, Sec. III-D: SR sees whole plates; plates differ in size, which is why others cut them into patches.
"""

import logging
import math
import signal
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from acl_core.data.augment import augment, flip
from acl_core.data.degradation.chain import photograph
from acl_core.data.degrade import degrade
from acl_core.data.manifest import DatasetCard, Plate, Side, read_card
from acl_core.data.padding import bucket_of, plan_evaluation, stack
from acl_core.data.stored import PlateFacts, StoredPlates
from acl_core.errors import DataError
from acl_core.models.recognizer import Characters
from acl_core.params import Augment
from acl_core.resize import Size
from acl_core.seeding import generator

log = logging.getLogger(__name__)

Share = tuple[int, int]  # number of a process, from 0, and number of all processes that share a batch
WHOLE: Share = (0, 1)

_PATCHES = 1  # key of the draws of patches, which change no other draw
_WORKERS = 4  # processes that make batches for a GPU; a CPU has nothing to spare


@dataclass(frozen=True)
class Batch:
    """N plates, padded to one size by repeating their last row and column.

    Attributes:
        lr: (N, 3, h, w) float32 RGB in [0, 1].
        hr: (N, 3, scale * h, scale * w) float32 RGB in [0, 1].
        lr_sizes: True (height, width) of each LR picture.
        hr_sizes: True (height, width) of each HR picture.
        characters: Boxes and classes.
        plates: The plates themselves, in this order.
        whole_px: True HR pixels of all that this is a part of, which its pixel loss is divided by; None where it is a
            whole.
        counts: Whether it has a part in the update. A process whose share of a batch is empty is given a plate that
            has none, because all processes have to take the same steps.
        key: Epoch that the batch was made for, its number in it, and bounds of the part of it that this is: a batch
            with the same key has the same pictures.
        is_first: Of its epoch.
    """

    lr: Tensor
    hr: Tensor
    lr_sizes: list[Size]
    hr_sizes: list[Size]
    characters: Characters
    plates: list[Plate]
    whole_px: int | None = None
    is_first: bool = False
    counts: bool = True
    key: tuple[int, ...] = ()

    @property
    def n_pixels(self) -> int:
        """True HR pixels that its pixel loss is divided by."""
        return self.whole_px or sum(height * width for height, width in self.hr_sizes)

    def to(self, device: torch.device) -> "Batch":
        """The same on another device."""
        lr, hr = self.lr.to(device, non_blocking=True), self.hr.to(device, non_blocking=True)
        return replace(self, lr=lr, hr=hr, characters=self.characters.to(device))

    def pin_memory(self) -> "Batch":
        """The same in memory from which a GPU takes it without the processor; a loader asks for it."""
        return replace(self, lr=self.lr.pin_memory(), hr=self.hr.pin_memory(), characters=self.characters.pin_memory())

    def part(self, first: int, end: int) -> "Batch":
        """The plates from ``first`` up to ``end``, with the padding that they had."""
        kept = slice(first, end)
        return replace(
            self,
            lr=self.lr[kept],
            hr=self.hr[kept],
            lr_sizes=self.lr_sizes[kept],
            hr_sizes=self.hr_sizes[kept],
            characters=self.characters.part(first, end),
            plates=self.plates[kept],
            key=(*self.key, first, end),
        )

    def as_part_of(self, n_pixels: int, n_plates: int) -> "Batch":
        """The same with losses that are divided by what a whole has, so that those of its parts sum to the whole's.

        Args:
            n_pixels: True HR pixels of the whole.
            n_plates: Its plates.
        """
        return replace(self, whole_px=n_pixels, characters=replace(self.characters, n_plates=n_plates))


@dataclass(frozen=True)
class PairSet:
    """The (LR, HR) plates of one side of the split, decoded once and held in memory, or decoded at each access.

    Attributes:
        plates: Each with its LR picture.
        card: Of the whole set.
        scale: HR size over LR size; a set that was not degraded has scale 1 and its HR for LR.
    """

    plates: Sequence[Plate]
    card: DatasetCard
    scale: int

    @classmethod
    def load(cls, folder: Path, side: Side, memory_mib: float = math.inf) -> "PairSet":
        """Read one side of a set.

        Args:
            folder: Of the set.
            side: Of the split.
            memory_mib: Plates whose decoded pictures take more stay on the disk. The batches are the same either way.

        Raises:
            DataError: There is no such set, this side of it is empty, or its plates have no boxes.
        """
        card = read_card(folder)
        if card.texts_only:
            raise DataError(
                f"{folder}: its plates have texts and no boxes, and a recognizer learns where characters stand. "
                "Train on plates with boxes, then read these with `acl score SRC --models WORKSPACE`."
            )
        if card.scale is None:  # HR stands for LR, and agrees with itself
            card = replace(card, aligned=True)
        stored = StoredPlates(folder, side, hr_alone=card.scale is None)
        if not stored:
            raise DataError(f"{folder}: no {side} plates. Bring more plates or change plates.split.")
        if stored.decoded_mib <= memory_mib:
            return cls(list(stored), card, card.scale or 1)
        log.info("%s plates stay on the disk: %.0f MiB, more than %.0f", side, stored.decoded_mib, memory_mib)
        return cls(stored, card, card.scale or 1)

    @cached_property
    def facts(self) -> Sequence[PlateFacts]:
        """What is known of each plate without decoding it."""
        return self.plates.facts if isinstance(self.plates, StoredPlates) else [PlateFacts.of(p) for p in self.plates]

    @property
    def held_mib(self) -> float:
        """What the decoded pictures take in memory; nothing where they stay on the disk."""
        if isinstance(self.plates, StoredPlates):
            return 0.0
        pictures = [picture for plate in self.plates for picture in (plate.hr, plate.lr) if picture is not None]
        return sum(picture.nbytes for picture in pictures) / 2**20

    def simulated(self, seed: int) -> "PairSet":
        """The same plates with LR made from HR by the card's recipe, for whatever compares pixels.

        Real LR pictures show the same plates at other pixels; a set without such pictures is returned as it is.
        """
        if self.card.aligned:
            return self
        made = partial(degrade, scale=self.scale, recipe=self.card.recipe, seed=seed)
        if isinstance(self.plates, StoredPlates):  # their sizes stay: HR is LR's size times the scale already
            return replace(self, plates=self.plates.changed_by(made), card=replace(self.card, aligned=True))
        plates = [made(plate) for plate in self.plates]
        return PairSet(plates, replace(self.card, aligned=True), self.scale)

    def shares(self) -> list[np.ndarray]:
        """Character boxes (n, 4) xyxy of each plate as shares of its width and height."""
        return [plate.shares() for plate in self.facts]


def plan_epoch(sizes: Sequence[Size], batch_size: int, bucket_px: int, rng: np.random.Generator) -> list[np.ndarray]:
    """Which plates share a batch in a training epoch.

    Plates are sorted by bucket, at random within one, and cut into full batches; only the last one may be smaller. The
    batches come in random order.
    """
    buckets = np.array([bucket_of(size, bucket_px) for size in sizes])
    order = np.lexsort((rng.random(len(sizes)), buckets[:, 1], buckets[:, 0]))
    batches = [order[i : i + batch_size] for i in range(0, len(order), batch_size)]
    return [batches[i] for i in rng.permutation(len(batches))]


class TrainingBatches(Dataset[Batch]):
    """The batches of one epoch; item i is made from (seed, epoch, plate) alone, whichever worker makes it.

    HR is changed at random and LR is made from it anew, by the recipe of the set's card. Of real pairs LR is changed
    itself: nothing may train on their pixels against HR (see :meth:`PairSet.simulated`).

    Args:
        pairs: The training side.
        batch_size: Plates a batch.
        bucket_px: LR sizes are padded up to a multiple of this.
        params: Random changes of HR, or None to take the pairs as they are.
        flips: Mirror half of the plates.
        patch_px: Cut a square of this LR side out of each plate, at random; 0 leaves plates whole.
        seed: Of order and changes.
        epoch: Counted from 0.
        share: Of each batch that is made; the shares of all processes are the batch.
        again: A later epoch, in which the batches come back in an order of its own.
    """

    def __init__(
        self,
        pairs: PairSet,
        batch_size: int,
        bucket_px: int,
        params: Augment | None,
        *,
        flips: bool,
        seed: int,
        epoch: int,
        share: Share = WHOLE,
        again: int | None = None,
        patch_px: int = 0,
    ) -> None:
        self._share = share
        self._pairs, self._bucket_px, self._params, self._flips = pairs, bucket_px, params, flips
        self._key, self._patch_px = (seed, epoch), patch_px
        sizes = [_patch_size(plate.lr_size, patch_px) for plate in pairs.facts]
        self._plan = plan_epoch(sizes, batch_size, bucket_px, generator(*self._key))
        n_batches = len(self._plan)
        self._order = np.arange(n_batches) if again is None else generator(seed, again).permutation(n_batches)

    def __len__(self) -> int:
        return len(self._plan)

    def __getitem__(self, item: int) -> Batch:
        number = int(self._order[item])
        batch = self._made(self._plan[number])
        return replace(batch, key=(self._key[1], number), is_first=item == 0)

    def _made(self, whole: np.ndarray) -> Batch:
        own = np.array_split(whole, self._share[1])[self._share[0]]
        counts = len(own) > 0
        plates = [self._cut(int(i)) for i in (own if counts else whole[:1])]
        if self._share == WHOLE:
            return collate(plates, self._pairs.scale, self._bucket_px)
        sizes = [_patch_size(self._pairs.facts[int(i)].lr_size, self._patch_px) for i in whole]
        batch = collate(plates, self._pairs.scale, self._bucket_px, beside=sizes)
        n_pixels = sum(height * width for height, width in sizes) * self._pairs.scale**2
        if not counts:
            batch = replace(batch, counts=False, characters=batch.characters.part(0, 0))
        shared = replace(batch.characters, n_shared=len(whole))
        return replace(batch, characters=shared).as_part_of(n_pixels, len(whole))

    def _cut(self, index: int) -> Plate:
        plate = self._changed(index)
        if not self._patch_px:
            return plate
        return _patch(plate, self._patch_px, self._pairs.scale, generator(*self._key, index + 1, _PATCHES))

    def _changed(self, index: int) -> Plate:
        plate = self._pairs.plates[index]
        if self._params is None and not self._flips:
            return plate
        rng = generator(*self._key, index + 1)
        if not self._pairs.card.aligned:
            return self._changed_real(plate, rng)
        hr, boxes = self._drawn(plate.hr, plate.boxes, self._params, rng)
        scale = self._pairs.scale
        lr = hr if scale == 1 else photograph(self._pairs.card.recipe, hr, scale, rng)
        return _without_lost(replace(plate, hr=hr, boxes=boxes, lr=lr))

    def _changed_real(self, plate: Plate, rng: np.random.Generator) -> Plate:
        """A plate whose real LR picture is changed, without the blur that is meant for HR; HR stays as it is."""
        if plate.lr is None:
            raise DataError(f"{plate.name}: has no LR picture in a set of real pairs")
        params = None if self._params is None else self._params.model_copy(update={"blur_px": 0.0})
        lr, boxes = self._drawn(plate.lr, plate.boxes / self._pairs.scale, params, rng)
        return _without_lost(replace(plate, boxes=boxes * np.float32(self._pairs.scale), lr=lr))

    def _drawn(
        self, picture: np.ndarray, boxes: np.ndarray, params: Augment | None, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        if params is not None:
            picture, boxes = augment(picture, boxes, params, rng)
        return flip(picture, boxes) if self._flips and rng.random() < 0.5 else (picture, boxes)


class EvaluationBatches(Dataset[Batch]):
    """All plates of a side, unchanged, in batches of one bucket."""

    def __init__(self, pairs: PairSet, batch_size: int, bucket_px: int) -> None:
        self._pairs, self._bucket_px = pairs, bucket_px
        self._plan = plan_evaluation([plate.lr_size for plate in pairs.facts], batch_size, bucket_px)

    def __len__(self) -> int:
        return len(self._plan)

    def __getitem__(self, item: int) -> Batch:
        return collate([self._pairs.plates[int(i)] for i in self._plan[item]], self._pairs.scale, self._bucket_px)


def loader(
    batches: TrainingBatches | EvaluationBatches, device: torch.device, *, first: int = 0, workers: int | None = None
) -> "DataLoader[Batch]":
    """Batches one after the other; on a machine with a GPU worker processes make them ahead.

    Args:
        batches: Of an epoch.
        device: Where they will go.
        first: Number of the first one; those before it are not made.
        workers: Processes that make them; None for what suits the device. They change nothing but the speed.
    """
    if workers is None:
        workers = _WORKERS if device.type == "cuda" else 0
    order = range(first, len(batches))
    return DataLoader(
        batches,
        batch_size=None,
        sampler=order,
        num_workers=workers,
        worker_init_fn=_outlast_signals,
        pin_memory=device.type == "cuda",
    )


def _outlast_signals(_worker: int) -> None:
    """A worker ends with its training, which may have to finish a step when a signal comes for all of them."""
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)


def collate(plates: list[Plate], scale: int, bucket_px: int, beside: Sequence[Size] = ()) -> Batch:
    """Pad plates to their largest bucket, and that of the LR sizes ``beside`` them, and stack them."""
    lr_sizes = [_lr_size(plate) for plate in plates]
    buckets = [bucket_of(size, bucket_px) for size in [*lr_sizes, *beside]]
    padded = (max(h for h, _ in buckets), max(w for _, w in buckets))
    hr_sizes = [(h * scale, w * scale) for h, w in lr_sizes]
    boxes = [torch.from_numpy(PlateFacts.of(plate).shares()) for plate in plates]
    owner = [torch.full((len(b),), i) for i, b in enumerate(boxes)]
    classes = [torch.from_numpy(plate.classes) for plate in plates]
    characters = Characters(torch.cat(boxes), torch.cat(classes), torch.cat(owner), len(plates))
    lr = stack([plate.lr for plate in plates if plate.lr is not None], padded)
    hr = stack([plate.hr for plate in plates], (padded[0] * scale, padded[1] * scale))
    return Batch(lr, hr, lr_sizes, hr_sizes, characters, plates)


def _patch_size(lr_size: Size, patch_px: int) -> Size:
    return (min(lr_size[0], patch_px), min(lr_size[1], patch_px)) if patch_px else lr_size


def _patch(plate: Plate, patch_px: int, scale: int, rng: np.random.Generator) -> Plate:
    """A square of a pair, without characters: cut in half they are none. A side that is too short stays whole."""
    size = _lr_size(plate)
    height, width = _patch_size(size, patch_px)
    top, left = (int(rng.integers(whole - part + 1)) for whole, part in zip(size, (height, width), strict=True))
    lr = None if plate.lr is None else plate.lr[top : top + height, left : left + width]
    hr = plate.hr[top * scale : (top + height) * scale, left * scale : (left + width) * scale]
    return replace(plate, lr=lr, hr=hr, boxes=plate.boxes[:0], classes=plate.classes[:0])


def _without_lost(plate: Plate) -> Plate:
    """The plate without the characters that were warped out of the picture."""
    kept = (plate.boxes[:, 2:] - plate.boxes[:, :2] > 1).all(axis=1)
    return replace(plate, boxes=plate.boxes[kept], classes=plate.classes[kept])


def _lr_size(plate: Plate) -> Size:
    if plate.lr is None:
        raise DataError(f"{plate.name}: has no LR picture. Run the degrade stage (`dvc repro`).")
    return int(plate.lr.shape[0]), int(plate.lr.shape[1])
