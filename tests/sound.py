"""A small set of plates, sound but for what a test breaks."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from acl_core.data.manifest import DatasetCard, Plate, Side, write_plates
from acl_core.params_plates import Direction
from tests.plates import CLASSES, toy_plate


def sound_plates() -> list[Plate]:
    """Twenty train plates of 3 characters, five each of 5 and of 4: no text stands on two sides."""
    sides = [(Side.TRAIN, 20, 3), (Side.VALIDATION, 5, 5), (Side.TEST, 5, 4)]
    made = [(side, length) for side, n, length in sides for _ in range(n)]
    return [toy_plate(i, side, n_characters=length) for i, (side, length) in enumerate(made)]


def flawed_plates() -> list[Plate]:
    """The same with a dark plate, a copy of a test picture in train, and one that is nearly a validation picture."""
    plates = sound_plates()
    plates[3] = replace(plates[3], name="dark.png", hr=(plates[3].hr // 40))
    plates[4] = replace(plates[4], name="<b>copy</b>.png", hr=plates[29].hr)
    brighter = np.clip(plates[20].hr.astype(np.int16) + 3, 0, 255).astype(np.uint8)
    plates[5] = replace(plates[5], name="near.png", hr=brighter)
    return plates


def write_set(folder: Path, plates: list[Plate]) -> Path:
    """Shards of plates."""
    write_plates(plates, DatasetCard("toy & co", Direction.LTR, CLASSES), folder)
    return folder
