"""Zero-shot super-resolution with meta-learnt weights (MZSR: Soh, Cho and Cho, CVPR 2020).

A small network takes a few steps of gradient descent on each LR plate before it enlarges it: a plate and its own
reduction are a pair to learn from. The weights are trained to be a good start for these steps (MAML, outer loop).
"""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional

from acl_core.models.enlarger import Enlarger
from acl_core.resize import Size, resize_plates

Weights = dict[str, Tensor]


class Mzsr(Enlarger):
    """The network and its inner loop: 225,091 parameters with the defaults at every scale.

    Args:
        scale: Of the enlargement.
        layers: Convolutions.
        channels: Of each but the last.
        steps: Of gradient descent on the LR plate itself.
        step_size: Of these.
    """

    def __init__(
        self, scale: int, layers: int = 8, channels: int = 64, steps: int = 5, step_size: float = 0.01
    ) -> None:
        super().__init__()
        self.scale, self.n_steps, self.step_size = scale, steps, step_size
        widths = [3] + [channels] * (layers - 1)
        body: list[nn.Module] = []
        for n_in in widths[:-1]:
            body += [nn.Conv2d(n_in, channels, 3, padding=1), nn.ReLU(inplace=True)]
        self.body = nn.Sequential(*body, nn.Conv2d(channels, 3, 3, padding=1))

    def forward(self, lr: Tensor, sizes: Sequence[Size]) -> Tensor:
        return self.after_each_step(lr, sizes)[-1]

    def after_each_step(self, lr: Tensor, sizes: Sequence[Size]) -> list[Tensor]:
        """SR by the weights as they are and after each step on the plate; shapes as of :meth:`forward`.

        Where gradients are wanted they go through the steps (second order, as in the paper).
        """
        padded = lr.shape[2] * self.scale, lr.shape[3] * self.scale
        with torch.autocast(lr.device.type, enabled=False):
            rows = [
                [_padded(sr, padded) for sr in self._enlarged(plate[None, :, :height, :width].float())]
                for plate, (height, width) in zip(lr, sizes, strict=True)
            ]
        return [torch.cat(of_step) for of_step in zip(*rows, strict=True)]

    def _enlarged(self, plate: Tensor) -> Iterator[Tensor]:
        """SR of one plate (1, 3, h, w), before the first step and after each."""
        size = (plate.shape[2], plate.shape[3])
        large = resize_plates(plate, [size], self.sizes([size]))
        for weights in self._adapted(plate, size):
            yield self._run(weights, large)

    def _adapted(self, plate: Tensor, size: Size) -> Iterator[Weights]:
        """The inner loop: the plate is learnt from its own reduction, the scale once more."""
        outer = torch.is_grad_enabled()
        small = (max(1, round(size[0] / self.scale)), max(1, round(size[1] / self.scale)))
        blurred = resize_plates(resize_plates(plate, [size], [small]), [small], [size])
        weights: Weights = dict(self.body.named_parameters())
        yield weights
        for _ in range(self.n_steps):
            with torch.enable_grad():
                if not (outer and all(weight.requires_grad for weight in weights.values())):
                    weights = {name: weight.detach().requires_grad_() for name, weight in weights.items()}
                loss = (self._run(weights, blurred) - plate).abs().mean()
                gradients = torch.autograd.grad(loss, list(weights.values()), create_graph=outer)
                steps = zip(weights.items(), gradients, strict=True)
                weights = {name: weight - self.step_size * gradient for (name, weight), gradient in steps}
            yield weights

    def _run(self, weights: Weights, picture: Tensor) -> Tensor:
        residual: Tensor = functional_call(self.body, weights, (picture,))
        return picture + residual


def _padded(sr: Tensor, size: Size) -> Tensor:
    return functional.pad(sr, (0, size[1] - sr.shape[3], 0, size[0] - sr.shape[2]))
