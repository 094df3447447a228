"""Plates as they arrive in an inbox: pictures and labels in YOLO form."""

from pathlib import Path

import numpy as np
from PIL import Image

from tests.plates import CLASSES, toy_plate


def arrive(folder: Path, first: int, n: int, *, labelled: bool = True, brightness: float = 1.0) -> None:
    """Put toy plates into a folder.

    Args:
        folder: Receives images/, labels/ and classes.txt.
        first: Number of the first plate; the same number is the same plate.
        n: How many.
        labelled: Whether their labels are there.
        brightness: Factor of all levels.
    """
    for kind in ("images", "labels"):
        (folder / kind).mkdir(parents=True, exist_ok=True)
    (folder / "classes.txt").write_text("\n".join(CLASSES) + "\n", encoding="utf-8")
    for i in range(first, first + n):
        plate = toy_plate(i)
        Image.fromarray((plate.hr * brightness).astype(np.uint8)).save(folder / "images" / f"{i}.png")
        if labelled:
            (folder / "labels" / f"{i}.txt").write_text("\n".join(_rows(plate.hr, plate.boxes, plate.classes)))


def _rows(hr: np.ndarray, boxes: np.ndarray, classes: np.ndarray) -> list[str]:
    size = np.array([hr.shape[1], hr.shape[0]])
    rows = []
    for box, label in zip(boxes, classes, strict=True):
        middle, sides = (box[:2] + box[2:]) / 2 / size, (box[2:] - box[:2]) / size
        rows.append(f"{label} {middle[0]:.6f} {middle[1]:.6f} {sides[0]:.6f} {sides[1]:.6f}")
    return rows
