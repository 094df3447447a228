import torch

from acl_core.models.freezing import frozen
from tests.weights import weights_hash


def net() -> torch.nn.Module:
    return torch.nn.Sequential(torch.nn.Conv2d(3, 4, 1), torch.nn.BatchNorm2d(4))


def test_frozen_gives_gradient_to_the_input_and_to_no_weight() -> None:
    model, x = net(), torch.rand(2, 3, 4, 4, requires_grad=True)
    before = weights_hash(model)
    with frozen(model):
        model(x).square().sum().backward()
        assert not model.training
    assert x.grad is not None
    assert all(p.grad is None for p in model.parameters())
    assert weights_hash(model) == before


def test_the_state_before_comes_back() -> None:
    model = net().train()
    model[0].bias.requires_grad_(False)
    with frozen(model):
        pass
    assert model.training
    assert [p.requires_grad for p in model.parameters()] == [True, False, True, True]


def test_the_hash_sees_batch_norm_statistics() -> None:
    model = net()
    before = weights_hash(model)
    model(torch.rand(2, 3, 4, 4))
    assert weights_hash(model) != before
