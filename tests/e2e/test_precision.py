"""On identical weights bf16 enlarges and reads as float32 does: within 0.05 dB and 0.2 points of mAP50."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import nn

from acl_core.data.batches import Batch, PairSet, TrainingBatches
from acl_core.data.manifest import Side
from acl_core.device import Compute
from acl_core.evaluate.method_names import MethodName
from acl_core.evaluate.outcome import Method, run_method
from acl_core.evaluate.scores import summary
from acl_core.models.build import build_recognizer
from acl_core.models.dbpn import Dbpn
from acl_core.params import Architecture, Reading, RecognizerParams, load_params
from acl_core.params_sr import Skip
from acl_core.seeding import torch_seed
from acl_core.train.steps import Losses, phase2_step, sr_step
from tasks.export.trained import load_trained
from tasks.outs import stage_out
from tests.plates import CLASSES, ROOT, write_pairs

pytestmark = pytest.mark.e2e

TRAINED = Path(os.environ.get("TRAINED", ROOT))  # a workspace after `make run`
FP32, BF16 = (Compute(torch.device("cpu"), bf16=bf16) for bf16 in (False, True))


def agree(method: Method, pairs: PairSet, rule: Reading, bucket_px: int) -> None:
    exact, rough = (
        summary(run_method(*method, pairs, compute, bucket_px, compare=True), pairs, rule) for compute in (FP32, BF16)
    )
    print(f"float32 {exact}, bf16 {rough}")
    assert exact["map50"] > 0.5
    assert abs(exact["map50"] - rough["map50"]) <= 0.002
    assert 0 < abs(exact["psnr_db"] - rough["psnr_db"]) <= 0.05


def test_networks_that_know_eight_plates(tmp_path: Path) -> None:
    pairs = PairSet.load(write_pairs(tmp_path / "x4", counts=(8, 1, 1)), Side.TRAIN)
    batch = TrainingBatches(pairs, 8, 4, None, flips=False, seed=1, epoch=0)[0]
    with torch_seed(1):
        sr = Dbpn(4, blocks=2, channels=8, features=16, skip=Skip.BICUBIC)
        recognizer = build_recognizer(RecognizerParams(architecture=Architecture.YOLOV5N, input_px=64), len(CLASSES))
    for layer in recognizer.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.momentum = 0.5  # 60 steps are too few for its statistics to follow otherwise
    _teach(sr, sr_step(sr, FP32), batch, steps=20, learning_rate=1e-3)
    _teach(recognizer, phase2_step(sr, recognizer, FP32), batch, steps=60, learning_rate=4e-3)
    agree(Method(sr, recognizer), pairs, Reading(confidence=0.25, overlap=0.5), 4)


@pytest.mark.skipif(not (TRAINED / "models/x4/phase2").is_dir(), reason=f"no networks in {TRAINED}: run `make run`")
@pytest.mark.slow
def test_trained_networks() -> None:
    its_params = load_params(TRAINED / "params.yaml")
    trained = load_trained(TRAINED, its_params, 4, MethodName.PHASE2)
    pairs = PairSet.load(stage_out(TRAINED, "degrade", 4), Side.TEST)
    agree(Method(trained.enlarger, trained.recognizer), pairs, trained.rule, its_params.sr.bucket_px)


def _teach(net: nn.Module, step: Callable[[Batch], Losses], batch: Batch, *, steps: int, learning_rate: float) -> None:
    optimizer = torch.optim.AdamW(net.parameters(), lr=learning_rate)
    net.train()
    for _ in range(steps):
        step(batch).total.backward()
        optimizer.step()
        optimizer.zero_grad()
