import numpy as np
import pytest
import torch

from acl_core.data.batches import collate
from acl_core.data.degrade import degrade
from acl_core.errors import ParamsError
from acl_core.evaluate.outcome import enlarge
from acl_core.export.candidates import PlateCandidates, bicubic_weights
from acl_core.models.drn import Drn
from acl_core.models.enlarger import Bicubic, Enlarger, Identity
from acl_core.models.join import join
from acl_core.params_sr import Skip
from acl_core.resize import bicubic_matrix
from tests.plates import toy_plate
from tests.unit.export.networks import BUCKET_PX, SCALE, candidates, dbpn, recognizer
from tests.unit.export.parity import CPU


@pytest.mark.parametrize("n_out", [1, 7, 24, 64, 144, 256])
def test_the_formula_gives_the_tables_weights(n_out: int) -> None:
    for n_in in (1, 2, 3, 5, 9, 16, 33, 96, 144, 300):
        torch.testing.assert_close(bicubic_weights(n_in, n_out, n_in), bicubic_matrix(n_in, n_out), atol=2e-6, rtol=0)


def test_padding_gets_no_weight() -> None:
    weights = bicubic_weights(9, 20, 12)
    torch.testing.assert_close(weights[:, :9], bicubic_matrix(9, 20), atol=2e-6, rtol=0)
    assert (weights[:, 9:] == 0).all()


@pytest.mark.parametrize("enlarger", [dbpn(Skip.BICUBIC), dbpn(Skip.NONE), Bicubic(4)])
@pytest.mark.parametrize("size", [(20, 44), (24, 48), (36, 100)])  # HR; LR widths 11, 12 and 25
@torch.no_grad()
def test_candidates_are_those_of_the_evaluation(enlarger: Enlarger, size: tuple[int, int]) -> None:
    plate, net = degrade(toy_plate(0, size=size), 4), recognizer()
    batch = collate([plate], 4, BUCKET_PX)
    expected = net.candidates(net(join(enlarge(enlarger, batch, CPU), batch.hr_sizes, net.input_px)))
    assert plate.lr is not None
    boxes, scores = PlateCandidates(enlarger, net, BUCKET_PX).eval()(torch.from_numpy(plate.lr)[None])
    height, width = plate.lr.shape[:2]
    torch.testing.assert_close(boxes, expected.boxes * torch.tensor([width, height, width, height]), atol=1e-3, rtol=0)
    torch.testing.assert_close(scores, expected.scores, atol=1e-4, rtol=0)


def test_the_networks_themselves_stay_as_they_are() -> None:
    enlarger = dbpn(Skip.BICUBIC)
    PlateCandidates(enlarger, recognizer(), BUCKET_PX)
    assert enlarger.skip is Skip.BICUBIC
    assert np.isfinite(enlarger(torch.rand(1, 3, 8, 8)).detach().numpy()).all()


def test_a_network_that_cannot_be_traced_is_refused_in_one_sentence() -> None:
    with pytest.raises(ParamsError, match=r"^Drn: cannot be exported, because .*sr.architecture dbpn.*$"):
        candidates(Drn(SCALE, 1, 4))


def test_identity_is_exported_as_the_recognizer_alone() -> None:
    plates = torch.randint(0, 256, (1, 6, 12, 3), dtype=torch.uint8)
    boxes, _ = candidates(Identity())(plates)
    square = join(plates.permute(0, 3, 1, 2).float() / 255, [(6, 12)], recognizer().input_px)
    expected = recognizer().candidates(recognizer()(square)).boxes * torch.tensor([12, 6, 12, 6])
    torch.testing.assert_close(boxes, expected, atol=1e-3, rtol=0)
