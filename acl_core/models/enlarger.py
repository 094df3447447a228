"""What every way of enlarging plates shares: an LR batch goes in, an SR batch comes out."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

from torch import Tensor, nn

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


class Bicubic(Enlarger):
    """Enlargement without a network: the paper's lower bound and the control."""

    def __init__(self, scale: int) -> None:
        super().__init__()
        self.scale = scale

    def forward(self, lr: Tensor, sizes: Sequence[Size]) -> Tensor:
        height, width = lr.shape[2] * self.scale, lr.shape[3] * self.scale
        enlarged = resize_plates(lr, sizes, [(h * self.scale, w * self.scale) for h, w in sizes])
        return nn.functional.pad(enlarged, (0, width - enlarged.shape[3], 0, height - enlarged.shape[2]))
