"""What an epoch notes of its updates."""

import weakref

import pytest
import torch

from acl_core.train.epoch import EpochSoFar


def test_means_are_over_the_updates_that_have_the_loss() -> None:
    so_far = EpochSoFar()
    so_far.add({"loss": torch.tensor(1.0)}, 1, 8, 0.5)
    so_far.add({"loss": torch.tensor(2.0), "rare": torch.tensor(5.0)}, 2, 16, 0.5)
    assert so_far.means() == {"loss": 1.5, "rare": 5.0}
    assert (so_far.n_batches, so_far.n_plates, so_far.train_s) == (3, 24, 1.0)


def test_nothing_of_an_update_is_held() -> None:
    # A number of each update that is held to the end splits the heap: 1.6 MiB a step of Phase 1.
    so_far, seen = EpochSoFar(), []
    for value in range(3):
        loss = torch.tensor(float(value))
        seen.append(weakref.ref(loss))
        so_far.add({"loss": loss}, 1, 8, 0.1)
        del loss
    assert [ref() for ref in seen] == [None] * 3


def test_an_epoch_goes_on_from_its_snapshot() -> None:
    whole, first = EpochSoFar(), EpochSoFar()
    for so_far in (whole, first):
        so_far.add({"loss": torch.tensor(0.1)}, 1, 8, 0.5)
    snapshot = first.snapshot()
    first.add({"loss": torch.tensor(9.0)}, 1, 8, 0.5)  # after the snapshot, which must not change with it
    rest = EpochSoFar.restored(snapshot, torch.device("cpu"))
    for so_far in (whole, rest):
        so_far.add({"loss": torch.tensor(0.7)}, 1, 8, 0.5)
    assert rest.means() == whole.means() == {"loss": pytest.approx(0.4)}
