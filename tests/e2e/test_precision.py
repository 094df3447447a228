"""On identical weights bf16 enlarges as float32 does, within 0.05 dB."""

from pathlib import Path

import pytest
import torch

from acl_core.data.batches import PairSet, TrainingBatches
from acl_core.data.manifest import Side
from acl_core.device import Compute
from acl_core.evaluate.outcome import measure_quality
from acl_core.models.dbpn import Dbpn
from acl_core.params_sr import Skip
from acl_core.seeding import torch_seed
from acl_core.train.steps import sr_step
from tests.plates import write_pairs

pytestmark = pytest.mark.e2e

FP32, BF16 = (Compute(torch.device("cpu"), bf16=bf16) for bf16 in (False, True))


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
