"""The plain way computes what ours computes: the clock compares like with like."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from acl_core.data.batches import EvaluationBatches
from acl_core.device import Compute
from acl_core.models.conv_prelu import ConvPrelu
from acl_core.models.dbpn import Dbpn
from acl_core.models.freezing import frozen
from acl_core.params import Architecture, RecognizerParams
from acl_core.train.steps import phase1_step, phase2_step, recognizer_on_hr_step, sr_step
from benchmarks import reference
from benchmarks.clock import Times, in_turn, markdown
from benchmarks.contests import TRAININGS, read_plates, reading, training
from benchmarks.material import Material, one_epoch

COMPUTE = Compute(torch.device("cpu"), bf16=False)
MATERIAL = Material.tiny()


def test_the_plain_network_has_nothing_of_ours_and_the_same_output(monkeypatch: pytest.MonkeyPatch) -> None:
    fused = MATERIAL.build_sr()
    plain = reference.PlainDbpn.like(fused)
    lr = torch.rand(1, 3, 8, 12)
    expected = fused(lr)
    assert not any(isinstance(module, ConvPrelu) for module in plain.modules())
    monkeypatch.setattr(Dbpn, "_without_copies", None)
    torch.testing.assert_close(plain(lr, ()), expected)
    with torch.no_grad():
        torch.testing.assert_close(plain(lr, ()), expected)


@pytest.mark.parametrize("name", TRAININGS)
def test_the_losses_of_a_plate_are_the_same(name: str) -> None:
    sr, recognizer = MATERIAL.build_sr(), MATERIAL.build_recognizer()
    pairs = MATERIAL.pairs(1)
    batch, plate = EvaluationBatches(pairs, 1, 1)[0], reference.one_by_one(pairs, COMPUTE.device)[0]
    match name:
        case "SR pretraining":
            ours, plain = sr_step(sr, COMPUTE), reference.sr_loss(sr)
        case "recognizer pretraining":
            ours, plain = recognizer_on_hr_step(recognizer, COMPUTE), reference.hr_loss(recognizer)
        case "Phase 1":
            ours, plain = phase1_step(sr, recognizer, 0.01, COMPUTE), reference.phase1_loss(sr, recognizer, 0.01)
        case _:
            ours, plain = phase2_step(sr, recognizer, COMPUTE), reference.phase2_loss(sr, recognizer)
    with frozen(recognizer):
        torch.testing.assert_close(ours(batch).total, plain(plate), rtol=1e-4, atol=1e-4)


def test_the_same_plate_is_read_alike() -> None:
    unsure = RecognizerParams(architecture=Architecture.PAPER, input_px=64)  # finds something before it has learnt
    sr, recognizer = MATERIAL.build_sr().eval(), replace(MATERIAL, recognizer=unsure).build_recognizer().eval()
    plate, rule = MATERIAL.pairs(1).plates[0], one_epoch(1).reading.model_copy(update={"confidence": 0.0})
    lr = reference.one_by_one(MATERIAL.pairs(1), COMPUTE.device)[0].lr
    plain = reference.read_plate(sr, recognizer, lr, rule)
    ours = read_plates([plate], sr, recognizer, rule, COMPUTE, MATERIAL.sr.bucket_px)[0]
    assert len(ours) == len(plain) > 0
    assert (abs(ours.boxes - plain.boxes) < 1e-3).all()


def test_a_contest_times_both_ways_and_counts_operations(tmp_path: Path) -> None:
    sizes = {"n_plates": 2, "n_reference": 1, "batch_size": 2}
    contest = training("SR pretraining", MATERIAL, COMPUTE, **sizes, folder=tmp_path)
    times = in_turn(contest.reference, contest.ours, rounds=2)
    assert len(times.ours) == len(times.reference) == len(times.ratios) == 2  # and each ran anew
    assert min(times.ours + times.reference) > 0
    assert contest.flops > 3 * reading_of_sr()


def reading_of_sr() -> float:
    """Multiplications of SR's first transposed convolution alone, once: less than a training step has."""
    height, width = MATERIAL.plate_px
    return 2 * 8 * 8 * MATERIAL.sr.channels**2 * (height // 4) * (width // 4)


def test_ratios_are_taken_round_by_round() -> None:
    assert Times([4.0, 9.0], [2.0, 3.0]).ratios == [2.0, 3.0]
    assert markdown([{"a": "1", "b": "2"}]) == "| a | b |\n|---|---|\n| 1 | 2 |"


def test_reading_is_a_contest_too() -> None:
    contest = reading(MATERIAL, COMPUTE)
    assert contest.reference() > 0
    assert contest.ours() > 0
