"""Convolution and PReLU as one operation that keeps one picture instead of two and walks over it less often.

Measured (docs/LOG.md): on a CPU the gradient of the bias took a third of the backward pass of a transposed convolution
that makes HR pictures, and PReLU's took twice what it has to. Summed apart, the first nearly vanishes.
"""

from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

# Below, the input of PReLU can no longer be had from its output, and both are kept.
_SMALLEST_SLOPE = 1e-3


class ConvPrelu(nn.Sequential):
    """A convolution, plain or transposed, and a PReLU with one slope for all channels.

    The same numbers as the two modules one after the other; in training on a CPU only the gradients of bias and slope
    are summed in another order, and under autocast in float32.

    Args:
        conv: The convolution; it has a bias.
    """

    def __init__(self, conv: nn.Conv2d | nn.ConvTranspose2d) -> None:
        super().__init__(conv, nn.PReLU())

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) to the convolution's shape."""
        conv, slope = cast(nn.Conv2d | nn.ConvTranspose2d, self[0]), cast(nn.PReLU, self[1]).weight
        if not runs_on_cpu(x):
            return functional.prelu(conv(x), slope)
        if not torch.is_grad_enabled():
            return functional.leaky_relu(conv(x), float(slope), inplace=True)
        dtype = torch.get_autocast_dtype("cpu") if torch.is_autocast_enabled("cpu") else x.dtype
        geometry = (conv.stride, conv.padding, isinstance(conv, nn.ConvTranspose2d))
        y: Tensor = _ConvPrelu.apply(x.to(dtype), conv.weight.to(dtype), conv.bias, slope, *geometry)
        return y


def runs_on_cpu(x: Tensor) -> bool:
    """Whether operations made for a CPU may be used: compilers and exporters get the plain ones."""
    watched = torch.compiler.is_compiling() or torch.jit.is_tracing()  # type: ignore[attr-defined,no-untyped-call]
    return x.device.type == "cpu" and not watched


class _ConvPrelu(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        weight: Tensor,
        bias: Tensor,
        slope: Tensor,
        stride: tuple[int, int],
        padding: tuple[int, int],
        transposed: bool,
    ) -> Tensor:
        conv = functional.conv_transpose2d if transposed else functional.conv2d
        before = conv(x, weight, bias.to(x.dtype), stride, padding)
        ctx.geometry = (stride, padding, [1, 1], transposed, [0, 0], 1)
        ctx.kept_output = float(slope) >= _SMALLEST_SLOPE
        y = functional.leaky_relu(before, float(slope), inplace=ctx.kept_output)
        ctx.save_for_backward(x, weight, slope, y if ctx.kept_output else before)
        return y

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        x, weight, slope, kept = ctx.saved_tensors
        outer = gradients[0].contiguous(memory_format=torch.channels_last)
        inner = torch.ops.aten.leaky_relu_backward(outer, kept, float(slope), ctx.kept_output)
        for_x, for_weight, for_bias, for_slope = ctx.needs_input_grad[:4]
        slope_gradient = None
        if for_slope:  # sum of gradient * input where the input is negative
            slope_gradient = kept.clamp(max=0).mul_(outer).sum(dtype=slope.dtype).view(1)
            slope_gradient = slope_gradient / slope.detach() if ctx.kept_output else slope_gradient
        bias_gradient = inner.sum((0, 2, 3), dtype=slope.dtype) if for_bias else None
        x_gradient, weight_gradient, _ = torch.ops.aten.convolution_backward(
            inner, x, weight, None, *ctx.geometry, [for_x, for_weight, False]
        )
        return x_gradient, weight_gradient, bias_gradient, slope_gradient, None, None, None
