"""The fused operation is the two modules one after the other, whatever the slope."""

import pytest
import torch
from torch import Tensor, nn

from acl_core.models.conv_prelu import ConvPrelu


def block(*, transposed: bool, slope: float) -> ConvPrelu:
    torch.manual_seed(0)
    kind = nn.ConvTranspose2d if transposed else nn.Conv2d
    fused = ConvPrelu(kind(3, 4, 6, 2, 2)).double()
    nn.init.constant_(fused[1].weight, slope)  # type: ignore[arg-type]
    return fused


def gradients(y: Tensor, x: Tensor, net: nn.Module) -> list[Tensor]:
    weight = torch.linspace(-1, 1, y.numel(), dtype=y.dtype).view_as(y)
    return list(torch.autograd.grad((y * weight).sum(), [x, *net.parameters()]))


@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize("slope", [0.25, 1e-6, 0.0, -0.2])  # the last three keep the input, not the output
def test_values_and_gradients_are_those_of_the_modules(transposed: bool, slope: float) -> None:
    fused = block(transposed=transposed, slope=slope)
    x = torch.randn(2, 3, 8, 10, dtype=torch.double, requires_grad=True)
    plain = nn.Sequential(*fused)
    torch.testing.assert_close(fused(x), plain(x), rtol=0, atol=0)
    for ours, theirs in zip(gradients(fused(x), x, fused), gradients(plain(x), x, fused), strict=True):
        torch.testing.assert_close(ours, theirs)


def test_a_frozen_block_hands_the_gradient_on_and_keeps_none() -> None:
    fused = block(transposed=True, slope=0.25).requires_grad_(False)
    x = torch.randn(1, 3, 4, 4, dtype=torch.double, requires_grad=True)
    fused(x).sum().backward()
    assert x.grad is not None
    assert all(p.grad is None for p in fused.parameters())


def test_without_gradients_the_values_are_the_same_and_the_input_stays() -> None:
    fused = block(transposed=False, slope=0.25)
    x = torch.randn(1, 3, 8, 8, dtype=torch.double)
    before, expected = x.clone(), nn.Sequential(*fused)(x)
    with torch.no_grad():
        torch.testing.assert_close(fused(x), expected, rtol=0, atol=0)
    torch.testing.assert_close(x, before, rtol=0, atol=0)


@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize("slope", [0.25, 0.0])
def test_under_autocast_the_values_are_those_of_the_modules(transposed: bool, slope: float) -> None:
    fused = block(transposed=transposed, slope=slope).float()
    x = torch.randn(1, 3, 8, 8, requires_grad=True)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        ours, theirs = fused(x), nn.Sequential(*fused)(x)
        with torch.no_grad():
            torch.testing.assert_close(fused(x), theirs, rtol=0, atol=0)
    assert ours.dtype is torch.bfloat16
    torch.testing.assert_close(ours, theirs, rtol=0, atol=0)
    for fine, plain in zip(gradients(ours, x, fused), gradients(theirs, x, fused), strict=True):
        assert fine.dtype is torch.float32
        torch.testing.assert_close(fine, plain, rtol=0.05, atol=0.02 * float(plain.abs().max()))
