"""What every way of enlarging plates shares: an LR batch goes in, an SR batch comes out."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional

from acl_core.params_sr import Skip
from acl_core.resize import Size, resize_plates


class Enlarger(nn.Module, ABC):
    """LR batch to SR batch.

    Attributes:
        scale: SR size over LR size.
    """

    scale: int

    @abstractmethod
    def forward(self, lr: Tensor, sizes: Sequence[Size]) -> Tensor:
        """Enlarge a padded batch.

        Args:
            lr: (N, 3, h, w) RGB in [0, 1], padded at the right and at the bottom.
            sizes: True (height, width) of each plate.

        Returns:
            (N, 3, scale * h, scale * w) RGB, neither clamped nor rounded.
        """

    def level_scales(self) -> tuple[int, ...]:
        """Sizes over LR's of LR itself and of the pictures that :meth:`levels` makes above it."""
        return 1, self.scale

    def levels(self, lr: Tensor, sizes: Sequence[Size]) -> dict[int, Tensor]:
        """The pictures that the network makes on its way, by their size over LR's, SR the last of them."""
        return {self.scale: self(lr, sizes)}

    def sizes(self, lr_sizes: Sequence[Size]) -> list[Size]:
        """True (height, width) of each enlarged plate."""
        return [(height * self.scale, width * self.scale) for height, width in lr_sizes]


class Bicubic(Enlarger):
    """Enlargement without a network: the paper's lower bound and the control."""

    def __init__(self, scale: int) -> None:
        super().__init__()
        self.scale = scale

    def forward(self, lr: Tensor, sizes: Sequence[Size]) -> Tensor:
        height, width = lr.shape[2] * self.scale, lr.shape[3] * self.scale
        enlarged = resize_plates(lr, sizes, self.sizes(sizes))
        return nn.functional.pad(enlarged, (0, width - enlarged.shape[3], 0, height - enlarged.shape[2]))


class Identity(Enlarger):
    """No enlargement at all: the recognizer's own resize sees LR (Paper, Tables 1-4: LR recognition)."""

    scale = 1

    def forward(self, lr: Tensor, sizes: Sequence[Size]) -> Tensor:  # noqa: ARG002
        return lr


def with_skip(sr: Tensor, lr: Tensor, scale: int, skip: Skip) -> Tensor:
    """The output of a network and what is added to it, float32.

    Args:
        sr: (N, 3, scale * h, scale * w).
        lr: (N, 3, h, w) in [0, 1].
        scale: Size of one over size of the other.
        skip: What is added.
    """
    return sr.float() + bicubic(lr, scale) if skip is Skip.BICUBIC else sr.float()


def bicubic(lr: Tensor, scale: int) -> Tensor:
    """(N, 3, scale * h, scale * w) float32 of a whole batch with its padding; the kernel of :mod:`acl_core.resize`."""
    if scale == 1:
        return lr.float()
    return functional.interpolate(lr.float(), scale_factor=scale, mode="bicubic", antialias=True)
