"""The average of the weights over the steps, which is what is validated and saved."""

from copy import deepcopy

import torch
from torch import Tensor, nn


class Average(nn.Module):
    """A copy of a network that follows its weights and buffers, in evaluation mode.

    Torch's ``AveragedModel`` moves its counter to the device in every step, for which the host waits on a GPU.

    Args:
        net: The network that learns.
        decay: What the average keeps of itself in a step, once it has seen enough of them.

    Attributes:
        module: The copy.
    """

    n_averaged: Tensor

    def __init__(self, net: nn.Module, decay: float) -> None:
        super().__init__()
        self.module = deepcopy(net).requires_grad_(False).eval()
        self.register_buffer("n_averaged", torch.tensor(0))  # on the host, wherever the weights are
        self._decay = decay

    @torch.no_grad()
    def follow(self, net: nn.Module) -> None:
        """Take up the network's weights after a step; the first are taken as they are."""
        n = int(self.n_averaged)
        # A memory that grows with the steps taken: a short run must not average its start.
        weight = 1 - min(self._decay, (1 + n) / (10 + n)) if n else 1.0
        averages = [*self.module.parameters(), *self.module.buffers()]
        for average, value in zip(averages, [*net.parameters(), *net.buffers()], strict=True):
            if weight < 1 and average.is_floating_point():
                average.lerp_(value.to(average.dtype), weight)
            else:
                average.copy_(value)
        self.n_averaged += 1
