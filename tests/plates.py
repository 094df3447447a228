"""Toy plates for tests: black bars of different widths on grey, so that a network could tell them apart."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from acl_core.data.degrade import degrade, fit_to_real
from acl_core.data.manifest import DatasetCard, Plate, Side, write_plates
from acl_core.params import Params, load_params
from acl_core.params_plates import Direction

ROOT = Path(__file__).resolve().parent.parent
CLASSES = ("0", "1", "2")


def params() -> Params:
    """The root's parameters."""
    return load_params(ROOT / "params.yaml")


def toy_plate(index: int, side: Side = Side.TRAIN, size: tuple[int, int] = (24, 48), n_characters: int = 3) -> Plate:
    """A plate of ``size`` (height, width) with characters in one line."""
    rng = np.random.default_rng(index)
    height, width = size
    hr = rng.integers(150, 200, (height, width, 3), dtype=np.uint8)
    classes = rng.integers(0, len(CLASSES), n_characters)
    boxes = []
    for i, label in enumerate(classes):
        left, right = width * i // n_characters + 2, width * i // n_characters + 6 + 2 * int(label)
        hr[height // 4 : 3 * height // 4, left:right] = 20
        boxes.append([left, height // 4, right, 3 * height // 4])
    text = "".join(CLASSES[c] for c in classes)
    return Plate(f"plate-{index}", text, side, hr, np.array(boxes, np.float32), classes.astype(np.int64))


def toy_sizes(n: int) -> list[tuple[int, int]]:
    """Different HR sizes, multiples of 4."""
    return [(24 + 4 * (i % 3), 48 + 8 * (i % 2)) for i in range(n)]


def write_pairs(folder: Path, scale: int | None = 4, counts: Sequence[int] = (12, 6, 6)) -> Path:
    """A set of toy plates on disk, degraded unless ``scale`` is None."""
    sides = [side for side, n in zip(Side, counts, strict=True) for _ in range(n)]
    plates = [toy_plate(i, side, size) for i, (side, size) in enumerate(zip(sides, toy_sizes(len(sides)), strict=True))]
    if scale:
        plates = [degrade(plate, scale) for plate in plates]
    write_plates(plates, DatasetCard("toy", Direction.LTR, CLASSES, scale), folder)
    return folder


def write_real_pairs(folder: Path, scale: int | None = 4, counts: Sequence[int] = (12, 6, 6)) -> Path:
    """A set of toy plates with LR pictures of another light and place; fitted to them unless ``scale`` is None."""
    sides = [side for side, n in zip(Side, counts, strict=True) for _ in range(n)]
    plates = []
    for i, (side, size) in enumerate(zip(sides, toy_sizes(len(sides)), strict=True)):
        plate = toy_plate(i, side, size)
        lr = degrade(replace(plate, hr=np.roll(plate.hr, 2, axis=1) // 2), 4).lr
        plates.append(replace(plate, lr=lr))
    card = DatasetCard("toy", Direction.LTR, CLASSES, scale, aligned=False)
    write_plates([fit_to_real(plate, scale, 144, 96) for plate in plates] if scale else plates, card, folder)
    return folder
