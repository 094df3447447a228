import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from acl_core.data.batches import Batch
from acl_core.device import Compute
from acl_core.errors import DivergedError
from acl_core.models.dbpn import Dbpn
from acl_core.models.freezing import weights_hash
from acl_core.params import Augment, PretrainSr, Training
from acl_core.seeding import torch_seed
from acl_core.train.checkpoint import Checkpoint
from acl_core.train.loop import Job, _schedule, fit
from acl_core.train.phases import TrainingData, pretrain_sr
from acl_core.train.steps import Losses
from acl_core.train.tracker import Silent
from tests.plates import params, write_pairs

COMPUTE = Compute(torch.device("cpu"), bf16=False)
TRAINING: dict[str, Any] = {
    "epochs": 4,
    "batch_size": 4,
    "learning_rate": 1e-3,
    "weight_decay": 0.0,
    "warmup_epochs": 1.0,
    "ema_decay": 0.9,
    "clip_norm": 1.0,
    "validate_every": 1,
}


def job(folder: Path) -> Job:
    return Job("test", COMPUTE, Silent(), Checkpoint(folder / "runs", "key"))


def training_data(tmp_path: Path, augment: Augment | None) -> TrainingData:
    return TrainingData.load(write_pairs(tmp_path / "x4"), augment, 4, seed=1)


def fresh() -> Dbpn:
    with torch_seed(1):
        return Dbpn(4, blocks=2, channels=4, features=8)


def test_a_killed_run_ends_with_the_same_weights(tmp_path: Path) -> None:
    """Two epochs, a kill in the middle of the third, and the rest from the checkpoint: bit-equal to four in one go."""
    data = training_data(tmp_path, params().augment)
    settings = PretrainSr(**TRAINING, flip=True)
    whole = fresh()
    pretrain_sr(whole, data, settings, job(tmp_path / "whole"))

    class Killed(Exception):  # noqa: N818 - stands for SIGKILL
        pass

    class Dying(Silent):
        def metrics(self, values: Any, epoch: int) -> None:
            if epoch == 3:  # numbers are reported before the checkpoint is written
                raise Killed

    killed = fresh()
    dying = replace(job(tmp_path / "killed"), tracker=Dying())
    with pytest.raises(Killed):
        pretrain_sr(killed, data, settings, dying)
    resumed = fresh()
    result = pretrain_sr(resumed, data, settings, job(tmp_path / "killed"))
    assert weights_hash(resumed) == weights_hash(whole)
    assert [row["epoch"] for row in result.history] == [1, 2, 3, 4]


def test_training_makes_the_loss_smaller(tmp_path: Path) -> None:
    settings = PretrainSr(**TRAINING | {"epochs": 12, "learning_rate": 5e-3}, flip=False)
    history = pretrain_sr(fresh(), training_data(tmp_path, None), settings, job(tmp_path)).history
    assert history[-1]["loss_sr"] < 0.7 * history[0]["loss_sr"]


def test_the_best_epoch_is_kept_not_the_last(tmp_path: Path) -> None:
    data = training_data(tmp_path, None)
    seen: list[str] = []

    def validate(net: Dbpn) -> dict[str, float]:
        seen.append(weights_hash(net))
        return {"quality": [1.0, 3.0, 3.0, 2.0][len(seen) - 1]}

    net = fresh()

    def step(batch: Batch) -> Losses:
        return Losses(net(batch.lr).square().mean())

    batches = data.batches(4, COMPUTE.device)
    result = fit(net, step, batches, validate, Training(**TRAINING), select="quality", job=job(tmp_path))
    assert result.best == {"quality": 3.0, "epoch": 3.0}  # of two equal epochs the later one
    assert weights_hash(net) == seen[2]


def test_nan_stops_with_the_number_of_the_step(tmp_path: Path) -> None:
    data = training_data(tmp_path, None)
    net = fresh()
    calls = iter(range(100))

    def step(batch: Batch) -> Losses:
        loss = net(batch.lr).mean() * (math.nan if next(calls) == 4 else 1.0)
        return Losses(loss, {"loss_sr": loss.detach()})

    with pytest.raises(DivergedError, match=r"step 4: .*loss_sr nan"):
        fit(net, step, data.batches(4, COMPUTE.device), lambda _: {"quality": 1.0}, Training(**TRAINING),
            select="quality", job=job(tmp_path))  # fmt: skip


def test_a_metric_that_is_not_finite_stops_the_run(tmp_path: Path) -> None:
    data, net = training_data(tmp_path, None), fresh()
    with pytest.raises(DivergedError, match="psnr_db is nan"):
        fit(net, lambda b: Losses(net(b.lr).mean()), data.batches(4, COMPUTE.device), lambda _: {"psnr_db": math.nan},
            Training(**TRAINING), select="psnr_db", job=job(tmp_path))  # fmt: skip


def test_schedule_warms_up_and_ends_low() -> None:
    training = Training(**TRAINING)
    assert _schedule(0.5, training) == 0.5
    assert _schedule(1.0, training) == 1.0
    assert _schedule(2.5, training) == pytest.approx(0.505)
    assert _schedule(4.0, training) == pytest.approx(0.01)


def test_a_damaged_checkpoint_is_set_aside(tmp_path: Path) -> None:
    checkpoint = Checkpoint(tmp_path, "key")
    checkpoint.save({"epochs_done": 1})
    assert checkpoint.load() == {"epochs_done": 1}
    (tmp_path / "key" / "last.pt").write_bytes(b"half a file")
    assert checkpoint.load() is None
    assert (tmp_path / "key" / "last.damaged").exists()
    checkpoint.remove()
    assert not (tmp_path / "key").exists()
