"""Plates that stay on the disk give the same batches, to the bit."""

import pickle
from pathlib import Path

import numpy as np
import pytest
import torch

from acl_core.data.batches import Batch, EvaluationBatches, PairSet, TrainingBatches, loader
from acl_core.data.manifest import Side
from acl_core.data.stored import PlateFacts, StoredPlates
from tests.plates import params, write_pairs

COUNTS = (40, 2, 2)


@pytest.fixture
def both(tmp_path: Path) -> tuple[PairSet, PairSet]:
    folder = write_pairs(tmp_path / "x4", counts=COUNTS)
    return PairSet.load(folder, Side.TRAIN), PairSet.load(folder, Side.TRAIN, memory_mib=0)


def same(a: Batch, b: Batch) -> bool:
    assert [p.name for p in a.plates] == [p.name for p in b.plates]
    assert (a.lr_sizes, a.hr_sizes) == (b.lr_sizes, b.hr_sizes)
    pairs = [(a.lr, b.lr), (a.hr, b.hr), (a.characters.boxes, b.characters.boxes)]
    return all(torch.equal(x, y) for x, y in pairs)


def test_the_budget_decides_where_plates_lie(tmp_path: Path) -> None:
    folder = write_pairs(tmp_path / "x4", counts=COUNTS)
    takes = StoredPlates(folder, Side.TRAIN).decoded_mib
    held = PairSet.load(folder, Side.TRAIN).plates
    assert takes == pytest.approx(sum(p.hr.nbytes + p.lr.nbytes for p in held if p.lr is not None) / 2**20)
    assert isinstance(PairSet.load(folder, Side.TRAIN, takes).plates, list)
    assert isinstance(PairSet.load(folder, Side.TRAIN, takes - 1e-6).plates, StoredPlates)


def test_batches_are_the_same_to_the_bit(both: tuple[PairSet, PairSet]) -> None:
    held, stored = both
    for epoch in range(2):
        a, b = (TrainingBatches(p, 7, 4, params().augment, flips=True, seed=1, epoch=epoch) for p in both)
        assert len(a) == len(b) == 6
        assert all(same(a[i], b[i]) for i in range(len(a)))
    unchanged, again = EvaluationBatches(held, 7, 4), EvaluationBatches(stored, 7, 4)
    assert all(same(unchanged[i], again[i]) for i in range(len(unchanged)))


def test_what_is_known_of_a_plate_is_known_without_decoding_it(both: tuple[PairSet, PairSet]) -> None:
    held, stored = both
    for plate, a, b in zip(held.plates, held.facts, stored.facts, strict=True):
        assert (a.name, a.text, a.split, a.kind) == (b.name, b.text, b.split, b.kind)
        assert (a.hr_size, a.lr_size) == (b.hr_size, b.lr_size) == (plate.hr.shape[:2], (*(n // 4 for n in a.hr_size),))
        np.testing.assert_array_equal(a.classes, b.classes)
        np.testing.assert_array_equal(a.boxes, b.boxes)
    assert [p.name for p in stored.plates[:3]] == [p.name for p in held.plates[:3]]


def test_a_set_that_was_not_degraded_has_its_hr_for_lr(tmp_path: Path) -> None:
    plate = StoredPlates(write_pairs(tmp_path / "hr", scale=None), Side.TEST)[-1]
    assert plate.lr is plate.hr
    assert PlateFacts.of(plate).lr_size == PlateFacts.of(plate).hr_size


def test_workers_open_the_shards_for_themselves(both: tuple[PairSet, PairSet]) -> None:
    _, stored = both
    batches = TrainingBatches(stored, 20, 4, None, flips=False, seed=1, epoch=0)
    here = [batches[i] for i in range(len(batches))]  # opens the shards in this process
    there = torch.utils.data.DataLoader(batches, batch_size=None, num_workers=1)
    assert all(same(a, b) for a, b in zip(here, there, strict=True))
    assert same(pickle.loads(pickle.dumps(batches))[0], here[0])
    assert len(list(loader(batches, torch.device("cpu")))) == 2
