"""On identical weights bf16 says what float32 says: within 0.05 dB and 0.2 points of mAP50."""

import logging
import os
from pathlib import Path

import pytest
import torch

from acl_core.data.batches import PairSet, TrainingBatches
from acl_core.data.manifest import Side
from acl_core.device import Compute
from acl_core.evaluate.outcome import Compare, measure_quality, run_method
from acl_core.evaluate.scores import summary
from acl_core.models.dbpn import Dbpn
from acl_core.models.enlarger import Enlarger
from acl_core.models.recognizer import Recognizer
from acl_core.params import Reading, Skip, load_params
from acl_core.seeding import torch_seed
from acl_core.train.steps import sr_step
from tasks.export.cli import Method
from tasks.export.trained import load_trained, stage_out
from tests.plates import ROOT, write_pairs

pytestmark = pytest.mark.e2e

log = logging.getLogger(__name__)

FP32, BF16 = (Compute(torch.device("cpu"), bf16=bf16) for bf16 in (False, True))
TRAINED = Path(os.environ.get("TRAINED", ROOT))  # a workspace after `make run`


def check(sr: Enlarger, recognizer: Recognizer, pairs: PairSet, bucket_px: int, rule: Reading) -> None:
    exact, rough = (
        summary(run_method(sr, recognizer, pairs, compute, bucket_px, compare=Compare.PSNR), pairs, rule)
        for compute in (FP32, BF16)
    )
    log.info("float32 %s, bf16 %s", exact, rough)
    assert exact["map50"] > 0.5  # it has learnt something that rounding could spoil
    assert abs(exact["psnr_db"] - rough["psnr_db"]) <= 0.05
    assert abs(exact["map50"] - rough["map50"]) <= 0.002
    assert exact["psnr_db"] != rough["psnr_db"]  # and bf16 did run


def test_an_enlarger_that_knows_eight_plates(tmp_path: Path) -> None:
    pairs = PairSet.load(write_pairs(tmp_path / "x4", counts=(8, 1, 1)), Side.TRAIN)
    with torch_seed(1):
        sr = Dbpn(4, blocks=2, channels=8, features=16, skip=Skip.BICUBIC)
    step, optimizer = sr_step(sr, FP32), torch.optim.AdamW(sr.parameters(), lr=1e-3)
    batch = TrainingBatches(pairs, 8, 4, None, flips=False, seed=1, epoch=0)[0]
    for _ in range(20):
        step(batch).total.backward()
        optimizer.step()
        optimizer.zero_grad()
    exact, rough = (measure_quality(sr, pairs, compute, 4).psnr_db.mean() for compute in (FP32, BF16))
    assert 0 < abs(exact - rough) <= 0.05


@pytest.mark.skipif(not (TRAINED / "models/x4/phase2").is_dir(), reason=f"no networks in {TRAINED}: run `make run`")
@pytest.mark.slow
def test_trained_networks_on_their_test_plates() -> None:
    params = load_params(TRAINED / "params.yaml")
    trained = load_trained(TRAINED, params, 4, Method.PHASE2)
    assert trained.enlarger is not None
    pairs = PairSet.load(stage_out(TRAINED, "degrade", 4), Side.TEST)
    check(trained.enlarger, trained.recognizer, pairs, params.sr.bucket_px, trained.rule)
