"""One network is always frozen; this is what frozen means."""

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn


@contextmanager
def frozen(net: nn.Module) -> Iterator[nn.Module]:
    """Freeze a network: evaluation mode (BatchNorm keeps its statistics), no gradient for any weight.

    A gradient still flows through the network to its input. Its earlier state comes back at the end.
    """
    training = net.training
    wanted = [parameter.requires_grad for parameter in net.parameters()]
    net.eval().requires_grad_(False)
    try:
        yield net
    finally:
        for parameter, value in zip(net.parameters(), wanted, strict=True):
            parameter.requires_grad_(value)
        net.train(training)
