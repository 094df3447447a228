from pathlib import Path

import numpy as np
import pytest
import torch
from torchmetrics.functional.image import peak_signal_noise_ratio, structural_similarity_index_measure

from acl_core.data.batches import PairSet
from acl_core.data.manifest import Side
from acl_core.device import Compute
from acl_core.evaluate.outcome import Quality, edits, measure_quality, run_method
from acl_core.evaluate.pictures import luma, psnr_db, ssim
from acl_core.evaluate.scores import score, summary
from acl_core.models.build import build_recognizer
from acl_core.models.dbpn import Dbpn
from acl_core.models.enlarger import Bicubic
from acl_core.params import Architecture, Reading, RecognizerParams
from tests.plates import CLASSES, write_pairs

COMPUTE = Compute(torch.device("cpu"), bf16=False)


@pytest.fixture
def pairs(tmp_path: Path) -> PairSet:
    return PairSet.load(write_pairs(tmp_path / "x4"), Side.TRAIN)


def test_what_a_plate_gives_does_not_depend_on_the_plates_beside_it(pairs: PairSet) -> None:
    sr = Dbpn(4, blocks=2, channels=4, features=8)
    together = measure_quality(sr, pairs, COMPUTE, 4).psnr_db
    alone = [measure_quality(sr, PairSet([p], pairs.card, 4), COMPUTE, 4).psnr_db[0] for p in pairs.plates]
    np.testing.assert_allclose(together, alone, atol=1e-4)


def test_results_come_in_the_order_of_the_plates(pairs: PairSet) -> None:
    recognizer = build_recognizer(RecognizerParams(architecture=Architecture.PAPER, input_px=64), len(CLASSES))
    forward = run_method(Bicubic(4), recognizer, pairs, COMPUTE, 4, compare=True)
    reverse = PairSet(pairs.plates[::-1], pairs.card, 4)
    backward = run_method(Bicubic(4), recognizer, reverse, COMPUTE, 4, compare=True)
    assert forward.quality is not None
    assert backward.quality is not None
    np.testing.assert_allclose(forward.quality.psnr_db, backward.quality.psnr_db[::-1], atol=1e-4)
    for a, b in zip(forward.detections, backward.detections[::-1], strict=True):
        np.testing.assert_allclose(a.confidences, b.confidences, atol=1e-5)


def test_hr_has_no_quality_and_a_summary_all_the_same(pairs: PairSet) -> None:
    recognizer = build_recognizer(RecognizerParams(architecture=Architecture.PAPER, input_px=64), len(CLASSES))
    outcome = run_method(None, recognizer, pairs, COMPUTE, 4)
    assert outcome.quality is None
    rule = Reading(confidence=0.2, overlap=0.5)
    assert set(summary(outcome, pairs, rule)) == {"plates_read", "map50"}
    assert summary(outcome, pairs, rule)["plates_read"] == score(outcome, pairs, rule).read.mean()


def test_edits_count_characters_not_letters() -> None:
    found = [np.array([0, 1, 2]), np.array([0, 2]), np.array([], dtype=int)]
    true = [np.array([0, 1, 2]), np.array([0, 1, 2]), np.array([1, 1])]
    np.testing.assert_array_equal(edits(found, true), [0, 1, 2])


def test_psnr_and_luma() -> None:
    a, b = torch.rand(3, 20, 30), torch.rand(3, 20, 30)
    assert psnr_db(a, b) == pytest.approx(float(peak_signal_noise_ratio(a, b, data_range=1.0)), abs=1e-4)
    assert psnr_db(a, a) == 100
    white = luma(torch.ones(3, 2, 2))
    torch.testing.assert_close(white, torch.full((1, 2, 2), 235 / 255), atol=1e-4, rtol=0)


@pytest.mark.parametrize("size", [(11, 40), (36, 144), (97, 30)])
def test_ssim_is_that_of_the_library(size: tuple[int, int]) -> None:
    draw = torch.Generator().manual_seed(1)
    smooth = torch.nn.functional.interpolate(torch.rand(1, 3, 5, 7, generator=draw), size, mode="bilinear")[0]
    noisy = (smooth + 0.1 * torch.randn(3, *size, generator=draw)).clamp(0, 1)
    for a, b in ((smooth, noisy), (smooth, 1 - smooth), (noisy, 0.2 * noisy), (torch.zeros(3, *size), smooth)):
        expected = structural_similarity_index_measure(a[None].double(), b[None].double(), data_range=1.0)
        assert ssim(a, b) == pytest.approx(float(expected), abs=2e-5)
    assert ssim(noisy, noisy) == pytest.approx(1)


def test_means_leave_out_plates_that_are_too_small_for_ssim() -> None:
    psnr = np.array([20.0, 30.0])
    assert Quality(psnr, psnr, np.array([np.nan, 0.5])).means() == {"psnr_db": 25, "ssim": 0.5}
    assert Quality(psnr, psnr, np.full(2, np.nan)).means() == {"psnr_db": 25}  # NaN would end a training


def test_ssim_of_a_picture_smaller_than_its_window_is_left_out() -> None:
    assert ssim(torch.rand(3, 12, 40), torch.rand(3, 12, 40)) < 1
    assert np.isnan(ssim(torch.rand(3, 8, 40), torch.rand(3, 8, 40)))
