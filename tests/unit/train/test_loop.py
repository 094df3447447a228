import logging
import math
import os
import signal
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch

from acl_core.data.batches import Batch, TrainingBatches, loader
from acl_core.device import Compute
from acl_core.errors import DivergedError, DoesNotFitError
from acl_core.evaluate.validation import by_pictures
from acl_core.models.dbpn import Dbpn
from acl_core.params import Augment, Objective, PretrainSr, Training
from acl_core.seeding import torch_seed
from acl_core.train import phases
from acl_core.train.checkpoint import Checkpoint
from acl_core.train.loop import Job, fit
from acl_core.train.phases import TrainingData, pretrain_sr
from acl_core.train.steps import Losses, sr_step
from acl_core.train.stopping import Stop, Stopped
from acl_core.train.tracker import Silent
from tests.plates import params, write_pairs
from tests.weights import weights_hash

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
    "accumulate": 1,
    "patience": 0,
}

PIXEL: dict[str, Any] = {"objective": Objective.PIXEL, "flip_weight": 1.0, "dual_weight": 0.1, "patch_px": 0}


def job(folder: Path, every_s: float = 1e9) -> Job:
    return Job("test", COMPUTE, Silent(), Checkpoint(folder / "runs", "key", every_s=every_s))


def without_times(history: list[dict[str, float]]) -> list[dict[str, float]]:
    return [{k: v for k, v in row.items() if k not in {"seconds", "plates_per_second"}} for row in history]


def training_data(tmp_path: Path, augment: Augment | None) -> TrainingData:
    return TrainingData.load(write_pairs(tmp_path / "x4"), augment, 4, seed=1)


def fresh() -> Dbpn:
    with torch_seed(1):
        return Dbpn(4, blocks=2, channels=4, features=8)


class Killed(BaseException):
    """Stands for SIGKILL: nothing on the way out may hold it up."""


class Dying(Silent):
    """Dies when the numbers of an epoch are reported, which is before its checkpoint is written."""

    def __init__(self, epoch: int) -> None:
        self._epoch = epoch

    def metrics(self, values: Any, epoch: int) -> None:
        if epoch == self._epoch:
            raise Killed


@pytest.mark.parametrize("updates", [1, 4, 6, 8])  # of three an epoch
def test_a_run_killed_within_an_epoch_ends_with_the_same_weights_and_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, updates: int
) -> None:
    data = training_data(tmp_path, params().augment)
    settings = PretrainSr(**TRAINING, flip=True, **PIXEL)
    whole = fresh()
    expected = pretrain_sr(whole, data, settings, job(tmp_path / "whole"))

    made: list[int] = []
    make = TrainingBatches.__getitem__

    def make_or_die(batches: TrainingBatches, item: int) -> Batch:
        if len(made) == updates:
            raise Killed
        made.append(item)
        return make(batches, item)

    monkeypatch.setattr(TrainingBatches, "__getitem__", make_or_die)
    with pytest.raises(Killed):
        pretrain_sr(fresh(), data, settings, job(tmp_path / "killed", every_s=0))
    updates = 100  # no second death
    resumed = fresh()
    result = pretrain_sr(resumed, data, settings, job(tmp_path / "killed", every_s=0))
    assert len(made) == 12  # no batch is made twice
    assert weights_hash(resumed) == weights_hash(whole)
    assert without_times(result.history) == without_times(expected.history)
    assert result.best == expected.best


def test_a_run_killed_after_validation_ends_with_the_same_weights(tmp_path: Path) -> None:
    data = training_data(tmp_path, params().augment)
    settings = PretrainSr(**TRAINING, flip=True, **PIXEL)
    whole = fresh()
    pretrain_sr(whole, data, settings, job(tmp_path / "whole"))
    with pytest.raises(Killed):
        pretrain_sr(fresh(), data, settings, replace(job(tmp_path / "killed"), tracker=Dying(3)))
    resumed = fresh()
    result = pretrain_sr(resumed, data, settings, job(tmp_path / "killed"))
    assert weights_hash(resumed) == weights_hash(whole)
    assert [row["epoch"] for row in result.history] == [1, 2, 3, 4]


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_lets_the_step_end_and_the_next_run_go_on(tmp_path: Path, sign: signal.Signals) -> None:
    data, settings = training_data(tmp_path, None), PretrainSr(**TRAINING | {"epochs": 2}, flip=True, **PIXEL)
    whole = fresh()
    pretrain_sr(whole, data, settings, job(tmp_path / "whole"))
    net, seen = fresh(), []

    def signalled(batch: Batch) -> Losses:
        seen.append(len(seen))
        if len(seen) == 5:
            os.kill(os.getpid(), sign)
        return sr_step(net, COMPUTE)(batch)

    stop = Stop()
    with stop.listening(), pytest.raises(Stopped, match=rf"{sign.name} \(epoch 2, after batch 2 of 3\)") as left:
        fit(net, signalled, data.batches(4, COMPUTE.device, label="test", flips=True),
            by_pictures(data.validation, COMPUTE, 4), settings, select="psnr_db",
            job=replace(job(tmp_path / "stopped"), stop=stop))  # fmt: skip
    assert left.value.code == 75
    assert len(seen) == 5
    resumed = fresh()
    pretrain_sr(resumed, data, settings, job(tmp_path / "stopped"))
    assert weights_hash(resumed) == weights_hash(whole)


def test_time_that_is_up_costs_no_progress(tmp_path: Path) -> None:
    """However short the time, each run makes a step; many of them end where one long run does."""
    data, settings = training_data(tmp_path, None), PretrainSr(**TRAINING | {"epochs": 2}, flip=True, **PIXEL)
    whole, net = fresh(), fresh()
    pretrain_sr(whole, data, settings, job(tmp_path / "whole"))
    hurried = replace(job(tmp_path / "hurried"), stop=Stop(at=0))
    for _ in range(6):
        net = fresh()
        with pytest.raises(Stopped, match="time is up"):
            pretrain_sr(net, data, settings, hurried)
    net = fresh()
    pretrain_sr(net, data, settings, hurried)
    assert weights_hash(net) == weights_hash(whole)


@pytest.mark.parametrize("workers", [0, 2])
def test_the_number_of_workers_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, workers: int) -> None:
    data = training_data(tmp_path, params().augment)
    settings = PretrainSr(**TRAINING | {"epochs": 2}, flip=True, **PIXEL)
    net, expected = fresh(), fresh()
    pretrain_sr(expected, data, settings, job(tmp_path / "usual"))
    monkeypatch.setattr(phases, "loader", partial(loader, workers=workers))
    pretrain_sr(net, data, settings, job(tmp_path / "workers"))
    assert weights_hash(net) == weights_hash(expected)


def test_training_makes_the_loss_smaller(tmp_path: Path) -> None:
    settings = PretrainSr(**TRAINING | {"epochs": 12, "learning_rate": 5e-3}, flip=False, **PIXEL)
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

    batches = data.batches(4, COMPUTE.device, label="test")
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
        fit(net, step, data.batches(4, COMPUTE.device, label="test"), lambda _: {"quality": 1.0},
            Training(**TRAINING), select="quality", job=job(tmp_path))  # fmt: skip


def test_a_metric_that_is_not_finite_stops_the_run(tmp_path: Path) -> None:
    data, net = training_data(tmp_path, None), fresh()
    with pytest.raises(DivergedError, match="psnr_db is nan"):
        fit(net, lambda b: Losses(net(b.lr).mean()), data.batches(4, COMPUTE.device, label="test"),
            lambda _: {"psnr_db": math.nan}, Training(**TRAINING), select="psnr_db", job=job(tmp_path))  # fmt: skip


def test_a_gradient_that_is_not_finite_stops_the_run_and_saves_nothing(tmp_path: Path) -> None:
    """The loss of that step is finite, and no later one of the epoch tells: NaN pictures must not win either."""
    data, net = training_data(tmp_path, None), fresh()
    calls = iter(range(100))

    def step(batch: Batch) -> Losses:
        losses = sr_step(net, COMPUTE)(batch)
        if next(calls) == 2:  # the last of the first epoch
            next(net.parameters()).register_hook(lambda gradient: gradient * math.inf)
        return losses

    with pytest.raises(DivergedError, match="epoch 1, batch 3: weights are not finite"):
        fit(net, step, data.batches(4, COMPUTE.device, label="test", flips=True),
            by_pictures(data.validation, COMPUTE, 4), PretrainSr(**TRAINING, flip=True, **PIXEL), select="psnr_db",
            job=job(tmp_path / "run"))  # fmt: skip
    assert job(tmp_path / "run").checkpoint.load() is None


NO_MEMORY = "[enforce fail at alloc_cpu.cpp:114] err == 0. DefaultCPUAllocator: can't allocate memory: you tried"


def test_a_batch_that_does_not_fit_is_halved_and_training_goes_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """From the fifth step on no more than one plate fits; the result is that of whole batches, up to rounding."""
    data, settings = training_data(tmp_path, params().augment), PretrainSr(**TRAINING, flip=True, **PIXEL)
    whole, net = fresh(), fresh()
    batches, validate = (
        data.batches(4, COMPUTE.device, label="test", flips=True),
        by_pictures(data.validation, COMPUTE, 4),
    )
    expected = fit(
        whole, sr_step(whole, COMPUTE), batches, validate, settings, select="psnr_db", job=job(tmp_path / "a")
    )
    tried: list[int] = []
    told: list[dict[str, float]] = []

    def tight(batch: Batch) -> Losses:
        tried.append(len(batch.plates))
        if len(tried) > 4 and len(batch.plates) > 1:
            raise RuntimeError(NO_MEMORY)
        return sr_step(net, COMPUTE)(batch)

    class Listening(Silent):
        def metrics(self, values: Any, epoch: int) -> None:
            told.append(dict(values))

    with caplog.at_level(logging.WARNING):
        cut = replace(job(tmp_path / "cut"), tracker=Listening())
        result = fit(net, tight, batches, validate, settings, select="psnr_db", job=cut)
    assert tried == [4, 4, 4, 4, 4, 2, *[1] * 4 * 8]
    warned = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert [message.partition("; going on with ")[2].split()[0] for message in warned] == ["2", "1"]
    assert [values["micro_batches"] for values in told if "micro_batches" in values] == [2, 4, 4]
    assert result.memory["micro_batches"] == 4
    assert result.memory["peak_mib"] > 100
    for row, row_expected in zip(result.history, expected.history, strict=True):
        assert row["loss_sr"] == pytest.approx(row_expected["loss_sr"], rel=1e-4)
        assert row["psnr_db"] == pytest.approx(row_expected["psnr_db"], abs=1e-3)


def test_a_plate_that_does_not_fit_alone_is_said_in_one_line(tmp_path: Path) -> None:
    data, net = training_data(tmp_path, None), fresh()

    def tight(batch: Batch) -> Losses:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")

    with pytest.raises(DoesNotFitError, match="not even one plate at a time fits into memory"):
        fit(net, tight, data.batches(4, COMPUTE.device, label="test"), lambda _: {"quality": 1.0},
            Training(**TRAINING), select="quality", job=job(tmp_path))  # fmt: skip


def test_another_error_is_no_lack_of_memory(tmp_path: Path) -> None:
    data, net = training_data(tmp_path, None), fresh()

    def broken(batch: Batch) -> Losses:
        raise RuntimeError("shapes do not match")

    with pytest.raises(RuntimeError, match="shapes do not match"):
        fit(net, broken, data.batches(4, COMPUTE.device, label="test"), lambda _: {"quality": 1.0},
            Training(**TRAINING), select="quality", job=job(tmp_path))  # fmt: skip


def test_training_ends_when_patience_does_and_goes_on_so_after_a_kill(tmp_path: Path) -> None:
    """The score rises once and then no more: with a patience of 2, four of ten epochs, and none after a kill."""
    data = training_data(tmp_path, None)
    settings = Training(**TRAINING | {"epochs": 10, "patience": 2})
    scores = [1.0, 2.0, 2.0, 1.5, 3.0, 3.0]
    validated: list[float] = []

    def validate(_: Dbpn) -> dict[str, float]:
        validated.append(scores[len(validated)])
        return {"quality": validated[-1]}

    for _ in range(2):  # the second finds the first one's checkpoint, as after a kill before the result was safe
        net = fresh()
        result = fit(net, sr_step(net, COMPUTE), data.batches(4, COMPUTE.device, label="test"), validate, settings,
                     select="quality", job=job(tmp_path))  # fmt: skip
        assert validated == [1.0, 2.0, 2.0, 1.5]
        assert result.best == {"quality": 2.0, "epoch": 3.0}


def test_accumulated_batches_are_one_update(tmp_path: Path) -> None:
    """Two batches an update, three an epoch: two updates, of which the second has one batch."""
    data = training_data(tmp_path, None)
    settings = PretrainSr(**TRAINING | {"epochs": 1, "accumulate": 2}, flip=False, **PIXEL)
    net, updates = fresh(), []
    averaged = job(tmp_path)
    pretrain_sr(net, data, settings, averaged)
    snapshot = averaged.checkpoint.load()
    assert snapshot is not None
    updates = [int(state["step"]) for state in snapshot["optimizer"]["state"].values()]
    assert set(updates) == {2}


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError(NO_MEMORY), OSError(5, "Input/output error")])
def test_a_sound_checkpoint_that_cannot_be_read_now_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def short(*_: object, **__: object) -> None:
        raise error

    checkpoint = Checkpoint(tmp_path, "key")
    checkpoint.save({"epochs_done": 1})
    with monkeypatch.context() as patched:
        patched.setattr(torch, "load", short)
        with pytest.raises(type(error)):
            checkpoint.load()
    assert checkpoint.load() == {"epochs_done": 1}


def test_a_damaged_checkpoint_is_set_aside(tmp_path: Path) -> None:
    checkpoint = Checkpoint(tmp_path, "key")
    checkpoint.save({"epochs_done": 1})
    assert checkpoint.load() == {"epochs_done": 1}
    (tmp_path / "key" / "last.pt").write_bytes(b"half a file")
    assert checkpoint.load() is None
    assert (tmp_path / "key" / "last.damaged").exists()
    checkpoint.remove()
    assert not (tmp_path / "key").exists()
