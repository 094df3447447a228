"""On identical weights bf16 says what float32 says: within 0.05 dB and 0.2 points of mAP50."""

from pathlib import Path

import pytest
import torch

from acl_core.data.batches import PairSet, TrainingBatches
from acl_core.data.manifest import Side
from acl_core.device import Compute
from acl_core.evaluate.outcome import Compare, run_method
from acl_core.evaluate.scores import summary
from acl_core.models.build import build_recognizer
from acl_core.models.dbpn import Dbpn
from acl_core.params import Architecture, Reading, RecognizerParams, Skip
from acl_core.seeding import torch_seed
from acl_core.train.steps import Step, phase2_step, sr_step
from tests.plates import CLASSES, write_pairs

FP32, BF16 = (Compute(torch.device("cpu"), bf16=bf16) for bf16 in (False, True))


def train(net: torch.nn.Module, step: Step, pairs: PairSet, epochs: int, rate: float) -> None:
    optimizer = torch.optim.AdamW(net.parameters(), lr=rate)
    net.train()
    for epoch in range(epochs):
        batches = TrainingBatches(pairs, 8, 4, None, flips=False, seed=1, epoch=epoch)
        for index in range(len(batches)):
            step(batches[index]).total.backward()
            optimizer.step()
            optimizer.zero_grad()
    net.eval()


@pytest.mark.e2e
def test_bf16_is_as_good_as_float32_on_trained_networks(tmp_path: Path) -> None:
    pairs = PairSet.load(write_pairs(tmp_path / "x4", counts=(32, 1, 1)), Side.TRAIN)
    with torch_seed(1):
        sr = Dbpn(4, blocks=2, channels=16, features=32, skip=Skip.BICUBIC)
        recognizer = build_recognizer(RecognizerParams(architecture=Architecture.YOLOV5N, input_px=64), len(CLASSES))
    train(sr, sr_step(sr, FP32), pairs, epochs=10, rate=1e-3)
    train(recognizer, phase2_step(sr, recognizer, FP32), pairs, epochs=60, rate=2e-3)
    rule = Reading(confidence=0.25, overlap=0.5)
    exact, rough = (
        summary(run_method(sr, recognizer, pairs, compute, 4, compare=Compare.PSNR), pairs, rule)
        for compute in (FP32, BF16)
    )
    assert exact["map50"] > 0.5  # it has learnt something that rounding could spoil
    assert abs(exact["psnr_db"] - rough["psnr_db"]) <= 0.05
    assert abs(exact["map50"] - rough["map50"]) <= 0.002
    assert exact["psnr_db"] != rough["psnr_db"]  # and bf16 did run
