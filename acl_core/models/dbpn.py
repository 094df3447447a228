"""Deep back-projection network, the super-resolution half of the method.

Paper: Sec. III-A, Fig. 2 and Algorithm 1 of Lee, Yun and Yoo (2022); the blocks are those of Haris, Shakhnarovich and
Ukita (CVPR 2018), dense variant: up-blocks and down-blocks in turn, each fed by all earlier outputs of the other kind.
"""

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn

from acl_core.errors import ParamsError
from acl_core.models.conv_prelu import ConvPrelu, runs_on_cpu
from acl_core.models.enlarger import Enlarger, with_skip
from acl_core.models.growing import Growing, convolve_to_few
from acl_core.params import SUPPORTED_SCALES
from acl_core.params_sr import Skip
from acl_core.resize import Size


class _ConvBlock(ConvPrelu):
    """Convolution and PReLU with one slope for all channels."""

    def __init__(self, n_in: int, n_out: int, kernel: int, stride: int = 1, padding: int = 0) -> None:
        super().__init__(nn.Conv2d(n_in, n_out, kernel, stride, padding))


class _DeconvBlock(ConvPrelu):
    """Transposed convolution and PReLU with one slope for all channels."""

    def __init__(self, n_in: int, n_out: int, kernel: int, stride: int, padding: int) -> None:
        super().__init__(nn.ConvTranspose2d(n_in, n_out, kernel, stride, padding))


class _Projection(nn.Module):
    """One back-projection block: there, back again, and the error of the way back projected there once more.

    Args:
        channels: In and out.
        scale: Size there over size here (up-block) or the reverse (down-block).
        up: Whether "there" is the HR side.
        n_inputs: Earlier outputs that are concatenated at the entrance; a 1x1 convolution squeezes several.
    """

    def __init__(self, channels: int, scale: int, *, up: bool, n_inputs: int) -> None:
        super().__init__()
        # Paper: gives no kernels. Ours: k = s + 4, p = 2, the public code's 8/4/2 at x4, 6/2/2 at x2 and 12/8/2 at x8.
        geometry = (scale + 4, scale, 2)
        there, back = (_DeconvBlock, _ConvBlock) if up else (_ConvBlock, _DeconvBlock)
        self.squeeze = _ConvBlock(channels * n_inputs, channels, 1) if n_inputs > 1 else nn.Identity()
        self.there = there(channels, channels, *geometry)
        self.back = back(channels, channels, *geometry)
        self.error = there(channels, channels, *geometry)

    def forward(self, inputs: list[Tensor]) -> Tensor:
        x = self.squeeze(inputs[0] if len(inputs) == 1 else torch.cat(inputs, dim=1))
        return torch.add(*self._terms(x))

    def add_to(self, inputs: Growing, outputs: Growing) -> None:
        """The same without gradients: reads all earlier outputs of the other kind, writes behind those of its own."""
        x = inputs.only() if isinstance(self.squeeze, nn.Identity) else inputs.squeezed(self.squeeze)
        outputs.append_sum(*self._terms(x))

    def _terms(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """What is projected there, and the error of the way back projected there."""
        projected: Tensor = self.there(x)
        return projected, self.error(self.back(projected) - x)


class Dbpn(Enlarger):
    """The paper's super-resolution network: 10,426,358 parameters at x4 with the defaults.

    Args:
        scale: 2, 3, 4, 6 or 8.
        blocks: Up-blocks; there is one down-block fewer. Paper: 448 concatenated channels / 64 = 7.
        channels: Channels of every block. Paper: 64.
        features: Channels of the first convolution. Paper: not stated; 256 in the public code.
        skip: What is added to the output. Paper: nothing.

    Raises:
        ParamsError: The scale has no geometry.
    """

    def __init__(
        self, scale: int, blocks: int = 7, channels: int = 64, features: int = 256, skip: Skip = Skip.NONE
    ) -> None:
        super().__init__()
        if scale not in SUPPORTED_SCALES:
            raise ParamsError(f"x{scale}: DBPN is defined for {', '.join(f'x{s}' for s in SUPPORTED_SCALES)}")
        self.scale = scale
        self.skip = skip
        self.extract = nn.Sequential(_ConvBlock(3, features, 3, padding=1), _ConvBlock(features, channels, 1))
        # The public code leaves the second up-block undense too: it sees one down-block only.
        self.up = nn.ModuleList(_Projection(channels, scale, up=True, n_inputs=max(1, i)) for i in range(blocks))
        self.down = nn.ModuleList(_Projection(channels, scale, up=False, n_inputs=i + 1) for i in range(blocks - 1))
        self.reconstruct = nn.Conv2d(channels * blocks, 3, 3, padding=1)

    def forward(self, lr: Tensor, sizes: Sequence[Size] = ()) -> Tensor:  # noqa: ARG002
        """Enlarge a batch; true sizes are not needed, the padding is masked in the losses and left out at the join."""
        in_place = runs_on_cpu(lr) and not torch.is_grad_enabled()
        sr = self._without_copies(lr) if in_place else self.with_gradients(lr).float()
        return with_skip(sr, lr, self.scale, self.skip)

    def with_gradients(self, lr: Tensor) -> Tensor:
        """The network as Algorithm 1 has it, without what is added to its output."""
        high = [self.up[0]([self.extract(lr)])]
        low: list[Tensor] = []
        for down, up in zip(self.down, self.up[1:], strict=True):
            low.append(down(high))
            high.append(up(low))
        sr: Tensor = self.reconstruct(torch.cat(high, dim=1))
        return sr

    def _without_copies(self, lr: Tensor) -> Tensor:
        """The same on a CPU, where concatenations took an eighth of the time: each block writes to its final place."""
        n, _, height, width = lr.shape
        features = self.extract(lr)
        channels = features.shape[1]
        high_size = (n, height * self.scale, width * self.scale, channels * len(self.up))
        high = Growing(features.new_empty(high_size), channels)
        low = Growing(features.new_empty(n, height, width, channels * len(self.down)), channels)
        first = cast(_Projection, self.up[0])
        first.add_to(Growing.of(features), high)
        for down, up in zip(self.down, self.up[1:], strict=True):
            cast(_Projection, down).add_to(high, low)
            cast(_Projection, up).add_to(low, high)
        return convolve_to_few(high.everything, self.reconstruct)
