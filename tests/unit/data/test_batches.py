from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from acl_core.data.augment import augment, flip
from acl_core.data.batches import (
    Batch,
    EvaluationBatches,
    PairSet,
    TrainingBatches,
    collate,
    plan_epoch,
)
from acl_core.data.degrade import degrade
from acl_core.data.manifest import DatasetCard, Side
from acl_core.data.padding import plan_evaluation
from acl_core.data.stored import StoredPlates
from acl_core.errors import DataError
from acl_core.params import Augment
from acl_core.params_plates import Direction
from tests.plates import CLASSES, params, toy_plate, write_pairs, write_real_pairs

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


def test_the_card_s_recipe_is_drawn_anew_in_each_epoch(tmp_path: Path) -> None:
    """LR of the same HR differs between epochs, and not between two makings of one epoch."""
    pairs = PairSet.load(write_pairs(tmp_path / "x4", counts=(1, 1, 1)), Side.TRAIN)
    camera = replace(pairs, card=replace(pairs.card, recipe=params().degrade.recipes["camera"]))

    def lr(of: PairSet, epoch: int) -> np.ndarray:
        plate = TrainingBatches(of, 1, 4, NOTHING, flips=False, seed=1, epoch=epoch)[0].plates[0]
        assert plate.lr is not None
        return plate.lr

    np.testing.assert_array_equal(lr(camera, 0), lr(camera, 0))
    assert not np.array_equal(lr(camera, 0), lr(camera, 1))
    np.testing.assert_array_equal(lr(pairs, 0), lr(pairs, 1))  # the paper's has nothing to draw


def test_real_lr_is_changed_itself_and_hr_stays(tmp_path: Path) -> None:
    pairs = PairSet.load(write_real_pairs(tmp_path / "x4"), Side.TRAIN)
    assert not pairs.card.aligned
    changed = TrainingBatches(pairs, 1, 4, params().augment, flips=False, seed=1, epoch=0)
    untouched = {plate.name: plate for plate in pairs.plates}
    for i in range(len(changed)):
        plate = changed[i].plates[0]
        before = untouched[plate.name]
        assert plate.lr is not None
        assert before.lr is not None
        assert plate.lr.shape == before.lr.shape
        assert not np.array_equal(plate.lr, before.lr)
        np.testing.assert_array_equal(plate.hr, before.hr)
        assert len(plate.boxes) == len(before.boxes)
        np.testing.assert_allclose(plate.boxes, before.boxes, atol=0.15 * 48)
        assert not np.array_equal(plate.boxes, before.boxes)


def test_pixels_are_compared_on_simulated_lr_alone(tmp_path: Path) -> None:
    real = PairSet.load(write_real_pairs(tmp_path / "x4"), Side.TRAIN)
    simulated = real.simulated(seed=1)
    assert simulated.card.aligned
    for plate, before in zip(simulated.plates, real.plates, strict=True):
        np.testing.assert_array_equal(plate.hr, before.hr)
        np.testing.assert_array_equal(plate.lr, degrade(before, 4).lr)
        assert not np.array_equal(plate.lr, before.lr)
    assert simulated.simulated(seed=1) is simulated


def test_what_stays_on_the_disk_is_simulated_at_each_access(tmp_path: Path) -> None:
    folder = write_real_pairs(tmp_path / "x4")
    held = PairSet.load(folder, Side.TRAIN).simulated(seed=1)
    stored = PairSet.load(folder, Side.TRAIN, memory_mib=0).simulated(seed=1)
    assert isinstance(stored.plates, StoredPlates)
    for plate, same, fact in zip(stored.plates, held.plates, stored.facts, strict=True):
        assert plate.lr is not None
        np.testing.assert_array_equal(plate.lr, same.lr)
        assert fact.lr_size == plate.lr.shape[:2]


def test_hr_of_real_pairs_is_read_as_hr_before_they_are_fitted(tmp_path: Path) -> None:
    pairs = PairSet.load(write_real_pairs(tmp_path / "hr", scale=None), Side.TRAIN)
    assert (pairs.scale, pairs.card.aligned) == (1, True)
    for plate in pairs.plates:
        np.testing.assert_array_equal(plate.lr, plate.hr)


def test_patches_lie_inside_their_plates(tmp_path: Path) -> None:
    """HR is LR enlarged to blocks, so that a pair that was cut at two places would not agree."""
    plates = []
    for i in range(8):
        plate = toy_plate(i, size=(24, 48))
        lr = np.random.default_rng(i).integers(0, 256, (6, 12, 3), dtype=np.uint8)
        plates.append(replace(plate, lr=lr, hr=lr.repeat(4, axis=0).repeat(4, axis=1)))
    pairs = PairSet(plates, DatasetCard("toy", Direction.LTR, CLASSES, 4), 4)

    def epoch(number: int, patch_px: int) -> list[Batch]:
        made = TrainingBatches(pairs, 3, 4, None, flips=False, seed=1, epoch=number, patch_px=patch_px)
        return [made[i] for i in range(len(made))]

    for patch_px, size in ((5, (5, 5)), (9, (6, 9)), (99, (6, 12))):
        for batch in epoch(0, patch_px):
            assert set(batch.lr_sizes) == {size}
            height, width = size
            lr = batch.lr[:, :, :height, :width]
            hr = batch.hr[:, :, : 4 * height, : 4 * width]
            assert torch.equal(hr, lr.repeat_interleave(4, 2).repeat_interleave(4, 3))
            assert len(batch.characters.classes) == 0
    assert torch.equal(epoch(0, 5)[0].lr, epoch(0, 5)[0].lr)
    assert not torch.equal(epoch(0, 5)[0].lr, epoch(1, 5)[0].lr)
    assert [batch.is_first for batch in epoch(0, 0)] == [True, False, False]
