from pathlib import Path

import numpy as np
import pytest
import torch

from acl_core.data.augment import augment, flip
from acl_core.data.batches import (
    EvaluationBatches,
    PairSet,
    TrainingBatches,
    collate,
    plan_epoch,
    plan_evaluation,
)
from acl_core.data.degrade import degrade
from acl_core.data.manifest import Side
from acl_core.errors import DataError
from acl_core.params import Augment
from tests.plates import params, toy_plate, write_pairs

NOTHING = Augment(warp=0, brightness=0, contrast=0, gamma=0, colour=0, blur_px=0)


def test_an_epoch_has_every_plate_once_in_full_batches() -> None:
    sizes = [(8 + i % 5, 20 + i % 7) for i in range(103)]
    plan = plan_epoch(sizes, 10, 4, np.random.default_rng(0))
    assert sorted(np.concatenate(plan)) == list(range(103))
    assert sorted(map(len, plan)) == [3, *[10] * 10]


def test_evaluation_batches_hold_one_bucket() -> None:
    sizes = [(8 + i % 5, 20 + i % 7) for i in range(40)]
    plan = plan_evaluation(sizes, 8, 4)
    assert sorted(np.concatenate(plan)) == list(range(40))
    for batch in plan:
        assert len({(-(-sizes[i][0] // 4), -(-sizes[i][1] // 4)) for i in batch}) == 1


def test_whole_plates_are_padded_with_their_own_edge() -> None:
    plates = [degrade(toy_plate(0, size=(24, 48)), 4), degrade(toy_plate(1, size=(28, 64)), 4)]
    batch = collate(plates, 4, 4)
    assert batch.lr.shape == (2, 3, 8, 16)
    assert batch.hr.shape == (2, 3, 32, 64)
    assert batch.lr_sizes == [(6, 12), (7, 16)]
    assert batch.hr_sizes == [(24, 48), (28, 64)]
    np.testing.assert_array_equal((batch.hr[0, :, :24, :48].permute(1, 2, 0) * 255).round().numpy(), plates[0].hr)
    assert (batch.hr[0, :, :24, 48:] == batch.hr[0, :, :24, 47:48]).all()
    torch.testing.assert_close(
        batch.characters.boxes[:3], torch.from_numpy(plates[0].boxes / np.array([48, 24, 48, 24], np.float32))
    )
    assert batch.characters.plate.tolist() == [0, 0, 0, 1, 1, 1]


def test_a_training_batch_depends_on_seed_and_epoch_alone(tmp_path: Path) -> None:
    pairs = PairSet.load(write_pairs(tmp_path / "x4"), Side.TRAIN)

    def batch(epoch: int) -> torch.Tensor:
        batches = TrainingBatches(pairs, 4, 4, params().augment, flips=True, seed=1, epoch=epoch)
        return batches[1].lr

    torch.testing.assert_close(batch(0), batch(0), rtol=0, atol=0)
    assert batch(0).shape != batch(1).shape or not torch.equal(batch(0), batch(1))


def test_lr_of_an_augmented_pair_is_made_from_its_hr(tmp_path: Path) -> None:
    pairs = PairSet.load(write_pairs(tmp_path / "x4"), Side.TRAIN)
    batch = TrainingBatches(pairs, 4, 4, params().augment, flips=True, seed=1, epoch=0)[0]
    for plate in batch.plates:
        assert plate.lr is not None
        assert plate.lr.shape[0] * 4 == plate.hr.shape[0]
        assert abs(plate.lr.mean() - plate.hr.mean()) < 3


def test_without_change_nothing_changes() -> None:
    plate = toy_plate(0)
    hr, boxes = augment(plate.hr, plate.boxes, NOTHING, np.random.default_rng(0))
    np.testing.assert_array_equal(hr, plate.hr)
    np.testing.assert_array_equal(boxes, plate.boxes)


def test_boxes_follow_the_warp() -> None:
    """After a warp a box still holds its character: the darkest pixels lie in it."""
    plate = toy_plate(2, size=(48, 96))
    hr, boxes = augment(plate.hr, plate.boxes, NOTHING.model_copy(update={"warp": 0.06}), np.random.default_rng(3))
    assert not np.array_equal(boxes, plate.boxes)
    grey = hr.mean(axis=2)
    for left, top, right, bottom in boxes:
        centre = grey[int(top + bottom) // 2, int(left + right) // 2]
        assert centre < 60
    outside = np.ones_like(grey, dtype=bool)
    for left, top, right, bottom in boxes:
        outside[max(0, int(top) - 2) : int(bottom) + 3, max(0, int(left) - 2) : int(right) + 3] = False
    assert grey[outside].min() > 100


def test_flip_is_its_own_inverse() -> None:
    plate = toy_plate(0)
    hr, boxes = flip(*flip(plate.hr, plate.boxes))
    np.testing.assert_array_equal(hr, plate.hr)
    np.testing.assert_allclose(boxes, plate.boxes)


def test_a_set_that_was_not_degraded_has_scale_1(tmp_path: Path) -> None:
    pairs = PairSet.load(write_pairs(tmp_path / "hr", scale=None), Side.TRAIN)
    assert pairs.scale == 1
    batch = EvaluationBatches(pairs, 4, 16)[0]
    torch.testing.assert_close(batch.lr, batch.hr)


def test_an_empty_side_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no validation plates"):
        PairSet.load(write_pairs(tmp_path / "x4", counts=(4, 0, 2)), Side.VALIDATION)
