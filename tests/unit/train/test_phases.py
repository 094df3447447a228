"""The phases as stages call them, averaging and validation included: one network learns, the other stays bit-equal."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from acl_core.models.build import build_recognizer
from acl_core.models.dbpn import Dbpn
from acl_core.models.enlarger import Bicubic
from acl_core.models.recognizer import Recognizer
from acl_core.params import (
    Architecture,
    Objective,
    Phase1,
    Phase2,
    PretrainSr,
    Reading,
    RecognizerParams,
    Start,
    Trains,
)
from acl_core.train.loop import Job
from acl_core.train.phases import TrainingData, phase1, phase2, pretrain_sr
from acl_core.train.stopping import Stop, Stopped
from tests.plates import CLASSES, write_pairs, write_real_pairs
from tests.unit.models.test_enlargers import network
from tests.unit.train.test_loop import PIXEL, TRAINING, job
from tests.weights import weights_hash

RULE = Reading(confidence=0.25, overlap=0.5)
ANEW: dict[str, Any] = {"start": Start.PRETRAINED, "fresh_epochs": 1}
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
    assert {"psnr_db", "ssim", "plates_read", "map50"} <= set(result.best)
    assert {"loss_sr", "loss_char", "gradient_sr", "gradient_char"} <= set(result.history[0])


@pytest.mark.parametrize("without_sr", [False, True])
def test_phase_2_changes_the_recognizer_alone(
    sr: Dbpn, recognizer: Recognizer, data: TrainingData, short_job: Job, without_sr: bool
) -> None:
    enlarger = Bicubic(4) if without_sr else sr
    before = weights_hash(enlarger), weights_hash(recognizer)
    result = phase2(enlarger, recognizer, data, Phase2(**SHORT, **ANEW), RULE, short_job)
    assert weights_hash(enlarger) == before[0]
    assert weights_hash(recognizer) != before[1]
    assert "loss_sr" not in result.history[0]


def silent(runs: Path) -> Job:
    """A job that draws no pictures, which would be seen by the network too."""
    return replace(job(runs), shows_pictures=False)


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
        Watched(), recognizer, data, Phase1(**SHORT, alpha=0.01, trains=Trains.SR), RULE, silent(tmp_path / "1")
    ).best
    n_train = len(data.batches(SHORT["batch_size"], torch.device("cpu"))(0, 0))
    assert min(seen[:n_train]) > 0.4  # simulated: as light as HR
    assert max(seen[n_train:]) < 0.4  # validation: real
    assert not {"psnr_db", "ssim"} & set(best)
    seen.clear()
    phase2(Watched(), recognizer, data, Phase2(**SHORT, **ANEW), RULE, silent(tmp_path / "2"))
    assert max(seen) < 0.4
    seen.clear()
    alone = pretrain_sr(Watched(), data, PretrainSr(**SHORT, flip=True, **PIXEL), silent(tmp_path / "3"))
    assert min(seen) > 0.4
    assert alone.best["psnr_db"] > 0
    assert 0 < alone.best["ssim"] < 1


def test_each_training_of_a_run_meets_changes_of_its_own(data: TrainingData) -> None:
    cpu = torch.device("cpu")
    first, second = (data.batches(4, cpu, label=label)(0, 0) for label in ("phase1@4", "rounds@4 round2-phase1"))
    again = data.batches(4, cpu, label="phase1@4")(0, 0)
    assert any(not torch.equal(a.hr, b.hr) for a, b in zip(first, second, strict=True))
    assert all(torch.equal(a.hr, b.hr) for a, b in zip(first, again, strict=True))


def test_phase_1_trains_both_where_nothing_is_frozen(sr: Dbpn, data: TrainingData, short_job: Job) -> None:
    recognizer = build_recognizer(RecognizerParams(architecture=Architecture.PAPER, input_px=64), len(CLASSES))
    before = weights_hash(sr), weights_hash(recognizer)
    result = phase1(sr, recognizer, data, Phase1(**SHORT, alpha=0.01, trains=Trains.BOTH), RULE, short_job)
    assert weights_hash(sr) != before[0]
    assert weights_hash(recognizer) != before[1]
    assert {"psnr_db", "plates_read"} <= set(result.best)


def test_the_first_batch_of_an_epoch_tells_what_alpha_weighs(sr: Dbpn, data: TrainingData, tmp_path: Path) -> None:
    recognizer = build_recognizer(RecognizerParams(architecture=Architecture.PAPER, input_px=64), len(CLASSES))
    norms = []
    for alpha in (0.01, 0.02):
        settings = Phase1(**SHORT | {"learning_rate": 1e-9}, alpha=alpha, trains=Trains.SR)
        [row] = phase1(sr, recognizer, data, settings, RULE, job(tmp_path / str(alpha))).history
        norms.append((row["weight_gradient_sr"], row["weight_gradient_char"]))
    assert norms[0][0] == pytest.approx(norms[1][0], rel=1e-3)
    assert 2 * norms[0][1] == pytest.approx(norms[1][1], rel=1e-2)


@pytest.mark.parametrize("objective", [Objective.DUAL, Objective.FLIP, Objective.PIXEL])
def test_zero_epochs_leave_all_weights_as_they_are(
    sr: Dbpn, recognizer: Recognizer, data: TrainingData, short_job: Job, objective: Objective
) -> None:
    before = weights_hash(sr), weights_hash(recognizer)
    none = SHORT | {"epochs": 0}
    alone = pretrain_sr(sr, data, PretrainSr(**none, flip=True, **PIXEL | {"objective": objective}), short_job)
    first = phase1(sr, recognizer, data, Phase1(**none, alpha=0.01, trains=Trains.BOTH), RULE, short_job)
    second = phase2(sr, recognizer, data, Phase2(**none, **ANEW), RULE, short_job)
    assert (weights_hash(sr), weights_hash(recognizer)) == before
    assert [(r.best, r.history, r.memory) for r in (alone, first, second)] == [({}, [], {})] * 3


@pytest.mark.parametrize("settings", [{"objective": Objective.DUAL}, {"objective": Objective.FLIP, "patch_px": 4}])
def test_other_objectives_go_on_to_the_same_weights(
    data: TrainingData, tmp_path: Path, settings: dict[str, Any]
) -> None:
    training = PretrainSr(**SHORT | {"epochs": 2}, flip=True, **PIXEL | settings)
    nets = [network("drn") for _ in range(2)]
    pretrain_sr(nets[0], data, training, job(tmp_path / "whole"))
    hurried = replace(job(tmp_path / "hurried"), stop=Stop(at=0))
    with pytest.raises(Stopped):
        pretrain_sr(network("drn"), data, training, hurried)
    pretrain_sr(nets[1], data, training, job(tmp_path / "hurried"))
    assert weights_hash(nets[0]) == weights_hash(nets[1])
