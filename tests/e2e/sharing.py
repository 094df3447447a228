"""Toy trainings of every kind, in one process or in those that a launcher starts: `python -m tests.e2e.sharing DIR`."""

import json
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from acl_core.device import Compute
from acl_core.models.build import build_recognizer
from acl_core.models.dbpn import Dbpn
from acl_core.models.enlarger import Enlarger
from acl_core.models.mzsr import Mzsr
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
    Training,
    Trains,
)
from acl_core.seeding import torch_seed
from acl_core.train.checkpoint import Checkpoint
from acl_core.train.loop import FitResult, Job
from acl_core.train.phases import TrainingData, phase1, phase2, pretrain_recognizer, pretrain_sr
from acl_core.train.processes import processes_of
from acl_core.train.tracker import Silent
from tests.plates import CLASSES, params
from tests.unit.train.test_loop import PIXEL
from tests.weights import weights_hash

CPU = torch.device("cpu")
# 13 plates in batches of 4: one process has no plate of the last batch.
COUNTS = (13, 2, 2)
SHORT: dict[str, Any] = {
    "epochs": 1,
    "batch_size": 4,
    "learning_rate": 1e-3,
    "weight_decay": 0.0,
    "warmup_epochs": 0.0,
    "ema_decay": 0.9,
    "clip_norm": 1.0,
    "validate_every": 1,
    "accumulate": 1,
    "patience": 0,
}
RULE = Reading(confidence=0.25, overlap=0.5)
SR_ALONE: dict[str, dict[str, Any]] = {
    "pretrain_sr": {},
    "accumulated": {"accumulate": 3},
    "flip": {"objective": Objective.FLIP},
    "dual": {"objective": Objective.DUAL},
    "meta": {},
}
NAMES = (*SR_ALONE, "pretrain_recognizer", "phase1", "joint", "phase2", "phase2_paper")


def train_all(pairs: Path, folder: Path) -> dict[str, dict[str, Any]]:
    """The history and the hash of the weights of each training."""
    processes = processes_of(os.environ, CPU)
    data = TrainingData.load(pairs, params().augment, 4, seed=1)
    found = {}
    for name in NAMES:
        job = Job(name, Compute(CPU, bf16=False), Silent(), Checkpoint(folder / name, "key"), processes=processes)
        with torch_seed(1):
            sr = _enlarger(name)
            kind = Architecture.PAPER if name == "phase2_paper" else Architecture.YOLOV5N
            recognizer = _still(build_recognizer(RecognizerParams(architecture=kind, input_px=64), len(CLASSES)))
        net: nn.Module = sr if name in {*SR_ALONE, "phase1", "joint"} else recognizer
        result = _train(name, sr, recognizer, data, job)
        found[name] = {"history": result.history, "best": result.best, "weights": weights_hash(net)}
    processes.leave()
    return found if processes.is_first else {}


def _enlarger(name: str) -> Enlarger:
    if name == "meta":
        return Mzsr(4, layers=3, channels=4, steps=1)
    return Dbpn(4, blocks=2, channels=4, features=8)


def _train(name: str, sr: Enlarger, recognizer: Recognizer, data: TrainingData, job: Job) -> FitResult:
    match name:
        case _ if name in SR_ALONE:
            return pretrain_sr(sr, data, PretrainSr(**SHORT | {"flip": True} | PIXEL | SR_ALONE[name]), job)
        case "pretrain_recognizer":
            hr = replace(data, bucket_px=16)
            return pretrain_recognizer(recognizer, hr, Training(**SHORT), RULE, job)
        case "phase1" | "joint":
            trains = Trains.SR if name == "phase1" else Trains.BOTH
            return phase1(sr, recognizer, data, Phase1(**SHORT, alpha=0.01, trains=trains), RULE, job)
        case _:
            return phase2(sr, recognizer, data, Phase2(**SHORT, start=Start.PRETRAINED, fresh_epochs=1), RULE, job)


def _still(recognizer: Recognizer) -> Recognizer:
    """With BatchNorm that keeps its statistics: over a share they are others than over a batch."""
    for module in recognizer.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eval()
            module.train = lambda mode=True, module=module: module  # type: ignore[assignment,method-assign,misc]
    return recognizer


if __name__ == "__main__":
    here = Path(sys.argv[1])
    if rows := train_all(here / "pairs", here / "launched"):
        (here / "rows.json").write_text(json.dumps(rows), encoding="utf-8")
