"""What the profile `paper` would take: every training of it, in its batches."""

import argparse
from pathlib import Path

import pytest

from benchmarks import gpu
from benchmarks.contests import TRAININGS, Contest
from benchmarks.material import Material


def test_the_profile_has_all_its_trainings_and_the_control_as_long_as_phase_2() -> None:
    sections = {name: {"epochs": n, "batch_size": 8} for name, n in (("pretrain_sr", 4), ("phase1", 3), ("phase2", 2))}
    profile = sections | {
        "pretrain_recognizer": {"epochs": 1, "batch_size": 8},
        "bicubic_phase2": {"epochs": None},
        "plates": {"synthetic": {"train": 60}},
    }
    seconds = dict(zip(TRAININGS, (1.0, 10.0, 100.0, 1000.0, 0.0), strict=True))
    said = gpu._of_paper_profile(seconds, profile, None)
    assert "at these rates, minutes a scale: 2334.0 (SR pretraining 4.0, recognizer pretraining 10.0," in said
    assert "Phase 1 300.0, Phase 2 2000.0, control 20.0)" in said
    profile["bicubic_phase2"] = {"epochs": 0}
    assert "control 0.0" in gpu._of_paper_profile(seconds, profile, None)
    assert "measured in batches of 2 instead of its own" in gpu._of_paper_profile(seconds, profile, 2)


@pytest.mark.parametrize(("batch", "expected"), [(None, [32, 64, 32, 64, 64]), (2, [2] * 5)])
def test_trainings_are_measured_in_the_batches_of_the_profile_unless_others_are_asked_for(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, batch: int | None, expected: list[int]
) -> None:
    used = {}

    def contest(name: str, *_: object, batch_size: int, **__: object) -> Contest:
        used[name] = batch_size
        return Contest(name, lambda: 2.0, lambda: 1.0, 1.0)

    monkeypatch.setattr(gpu, "training", contest)
    options = argparse.Namespace(device="cpu", batch=batch, plates=4, reference_plates=1, rounds=1)
    rows, _ = gpu._trainings(Material.tiny(), options, 1.0, tmp_path, gpu._paper_profile())
    ordered = dict(zip(("SR pretraining", "recognizer pretraining", "Phase 1", "Phase 2"), expected, strict=False))
    assert used == ordered | {TRAININGS[-1]: expected[-1]}
    assert [row["batch"] for row in rows] == [str(n) for n in expected]
