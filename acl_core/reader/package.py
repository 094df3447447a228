"""Make a reader of two trained networks: measure on validation what only validation can tell, and write the folder."""

import hashlib
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from acl_core.data.batches import PairSet
from acl_core.errors import DataError
from acl_core.evaluate.boxes import iou
from acl_core.evaluate.methods import RECOGNIZER_FILE, SR_FILE
from acl_core.params import Params, Reading
from acl_core.reader.calibration import NONE, calibrate, expected_calibration_error, fit_calibration
from acl_core.reader.card import ReaderCard, TrainedSizes, write_card
from acl_core.reader.plate_text import PlateText
from acl_core.reader.reader import PlateReader

_MATCH_IOU = 0.5


@dataclass(frozen=True)
class Certainty:
    """Characters that were read on some plates.

    Attributes:
        confidences: (n,) as the reader gave them.
        right: (n,) bool, whether a character of that class stands there.
    """

    confidences: np.ndarray
    right: np.ndarray

    @property
    def error(self) -> float:
        """Expected calibration error."""
        return expected_calibration_error(self.confidences, self.right)


def package_reader(
    sr: Path,
    recognizer: Path,
    params: Params,
    rule: Reading,
    validation: PairSet,
    out: Path,
    provenance: dict[str, Any],
) -> ReaderCard:
    """Package two networks that were trained together.

    Args:
        sr: Weights of the super-resolver.
        recognizer: Weights of the recognizer behind it.
        params: With which they were trained.
        rule: How boxes become text; chosen on validation.
        validation: The validation plates, on which confidence is calibrated.
        out: The folder to make; what stood there is replaced.
        provenance: What people want to know of the reader. Calibration is added.

    Returns:
        The card that was written.

    Raises:
        WeightsError: The networks do not fit the parameters, or their weights are not finite.
        DataError: The plates have no LR pictures.
    """
    unfinished = out.with_name(f".{out.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    for source, name in ((sr, SR_FILE), (recognizer, RECOGNIZER_FILE)):
        if source.is_file():  # loading says what is missing
            shutil.copyfile(source, unfinished / name)
    card = ReaderCard(
        format=1,
        classes=validation.card.classes,
        direction=validation.card.direction,
        scale=validation.scale,
        sr=params.sr,
        recognizer=params.recognizer,
        rule=rule,
        sizes=_sizes(validation),
        calibration=NONE,
        weights_sha256={name: _sha256(unfinished / name) for name in (SR_FILE, RECOGNIZER_FILE)},
        provenance=provenance,
    )
    write_card(card, unfinished)
    card = _calibrated(card, unfinished, validation)
    write_card(card, unfinished)
    shutil.rmtree(out, ignore_errors=True)
    unfinished.rename(out)
    return card


def _calibrated(card: ReaderCard, folder: Path, validation: PairSet) -> ReaderCard:
    """The card with the calibration of what the reader in a folder reads on validation, and what it is worth there."""
    before = certainty(PlateReader.load(folder).read(lr_pictures(validation)), validation)
    calibration = fit_calibration(before.confidences, before.right)
    after = Certainty(calibrate(before.confidences, calibration), before.right)
    measured = {
        "characters": len(before.right),
        "expected_error_before": before.error if len(before.right) else None,
        "expected_error_after": after.error if len(before.right) else None,
    }
    provenance = card.provenance | {"calibration_on_validation": measured}
    return card.model_copy(update={"calibration": calibration, "provenance": provenance})


def lr_pictures(pairs: PairSet) -> list[np.ndarray]:
    """The LR pictures of a side, (h, w, 3) uint8 RGB each.

    Raises:
        DataError: A plate has none.
    """
    pictures = [plate.lr for plate in pairs.plates if plate.lr is not None]
    if len(pictures) != len(pairs.plates):
        raise DataError("plates without LR pictures. Run the degrade stage (`dvc repro`).")
    return pictures


def certainty(found: Sequence[PlateText], pairs: PairSet) -> Certainty:
    """Hold what was read on a side against the truth, character by character: the same class in the same place."""
    confidences: list[float] = []
    right: list[bool] = []
    for plate_text, shares, plate in zip(found, pairs.shares(), pairs.plates, strict=True):
        if not plate_text.characters:
            continue
        size = np.array([plate_text.width, plate_text.height] * 2)
        boxes = np.array([character.box for character in plate_text.characters]) / size
        names = np.array([character.text for character in plate_text.characters])
        true = np.array([pairs.card.classes[int(c)] for c in plate.classes])
        matches = (iou(boxes, shares) > _MATCH_IOU) & (names[:, None] == true[None])
        confidences += [character.confidence for character in plate_text.characters]
        right += matches.any(axis=1).tolist()
    return Certainty(np.array(confidences, dtype=np.float64), np.array(right, dtype=bool))


def _sizes(validation: PairSet) -> TrainedSizes:
    """The largest plates of validation, which are drawn from the same source as those of training."""
    shapes = [picture.shape for picture in lr_pictures(validation)]
    width, height = max(shape[1] for shape in shapes), max(shape[0] for shape in shapes)
    scale = validation.scale
    return TrainedSizes(lr_max_px=(width, height), hr_max_px=(width * scale, height * scale))


def _sha256(path: Path) -> str:
    if not path.is_file():
        return ""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
