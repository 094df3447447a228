"""The average of the weights over the steps, which is what is validated and saved."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel


def averaged(net: nn.Module, decay: float) -> AveragedModel:
    """A copy of a network that follows its weights and buffers, in evaluation mode.

    Args:
        net: The network that learns.
        decay: What an average keeps of itself in a step, once it has seen enough of them.
    """
    average = AveragedModel(net, multi_avg_fn=_warm_average(decay), use_buffers=True)
    average.requires_grad_(False).eval()
    average.n_averaged = average.n_averaged.cpu()  # torch asks it in every step whether it is 0
    return average


def _warm_average(decay: float) -> Callable[[Any, Any, Any], None]:
    """Exponential average whose memory grows with the steps taken, so that a short run does not average its start."""

    @torch.no_grad()
    def update(averages: list[Tensor], current: list[Tensor], n_averaged: Tensor) -> None:
        weight = _weight(n_averaged, decay)
        for average, value in zip(averages, current, strict=True):
            if average.is_floating_point():
                average.lerp_(value.to(average.dtype), weight)
            else:
                average.copy_(value)

    return update


def _weight(n_averaged: Tensor, decay: float) -> float | Tensor:
    """Of the current weights; on a GPU a tensor, as the host would have to wait for a number."""
    if n_averaged.is_cuda:
        return 1 - ((1 + n_averaged) / (10 + n_averaged)).clamp(max=decay)
    step = float(n_averaged)
    return 1 - min(decay, (1 + step) / (10 + step))
