import pytest
import torch

from acl_core.errors import ParamsError
from acl_core.models.dbpn import Dbpn
from acl_core.models.enlarger import Bicubic
from acl_core.params_sr import Skip


@pytest.mark.parametrize(
    ("scale", "parameters"), [(2, 5_953_526), (3, 8_030_198), (4, 10_426_358), (6, 16_177_142), (8, 23_205_878)]
)
def test_the_paper_network_has_the_papers_number_of_parameters(scale: int, parameters: int) -> None:
    with torch.device("meta"):
        sr = Dbpn(scale)
    assert sum(p.numel() for p in sr.parameters()) == parameters


@pytest.mark.parametrize("scale", [2, 3, 4, 6, 8])
def test_output_is_scale_times_the_input(scale: int) -> None:
    sr = Dbpn(scale, blocks=2, channels=4, features=8)
    assert sr(torch.rand(2, 3, 5, 9)).shape == (2, 3, 5 * scale, 9 * scale)


def test_with_the_bicubic_skip_a_silent_network_is_bicubic() -> None:
    sr = Dbpn(4, blocks=2, channels=4, features=8, skip=Skip.BICUBIC)
    torch.nn.init.zeros_(sr.reconstruct.weight)
    torch.nn.init.zeros_(sr.reconstruct.bias)
    lr = torch.rand(1, 3, 6, 8)
    torch.testing.assert_close(sr(lr), Bicubic(4)(lr, [(6, 8)]), atol=1e-5, rtol=0)


def test_a_scale_without_geometry_is_refused() -> None:
    with pytest.raises(ParamsError, match="x5"):
        Dbpn(5)


@pytest.mark.parametrize("scale", [2, 3, 4])
@pytest.mark.parametrize("blocks", [2, 4])
def test_without_gradients_the_output_is_the_same(scale: int, blocks: int) -> None:
    torch.manual_seed(0)
    sr = Dbpn(scale, blocks=blocks, channels=4, features=8).eval()
    lr = torch.rand(2, 3, 5, 7)
    expected = sr(lr)
    with torch.no_grad():
        torch.testing.assert_close(sr(lr), expected)
