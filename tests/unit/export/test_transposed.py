"""Transposed convolutions written as plain ones, in models of one layer and in a whole one."""

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from torch import Tensor, nn

from acl_core.export.transposed import as_convolutions
from acl_core.models.dbpn import Dbpn
from acl_core.params import SUPPORTED_SCALES


def exported(network: nn.Module, picture: Tensor) -> onnx.ModelProto:
    sizes = {2: torch.export.Dim("h", min=2, max=99), 3: torch.export.Dim("w", min=2, max=99)}
    program = torch.onnx.export(network.eval(), (picture,), dynamo=True, dynamic_shapes=(sizes,), verbose=False)
    assert program is not None
    return program.model_proto


def run(model: onnx.ModelProto, picture: Tensor) -> np.ndarray:
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return np.asarray(session.run(None, {session.get_inputs()[0].name: picture.numpy()})[0])


def kinds(model: onnx.ModelProto) -> set[str]:
    return {node.op_type for node in model.graph.node}


@pytest.mark.parametrize("scale", SUPPORTED_SCALES)
def test_dbpn_gives_the_same_numbers_at_every_scale(scale: int) -> None:
    torch.manual_seed(scale)
    network = Dbpn(scale, blocks=2, channels=4, features=8)
    model = exported(network, torch.rand(1, 3, 5, 7))
    plain = as_convolutions(model)
    onnx.checker.check_model(plain, full_check=True)
    assert "ConvTranspose" in kinds(model)
    assert "ConvTranspose" not in kinds(plain)
    picture = torch.rand(1, 3, 9, 4)  # another size than that of the trace
    assert run(model, picture).shape == (1, 3, 9 * scale, 4 * scale)
    np.testing.assert_allclose(run(plain, picture), run(model, picture), atol=1e-5)


@pytest.mark.parametrize(("kernel", "stride", "padding"), [(4, 4, 0), (5, 2, 0), (3, 1, 1), (2, 3, 0)])
def test_any_kernel(kernel: int, stride: int, padding: int) -> None:
    torch.manual_seed(1)
    layer = nn.ConvTranspose2d(3, 2, kernel, stride, padding)
    picture = torch.rand(2, 3, 6, 5)
    model = exported(layer, picture)
    plain = as_convolutions(model)
    assert "ConvTranspose" not in kinds(plain)
    np.testing.assert_allclose(run(plain, picture), layer(picture).detach().numpy(), atol=1e-5)


@pytest.mark.parametrize(
    ("n_slopes", "order"),
    [
        (1, ["Conv", "PRelu", "DepthToSpace", "Slice"]),  # one slope for all channels: before they move
        (4, ["Conv", "DepthToSpace", "Slice", "PRelu"]),
    ],
)
def test_where_the_activation_goes(n_slopes: int, order: list[str]) -> None:
    torch.manual_seed(1)
    activation, picture = nn.PReLU(n_slopes), torch.rand(1, 3, 5, 5)
    network = nn.Sequential(nn.ConvTranspose2d(3, 4, 8, 4, 2), activation)
    with torch.no_grad():
        activation.weight.copy_(torch.linspace(0.1, 0.9, n_slopes))
    plain = as_convolutions(exported(network, picture))
    assert [node.op_type for node in plain.graph.node if node.op_type in order] == order
    np.testing.assert_allclose(run(plain, picture), network(picture).detach().numpy(), atol=1e-5)


def test_a_kind_that_it_does_not_know_stays() -> None:
    model = exported(nn.ConvTranspose2d(4, 4, 4, 2, 1, groups=2), torch.rand(1, 4, 5, 5))
    assert "ConvTranspose" in kinds(as_convolutions(model))


def test_the_model_that_is_given_is_not_changed() -> None:
    model = exported(nn.ConvTranspose2d(3, 2, 4, 2, 1), torch.rand(1, 3, 5, 5))
    before = model.SerializeToString()
    as_convolutions(model)
    assert model.SerializeToString() == before
