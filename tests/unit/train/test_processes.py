"""Shares of a batch, without other processes: what each sees sums to what one sees."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor

from acl_core.data.batches import Batch, PairSet, TrainingBatches
from acl_core.data.manifest import Side
from acl_core.device import Compute
from acl_core.models.build import build_recognizer
from acl_core.models.dbpn import Dbpn
from acl_core.models.freezing import frozen
from acl_core.params import Architecture, RecognizerParams
from acl_core.seeding import torch_seed
from acl_core.train.processes import Launched, Processes, processes_of
from acl_core.train.steps import phase2_step, sr_step
from tests.plates import CLASSES, params, write_pairs

COMPUTE = Compute(torch.device("cpu"), bf16=False)
N = 3


@pytest.fixture
def batches(tmp_path: Path) -> Callable[[tuple[int, int]], list[Batch]]:
    pairs = PairSet.load(write_pairs(tmp_path / "x4", counts=(10, 1, 1)), Side.TRAIN)

    def share(number_and_n: tuple[int, int]) -> list[Batch]:
        made = TrainingBatches(pairs, 4, 4, params().augment, flips=True, seed=1, epoch=0, share=number_and_n)
        return [made[i] for i in range(len(made))]

    return share


def test_shares_are_the_batch(batches: Callable[[tuple[int, int]], list[Batch]]) -> None:
    whole, shares = batches((0, 1)), [batches((number, N)) for number in range(N)]
    assert [len(batch.plates) for batch in whole] == [4, 4, 2] or sorted(len(b.plates) for b in whole) == [2, 4, 4]
    for batch, *parts in zip(whole, *shares, strict=True):
        counted = [part for part in parts if part.counts]
        assert [p.name for part in counted for p in part.plates] == [p.name for p in batch.plates]
        assert torch.equal(torch.cat([part.lr for part in counted]), batch.lr)  # padded alike
        assert {part.n_pixels for part in parts} == {batch.n_pixels}
        assert {part.characters.n_plates for part in parts} == {len(batch.plates)}
        assert all(len(part.plates) == 1 and len(part.characters.boxes) == 0 for part in parts if not part.counts)


def test_pixel_losses_of_shares_sum_to_the_loss_of_the_batch(
    batches: Callable[[tuple[int, int]], list[Batch]],
) -> None:
    with torch_seed(1):
        step = sr_step(Dbpn(4, blocks=2, channels=4, features=8), COMPUTE)
    whole = batches((0, 1))[0]
    parts = [batches((number, N))[0] for number in range(N)]
    total = sum(float(step(part).total.detach()) for part in parts if part.counts)
    assert total == pytest.approx(float(step(whole).total.detach()), rel=1e-5)


@pytest.mark.parametrize("architecture", [Architecture.YOLOV5N, Architecture.PAPER])
def test_character_losses_of_shares_sum_to_the_loss_of_the_batch(
    batches: Callable[[tuple[int, int]], list[Batch]], architecture: Architecture
) -> None:
    """The normaliser of ultralytics' loss is summed over the shares; here by hand, in a first round over them."""
    with torch_seed(1):
        sr = Dbpn(4, blocks=2, channels=4, features=8)
        recognizer = build_recognizer(RecognizerParams(architecture=architecture, input_px=64), len(CLASSES)).eval()
    step = phase2_step(sr, recognizer, COMPUTE)
    parts = [part for part in (batches((number, N))[0] for number in range(N)) if part.counts]
    scores: list[Tensor] = []

    def note(value: Tensor) -> Tensor:
        scores.append(value)
        return value

    with frozen(sr), frozen(recognizer):
        whole = float(step(batches((0, 1))[0]).total)
        recognizer.sum_over_shares = note
        [step(part) for part in parts]
        recognizer.sum_over_shares = lambda _: torch.stack(scores).sum()
        total = sum(float(step(part).total) for part in parts)
    assert total == pytest.approx(whole, rel=1e-4)


def test_without_a_launcher_nothing_is_joined() -> None:
    for environment in ({}, {"WORLD_SIZE": "1", "RANK": "0"}):
        alone = processes_of(environment, torch.device("cpu"))
        assert type(alone) is Processes
        assert alone.is_first
        assert alone.agree("told", at_end=False) == "told"


def test_on_gpus_several_processes_ask_every_ten_updates_and_at_the_end_of_an_epoch() -> None:
    """However few batches an epoch has, and however many an update takes."""
    asked: list[int] = []
    launched = Launched.__new__(Launched)
    launched._accelerator = SimpleNamespace(device=torch.device("cpu"))
    launched._updates, launched._asks_seldom = 0, True
    launched.sum = lambda value: (asked.append(launched._updates), value)[1]
    for update in range(1, 22):
        assert launched.agree("", at_end=update % 7 == 0) == ""
    assert asked == [7, 10, 14, 20, 21]
    assert launched.agree("told", at_end=True) == "told"
