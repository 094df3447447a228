"""The reader: pictures of plates in, text with calibrated confidence out."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import nn

from acl_core.data.padding import bucket_of, plan_evaluation, stack
from acl_core.device import Compute, compute_of
from acl_core.errors import WeightsError
from acl_core.evaluate.decode import Detections, read
from acl_core.evaluate.methods import RECOGNIZER_FILE, SR_FILE
from acl_core.models.build import build_recognizer, build_sr
from acl_core.models.enlarger import Enlarger
from acl_core.models.recognizer import Recognizer
from acl_core.models.weights import load_weights
from acl_core.params import Common, Precision
from acl_core.reader.calibration import calibrate
from acl_core.reader.card import ReaderCard, read_card
from acl_core.reader.forward import detect_characters, to_picture
from acl_core.reader.plate_text import PlateText, ReadCharacter
from acl_core.reader.sizing import fit

_BATCH_SIZE = 32


class PlateReader:
    """Two networks and a card that belong together.

    Args:
        card: Of both.
        sr: Enlarges small plates.
        recognizer: Reads.
        compute: Device and arithmetic; both networks are there.
    """

    def __init__(self, card: ReaderCard, sr: Enlarger, recognizer: Recognizer, compute: Compute) -> None:
        self.card = card
        self._sr, self._recognizer, self._compute = sr.eval(), recognizer.eval(), compute

    @classmethod
    def load(cls, folder: Path, device: str = "auto") -> "PlateReader":
        """Load a packaged reader.

        Args:
            folder: With two files of weights and the card.
            device: auto, cpu, cuda or cuda:N. Arithmetic is float32, so that machines agree.

        Raises:
            WeightsError: A file is missing, damaged, or not of the same pair.
            ParamsError: There is no such device.
        """
        card = read_card(folder)
        for name in (SR_FILE, RECOGNIZER_FILE):
            _check_hash(folder / name, card.weights_sha256.get(name))
        compute = compute_of(Common(seed=0, precision=Precision.FP32, device=device))
        sr = build_sr(card.scale, card.sr)
        recognizer = build_recognizer(card.recognizer, len(card.classes))
        for net, name in ((sr, SR_FILE), (recognizer, RECOGNIZER_FILE)):
            load_weights(net, folder / name)
            _check_finite(net, folder / name)
            compute.place(net)
        return cls(card, sr, recognizer, compute)

    def read(
        self, pictures: Sequence[np.ndarray], *, reject_below: float = 0.0, with_sr: bool = False
    ) -> list[PlateText]:
        """Read plates; what a plate gives does not depend on the plates beside it.

        Args:
            pictures: (H, W, 3) uint8 RGB each, of any size: one plate, cropped and upright.
            reject_below: Characters that are less certain become ``?``.
            with_sr: Also return the pictures that were read.

        Returns:
            One result a picture, in their order.
        """
        fitted = [fit(picture, self.card.sizes) for picture in pictures]
        results: dict[int, PlateText] = {}
        for enlarged in (True, False):
            chosen = [i for i, plate in enumerate(fitted) if plate.enlarge is enlarged]
            results |= self._read(chosen, [fitted[i].picture for i in chosen], pictures, enlarged, with_sr)
        return [results[i].rejecting(reject_below) for i in range(len(pictures))]

    def _read(
        self,
        which: Sequence[int],
        plates: Sequence[np.ndarray],
        pictures: Sequence[np.ndarray],
        enlarge: bool,
        with_sr: bool,
    ) -> dict[int, PlateText]:
        sizes = [(plate.shape[0], plate.shape[1]) for plate in plates]
        sr, scale = (self._sr, self._sr.scale) if enlarge else (None, 1)
        results = {}
        bucket_px = self.card.sr.bucket_px
        for members in plan_evaluation(sizes, _BATCH_SIZE, bucket_px):
            own = [sizes[i] for i in members]
            batch = stack([plates[i] for i in members], bucket_of(own[0], bucket_px)).to(self._compute.device)
            found, read_pictures = detect_characters(sr, self._recognizer, batch, own, self._compute)
            for i, detections, shown, (height, width) in zip(members, found, read_pictures, own, strict=True):
                kept = to_picture(shown, (height * scale, width * scale)) if with_sr else None
                results[which[i]] = self._text(detections, pictures[which[i]], scale, kept)
        return results

    def _text(self, found: Detections, picture: np.ndarray, scale: int, sr: np.ndarray | None) -> PlateText:
        height, width = picture.shape[:2]
        characters = read(found, self.card.rule, self.card.direction)
        confidences = calibrate(characters.confidences, self.card.calibration)
        boxes = characters.boxes.clip(0, 1) * np.array([width, height, width, height])
        rows = zip(characters.classes, confidences, boxes, strict=True)
        read_characters = tuple(ReadCharacter(self.card.classes[int(c)], float(p), _box(b)) for c, p, b in rows)
        return PlateText(read_characters, width, height, scale, sr)


def _box(box: np.ndarray) -> tuple[float, float, float, float]:
    x0, y0, x1, y1 = (round(float(value), 2) for value in box)
    return x0, y0, x1, y1


def _check_hash(path: Path, expected: str | None) -> None:
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError as error:
        raise WeightsError(f"{path}: not found. A reader is two networks and a card; fetch it again.") from error
    if found != expected:
        raise WeightsError(f"{path}: not the weights that the card was written for. Fetch the reader again.")


def _check_finite(net: nn.Module, path: Path) -> None:
    if not all(torch.isfinite(tensor).all() for tensor in net.state_dict().values() if tensor.is_floating_point()):
        raise WeightsError(f"{path}: holds weights that are not finite. Train it again.")
