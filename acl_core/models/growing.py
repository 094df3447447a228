"""Feature maps that grow by a block at a time without ever being concatenated; for forward passes on a CPU.

A matrix product takes a slice of a buffer's channels as it lies in memory, where a convolution would copy it first.
"""

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional


class Growing:
    """A buffer with room for all blocks, filled from the first channel on.

    Args:
        buffer: (N, H, W, C * blocks).
        channels: C, of a block.
    """

    def __init__(self, buffer: Tensor, channels: int) -> None:
        self._buffer, self._channels, self._filled = buffer, channels, 0

    @classmethod
    def of(cls, block: Tensor) -> "Growing":
        """A full buffer of one block, (N, C, H, W)."""
        grown = cls(block.permute(0, 2, 3, 1), block.shape[1])
        grown._filled = block.shape[1]
        return grown

    def append_sum(self, a: Tensor, b: Tensor) -> None:
        """Write a + b, each (N, C, H, W), behind what is there."""
        place = self._buffer[..., self._filled : self._filled + self._channels]
        torch.add(a, b, out=place.permute(0, 3, 1, 2))
        self._filled += self._channels

    def only(self) -> Tensor:
        """(N, C, H, W) channels_last: the first block."""
        return self._buffer[..., : self._channels].permute(0, 3, 1, 2).contiguous(memory_format=torch.channels_last)

    def squeezed(self, block: nn.Module) -> Tensor:
        """(N, C, H, W): a 1x1 convolution with PReLU over all that is there."""
        conv, prelu = cast(tuple[nn.Conv2d, nn.PReLU], tuple(block.children()))
        rows = self._buffer.flatten(0, 2)[:, : self._filled]
        weight = conv.weight[:, :, 0, 0]
        squeezed = functional.linear(rows, weight, conv.bias).view(*self._buffer.shape[:3], -1)
        return functional.leaky_relu_(squeezed, float(prelu.weight)).permute(0, 3, 1, 2)

    @property
    def everything(self) -> Tensor:
        """(N, H, W, C * blocks)."""
        return self._buffer


def convolve_to_few(maps: Tensor, conv: nn.Conv2d) -> Tensor:
    """A convolution of many channels to very few: all taps in one matrix product, then their sum where they meet.

    Convolution kernels compute at least 16 channels; three of them would throw most of the work away.

    Args:
        maps: (N, H, W, C) in memory order.
        conv: Of stride 1, with padding that keeps the size and a bias.

    Returns:
        (N, channels of the convolution, H, W), channels_last.
    """
    n, height, width, channels = maps.shape
    taps = conv.weight.flip(2, 3).permute(0, 2, 3, 1).reshape(-1, channels)  # (few * k * k, C)
    columns = (taps @ maps.reshape(-1, channels).t()).view(-1, n, height * width).transpose(0, 1)
    size, padding = (height, width), cast(tuple[int, int], conv.padding)
    summed = functional.fold(columns, size, cast(tuple[int, int], conv.kernel_size), padding=padding)
    return (summed + cast(Tensor, conv.bias).view(1, -1, 1, 1)).contiguous(memory_format=torch.channels_last)
