"""Batches that come back after the fresh epochs of Phase 2, and their enlarged pictures."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from acl_core.data.batches import Batch, EvaluationBatches
from acl_core.models.build import build_recognizer
from acl_core.models.enlarger import Bicubic
from acl_core.params import Architecture, Phase2, RecognizerParams, Start
from acl_core.seeding import torch_seed
from acl_core.train.kept import KeptPictures
from acl_core.train.phases import TrainingData, phase2
from tests.plates import CLASSES, params, write_pairs
from tests.unit.train.test_loop import TRAINING, job
from tests.unit.train.test_phases import RULE
from tests.weights import weights_hash

CPU = torch.device("cpu")
SETTINGS = Phase2(**TRAINING | {"epochs": 4, "validate_every": 4}, start=Start.PRETRAINED, fresh_epochs=2)


@pytest.fixture
def data(tmp_path: Path) -> TrainingData:
    return TrainingData.load(write_pairs(tmp_path / "x4", counts=(14, 2, 1)), params().augment, 4, seed=1)


def by_key(data: TrainingData, epoch: int, fresh_epochs: int | None) -> dict[tuple[int, ...], Batch]:
    return {batch.key: batch for batch in data.batches(4, CPU, fresh_epochs=fresh_epochs)(epoch, 0)}


def test_batches_of_the_fresh_epochs_come_back_in_another_order(data: TrainingData) -> None:
    for epoch in range(2):
        first, again = by_key(data, epoch, 2), by_key(data, epoch + 2, 2)
        assert {key[0] for key in first} == {epoch}
        assert first.keys() == again.keys()
        assert list(first) != list(again)
        for key, batch in first.items():
            assert torch.equal(batch.lr, again[key].lr)
            assert torch.equal(batch.characters.boxes, again[key].characters.boxes)
        as_ever = by_key(data, epoch, None)
        assert list(as_ever) == list(first)
        assert all(torch.equal(as_ever[key].lr, batch.lr) for key, batch in first.items())


class Counted(Bicubic):
    def __init__(self) -> None:
        super().__init__(4)
        self.n_plates = 0

    def forward(self, lr: torch.Tensor, sizes: Any) -> torch.Tensor:
        self.n_plates += len(lr)
        return super().forward(lr, sizes)


def trained(data: TrainingData, folder: Path, memory_mib: float) -> tuple[str, int]:
    with torch_seed(1):
        recognizer = build_recognizer(RecognizerParams(architecture=Architecture.YOLOV5N, input_px=64), len(CLASSES))
    enlarger = Counted()
    phase2(
        enlarger, recognizer, data, SETTINGS, RULE, replace(job(folder), memory_mib=memory_mib, shows_pictures=False)
    )
    return weights_hash(recognizer), enlarger.n_plates


def test_memory_decides_how_often_they_are_enlarged_and_nothing_else(data: TrainingData, tmp_path: Path) -> None:
    n_train, n_validation = len(data.train.plates), len(data.validation.plates)
    one_epoch_mib = sum(batch.hr.numel() for batch in by_key(data, 0, None).values()) / 2**20
    results = [
        trained(data, tmp_path / str(spare), data.train.held_mib + spare) for spare in (1.0, one_epoch_mib, -1.0)
    ]
    assert len({weights for weights, _ in results}) == 1
    assert [n - n_validation for _, n in results] == [2 * n_train, 3 * n_train, 4 * n_train]


def test_a_batch_that_was_cut_in_two_still_has_its_pictures(data: TrainingData) -> None:
    batch = replace(EvaluationBatches(data.train, 4, 4)[0], key=(0, 0))
    kept = KeptPictures(1.0)
    whole = kept.of(batch, lambda: torch.rand(4, 3, 8, 8))
    part = batch.part(2, 4)
    assert torch.equal(kept.of(part, pytest.fail), whole[2:])
    assert torch.equal(kept.of(part.part(1, 2), pytest.fail), whole[3:])


def test_pictures_are_rounded_whether_they_are_kept_or_not(data: TrainingData) -> None:
    batch = replace(EvaluationBatches(data.train, 4, 4)[0], key=(0, 0))
    pictures = torch.full((4, 3, 8, 8), 0.5) + torch.tensor([-1.0, 0.0, 0.001, 1.0])[:, None, None, None]
    for memory_mib in (0.0, 1.0):
        kept = KeptPictures(memory_mib)
        once, again = (kept.of(batch, lambda: pictures) for _ in range(2))
        assert torch.equal(once, again)
        assert once[:, 0, 0, 0].mul(255).round().tolist() == [0, 128, 128, 255]
