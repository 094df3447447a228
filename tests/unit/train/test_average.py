"""The averaged weights against their definition."""

import copy

import torch
from torch import nn

from acl_core.seeding import torch_seed
from acl_core.train.average import Average


def test_the_average_is_exponential_and_starts_with_the_first_weights() -> None:
    with torch_seed(1):
        net = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    average = Average(net, decay=0.5)
    expected: dict[str, torch.Tensor] = {}
    for step in range(12):
        with torch_seed(2, step), torch.no_grad():
            for weight in net.parameters():
                weight.copy_(torch.randn_like(weight))
            net(torch.randn(4, 3))  # changes BatchNorm's buffers, a counter among them
        average.follow(net)
        weight = 1 - min(0.5, (1 + step) / (10 + step)) if step else 1.0
        for name, value in net.state_dict().items():
            old = expected.get(name, value)
            expected[name] = old + weight * (value - old) if value.is_floating_point() else value.clone()
    for name, value in average.module.state_dict().items():
        torch.testing.assert_close(value, expected[name])
    assert not any(weight.requires_grad for weight in average.parameters())
    assert not average.module.training


def test_the_count_stays_on_the_host_and_in_the_checkpoint() -> None:
    average = Average(nn.Linear(2, 2), decay=0.9)
    for _ in range(3):
        average.follow(nn.Linear(2, 2))
    other = Average(nn.Linear(2, 2), decay=0.9)
    other.load_state_dict(copy.deepcopy(average.state_dict()))
    assert int(other.n_averaged) == 3
    assert other.n_averaged.device == torch.device("cpu")
