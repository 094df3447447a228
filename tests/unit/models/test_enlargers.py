"""Every network behind the one protocol: sizes, gradients, and that a plate does not see its neighbours."""

import builtins
from typing import Any

import pytest
import torch

from acl_core.errors import ParamsError
from acl_core.models.build import build_sr
from acl_core.models.drn import Drn
from acl_core.models.enlarger import Enlarger
from acl_core.models.mzsr import Mzsr
from acl_core.params_sr import Sr, SrArchitecture
from acl_core.resize import resize_plates
from tests.plates import params
from tests.weights import weights_hash

NETWORKS = [name for name in SrArchitecture if name is not SrArchitecture.IDENTITY]
SIZES = [(6, 13), (5, 10)]
SMALL: dict[str, Any] = {
    "channels": 4,
    "features": 8,
    "swinir": {"depths": [2], "heads": 2, "channels": 8, "window_px": 4, "mlp_ratio": 2, "upsampler": "direct"},
    "hat": {"depths": [2], "heads": 2, "channels": 30, "window_px": 4, "mlp_ratio": 2},
    "dat": {"depths": [2], "heads": 2, "channels": 16, "window_px": [2, 4], "mlp_ratio": 2},
    "drn": {"blocks": 1, "features": 4},
    "mzsr": {"layers": 3, "channels": 4, "steps": 2, "step_size": 0.01},
}


def small(architecture: str, **changes: Any) -> Sr:
    return Sr.model_validate(params().sr.model_dump() | SMALL | {"architecture": architecture} | changes)


def network(architecture: str, scale: int = 4, **changes: Any) -> Enlarger:
    torch.manual_seed(1)
    return build_sr(scale, small(architecture, **changes))


@pytest.mark.parametrize(
    ("architecture", "scale"),
    [(name, scale) for name in NETWORKS for scale in (2, 3, 4)] + [("swinir", 6), ("drn", 6), ("drn", 8), ("mzsr", 6)],
)
def test_sizes_at_every_scale(architecture: str, scale: int) -> None:
    sr = network(architecture, scale).eval()
    with torch.no_grad():
        enlarged = sr(torch.rand(2, 3, 6, 13), SIZES)
    assert enlarged.shape == (2, 3, 6 * scale, 13 * scale)
    assert enlarged.dtype == torch.float32
    assert sr.sizes(SIZES) == [(6 * scale, 13 * scale), (5 * scale, 10 * scale)]


@pytest.mark.parametrize("architecture", NETWORKS)
@pytest.mark.parametrize("skip", ["none", "bicubic"])
def test_every_weight_learns(architecture: str, skip: str) -> None:
    sr = network(architecture, skip=skip)
    sr(torch.rand(2, 3, 6, 13), SIZES).square().mean().backward()
    without = [name for name, weight in sr.named_parameters() if weight.grad is None]
    assert all(name.startswith("tails.") and not name.startswith("tails.2") for name in without)  # DRN's other levels


@pytest.mark.parametrize("architecture", NETWORKS)
def test_a_plate_does_not_see_the_plates_beside_it(architecture: str) -> None:
    sr = network(architecture).eval()
    batch = torch.rand(3, 3, 8, 12)
    with torch.no_grad():
        together = sr(batch, [(8, 12), (7, 11), (6, 9)])[1]
        alone = sr(batch[1:2], [(7, 11)])[0]
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=0)


def test_padding_has_no_say_in_the_channel_attention_of_drn() -> None:
    sr = network("drn", 2).eval()
    plate = torch.rand(1, 3, 24, 24)
    padded = torch.nn.functional.pad(plate, (0, 24, 0, 0), mode="replicate")
    with torch.no_grad():
        alone, with_padding = sr(plate, [(24, 24)]), sr(padded, [(24, 24)])
        ignorant = sr(padded, [(24, 48)])
    middle = (..., slice(0, 8), slice(0, 8))  # far from the edge that convolutions see
    torch.testing.assert_close(alone[middle], with_padding[middle], atol=1e-3, rtol=0)
    assert (alone[middle] - ignorant[middle]).abs().max() > (alone[middle] - with_padding[middle]).abs().max()


@pytest.mark.parametrize(("blocks", "features", "millions"), [(30, 16, 4.80), (40, 20, 9.83)])
def test_drn_has_the_published_number_of_parameters(blocks: int, features: int, millions: float) -> None:
    with torch.device("meta"):
        sr = Drn(4, blocks, features)
    assert sum(p.numel() for p in sr.parameters()) / 1e6 == pytest.approx(millions, abs=0.005)


def test_mzsr_has_the_published_number_of_parameters() -> None:
    assert sum(p.numel() for p in Mzsr(4).parameters()) == 225_091  # 3*3*(3*64 + 6*64*64 + 64*3) and the biases


@pytest.mark.parametrize(
    ("architecture", "scale", "sizes", "millions"),
    [  # SwinIR's Table 2 and 3; HAT's Table 6; DAT's Table 2
        ("swinir", 4, {"upsampler": "pixelshuffle", "channels": 180, "depths": [6] * 6}, 11.90),
        ("hat", 4, {"channels": 180, "depths": [6] * 6, "window_px": 16}, 20.77),
        ("dat", 4, {"channels": 180, "depths": [6] * 6, "window_px": [8, 32], "mlp_ratio": 4}, 14.80),
    ],
)
def test_attention_networks_have_the_published_number_of_parameters(
    architecture: str, scale: int, sizes: dict[str, Any], millions: float
) -> None:
    published = SMALL[architecture] | {"heads": 6} | sizes
    if architecture == "swinir":
        published |= {"window_px": 8}
    sr = build_sr(scale, small(architecture, **{architecture: published}))
    assert sum(p.numel() for p in sr.parameters()) / 1e6 == pytest.approx(millions, abs=0.01)


def test_identity_gives_lr_itself() -> None:
    sr = build_sr(4, small("identity"))
    lr = torch.rand(2, 3, 6, 13)
    assert sr(lr, SIZES) is lr
    assert sr.sizes(SIZES) == SIZES
    assert not list(sr.parameters())


def test_mzsr_learns_from_the_plate_itself_and_forgets_it() -> None:
    """The longer it learns a plate from its own reduction, the better it restores the plate from that."""
    sr = network("mzsr", 2, mzsr={"layers": 3, "channels": 8, "steps": 10, "step_size": 0.01}).eval()
    assert isinstance(sr, Mzsr)
    plate = torch.rand(1, 3, 12, 24)
    before = weights_hash(sr)
    small = resize_plates(plate, [(12, 24)], [(6, 12)])
    with torch.no_grad():
        steps = sr.after_each_step(plate, [(12, 24)])
        weights = [*sr._adapted(plate, (12, 24))]
        blurred = resize_plates(small, [(6, 12)], [(12, 24)])
        errors = [float((sr._run(w, blurred) - plate).abs().mean()) for w in weights]
    assert errors[-1] < errors[5] < errors[0]
    assert len(steps) == 11
    assert not steps[-1].requires_grad
    assert weights_hash(sr) == before


@pytest.mark.parametrize("architecture", NETWORKS)
def test_a_batch_of_one_plate_can_be_learnt(architecture: str) -> None:
    sr = network(architecture).train()
    sr(torch.rand(1, 3, 6, 13), SIZES[:1]).mean().backward()
    assert all(module.training for module in sr.modules())


def test_mzsr_reaches_its_weights_through_the_inner_steps() -> None:
    """With steps the gradient is of second order: it differs from that of the network without them."""
    sr = network("mzsr", 2)
    assert isinstance(sr, Mzsr)
    lr = torch.rand(1, 3, 8, 12)
    start, *_, last = sr.after_each_step(lr, [(8, 12)])
    weights = list(sr.parameters())
    first = torch.autograd.grad(start.sum(), weights, retain_graph=True)
    second = torch.autograd.grad(last.sum(), weights)
    assert any(not torch.allclose(a, b) for a, b in zip(first, second, strict=True))


@pytest.mark.parametrize(
    ("architecture", "scale", "sizes", "words"),
    [
        ("hat", 6, {}, "no x6"),
        ("swinir", 6, {"upsampler": "pixelshuffle"}, "Take direct"),
        ("dat", 4, {"heads": 6}, "6 heads do not divide 16 channels"),
    ],
)
def test_what_a_network_cannot_do_is_said(architecture: str, scale: int, sizes: dict[str, Any], words: str) -> None:
    with pytest.raises(ParamsError, match=words):
        build_sr(scale, small(architecture, **{architecture: SMALL[architecture] | sizes}))


def test_without_spandrel_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    found = builtins.__import__

    def absent(name: str, *arguments: Any, **options: Any) -> Any:
        if name.startswith("spandrel"):
            raise ImportError(name)
        return found(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", absent)
    with pytest.raises(ParamsError, match="needs spandrel"):
        network("swinir")
