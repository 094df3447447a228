"""A part that is measured again in a kept folder is measured from its beginning."""

from pathlib import Path

import pytest
import torch

from acl_core.train.loop import FitResult, Job
from benchmarks import growth
from benchmarks.material import job


@pytest.mark.parametrize("name", ["pretrain_sr", "pretrain_recognizer", "phase1", "phase2"])
def test_no_training_goes_on_where_an_earlier_one_was_killed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    job(growth._COMPUTE, tmp_path, name).checkpoint.save({"epoch": torch.tensor(1)})
    found = []

    def train(*arguments: object) -> FitResult:
        found.extend(run.checkpoint.load() for run in arguments if isinstance(run, Job))
        return FitResult({}, [])

    monkeypatch.setattr(growth, name, train)
    monkeypatch.setattr(growth.TrainingData, "load", lambda *_: None)
    growth._PARTS[name](tmp_path, 6, 32)()
    assert found == [None]
