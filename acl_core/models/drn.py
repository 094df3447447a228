"""Dual regression network (Guo et al., CVPR 2020), x3 and x6 included.

A U-shaped network on the bicubic picture: down to LR level by level, and up again, with a picture at each level. The
dual model leads a picture one level down; it belongs to training alone (:mod:`acl_core.train.objectives`).
"""

from collections.abc import Sequence
from itertools import accumulate
from operator import mul

import torch
from torch import Tensor, nn

from acl_core.errors import ParamsError
from acl_core.losses import true_pixels
from acl_core.models.enlarger import Enlarger, bicubic, with_skip
from acl_core.params_sr import Skip
from acl_core.resize import Size

# From one level up to the next. The public code has doublings alone; trebling is ours.
FACTORS = {2: (2,), 3: (3,), 4: (2, 2), 6: (2, 3), 8: (2, 2, 2)}
_SLOPE = 0.2
_SQUEEZED = 16  # channels a channel of the attention's bottleneck
_GREY = 0.5  # is subtracted and added again; the public code has the mean of its photographs


def strided(n_in: int, n_out: int, factor: int) -> nn.Conv2d:
    """A convolution that reduces by a factor: 3/2/1 at 2 as in the public code, and 5/3/1 at 3."""
    return nn.Conv2d(n_in, n_out, 2 * factor - 1, factor, 1, bias=False)


class _ChannelAttention(nn.Module):
    """Weighs channels by their means over the true pixels of each plate; padding has no say."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        few = max(1, channels // _SQUEEZED)
        self.weigh = nn.Sequential(
            nn.Conv2d(channels, few, 1), nn.ReLU(inplace=True), nn.Conv2d(few, channels, 1), nn.Sigmoid()
        )

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        mean = (x * mask).sum((2, 3), keepdim=True) / mask.sum((2, 3), keepdim=True)
        weighed: Tensor = x * self.weigh(mean.to(x))
        return weighed


class _Block(nn.Module):
    """Residual block with channel attention."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(channels, channels, 3, padding=1),
        )
        self.attention = _ChannelAttention(channels)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        residual: Tensor = self.attention(self.body(x), mask)
        return x + residual


class _Up(nn.Module):
    """Blocks of a level, then the way to the next one."""

    def __init__(self, n_in: int, n_out: int, factor: int, blocks: int) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(_Block(n_in) for _ in range(blocks))
        self.enlarge = nn.Sequential(
            nn.Conv2d(n_in, factor**2 * n_in, 3, padding=1), nn.PixelShuffle(factor), nn.Conv2d(n_in, n_out, 1)
        )

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        for block in self.blocks:
            x = block(x, mask)
        enlarged: Tensor = self.enlarge(x)
        return enlarged


class Drn(Enlarger):
    """The primal network: 4.80 million parameters at x4 with 30 blocks and 16 features (DRN-S).

    Args:
        scale: 2, 3, 4, 6 or 8.
        blocks: Residual blocks a level.
        features: At HR; twice as many a level down.
        skip: What is added to the picture of each level.

    Raises:
        ParamsError: The scale has no levels.
    """

    def __init__(self, scale: int, blocks: int = 30, features: int = 16, skip: Skip = Skip.NONE) -> None:
        super().__init__()
        if scale not in FACTORS:
            raise ParamsError(f"x{scale}: DRN is defined for {', '.join(f'x{s}' for s in FACTORS)}")
        self.scale, self.skip = scale, skip
        factors = FACTORS[scale]
        self.steps = tuple(accumulate(factors, mul, initial=1))  # sizes of the levels over LR's
        depth = len(factors)
        width = [features * 2**d for d in range(depth + 1)]  # channels by depth below HR
        self.head = nn.Conv2d(3, features, 3, padding=1)
        self.down = nn.ModuleList(
            nn.Sequential(
                strided(width[d], width[d], factor),
                nn.LeakyReLU(_SLOPE, inplace=True),
                nn.Conv2d(width[d], width[d + 1], 3, padding=1, bias=False),
            )
            for d, factor in enumerate(reversed(factors))
        )
        joined = [width[depth], *(2 * width[d] for d in range(depth - 1, -1, -1))]  # channels by level from LR up
        self.up = nn.ModuleList(
            _Up(joined[i], width[depth - 1 - i], factor, blocks) for i, factor in enumerate(factors)
        )
        self.tails = nn.ModuleList(nn.Conv2d(channels, 3, 3, padding=1) for channels in joined)

    def forward(self, lr: Tensor, sizes: Sequence[Size]) -> Tensor:
        return self.levels(lr, sizes)[self.scale]

    def level_scales(self) -> tuple[int, ...]:
        return self.steps

    def levels(self, lr: Tensor, sizes: Sequence[Size]) -> dict[int, Tensor]:
        x = self.head(bicubic(lr, self.scale) - _GREY)
        passed: list[Tensor] = []
        for down in self.down:
            passed.append(x)
            x = down(x)
        pictures = {1: self._picture(0, x, lr)}
        for i, up in enumerate(self.up):
            height, width = x.shape[2:]
            own = [(h * self.steps[i], w * self.steps[i]) for h, w in sizes] or [(height, width)] * len(x)
            x = torch.cat([up(x, true_pixels(own, height, width, x.device)), passed[-1 - i]], dim=1)
            pictures[self.steps[i + 1]] = self._picture(i + 1, x, lr)
        return pictures

    def _picture(self, level: int, x: Tensor, lr: Tensor) -> Tensor:
        picture: Tensor = self.tails[level](x)
        if self.skip is Skip.NONE:
            picture = picture + _GREY
        return with_skip(picture, lr, self.steps[level], self.skip)
