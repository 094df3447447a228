"""The phases as stages call them, averaging and validation included: one network learns, the other stays bit-equal."""

from pathlib import Path
from typing import Any

import pytest
import torch

from acl_core.models.build import build_recognizer
from acl_core.models.dbpn import Dbpn
from acl_core.models.enlarger import Bicubic
from acl_core.models.freezing import weights_hash
from acl_core.models.recognizer import Recognizer
from acl_core.params import Architecture, Phase1, PretrainSr, Reading, RecognizerParams, Training, Trains
from acl_core.train.loop import Job
from acl_core.train.phases import TrainingData, phase1, phase2, pretrain_sr
from tests.plates import CLASSES, write_pairs, write_real_pairs
from tests.unit.train.test_loop import PIXEL, TRAINING, job

RULE = Reading(confidence=0.25, overlap=0.5)
SHORT: dict[str, Any] = TRAINING | {"epochs": 1, "warmup_epochs": 0.0}


@pytest.fixture
def data(tmp_path: Path) -> TrainingData:
    return TrainingData.load(write_pairs(tmp_path / "x4"), None, 4, seed=1)


@pytest.fixture
def sr() -> Dbpn:
    return Dbpn(4, blocks=2, channels=4, features=8)


@pytest.fixture(params=[Architecture.YOLOV5N, Architecture.PAPER])
def recognizer(request: pytest.FixtureRequest) -> Recognizer:
    return build_recognizer(RecognizerParams(architecture=request.param, input_px=64), len(CLASSES))


@pytest.fixture
def short_job(tmp_path: Path) -> Job:
    return job(tmp_path)


def test_phase_1_changes_sr_alone(sr: Dbpn, recognizer: Recognizer, data: TrainingData, short_job: Job) -> None:
    before = weights_hash(sr), weights_hash(recognizer)
    result = phase1(sr, recognizer, data, Phase1(**SHORT, alpha=0.01, trains=Trains.SR), RULE, short_job)
    assert weights_hash(sr) != before[0]
    assert weights_hash(recognizer) == before[1]
    assert {"psnr_db", "plates_read", "map50"} <= set(result.best)
    assert {"loss_sr", "loss_char", "gradient_sr", "gradient_char"} <= set(result.history[0])


@pytest.mark.parametrize("without_sr", [False, True])
def test_phase_2_changes_the_recognizer_alone(
    sr: Dbpn, recognizer: Recognizer, data: TrainingData, short_job: Job, without_sr: bool
) -> None:
    enlarger = Bicubic(4) if without_sr else sr
    before = weights_hash(enlarger), weights_hash(recognizer)
    result = phase2(enlarger, recognizer, data, Training(**SHORT), RULE, short_job)
    assert weights_hash(enlarger) == before[0]
    assert weights_hash(recognizer) != before[1]
    assert "loss_sr" not in result.history[0]


def test_real_pairs_train_pixels_on_simulated_lr_and_the_rest_on_real(tmp_path: Path) -> None:
    """The real LR is darker than HR: what a network saw tells which of the two it was."""
    data = TrainingData.load(write_real_pairs(tmp_path / "x4"), None, 4, seed=1)
    recognizer = build_recognizer(RecognizerParams(architecture=Architecture.PAPER, input_px=64), len(CLASSES))
    seen: list[float] = []

    class Watched(Bicubic):
        def __init__(self) -> None:
            super().__init__(4)
            self.gain = torch.nn.Parameter(torch.ones(()))

        def forward(self, lr: torch.Tensor, sizes: Any) -> torch.Tensor:
            seen.append(float(lr.mean()))
            return super().forward(lr, sizes) * self.gain

    best = phase1(
        Watched(), recognizer, data, Phase1(**SHORT, alpha=0.01, trains=Trains.SR), RULE, job(tmp_path / "1")
    ).best
    n_train = len(data.batches(SHORT["batch_size"], torch.device("cpu"))(0, 0))
    assert min(seen[:n_train]) > 0.4  # simulated: as light as HR
    assert max(seen[n_train:]) < 0.4  # validation: real
    assert "psnr_db" not in best
    seen.clear()
    phase2(Watched(), recognizer, data, Training(**SHORT), RULE, job(tmp_path / "2"))
    assert max(seen) < 0.4
    seen.clear()
    alone = pretrain_sr(Watched(), data, PretrainSr(**SHORT, flip=True, **PIXEL), job(tmp_path / "3"))
    assert min(seen) > 0.4
    assert alone.best["psnr_db"] > 0
