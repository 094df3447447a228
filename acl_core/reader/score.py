"""How well a reader reads labelled plates, in the terms in which two readers are compared."""

import hashlib
import math
import time
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np

from acl_core.data.batches import PairSet
from acl_core.reader.package import certainty, lr_pictures
from acl_core.reader.plate_text import PlateText
from acl_core.reader.reader import PlateReader
from acl_core.statistics.alignment import align

_TIMED = 20  # plates that are read alone to take the time


@dataclass(frozen=True)
class GroupScore:
    """Characters of a group of classes, or plates of a type.

    Attributes:
        right: How many were read right.
        total: How many there are.
    """

    right: int
    total: int

    @property
    def share(self) -> float:
        """Right ones of all; NaN for an empty group."""
        return self.right / self.total if self.total else math.nan


@dataclass(frozen=True)
class ReaderScores:
    """A reader on P plates.

    Attributes:
        read: (P,) bool, read without a mistake.
        groups: By name: ``digits``, ``Hangul``, ... (characters) and ``plates P6``, ... (plates of a type).
        calibration_error: Expected calibration error of the characters; NaN where nothing was read.
        latency_ms: Median time of one plate read alone.
        size_mb: Of the weights.
    """

    read: np.ndarray
    groups: dict[str, GroupScore]
    calibration_error: float
    latency_ms: float
    size_mb: float

    @property
    def plates_read(self) -> float:
        """Share of the plates read without a mistake; NaN where there are no plates."""
        return float(self.read.mean()) if len(self.read) else math.nan


def score_reader(reader: PlateReader, test: PairSet, size_mb: float) -> ReaderScores:
    """Read the LR picture of every plate of a side.

    Texts are compared, not class numbers, so the class lists of two readers may differ in their order.
    """
    pictures = lr_pictures(test)
    found = reader.read(pictures)
    read = np.array([f.text == plate.text for f, plate in zip(found, test.plates, strict=True)], dtype=bool)
    return ReaderScores(
        read=read,
        groups=_class_groups(found, test) | _plate_types(read, test),
        calibration_error=certainty(found, test).error,
        latency_ms=_latency_ms(reader, pictures[:_TIMED]),
        size_mb=size_mb,
    )


def hash_of_plates(pairs: PairSet) -> str:
    """SHA-256 of what scores depend on: LR pictures and texts, in an order of their own."""
    digest = hashlib.sha256()
    for plate in sorted(pairs.plates, key=lambda plate: plate.name):
        digest.update(f"{plate.name}\0{plate.text}\0{plate.kind}\0".encode())
        if plate.lr is not None:
            digest.update(str(plate.lr.shape).encode() + plate.lr.tobytes())
    return digest.hexdigest()


def group_of_class(name: str) -> str:
    """``digits``, or the script of a class's first letter, such as ``Hangul``; ``signs`` for the rest."""
    if name.isdigit():
        return "digits"
    letter = next((c for c in name if c.isalpha()), "")
    return unicodedata.name(letter, "SIGNS").split()[0].capitalize() if letter else "signs"


def _class_groups(found: Sequence[PlateText], test: PairSet) -> dict[str, GroupScore]:
    right: dict[str, int] = {}
    total: dict[str, int] = {}
    for plate_text, plate in zip(found, test.plates, strict=True):
        true = [test.card.classes[int(c)] for c in plate.classes]
        for name in true:
            group = group_of_class(name)
            total[group] = total.get(group, 0) + 1
        for character in align([c.text for c in plate_text.characters], true):
            if character.right:
                group = group_of_class(character.text)
                right[group] = right.get(group, 0) + 1
    return {group: GroupScore(right.get(group, 0), n) for group, n in sorted(total.items())}


def _plate_types(read: np.ndarray, test: PairSet) -> dict[str, GroupScore]:
    kinds = np.array([plate.kind for plate in test.plates])
    named = sorted({kind for kind in kinds.tolist() if kind})
    return {f"plates {k}": GroupScore(int(read[kinds == k].sum()), int((kinds == k).sum())) for k in named}


def _latency_ms(reader: PlateReader, pictures: Sequence[np.ndarray]) -> float:
    reader.read(pictures[:1])  # the first call of a size is slower
    times = []
    for picture in pictures:
        start = time.perf_counter()
        reader.read([picture])
        times.append(1000 * (time.perf_counter() - start))
    return float(median(times)) if times else math.nan
