"""Which network learns in which phase, and that nothing else changes."""

import gc
import weakref
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from acl_core.data.batches import Batch, EvaluationBatches, PairSet
from acl_core.data.manifest import Side
from acl_core.device import Compute
from acl_core.models.build import build_recognizer
from acl_core.models.dbpn import Dbpn
from acl_core.models.freezing import frozen
from acl_core.models.recognizer import Recognizer
from acl_core.params import Architecture, RecognizerParams
from acl_core.train.steps import Losses, phase1_step, phase2_step, sr_step
from tests.plates import CLASSES, write_pairs
from tests.weights import weights_hash

COMPUTE = Compute(torch.device("cpu"), bf16=False)


@pytest.fixture
def batch(tmp_path: Path) -> Batch:
    return EvaluationBatches(PairSet.load(write_pairs(tmp_path / "x4"), Side.TRAIN), 4, 4)[0]


@pytest.fixture
def sr() -> Dbpn:
    return Dbpn(4, blocks=2, channels=4, features=8)


@pytest.fixture(params=[Architecture.YOLOV5N, Architecture.PAPER])
def recognizer(request: pytest.FixtureRequest) -> Recognizer:
    return build_recognizer(RecognizerParams(architecture=request.param, input_px=128), len(CLASSES))


def update(step: Callable[[Batch], Losses], net: torch.nn.Module, batch: Batch) -> Losses:
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    net.train()
    losses = step(batch)
    losses.total.backward()
    optimizer.step()
    return losses


def test_phase_1_trains_sr_through_the_resize_and_leaves_the_recognizer_alone(
    sr: Dbpn, recognizer: Recognizer, batch: Batch
) -> None:
    recognizer_before, sr_before = weights_hash(recognizer), weights_hash(sr)
    with frozen(recognizer):
        losses = update(phase1_step(sr, recognizer, 0.01, COMPUTE), sr, batch)
    assert weights_hash(sr) != sr_before
    assert weights_hash(recognizer) == recognizer_before  # weights and BatchNorm statistics
    assert all(p.grad is None for p in recognizer.parameters())
    assert losses.norms["gradient_char"] > 0
    assert losses.norms["gradient_sr"] > 0


def test_nothing_of_a_step_stays_in_memory(sr: Dbpn, recognizer: Recognizer, batch: Batch) -> None:
    with frozen(recognizer):
        losses = phase1_step(sr, recognizer, 0.01, COMPUTE)(batch)
        losses.total.backward()
    total = weakref.ref(losses.total)
    del losses
    gc.collect()
    assert total() is None


def test_loss_char_alone_reaches_the_first_weights_of_sr(sr: Dbpn, recognizer: Recognizer, batch: Batch) -> None:
    with frozen(recognizer):
        with_char = phase1_step(sr, recognizer, 1.0, COMPUTE)(batch)
        without = phase1_step(sr, recognizer, 0.0, COMPUTE)(batch)
        (with_char.total - without.total).backward()
    gradient = sr.extract[0][0].weight.grad
    assert gradient is not None
    assert gradient.abs().sum() > 0


def test_the_total_is_equation_1(sr: Dbpn, recognizer: Recognizer, batch: Batch) -> None:
    with frozen(recognizer):
        losses = phase1_step(sr, recognizer, 0.01, COMPUTE)(batch)
    expected = losses.named["loss_sr"] + 0.01 * losses.named["loss_char"]
    torch.testing.assert_close(losses.total.detach(), expected)
    torch.testing.assert_close(losses.named["loss_sr"], sr_step(sr, COMPUTE)(batch).total.detach())


def test_phase_2_trains_the_recognizer_and_leaves_sr_alone(sr: Dbpn, recognizer: Recognizer, batch: Batch) -> None:
    recognizer_before, sr_before = weights_hash(recognizer), weights_hash(sr)
    with frozen(sr):
        update(phase2_step(sr, recognizer, COMPUTE), recognizer, batch)
    assert weights_hash(recognizer) != recognizer_before
    assert weights_hash(sr) == sr_before
    assert all(p.grad is None for p in sr.parameters())
