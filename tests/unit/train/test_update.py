"""An update cut into pieces has the gradients of one that is not."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from acl_core.data.batches import Batch, PairSet, TrainingBatches, collate
from acl_core.data.manifest import Side
from acl_core.device import Compute
from acl_core.models.build import build_recognizer
from acl_core.models.dbpn import Dbpn
from acl_core.models.freezing import frozen
from acl_core.params import Architecture, RecognizerParams
from acl_core.seeding import torch_seed
from acl_core.train.epoch import Named
from acl_core.train.finite import FiniteWatch
from acl_core.train.steps import Step, phase1_step, phase2_step, recognizer_on_hr_step, sr_step
from acl_core.train.update import groups, micro_batches, sum_gradients
from tests.plates import CLASSES, write_pairs

COMPUTE = Compute(torch.device("cpu"), bf16=False)


@pytest.fixture
def pairs(tmp_path: Path) -> PairSet:
    return PairSet.load(write_pairs(tmp_path / "x4"), Side.TRAIN)


def batch_of(pairs: PairSet, first: int, end: int) -> Batch:
    return collate(pairs.plates[first:end], pairs.scale, 4)


def gradients(net: torch.nn.Module, step: Step, group: list[Batch], pieces: int) -> tuple[torch.Tensor, Named]:
    net.zero_grad(set_to_none=True)
    named = sum_gradients(step, group, pieces, COMPUTE.device, 0, FiniteWatch(COMPUTE.device))
    return torch.cat([p.grad.flatten() for p in net.parameters() if p.grad is not None]), named


def assert_close(found: tuple[torch.Tensor, Named], expected: tuple[torch.Tensor, Named], limit: float = 1e-4) -> None:
    error = (found[0] - expected[0]).norm() / expected[0].norm()
    assert error < limit
    assert list(found[1]) == list(expected[1])
    for name, value in found[1].items():
        torch.testing.assert_close(value, expected[1][name], rtol=1e-4, atol=0)


def in_double(batch: Batch) -> Batch:
    """In float32 the sum of an L1 loss's gradients cancels down to five digits; in float64 it shows what is exact."""
    return replace(batch, lr=batch.lr.double(), hr=batch.hr.double())


@pytest.mark.parametrize("pieces", [2, 3, 4, 8])
def test_sr_in_pieces(pairs: PairSet, pieces: int) -> None:
    """Plates of different sizes: the mean is over their pixels, not over the pieces."""
    sr = Dbpn(4, blocks=2, channels=4, features=8).double()
    batch = in_double(batch_of(pairs, 0, 5))
    step = sr_step(sr, COMPUTE)
    assert_close(gradients(sr, step, [batch], pieces), gradients(sr, step, [batch], 1), 1e-12)


def test_two_batches_are_one_of_twice_the_size(pairs: PairSet) -> None:
    sr = Dbpn(4, blocks=2, channels=4, features=8).double()
    step = sr_step(sr, COMPUTE)
    two = [in_double(batch_of(pairs, 0, 4)), in_double(batch_of(pairs, 4, 6))]
    one = gradients(sr, step, [in_double(batch_of(pairs, 0, 6))], 1)
    assert_close(gradients(sr, step, two, 1), one, 1e-12)
    assert_close(gradients(sr, step, two, 2), one, 1e-12)


def test_phase_1_in_pieces(pairs: PairSet) -> None:
    """The means over pixels and over plates, and the norms of both gradients, are those of the whole batch."""
    with torch_seed(1):
        sr = Dbpn(4, blocks=2, channels=4, features=8)
        recognizer = build_recognizer(RecognizerParams(architecture=Architecture.PAPER, input_px=64), len(CLASSES))
    batch = batch_of(pairs, 0, 4)
    with frozen(recognizer):
        step = phase1_step(sr, recognizer, 0.01, COMPUTE)
        found, expected = gradients(sr, step, [batch], 4), gradients(sr, step, [batch], 1)
    assert {"loss", "loss_sr", "loss_char", "gradient_sr", "gradient_char"} == set(found[1])
    assert_close(found, expected)


@pytest.mark.parametrize("behind_sr", [False, True])
def test_a_recognizer_in_pieces_is_exact_but_for_its_batch_norm(pairs: PairSet, behind_sr: bool) -> None:
    with torch_seed(1):
        recognizer = build_recognizer(RecognizerParams(architecture=Architecture.PAPER, input_px=64), len(CLASSES))
        sr = Dbpn(4, blocks=2, channels=4, features=8)
    batch = batch_of(pairs, 0, 4)
    step = phase2_step(sr, recognizer, COMPUTE) if behind_sr else recognizer_on_hr_step(recognizer, COMPUTE)
    recognizer.eval()  # BatchNorm takes its statistics from each piece alone, so only without them pieces are exact
    assert_close(gradients(recognizer, step, [batch], 2), gradients(recognizer, step, [batch], 1))


def test_ultralytics_pieces_count_by_their_plates(pairs: PairSet) -> None:
    """Its loss is divided by the sum of its own targets' scores: pieces are a mean over plates of what each gives."""
    with torch_seed(1):
        recognizer = build_recognizer(RecognizerParams(architecture=Architecture.YOLOV5N, input_px=64), len(CLASSES))
    recognizer.eval()
    step = recognizer_on_hr_step(recognizer, COMPUTE)
    three, two = batch_of(pairs, 0, 3), batch_of(pairs, 3, 5)
    whole = gradients(recognizer, step, [three, two], 1)
    parts = [gradients(recognizer, step, [batch], 1) for batch in (three, two)]
    gradient = 0.6 * parts[0][0] + 0.4 * parts[1][0]
    assert_close(whole, (gradient, {"loss_char": 0.6 * parts[0][1]["loss_char"] + 0.4 * parts[1][1]["loss_char"]}))


def test_pieces_have_every_plate_once_with_its_characters(pairs: PairSet) -> None:
    batch = batch_of(pairs, 0, 5)
    parts = list(micro_batches([batch], 2))
    assert [len(part.plates) for part in parts] == [3, 2]
    assert torch.equal(torch.cat([part.lr for part in parts]), batch.lr)
    assert torch.equal(torch.cat([part.characters.boxes for part in parts]), batch.characters.boxes)
    assert parts[1].characters.plate.tolist() == [0, 0, 0, 1, 1, 1]
    assert {part.characters.n_plates for part in parts} == {5}


def test_a_batch_that_is_not_cut_is_passed_on(pairs: PairSet) -> None:
    batch = batch_of(pairs, 0, 5)
    assert next(micro_batches([batch], 1)) is batch


def test_the_last_group_may_be_smaller(pairs: PairSet) -> None:
    batches = TrainingBatches(pairs, 4, 4, None, flips=False, seed=1, epoch=0)
    assert [len(group) for group in groups((batches[i] for i in range(3)), 2)] == [2, 1]
