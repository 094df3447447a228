"""What SR alone is trained for: the pixel loss, and what other methods put beside it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from acl_core.data.batches import Batch
from acl_core.device import Compute
from acl_core.losses import pixel_loss
from acl_core.models.drn import FACTORS, strided
from acl_core.models.enlarger import Enlarger
from acl_core.models.mzsr import Mzsr
from acl_core.params import Objective, PretrainSr
from acl_core.resize import Size, resize_plates
from acl_core.seeding import torch_seed
from acl_core.train.steps import Losses, Step, sr_step

_SLOPE = 0.2  # of DRN's leaky ReLU
_DUAL = 2  # key of the dual models' weights


@dataclass(frozen=True)
class Learner:
    """What the loop trains, and where in it the enlarger is.

    Attributes:
        net: Its weights change.
        step: Losses of a batch.
        enlarger_of: The enlarger in such a network, or in an average of it.
    """

    net: nn.Module
    step: Step
    enlarger_of: Callable[[nn.Module], Enlarger]


def learner(sr: Enlarger, params: PretrainSr, compute: Compute, seed: int) -> Learner:
    """The training of an enlarger alone that the parameters ask for.

    Args:
        sr: On its device.
        params: The objective and its weights.
        compute: Device and arithmetic.
        seed: Of the dual models' first weights.
    """
    alone: Callable[[nn.Module], Enlarger] = lambda net: cast(Enlarger, net)  # noqa: E731
    match params.objective:
        case Objective.PIXEL if isinstance(sr, Mzsr):
            return Learner(sr, meta_step(sr), alone)
        case Objective.PIXEL:
            return Learner(sr, sr_step(sr, compute), alone)
        case Objective.FLIP:
            return Learner(sr, flip_step(sr, params.flip_weight, compute), alone)
        case Objective.DUAL:
            with torch_seed(seed, _DUAL):
                both = DualRegression(sr)
            compute.place(both)
            step = dual_step(both, params.dual_weight, compute)
            return Learner(both, step, lambda net: cast(DualRegression, net).sr)


def flip_step(sr: Enlarger, weight: float, compute: Compute) -> Step:
    """Loss_SR + weight * |mirrored SR(x) - SR(mirrored x)|: super-resolved recognition (Lee, Yun and Yoo, 2021).

    The second term is a mean over true pixels and channels, like the first.
    """

    def step(batch: Batch) -> Losses:
        pair = torch.cat([batch.lr, mirrored(batch.lr, batch.lr_sizes)])
        with compute.autocast():
            enlarged = sr(pair, batch.lr_sizes * 2)
        straight, turned = enlarged.float().chunk(2)
        loss_sr = pixel_loss(straight, batch.hr, batch.hr_sizes, batch.whole_px)
        loss_flip = pixel_loss(turned, mirrored(straight, batch.hr_sizes), batch.hr_sizes, batch.whole_px)
        named = {"loss_sr": loss_sr.detach(), "loss_flip": loss_flip.detach()}
        return Losses(loss_sr + weight * loss_flip, named)

    return step


def mirrored(pictures: Tensor, sizes: Sequence[Size]) -> Tensor:
    """(N, 3, H, W): the true part of each plate from right to left; its padding repeats its last column, as ever."""
    width = torch.tensor([w for _, w in sizes]).to(pictures.device, non_blocking=True)
    column = torch.arange(pictures.shape[3], device=pictures.device)
    source = (width[:, None] - 1 - column).clamp(min=0)[:, None, None, :]
    return pictures.gather(3, source.expand(-1, *pictures.shape[1:3], -1))


class DualRegression(nn.Module):
    """An enlarger and the models that lead each of its pictures one level down; these leave with the training."""

    def __init__(self, sr: Enlarger) -> None:
        super().__init__()
        self.sr = sr
        self.duals = nn.ModuleList(_dual_model(factors) for factors in _levels_of(sr))


def dual_step(net: DualRegression, weight: float, compute: Compute) -> Step:
    """Primal + weight * dual regression loss (Guo et al. 2020), both L1 over true pixels.

    Primal: the picture of each level against HR of that size. Dual: the picture of each level but the first, led one
    level down, against HR of that size (LR at the end). A network without levels has SR alone, and LR below it.
    """
    scales = net.sr.level_scales()

    def step(batch: Batch) -> Losses:
        with compute.autocast():
            pictures = {level: picture.float() for level, picture in net.sr.levels(batch.lr, batch.lr_sizes).items()}
            led = [dual(pictures[level]).float() for dual, level in zip(net.duals, scales[1:], strict=True)]
        truth = {level: _hr_at(level, net.sr.scale, batch) for level in scales}
        primal = [_level_loss(pictures[level], truth[level], level, net.sr.scale, batch) for level in pictures]
        below = zip(led, scales[:-1], strict=True)
        dual = _sum([_level_loss(picture, truth[level], level, net.sr.scale, batch) for picture, level in below])
        named = {"loss_sr": primal[-1], "loss_primal": _sum(primal), "loss_dual": dual}
        detached = {name: value.detach() for name, value in named.items()}
        return Losses(named["loss_primal"] + weight * dual, detached)

    return step


def _sum(losses: Sequence[Tensor]) -> Tensor:
    return torch.stack(list(losses)).sum()


def meta_step(sr: Mzsr) -> Step:
    """MAML's outer loop: the pixel loss on HR before the first inner step and after each of them.

    The published code shifts the weights of these terms towards the last step over 10,000 updates, behind a training
    without inner steps. Ours: their mean from the start, in one training.
    """

    def step(batch: Batch) -> Losses:
        losses = torch.stack(
            [
                pixel_loss(enlarged, batch.hr, batch.hr_sizes, batch.whole_px)
                for enlarged in sr.after_each_step(batch.lr, batch.lr_sizes)
            ]
        )
        return Losses(losses.mean(), {"loss_sr": losses[-1].detach(), "loss_unadapted": losses[0].detach()})

    return step


def _levels_of(sr: Enlarger) -> list[tuple[int, ...]]:
    """The factors from each level with a picture down to the one below it."""
    return [FACTORS[above // below] for below, above in pairwise(sr.level_scales())]


def _dual_model(factors: Sequence[int], features: int = 16) -> nn.Sequential:
    layers: list[nn.Module] = []
    for n_in, factor in zip([3] + [features] * (len(factors) - 1), reversed(factors), strict=True):
        layers += [strided(n_in, features, factor), nn.LeakyReLU(_SLOPE, inplace=True)]
    return nn.Sequential(*layers, nn.Conv2d(features, 3, 3, padding=1, bias=False))


def _hr_at(level: int, scale: int, batch: Batch) -> Tensor:
    """(N, 3, level * h, level * w): LR itself, HR itself, or HR reduced by the bicubic kernel in between."""
    if level == 1:
        return batch.lr
    if level == scale:
        return batch.hr
    reduced = resize_plates(batch.hr, batch.hr_sizes, _sizes_at(level, batch))
    height, width = batch.lr.shape[2] * level, batch.lr.shape[3] * level
    return functional.pad(reduced, (0, width - reduced.shape[3], 0, height - reduced.shape[2]))


def _sizes_at(level: int, batch: Batch) -> list[Size]:
    return [(height * level, width * level) for height, width in batch.lr_sizes]


def _level_loss(picture: Tensor, truth: Tensor, level: int, scale: int, batch: Batch) -> Tensor:
    whole = None if batch.whole_px is None else batch.whole_px * level**2 // scale**2
    return pixel_loss(picture, truth, _sizes_at(level, batch), whole)
