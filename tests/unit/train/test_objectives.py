"""What SR alone is trained for."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from acl_core.data.batches import Batch, EvaluationBatches, PairSet
from acl_core.data.manifest import Side
from acl_core.losses import pixel_loss
from acl_core.models.enlarger import Bicubic, Enlarger
from acl_core.params import Objective
from acl_core.train.objectives import DualRegression, dual_step, flip_step, learner, mirrored
from acl_core.train.update import micro_batches
from tests.plates import params, write_pairs
from tests.unit.models.test_enlargers import NETWORKS, network
from tests.unit.train.test_steps import COMPUTE


@pytest.fixture
def batch(tmp_path: Path) -> Batch:
    """Plates of four sizes, so that all but the largest are padded."""
    pairs = PairSet.load(write_pairs(tmp_path / "x4"), Side.TRAIN)
    batches = EvaluationBatches(pairs, 6, 8)
    return batches[0]


@pytest.mark.parametrize(
    ("architecture", "objective"),
    [(name, Objective.PIXEL) for name in NETWORKS]
    + [("dbpn", Objective.FLIP), ("drn", Objective.DUAL), ("swinir", Objective.DUAL), ("mzsr", Objective.FLIP)],
)
def test_a_few_steps_make_every_loss_smaller(architecture: str, objective: Objective, batch: Batch) -> None:
    batch = batch.part(0, 2)
    settings = params().pretrain_sr.model_copy(update={"objective": objective})
    chosen = learner(network(architecture), settings, COMPUTE, seed=1)
    optimizer = torch.optim.AdamW(chosen.net.parameters(), lr=2e-3)
    losses = []
    for _ in range(5):
        optimizer.zero_grad()
        step = chosen.step(batch)
        step.total.backward()
        optimizer.step()
        losses.append(float(step.total.detach()))
    assert min(losses[-2:]) < losses[0]


def test_a_mirrored_plate_keeps_its_place_in_the_padding() -> None:
    picture = torch.arange(12.0).view(1, 1, 2, 6).expand(2, 3, 2, 6)
    turned = mirrored(picture, [(2, 6), (2, 4)])
    assert turned[0, 0, 0].tolist() == [5, 4, 3, 2, 1, 0]
    assert turned[1, 0, 0].tolist() == [3, 2, 1, 0, 0, 0]  # the last column is repeated, as in every batch
    twice = mirrored(turned, [(2, 6), (2, 4)])
    assert twice[1, 0, 1, :4].tolist() == picture[1, 0, 1, :4].tolist()


def test_the_flip_term_is_zero_where_mirroring_commutes(batch: Batch) -> None:
    losses = flip_step(Bicubic(4), 1.0, COMPUTE)(batch)
    assert losses.named["loss_flip"] < 1e-6
    expected = pixel_loss(Bicubic(4)(batch.lr, batch.lr_sizes), batch.hr, batch.hr_sizes)
    torch.testing.assert_close(losses.total, expected)
    assert flip_step(network("dbpn"), 1.0, COMPUTE)(batch).named["loss_flip"] > 1e-4


class Perfect(Enlarger):
    """Knows HR at every level."""

    def __init__(self, batch: Batch) -> None:
        super().__init__()
        self.scale, self.batch = 4, batch
        self.unused = torch.nn.Parameter(torch.zeros(()))

    def level_scales(self) -> tuple[int, ...]:
        return 1, 2, 4

    def forward(self, lr: torch.Tensor, sizes: object) -> torch.Tensor:
        return self.levels(lr, sizes)[4]

    def levels(self, lr: torch.Tensor, sizes: object) -> dict[int, torch.Tensor]:
        from acl_core.train.objectives import _hr_at

        return {level: _hr_at(level, 4, self.batch) for level in (1, 2, 4)}


def test_the_primal_term_is_zero_for_pictures_that_are_right_at_every_level(batch: Batch) -> None:
    losses = dual_step(DualRegression(Perfect(batch)), 0.1, COMPUTE)(batch)
    assert losses.named["loss_primal"] == 0
    torch.testing.assert_close(losses.total.detach(), 0.1 * losses.named["loss_dual"])


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_dual_models_lead_each_level_down_to_the_one_below(scale: int) -> None:
    both = DualRegression(network("drn", scale))
    assert len(both.duals) == (2 if scale == 4 else 1)
    factor = scale if len(both.duals) == 1 else 2
    assert both.duals[0](torch.rand(1, 3, 6 * factor, 10 * factor)).shape == (1, 3, 6, 10)
    assert DualRegression(network("dbpn", scale)).duals[0](torch.rand(1, 3, 6 * scale, 10 * scale)).shape == (
        1,
        3,
        6,
        10,
    )


def test_the_dual_term_reaches_sr_and_the_dual_models(batch: Batch) -> None:
    both = DualRegression(network("drn"))
    with_dual, without = (dual_step(both, weight, COMPUTE)(batch) for weight in (1.0, 0.0))
    (with_dual.total - without.total).backward()
    assert all(weight.grad is not None for weight in both.duals.parameters())
    assert both.sr.get_parameter("tails.2.weight").grad.abs().sum() > 0


@pytest.mark.parametrize("objective", Objective)
def test_the_losses_of_parts_sum_to_that_of_the_whole(objective: Objective, batch: Batch) -> None:
    settings = params().pretrain_sr.model_copy(update={"objective": objective})
    step = learner(network("drn"), settings, COMPUTE, seed=1).step
    parts = [step(part).total for part in micro_batches([batch], 3)]
    torch.testing.assert_close(torch.stack(parts).sum(), step(replace(batch)).total)
