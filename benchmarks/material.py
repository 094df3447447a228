"""What is timed: networks, plates and parameters, at the paper's size or at a toy's."""

from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np

from acl_core.data.batches import PairSet
from acl_core.data.degrade import degrade
from acl_core.data.manifest import DatasetCard, Plate, Side
from acl_core.device import Compute
from acl_core.models.build import build_recognizer, build_sr
from acl_core.models.dbpn import Dbpn
from acl_core.models.recognizer import Recognizer
from acl_core.params import Architecture, Params, RecognizerParams, load_params
from acl_core.params_plates import Direction
from acl_core.params_sr import Skip, Sr, SrArchitecture
from acl_core.seeding import torch_seed
from acl_core.train.checkpoint import Checkpoint
from acl_core.train.loop import Job
from acl_core.train.phases import TrainingData
from acl_core.train.tracker import Silent

ROOT = Path(__file__).resolve().parent.parent
SCALE = 4
_CLASSES = tuple("0123456789") + tuple(f"letter {i}" for i in range(40))
_CHARACTERS = 7  # on a plate


@dataclass(frozen=True)
class Material:
    """The networks and plates of a benchmark.

    Attributes:
        sr: Parameters of the super-resolution network.
        recognizer: Parameters of the recognizer.
        plate_px: Height and width of the HR plates.
        seed: Of weights, plates and changes.
    """

    sr: Sr
    recognizer: RecognizerParams
    plate_px: tuple[int, int]
    seed: int = 1

    @classmethod
    def of_paper(cls) -> "Material":
        """The full DBPN at x4 and YOLOv5s on plates of 144 x 96 pixels, as the ``paper`` profile has them."""
        sr = _dbpn(blocks=7, channels=64, features=256)
        return cls(sr, RecognizerParams(architecture=Architecture.YOLOV5S, input_px=256), (96, 144))

    @classmethod
    def tiny(cls) -> "Material":
        """Toy networks and plates: the same code within seconds."""
        sr = _dbpn(blocks=2, channels=8, features=16)
        return cls(sr, RecognizerParams(architecture=Architecture.YOLOV5N, input_px=64), (32, 48))

    def build_sr(self) -> Dbpn:
        """A super-resolution network with the weights that the seed gives."""
        with torch_seed(self.seed):
            return cast(Dbpn, build_sr(SCALE, self.sr))

    def build_recognizer(self) -> Recognizer:
        """A recognizer with the weights that the seed gives."""
        with torch_seed(self.seed + 1):
            return build_recognizer(self.recognizer, len(_CLASSES))

    def pairs(self, n_plates: int, side: Side = Side.TRAIN) -> PairSet:
        """Plates of noise with characters in a row; what they show changes no time."""
        plates = [degrade(_plate(self.plate_px, side, self.seed, index), SCALE) for index in range(n_plates)]
        return PairSet(plates, DatasetCard("benchmark", Direction.LTR, _CLASSES, SCALE), SCALE)

    def data(self, n_plates: int, params: Params) -> TrainingData:
        """Plates to train on with the default random changes, and one to validate."""
        return TrainingData(
            self.pairs(n_plates), self.pairs(1, Side.VALIDATION), params.augment, self.sr.bucket_px, self.seed
        )


def _dbpn(blocks: int, channels: int, features: int) -> Sr:
    return Sr(
        architecture=SrArchitecture.DBPN,
        skip=Skip.NONE,
        bucket_px=4,
        blocks=blocks,
        channels=channels,
        features=features,
        swinir=None,
        hat=None,
        dat=None,
        drn=None,
        mzsr=None,
    )


def one_epoch(batch_size: int) -> Params:
    """The root's parameters with every training cut to one epoch at full learning rate."""
    params = load_params(ROOT / "params.yaml")
    short = {"epochs": 1, "batch_size": batch_size, "warmup_epochs": 0.0, "validate_every": 1}
    names = ("pretrain_sr", "pretrain_recognizer", "phase1", "phase2")
    return params.model_copy(update={name: getattr(params, name).model_copy(update=short) for name in names})


def job(compute: Compute, folder: Path, label: str) -> Job:
    """A run that reports nowhere."""
    return Job(label, compute, Silent(), Checkpoint(folder / label, "benchmark"))


def _plate(size: tuple[int, int], side: Side, seed: int, index: int) -> Plate:
    rng = np.random.default_rng([seed, index])
    height, width = size
    hr = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
    left = width * (0.05 + np.arange(_CHARACTERS) * 0.13)
    boxes = np.stack([left, np.full(_CHARACTERS, height * 0.2), left + width * 0.1, np.full(_CHARACTERS, height * 0.8)])
    classes = rng.integers(0, len(_CLASSES), _CHARACTERS)
    name = f"{side.value}-{index}"
    return Plate(name, "".join(_CLASSES[c] for c in classes), side, hr, boxes.T.astype(np.float32), classes)
